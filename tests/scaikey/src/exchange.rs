//! One HTTP exchange as handlers see it: the request read in full, the answer as plain data.

use std::collections::HashMap;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use serde_json::{Value, json};

use crate::recorder::first;

/// A request, read in full.
pub(crate) struct Call {
    pub(crate) method: Method,
    pub(crate) path: String,
    /// Path parameters by name.
    pub(crate) params: HashMap<String, String>,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) form: Vec<(String, String)>,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Call {
    pub(crate) fn param(&self, name: &str) -> &str {
        self.params.get(name).map_or("", String::as_str)
    }

    pub(crate) fn query(&self, name: &str) -> Option<&str> {
        first(&self.query, name)
    }

    pub(crate) fn form(&self, name: &str) -> Option<&str> {
        first(&self.form, name)
    }

    /// A parameter of the query or the form.
    pub(crate) fn any(&self, name: &str) -> Option<&str> {
        self.form(name).or_else(|| self.query(name))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|v| v.to_str().ok())
    }

    /// The token of `Authorization: Bearer`.
    pub(crate) fn bearer(&self) -> Option<&str> {
        let (scheme, token) = self.header("authorization")?.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
    }

    /// A cookie's value.
    pub(crate) fn cookie(&self, name: &str) -> Option<&str> {
        self.headers
            .get_all("cookie")
            .iter()
            .filter_map(|v| v.to_str().ok())
            .flat_map(|v| v.split(';'))
            .filter_map(|pair| pair.trim().split_once('='))
            .find(|(key, _)| *key == name)
            .map(|(_, value)| value)
    }

    /// The body as JSON, `Null` when it is none.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }
}

/// An answer.
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    pub(crate) body: Bytes,
}

impl Reply {
    pub(crate) fn empty(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: Bytes::new(),
        }
    }

    pub(crate) fn json(status: u16, body: &Value) -> Self {
        Self::json_text(status, body.to_string())
    }

    /// A body that is JSON already.
    pub(crate) fn json_text(status: u16, body: String) -> Self {
        let mut reply = Self::empty(status).with("content-type", "application/json");
        reply.body = body.into();
        reply
    }

    pub(crate) fn html(status: u16, body: String) -> Self {
        let mut reply = Self::empty(status)
            .with("content-type", "text/html; charset=utf-8")
            .with("cache-control", "no-store");
        reply.body = body.into();
        reply
    }

    pub(crate) fn redirect(status: u16, to: &str) -> Self {
        Self::empty(status)
            .with("location", to)
            .with("cache-control", "no-store")
    }

    /// An error of RFC 6749 section 5.2.
    pub(crate) fn oauth(status: u16, error: &str, description: &str) -> Self {
        Self::json(
            status,
            &json!({"error": error, "error_description": description}),
        )
        .no_store()
    }

    /// An API error (`contract/scaikey.md` 1.10).
    pub(crate) fn detail(status: u16, text: &str) -> Self {
        Self::json(status, &json!({"detail": text}))
    }

    /// The documented 422 (`contract/scaikey.md` 1.10) about one field.
    pub(crate) fn invalid(place: &str, field: &str, why: &str, kind: &str) -> Self {
        Self::json(
            422,
            &json!({"detail": [{"loc": [place, field], "msg": why, "type": kind}]}),
        )
    }

    pub(crate) fn no_store(self) -> Self {
        self.with("cache-control", "no-store")
            .with("pragma", "no-cache")
    }

    /// Adds a header; a value that no header can hold is dropped.
    pub(crate) fn with(mut self, name: &'static str, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.push((HeaderName::from_static(name), value));
        }
        self
    }
}

/// Text inside HTML.
pub(crate) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}
