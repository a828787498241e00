//! What arrived, in order.

use std::ops::Deref;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http::{HeaderMap, Method};
use scaigate_emulation::Gates;

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

/// The record of one emulator, and its gates.
#[derive(Default)]
pub struct Recorder {
    requests: Mutex<Vec<Recorded>>,
    gates: Gates<Endpoint>,
}

impl Deref for Recorder {
    type Target = Gates<Endpoint>;

    fn deref(&self) -> &Gates<Endpoint> {
        &self.gates
    }
}

impl Recorder {
    fn lock(&self) -> MutexGuard<'_, Vec<Recorded>> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Every request so far.
    pub fn requests(&self) -> Vec<Recorded> {
        self.lock().clone()
    }

    /// The requests to one endpoint, in order.
    pub fn requests_to(&self, endpoint: Endpoint) -> Vec<Recorded> {
        let requests = self.lock();
        let wanted = requests.iter().filter(|r| r.endpoint == endpoint);
        wanted.cloned().collect()
    }

    /// The requests to the token endpoint, in order.
    pub fn token_requests(&self) -> Vec<Recorded> {
        self.requests_to(Endpoint::Token)
    }

    /// How many requests arrived at one endpoint.
    pub fn count(&self, endpoint: Endpoint) -> usize {
        let requests = self.lock();
        requests.iter().filter(|r| r.endpoint == endpoint).count()
    }

    /// How many token requests of one grant arrived.
    pub fn count_grant(&self, grant_type: &str) -> usize {
        let requests = self.lock();
        let tokens = requests.iter().filter(|r| r.endpoint == Endpoint::Token);
        tokens
            .filter(|r| r.form("grant_type") == Some(grant_type))
            .count()
    }

    /// How many requests arrived in all.
    pub fn total(&self) -> usize {
        self.lock().len()
    }

    /// Forgets the record; gates stay.
    pub fn clear(&self) {
        self.lock().clear();
        self.notify();
    }

    /// Returns as soon as `n` requests in all have arrived at the endpoint.
    pub async fn arrived(&self, endpoint: Endpoint, n: usize) {
        self.until(|| self.count(endpoint) >= n).await;
    }

    pub(crate) fn record(&self, mut request: Recorded) -> usize {
        let index = {
            let mut requests = self.lock();
            request.index = requests.len();
            requests.push(request);
            requests.len() - 1
        };
        self.notify();
        index
    }

    pub(crate) fn answered(&self, index: usize, endpoint: Endpoint, status: u16) {
        if let Some(request) = self.lock().get_mut(index)
            && request.endpoint == endpoint
        {
            request.status = Some(status);
        }
    }
}
