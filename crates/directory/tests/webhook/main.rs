//! What of ScaiKey's webhooks is taken and what is refused, seen from outside.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that can't set itself up must stop"
)]

mod envelope;
mod event;
mod event_refused;
mod event_rows;
mod properties;
mod signature;
mod signed_time;

use http::{HeaderMap, HeaderName, HeaderValue};
use scaigate_directory::webhook::{
    Envelope, EnvelopeError, SignatureError, Verified, WebhookSecrets, parse, verify,
};
use scaigate_types::Timestamp;
use scaigate_types::encoding::hex;
use serde_json::Value;

const SECRET: &str = "scaikey-webhook-secret-0123456789";
const OTHER: &str = "the other secret of the rotation";
/// 2026-04-29T10:00:00Z
const NOW: u64 = 1_777_456_800;

fn now() -> Timestamp {
    Timestamp::from_secs(NOW)
}

fn secrets(setting: &str) -> WebhookSecrets {
    WebhookSecrets::parse(setting).unwrap()
}

/// `v1` of a body signed at `t`.
fn mac(secret: &str, t: &str, body: &[u8]) -> String {
    let message = [t.as_bytes(), b".", body].concat();
    hex(&hmac_sha256::HMAC::mac(message, secret))
}

/// A delivery; tests tamper with it.
struct Delivery {
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Delivery {
    /// Signed now.
    fn new(body: impl Into<Vec<u8>>) -> Self {
        Self::signed_at(NOW, body)
    }

    fn signed_at(seconds: u64, body: impl Into<Vec<u8>>) -> Self {
        let (t, body) = (seconds.to_string(), body.into());
        let signature = format!("t={t},v1={}", mac(SECRET, &t, &body));
        let mut delivery = Self {
            headers: HeaderMap::new(),
            body,
        };
        delivery.set("x-scaikey-signature", &signature);
        delivery.set("x-scaikey-timestamp", &t);
        delivery
    }

    fn set(&mut self, name: &'static str, value: &str) {
        let value = HeaderValue::from_bytes(value.as_bytes()).unwrap();
        self.headers.insert(HeaderName::from_static(name), value);
    }

    fn with(mut self, name: &'static str, value: &str) -> Self {
        self.set(name, value);
        self
    }

    fn without(mut self, name: &str) -> Self {
        self.headers.remove(name).unwrap();
        self
    }

    fn twice(mut self, name: &'static str) -> Self {
        let value = self.headers[name].clone();
        self.headers.append(name, value);
        self
    }

    fn verify(&self) -> Result<Verified<'_>, SignatureError> {
        self.verify_with(SECRET, now())
    }

    fn verify_with(&self, setting: &str, now: Timestamp) -> Result<Verified<'_>, SignatureError> {
        verify(&self.headers, &self.body, &secrets(setting), now)
    }

    fn parse(&self) -> Result<Envelope, EnvelopeError> {
        parse(&self.verify().unwrap())
    }
}

/// The envelope in which `body` arrives.
fn envelope(body: &Value) -> Result<Envelope, EnvelopeError> {
    Delivery::new(body.to_string()).parse()
}

/// `body` with `changes` made: `"absent"` takes a member out.
fn changed(mut body: Value, changes: &Value) -> Value {
    for (name, value) in changes.as_object().unwrap() {
        if value == "absent" {
            body.as_object_mut().unwrap().remove(name);
        } else {
            body[name] = value.clone();
        }
    }
    body
}
