//! A request, read whole.

use std::cell::Cell;
use std::rc::Rc;

use bytes::Bytes;
use http::header::{self, AsHeaderName};
use http::{HeaderMap, Method};
use scaigate_problem::{Code, Problem, RateLimit};
use scaigate_types::{Timestamp, Trail};

use crate::{cookie, request_id};

/// The most body bytes that are read. Enough for every request of the sign-in.
pub const MAX_BODY: usize = 65_536;

/// Where Spin says who has connected: in the last header of the name, after what a client sent.
pub const PEER: &str = "spin-client-addr";

/// What a request begins with.
#[derive(Debug)]
pub struct Head {
    /// The method.
    pub method: Method,
    /// Path and query (RFC 9112 §3.2.1), as the host has checked them.
    pub target: String,
    /// The headers.
    pub headers: HeaderMap,
}

#[cfg(test)]
impl From<http::request::Parts> for Head {
    fn from(parts: http::request::Parts) -> Self {
        Self {
            method: parts.method,
            target: parts.uri.to_string(),
            headers: parts.headers,
        }
    }
}

/// A request, read whole and bounded.
#[derive(Debug)]
pub struct Incoming {
    /// The method.
    pub method: Method,
    /// The path below the host, without the `/api` that ScaiFlow's clients put in front.
    pub path: String,
    /// The query without `?`; empty when there is none. Holds secrets: never logged.
    pub query: String,
    /// The headers. Hold secrets: never logged.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
    /// Since when it is there, with its body where that was read.
    pub received: Timestamp,
    /// What the audit log says of it.
    pub trail: Rc<Trail>,
    /// How far the caller is from their rate limit, once that is known. Its answer says so, whatever it is.
    pub limit: Cell<Option<RateLimit>>,
}

impl Incoming {
    /// Builds a request from its parts. `fresh_id` is used when the caller sent no sane
    /// `X-Request-ID`.
    #[must_use]
    pub fn new(
        head: Head,
        body: Bytes,
        received: Timestamp,
        fresh_id: impl FnOnce() -> String,
    ) -> Self {
        let Head {
            method,
            target: mut path,
            headers,
        } = head;
        let mut query = String::new();
        if let Some(at) = path.find('?') {
            query = path.split_off(at);
            query.remove(0);
        }
        if path.starts_with("/api/v1") {
            path.drain(.."/api".len());
        }
        if path.is_empty() {
            path.push('/');
        }
        let request_id = request_id::accepted(&headers).unwrap_or_else(fresh_id);
        let mut peers = headers.get_all(PEER).into_iter();
        let peer = peers.next_back().and_then(|peer| peer.to_str().ok());
        let trail = Rc::new(Trail::new(request_id, peer));
        Self {
            path,
            query,
            method,
            headers,
            body,
            received,
            trail,
            limit: Cell::default(),
        }
    }

    /// Finds the log line of this request.
    #[must_use]
    pub fn request_id(&self) -> &str {
        &self.trail.request_id
    }

    /// The header `name` as text, when it is there once and is text.
    #[must_use]
    pub fn header(&self, name: impl AsHeaderName) -> Option<&str> {
        let mut values = self.headers.get_all(name).iter();
        let first = values.next()?;
        if values.next().is_some() {
            None
        } else {
            first.to_str().ok()
        }
    }

    /// The value of the cookie `name`; `None` when there is none or more than one.
    #[must_use]
    pub fn cookie(&self, name: &str) -> Option<&str> {
        cookie::find(&self.headers, name)
    }

    /// Whether the caller wants a page rather than data.
    #[must_use]
    pub fn wants_html(&self) -> bool {
        self.header(header::ACCEPT)
            .is_some_and(|accept| accept.contains("text/html"))
    }

    /// Reads the body as the JSON object that an endpoint documents.
    ///
    /// # Errors
    /// [`Code::UnsupportedMediaType`], or [`Code::InvalidRequest`] for anything else than the
    /// documented members, each once and of its type.
    pub fn json<T: serde::de::DeserializeOwned>(&self) -> Result<T, Problem> {
        self.require_json()?;
        let no_object = || Problem::invalid_field("body", "not the documented JSON object");
        // A derived reader would take an array of the members' values too.
        if !self.body.trim_ascii_start().starts_with(b"{") {
            return Err(no_object());
        }
        serde_json::from_slice(&self.body).map_err(|_| no_object())
    }

    /// Requires that the body is declared as JSON.
    ///
    /// # Errors
    /// [`Code::UnsupportedMediaType`].
    pub fn require_json(&self) -> Result<(), Problem> {
        let essence = self.header(header::CONTENT_TYPE).unwrap_or_default();
        let essence = essence.split(';').next().unwrap_or_default().trim();
        if essence.eq_ignore_ascii_case("application/json") {
            Ok(())
        } else {
            Err(Problem::new(Code::UnsupportedMediaType))
        }
    }

    /// Path and query as they were received, but for the `/api` in front.
    #[must_use]
    pub fn target(&self) -> String {
        if self.query.is_empty() {
            self.path.clone()
        } else {
            format!("{}?{}", self.path, self.query)
        }
    }

    /// Requires the method of this address.
    ///
    /// # Errors
    /// [`Code::MethodNotAllowed`].
    pub fn require(&self, method: &Method, allow: &'static str) -> Result<(), Problem> {
        if self.method == method {
            Ok(())
        } else {
            Err(Problem::new(Code::MethodNotAllowed).with_allow(allow))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn path_and_query_are_told_apart_and_the_prefix_of_clients_is_gone() {
        for (target, path, query) in [
            ("/v1/me", "/v1/me", ""),
            ("/api/v1/me?a=1&b=/api", "/v1/me", "a=1&b=/api"),
            ("/v1/me?", "/v1/me", ""),
            ("/v1/me?a?b", "/v1/me", "a?b"),
            ("/api/v1", "/v1", ""),
            ("/api/v2", "/api/v2", ""),
            ("/apis/v1", "/apis/v1", ""),
            ("/api/api/v1/me", "/api/api/v1/me", ""),
            ("/x?/api/v1", "/x", "/api/v1"),
            ("?a", "/", "a"),
            ("", "/", ""),
            ("*", "*", ""),
        ] {
            let head = Head {
                method: Method::GET,
                target: target.to_owned(),
                headers: HeaderMap::new(),
            };
            let incoming = Incoming::new(head, Bytes::new(), Timestamp::from_millis(0), || {
                "req_test".to_owned()
            });
            let got = (incoming.path.as_str(), incoming.query.as_str());
            assert_eq!(got, (path, query), "{target}");
            assert_eq!(incoming.request_id(), "req_test");
        }
    }
}
