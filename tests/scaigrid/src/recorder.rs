//! What arrived, in order, over which connections.

use std::ops::Deref;
use std::sync::{Mutex, MutexGuard, PoisonError};

use scaigate_emulation::Gates;

use crate::endpoint::Endpoint;
use crate::recorded::{Outcome, Recorded};

#[derive(Default)]
struct Log {
    requests: Vec<Recorded>,
    connections: usize,
    connections_ever: u64,
}

/// The record of one emulator, and its gates.
#[derive(Default)]
pub struct Recorder {
    log: Mutex<Log>,
    gates: Gates<Endpoint>,
}

impl Deref for Recorder {
    type Target = Gates<Endpoint>;

    fn deref(&self) -> &Gates<Endpoint> {
        &self.gates
    }
}

impl Recorder {
    fn lock(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
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
}
