//! One request as it arrived, and what became of its answer.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use serde_json::Value;

use crate::endpoint::Endpoint;
use crate::exchange::bearer;
use crate::wire::head::Field;

/// What became of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Not ended yet.
    Open,
    /// Sent to its end.
    Complete,
    /// Broken off by a fault.
    Broken,
    /// The client closed its side of the connection, or reset it, first.
    ClientLeft,
}

/// What a request carried in `Authorization`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Credential {
    /// An API key, `sgk_…`.
    ApiKey(String),
    /// Any other bearer token.
    Token(String),
    /// A value that is no bearer credential.
    Other(String),
}

impl Credential {
    pub(crate) fn parse(value: &str) -> Self {
        match bearer(value) {
            Some(key) if key.starts_with("sgk_") => Self::ApiKey(key.to_owned()),
            Some(token) => Self::Token(token.to_owned()),
            None => Self::Other(value.to_owned()),
        }
    }

    /// The credential itself.
    pub fn secret(&self) -> &str {
        match self {
            Self::ApiKey(secret) | Self::Token(secret) | Self::Other(secret) => secret,
        }
    }

    /// The claims of a JWT, unverified.
    pub fn claims(&self) -> Option<Value> {
        let payload = self.secret().split('.').nth(1)?;
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).ok()?).ok()
    }
}

/// One request as it arrived.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// Position in the whole record, from 0; clearing the record does not start it again.
    pub index: usize,
    /// Which connection it came over, from 1.
    pub connection: u64,
    /// The emulator's name for where it went.
    pub endpoint: Endpoint,
    /// HTTP method as sent; empty for what is no HTTP.
    pub method: String,
    /// The request target, byte for byte.
    pub target: Bytes,
    /// The header fields in order, as spelled, with duplicates.
    pub fields: Vec<Field>,
    /// The whole head, byte for byte, with the empty line.
    pub head: Bytes,
    /// The first mebibyte of the body, without chunk framing.
    pub body: Bytes,
    /// Length of the body as far as it was read.
    pub body_length: u64,
    /// Whether the body was read to its end.
    pub is_body_complete: bool,
    /// Trailer fields of a chunked body.
    pub trailers: Vec<Field>,
    /// What the first `Authorization` field held.
    pub credential: Option<Credential>,
    /// The tenant that the credential was found to belong to.
    pub tenant_id: Option<String>,
    /// When the head arrived, Unix milliseconds of the emulator's clock.
    pub at: i64,
    /// The status answered; `None` while unanswered or when a fault ate the answer.
    pub status: Option<u16>,
    /// Bytes of the answer's body handed to the network so far, without chunk framing.
    pub sent: u64,
    /// What became of the answer. A client may hold all of it a moment before this says so: wait for
    /// [`crate::Recorder::ended`].
    pub outcome: Outcome,
    /// When the answer ended or the client left, Unix milliseconds of the emulator's clock.
    pub ended_at: Option<i64>,
}

impl Recorded {
    /// The target as text.
    pub fn target(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.target)
    }

    /// The path of the target as sent.
    pub fn path(&self) -> String {
        let target = self.target();
        target
            .split_once('?')
            .map_or(&*target, |(path, _)| path)
            .to_owned()
    }

    /// The query of the target as sent, without the question mark.
    pub fn query(&self) -> Option<String> {
        let target = self.target();
        target.split_once('?').map(|(_, query)| query.to_owned())
    }

    /// The values of every field of this name, in order.
    pub fn headers(&self, name: &str) -> Vec<String> {
        let wanted = self.fields.iter().filter(|field| field.is(name));
        wanted.map(|field| field.text().into_owned()).collect()
    }

    /// The first of them.
    pub fn header(&self, name: &str) -> Option<String> {
        self.headers(name).into_iter().next()
    }

    /// The names of all fields in lower case, in order, with duplicates.
    pub fn field_names(&self) -> Vec<String> {
        let name = |field: &Field| String::from_utf8_lossy(&field.name).to_ascii_lowercase();
        self.fields.iter().map(name).collect()
    }

    /// The body as JSON.
    pub fn json(&self) -> Option<Value> {
        serde_json::from_slice(&self.body).ok()
    }

    /// Whether `text` stands anywhere in head, body (its first mebibyte) or trailers.
    pub fn mentions(&self, text: &str) -> bool {
        let holds = |bytes: &[u8]| {
            bytes
                .windows(text.len().max(1))
                .any(|w| w == text.as_bytes())
        };
        holds(&self.head) || holds(&self.body) || self.trailers.iter().any(|t| holds(&t.value))
    }
}
