//! What arrived, in order, and gates that hold requests and answers back so that tests need no sleeps.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use crate::endpoint::Endpoint;
use crate::recorded::{Outcome, Recorded};

/// Where a gate stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Gate {
    /// Before the request's body is read: a client that sends one meets a full buffer.
    Upload,
    /// Before the request takes effect.
    Before,
    /// After it took effect, before the head of the answer leaves.
    After,
    /// After the head, before the first byte of the body.
    Body,
    /// Before each piece of the body: one for a plain answer, one per event, one per piece of a generated body.
    Piece,
}

#[derive(Default)]
struct Log {
    requests: Vec<Recorded>,
    /// Gates that are shut, and how many may pass all the same.
    gates: HashMap<(Endpoint, Gate), u64>,
    /// One entry per request that stands at a gate now.
    waiting: Vec<(Endpoint, Gate)>,
    connections: usize,
    connections_ever: u64,
}

/// The record of one emulator.
pub struct Recorder {
    log: Mutex<Log>,
    changed: watch::Sender<u64>,
}

impl Recorder {
    pub(crate) fn new() -> Self {
        Self {
            log: Mutex::new(Log::default()),
            changed: watch::Sender::new(0),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn notify(&self) {
        self.changed.send_modify(|n| *n = n.wrapping_add(1));
    }

    /// Every request so far, those to control endpoints excepted.
    pub fn requests(&self) -> Vec<Recorded> {
        self.lock().requests.clone()
    }

    /// The requests to one endpoint, in order.
    pub fn requests_to(&self, endpoint: Endpoint) -> Vec<Recorded> {
        let log = self.lock();
        let wanted = log.requests.iter().filter(|r| r.endpoint == endpoint);
        wanted.cloned().collect()
    }

    /// The latest request to one endpoint.
    pub fn last(&self, endpoint: Endpoint) -> Option<Recorded> {
        let log = self.lock();
        let mut wanted = log.requests.iter().rev();
        wanted.find(|r| r.endpoint == endpoint).cloned()
    }

    /// How many requests arrived at one endpoint.
    pub fn count(&self, endpoint: Endpoint) -> usize {
        self.count_where(|r| r.endpoint == endpoint)
    }

    /// How many requests arrived in all.
    pub fn total(&self) -> usize {
        self.lock().requests.len()
    }

    /// The requests that hold `secret` anywhere in head, body or trailers, by index: what must not go upstream.
    pub fn mentions(&self, secret: &str) -> Vec<usize> {
        let log = self.lock();
        let wanted = log.requests.iter().filter(|r| r.mentions(secret));
        wanted.map(|r| r.index).collect()
    }

    /// Forgets the record; gates stay.
    pub fn clear(&self) {
        self.lock().requests.clear();
        self.notify();
    }

    /// From now on requests to the endpoint wait before they take effect, until [`Self::release`].
    pub fn hold(&self, endpoint: Endpoint) {
        self.hold_at(endpoint, Gate::Before);
    }

    /// The same at a gate of choice.
    pub fn hold_at(&self, endpoint: Endpoint, gate: Gate) {
        self.lock().gates.insert((endpoint, gate), 0);
        self.notify();
    }

    /// Lets `times` more through a gate that is shut, and shuts it first if it is not.
    pub fn allow(&self, endpoint: Endpoint, gate: Gate, times: u64) {
        *self.lock().gates.entry((endpoint, gate)).or_default() += times;
        self.notify();
    }

    /// Opens every gate of the endpoint: all that wait go on.
    pub fn release(&self, endpoint: Endpoint) {
        self.lock().gates.retain(|(held, _), _| *held != endpoint);
        self.notify();
    }

    /// How many requests stand at the endpoint's gates now. One whose client went away no longer counts.
    pub fn waiting(&self, endpoint: Endpoint) -> usize {
        let log = self.lock();
        let standing = log.waiting.iter().filter(|(held, _)| *held == endpoint);
        standing.count()
    }

    /// How many connections are open now.
    pub fn connections(&self) -> usize {
        self.lock().connections
    }

    /// How many connections were ever opened.
    pub fn connections_ever(&self) -> u64 {
        self.lock().connections_ever
    }

    /// Returns as soon as `n` requests in all have arrived at the endpoint.
    pub async fn arrived(&self, endpoint: Endpoint, n: usize) {
        self.until(|| self.count(endpoint) >= n).await;
    }

    /// Returns as soon as exactly `n` requests stand at the endpoint's gates (0: the clients have gone).
    pub async fn held(&self, endpoint: Endpoint, n: usize) {
        self.until(|| self.waiting(endpoint) == n).await;
    }

    /// Returns as soon as `n` answers of the endpoint have ended, whole or not.
    pub async fn ended(&self, endpoint: Endpoint, n: usize) {
        self.until(|| {
            self.count_where(|r| r.endpoint == endpoint && r.outcome != Outcome::Open) >= n
        })
        .await;
    }

    /// Returns as soon as `n` clients have left before the endpoint's answer was whole.
    pub async fn left(&self, endpoint: Endpoint, n: usize) {
        self.until(|| {
            self.count_where(|r| r.endpoint == endpoint && r.outcome == Outcome::ClientLeft) >= n
        })
        .await;
    }

    /// Returns as soon as the latest request to the endpoint has been sent `bytes` of its answer's body.
    pub async fn sent_to_last(&self, endpoint: Endpoint, bytes: u64) {
        let enough = || self.last(endpoint).is_some_and(|r| r.sent >= bytes);
        self.until(enough).await;
    }

    /// Returns as soon as exactly `n` connections are open.
    pub async fn connected(&self, n: usize) {
        self.until(|| self.connections() == n).await;
    }

    fn count_where(&self, is_wanted: impl Fn(&Recorded) -> bool) -> usize {
        let log = self.lock();
        log.requests.iter().filter(|r| is_wanted(r)).count()
    }

    async fn until(&self, done: impl Fn() -> bool) {
        let mut changes = self.changed.subscribe();
        while !done() {
            if changes.changed().await.is_err() {
                return;
            }
        }
    }

    pub(crate) fn record(&self, request: Recorded) {
        self.lock().requests.push(request);
        self.notify();
    }

    pub(crate) fn update(&self, index: usize, edit: impl FnOnce(&mut Recorded)) {
        let mut log = self.lock();
        // The latest are at the end, and a cleared record no longer has this one.
        let known = log.requests.iter_mut().rev().find(|r| r.index == index);
        if let Some(request) = known {
            edit(request);
        }
        drop(log);
        self.notify();
    }

    pub(crate) fn sent(&self, index: usize, bytes: usize) {
        self.update(index, |r| r.sent += bytes as u64);
    }

    pub(crate) fn open_connection(&self) -> u64 {
        let mut log = self.lock();
        log.connections += 1;
        log.connections_ever += 1;
        let number = log.connections_ever;
        drop(log);
        self.notify();
        number
    }

    pub(crate) fn close_connection(&self) {
        self.lock().connections -= 1;
        self.notify();
    }

    /// Takes a permit of a shut gate; an open one needs none.
    fn may_pass(&self, at: (Endpoint, Gate)) -> bool {
        match self.lock().gates.get_mut(&at) {
            None => true,
            Some(0) => false,
            Some(permits) => {
                *permits -= 1;
                true
            }
        }
    }

    /// Stands at a gate while it is shut.
    pub(crate) async fn pass(&self, endpoint: Endpoint, gate: Gate) {
        let at = (endpoint, gate);
        if self.may_pass(at) {
            return;
        }
        let place = Place::take(self, at);
        self.until(|| self.may_pass(at)).await;
        drop(place);
    }
}

/// A place in the queue at a gate; given back also when the client goes away and the request is dropped.
struct Place<'a> {
    recorder: &'a Recorder,
    at: (Endpoint, Gate),
}

impl<'a> Place<'a> {
    fn take(recorder: &'a Recorder, at: (Endpoint, Gate)) -> Self {
        recorder.lock().waiting.push(at);
        recorder.notify();
        Self { recorder, at }
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut log = self.recorder.lock();
        if let Some(position) = log.waiting.iter().position(|held| *held == self.at) {
            log.waiting.swap_remove(position);
        }
        drop(log);
        self.recorder.notify();
    }
}
