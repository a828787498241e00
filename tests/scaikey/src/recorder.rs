//! What arrived, in order, and gates that hold requests back so that tests need no sleeps.

use std::collections::HashSet;
use std::sync::Mutex;

use bytes::Bytes;
use http::{HeaderMap, Method};
use tokio::sync::watch;

use crate::endpoint::Endpoint;

/// One request as it arrived.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// Position in the whole record, from 0.
    pub index: usize,
    /// The emulator's name for where it went.
    pub endpoint: Endpoint,
    /// HTTP method.
    pub method: Method,
    /// Path as sent, without query.
    pub path: String,
    /// Query parameters, decoded, in order.
    pub query: Vec<(String, String)>,
    /// Header fields.
    pub headers: HeaderMap,
    /// Form fields, decoded, in order; empty when the body is no form.
    pub form: Vec<(String, String)>,
    /// The body as sent.
    pub body: Bytes,
    /// When it arrived, Unix milliseconds of the emulator's clock.
    pub at: i64,
    /// The status answered; `None` while unanswered or when a fault ate the answer.
    pub status: Option<u16>,
}

impl Recorded {
    /// The first query parameter of this name.
    pub fn query(&self, name: &str) -> Option<&str> {
        first(&self.query, name)
    }

    /// The first form field of this name.
    pub fn form(&self, name: &str) -> Option<&str> {
        first(&self.form, name)
    }

    /// The first header field of this name, if it is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

pub(crate) fn first<'a>(pairs: &'a [(String, String)], name: &str) -> Option<&'a str> {
    pairs
        .iter()
        .find(|(key, _)| key == name)
        .map(|(_, value)| value.as_str())
}

/// Where a gate stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Gate {
    /// Before the request takes effect.
    Before,
    /// After it took effect, before the answer leaves.
    After,
}

#[derive(Default)]
struct Log {
    requests: Vec<Recorded>,
    gates: HashSet<(Endpoint, Gate)>,
    /// One entry per request that stands at a gate now.
    waiting: Vec<(Endpoint, Gate)>,
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

    fn lock(&self) -> std::sync::MutexGuard<'_, Log> {
        self.log
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn notify(&self) {
        self.changed.send_modify(|n| *n += 1);
    }

    /// Every request so far.
    pub fn requests(&self) -> Vec<Recorded> {
        self.lock().requests.clone()
    }

    /// The requests to one endpoint, in order.
    pub fn requests_to(&self, endpoint: Endpoint) -> Vec<Recorded> {
        self.lock()
            .requests
            .iter()
            .filter(|r| r.endpoint == endpoint)
            .cloned()
            .collect()
    }

    /// The requests to the token endpoint, in order.
    pub fn token_requests(&self) -> Vec<Recorded> {
        self.requests_to(Endpoint::Token)
    }

    /// How many requests arrived at one endpoint.
    pub fn count(&self, endpoint: Endpoint) -> usize {
        self.lock()
            .requests
            .iter()
            .filter(|r| r.endpoint == endpoint)
            .count()
    }

    /// How many token requests of one grant arrived.
    pub fn count_grant(&self, grant_type: &str) -> usize {
        let log = self.lock();
        log.requests
            .iter()
            .filter(|r| r.endpoint == Endpoint::Token && r.form("grant_type") == Some(grant_type))
            .count()
    }

    /// How many requests arrived in all.
    pub fn total(&self) -> usize {
        self.lock().requests.len()
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
        self.lock().gates.insert((endpoint, gate));
        self.notify();
    }

    /// Opens both gates of the endpoint: all that wait go on.
    pub fn release(&self, endpoint: Endpoint) {
        self.lock().gates.retain(|(held, _)| *held != endpoint);
        self.notify();
    }

    /// How many requests stand at the endpoint's gates now. One whose client went away no longer counts.
    pub fn waiting(&self, endpoint: Endpoint) -> usize {
        self.lock()
            .waiting
            .iter()
            .filter(|(held, _)| *held == endpoint)
            .count()
    }

    /// Returns as soon as `n` requests in all have arrived at the endpoint.
    pub async fn arrived(&self, endpoint: Endpoint, n: usize) {
        self.until(|| self.count(endpoint) >= n).await;
    }

    /// Returns as soon as exactly `n` requests stand at the endpoint's gates (0: the clients have gone).
    pub async fn held(&self, endpoint: Endpoint, n: usize) {
        self.until(|| self.waiting(endpoint) == n).await;
    }

    /// Returns as soon as a request stands at the endpoint's gates, however many do.
    pub async fn stands(&self, endpoint: Endpoint) {
        self.until(|| self.waiting(endpoint) > 0).await;
    }

    async fn until(&self, done: impl Fn() -> bool) {
        let mut changes = self.changed.subscribe();
        while !done() {
            if changes.changed().await.is_err() {
                return;
            }
        }
    }

    pub(crate) fn record(&self, mut request: Recorded) -> usize {
        let index = {
            let mut log = self.lock();
            request.index = log.requests.len();
            log.requests.push(request);
            log.requests.len() - 1
        };
        self.notify();
        index
    }

    pub(crate) fn answered(&self, index: usize, endpoint: Endpoint, status: u16) {
        if let Some(request) = self.lock().requests.get_mut(index)
            && request.endpoint == endpoint
        {
            request.status = Some(status);
        }
    }

    /// Stands at a gate while it is shut.
    pub(crate) async fn pass(&self, endpoint: Endpoint, gate: Gate) {
        if !self.lock().gates.contains(&(endpoint, gate)) {
            return;
        }
        let place = Place::take(self, (endpoint, gate));
        self.until(|| !self.lock().gates.contains(&(endpoint, gate)))
            .await;
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
