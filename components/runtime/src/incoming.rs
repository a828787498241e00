//! A request, read whole.

use std::cell::Cell;
use std::rc::Rc;

use bytes::Bytes;
use http::header::{self, AsHeaderName};
use http::{HeaderMap, Method};
use scaigate_problem::{Code, Problem, RateLimit};
use scaigate_types::Trail;

use crate::{cookie, request_id};

/// The most body bytes that are read. Enough for every request of the sign-in.
pub const MAX_BODY: usize = 65_536;

/// Where Spin says who has connected: in the last header of the name, after what a client sent.
pub const PEER: &str = "spin-client-addr";

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
    /// Finds the log line of this request.
    pub request_id: String,
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
        parts: http::request::Parts,
        body: Bytes,
        fresh_id: impl FnOnce() -> String,
    ) -> Self {
        let path = parts.uri.path();
        let path = path
            .strip_prefix("/api")
            .filter(|rest| rest.starts_with("/v1"))
            .unwrap_or(path);
        let request_id = request_id::accepted(&parts.headers).unwrap_or_else(fresh_id);
        let mut peers = parts.headers.get_all(PEER).into_iter();
        let peer = peers.next_back().and_then(|peer| peer.to_str().ok());
        let trail = Rc::new(Trail::new(request_id.clone(), peer));
        Self {
            path: path.to_owned(),
            query: parts.uri.query().unwrap_or_default().to_owned(),
            method: parts.method,
            headers: parts.headers,
            body,
            request_id,
            trail,
            limit: Cell::default(),
        }
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
