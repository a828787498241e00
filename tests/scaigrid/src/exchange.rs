//! One HTTP exchange as handlers see it: the request read in full, the answer as plain data.

use std::collections::HashMap;
use std::net::IpAddr;

use bytes::Bytes;
use serde_json::{Value, json};

use crate::behaviour::ErrorEnvelope;
use crate::source::Source;
use crate::wire::head::Field;
use crate::wire::pieces::Pieces;

/// A request, read in full.
pub(crate) struct Call {
    pub(crate) method: String,
    /// Path parameters by name, decoded.
    pub(crate) params: HashMap<&'static str, String>,
    /// Query parameters, decoded.
    pub(crate) query: Vec<(String, String)>,
    pub(crate) fields: Vec<Field>,
    pub(crate) body: Bytes,
    pub(crate) peer: IpAddr,
    pub(crate) is_http10: bool,
    pub(crate) keeps_connection: bool,
}

impl Call {
    pub(crate) fn param(&self, name: &str) -> &str {
        self.params.get(name).map_or("", String::as_str)
    }

    pub(crate) fn query(&self, name: &str) -> Option<&str> {
        self.query
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// The first field of this name, as text.
    pub(crate) fn header(&self, name: &str) -> Option<String> {
        let field = self.fields.iter().find(|field| field.is(name))?;
        Some(field.text().into_owned())
    }

    /// The credential of `Authorization: Bearer`, or the field's whole value.
    pub(crate) fn credential(&self) -> String {
        let value = self.header("authorization").unwrap_or_default();
        bearer(&value).map_or(value.clone(), str::to_owned)
    }

    /// The body as a JSON object.
    pub(crate) fn object(&self) -> Result<Value, Failure> {
        match serde_json::from_slice(&self.body) {
            Ok(value @ Value::Object(_)) => Ok(value),
            _ => Err(Failure::invalid("body", "a JSON object is expected")),
        }
    }
}

/// The token of a `Bearer` credential.
pub(crate) fn bearer(value: &str) -> Option<&str> {
    let (scheme, token) = value.split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then(|| token.trim())
        .filter(|token| !token.is_empty())
}

/// What a handler returns.
pub(crate) type Answer = Result<Reply, Failure>;

/// An answer.
pub(crate) struct Reply {
    pub(crate) status: u16,
    /// Names and values go out byte for byte, also those that no library would send.
    pub(crate) fields: Vec<(Vec<u8>, Vec<u8>)>,
    pub(crate) body: Pieces,
    /// Whether `body` says its length up front although it is generated.
    pub(crate) declared_length: Option<u64>,
}

impl Reply {
    pub(crate) fn empty(status: u16) -> Self {
        Self {
            status,
            fields: Vec::new(),
            body: Pieces::whole(Bytes::new()),
            declared_length: None,
        }
    }

    pub(crate) fn text(status: u16, content_type: &str, body: impl Into<Bytes>) -> Self {
        let mut reply = Self::empty(status).with("content-type", content_type);
        reply.body = Pieces::whole(body.into());
        reply
    }

    pub(crate) fn json(status: u16, body: &Value) -> Self {
        Self::text(status, "application/json", body.to_string())
    }

    /// `{"data": …}`, the envelope of module pages.
    pub(crate) fn data(status: u16, data: Value) -> Self {
        Self::json(status, &json!({ "data": data }))
    }

    pub(crate) fn source(source: &Source) -> Self {
        let mut reply = Self::empty(200).with("content-type", &source.content_type);
        reply.declared_length = source.declare_length.then_some(source.bytes);
        reply.body = Pieces::source(source);
        reply
    }

    /// Adds a header field.
    pub(crate) fn with(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.add(name, value);
        self
    }

    /// Adds a header field.
    pub(crate) fn add(&mut self, name: &str, value: impl AsRef<[u8]>) {
        self.fields
            .push((name.as_bytes().to_vec(), value.as_ref().to_vec()));
    }

    /// Takes a header field away.
    pub(crate) fn remove(&mut self, name: &str) {
        self.fields
            .retain(|(known, _)| !known.eq_ignore_ascii_case(name.as_bytes()));
    }

    /// The body as JSON, if it is some.
    pub(crate) fn value(&self) -> Option<Value> {
        serde_json::from_slice(self.body.bytes()?).ok()
    }
}

/// An error of ScaiGrid (`contract/scaiwave-scaicrew-scaigrid.md` 3.6).
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    pub(crate) status: u16,
    pub(crate) code: String,
    pub(crate) message: String,
    /// The field that is wrong, and why.
    pub(crate) detail: Option<Box<(String, String)>>,
    pub(crate) retry_after: Option<u64>,
    pub(crate) fields: Vec<(&'static str, String)>,
}

impl Failure {
    pub(crate) fn new(status: u16, code: &str, message: &str) -> Self {
        Self {
            status,
            code: code.to_owned(),
            message: message.to_owned(),
            detail: None,
            retry_after: None,
            fields: Vec::new(),
        }
    }

    /// 422 for one field.
    pub(crate) fn invalid(field: &str, message: &str) -> Self {
        let mut failure = Self::new(422, "VALIDATION_ERROR", "Request validation failed");
        failure.detail = Some(Box::new((field.to_owned(), message.to_owned())));
        failure
    }

    /// 404. The table of 3.6 has no code for it; this name is ours.
    pub(crate) fn not_found(what: &str) -> Self {
        Self::new(404, "NOT_FOUND", &format!("{what} not found"))
    }

    /// The answer, in the envelope that the deployment uses.
    pub(crate) fn reply(&self, envelope: ErrorEnvelope, request_id: &str) -> Reply {
        let mut error = json!({"code": self.code, "message": self.message});
        if let Some(seconds) = self.retry_after {
            error["retry_after"] = json!(seconds);
        }
        if let Some((field, message)) = self.detail.as_deref() {
            error["details"] = json!([{"field": field, "message": message}]);
        }
        let body = match envelope {
            ErrorEnvelope::Bare => json!({ "error": error }),
            // Contradiction 15: the sample of a 429 has no `meta`.
            ErrorEnvelope::Full if self.code == "RATE_LIMITED" => {
                json!({"status": "error", "error": error})
            }
            ErrorEnvelope::Full => {
                json!({"status": "error", "error": error, "meta": {"request_id": request_id}})
            }
        };
        let mut reply = Reply::json(self.status, &body);
        if let Some(seconds) = self.retry_after {
            reply.add("retry-after", seconds.to_string());
        }
        for (name, value) in &self.fields {
            reply.add(name, value);
        }
        reply
    }
}
