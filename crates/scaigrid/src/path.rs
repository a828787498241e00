//! Which address of ours was asked for, and which address of ScaiGrid that is: one parse (G9).
//!
//! A proxy that decides on one reading of a path and sends another is how paths get around guards
//! (CVE-2026-33494 and its kind). So there is no path to send apart from the decision: a target is
//! parsed once into a [`Route`], every rule asks the route, and what goes upstream is printed from
//! it. Nothing is normalised. A target that two readers could read differently (dots, encoded
//! slashes, `;parameters`, empty segments …) is refused (N-114).
//!
//! # What is open
//!
//! | ours | ScaiGrid's | methods |
//! |---|---|---|
//! | `/v1/scaigrid/models` | `/v1/models` | GET, normalised |
//! | `/v1/scaigrid/models/{slug}`, its slashes written plainly | `/v1/models/{slug}`, its slashes as `%2F` | GET |
//! | `/v1/scaigrid/modules` | `/v1/modules` | GET |
//! | `/v1/scaigrid/inference/{chat, generate, embed, images/generate}` | `/v1/inference/…` | POST |
//! | `/v1/scaiqueue/scopes`, `…/scopes/{scope_id}/queues` | `/v1/modules/scaiqueue/…` | GET, normalised |
//! | `/v1/scaibunker/bunkers` | `/v1/modules/scaibunker/bunkers` | GET, normalised |
//! | `/v1/{scaiqueue, scaibunker, scaicore}/…` | `/v1/modules/{the same}/…` | GET |
//! | `/v1/scaicore/cores/{id}/invoke`, `…/checkpoints/{id}/resolve` | `/v1/modules/scaicore/…` | POST |
//!
//! Below the mount of a module everything may be read. Below `/v1/scaigrid` only what is listed:
//! ScaiGrid keeps its sign-in, API keys, users, roles and administration beside the models, and
//! whatever it adds there tomorrow must not be open before anybody has looked at it.

mod query;
mod route;
mod segment;

use http::Method;
use thiserror::Error;

pub use query::{Query, QueryError};
pub use route::{Inference, Mount, Permission, Route};
pub use segment::Segment;

use crate::lookup::Cursor;

/// Longest path read, in bytes.
pub const MAX_PATH: usize = 2048;
/// Most segments read.
pub const MAX_SEGMENTS: usize = 32;

/// Why a target leads nowhere. Carries no part of the target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum PathError {
    /// Not a path: an absolute URL, `*`, or nothing.
    #[error("the target is not a path")]
    Form,
    /// Longer than [`MAX_PATH`].
    #[error("the path is too long")]
    TooLong,
    /// More than [`MAX_SEGMENTS`].
    #[error("the path has too many segments")]
    TooManySegments,
    /// `//`, or a slash at the end.
    #[error("the path has an empty segment")]
    EmptySegment,
    /// A segment of nothing but dots.
    #[error("the path has a segment of dots")]
    DotSegment,
    /// A backslash, which some readers take for a slash.
    #[error("the path has a backslash")]
    Backslash,
    /// `;`, behind which some readers see parameters that are not of the path.
    #[error("the path has a semicolon")]
    Parameter,
    /// `#`, behind which some readers stop.
    #[error("the path has a fragment")]
    Fragment,
    /// Any other character that RFC 3986 §3.3 doesn't allow as it is: controls, spaces, non-ASCII.
    #[error("the path has a character that must not be in it")]
    Character,
    /// `%` without two hexadecimal digits.
    #[error("the path has a broken percent sequence")]
    BrokenEncoding,
    /// A percent sequence for something that need not be encoded (letters, digits, dots), that
    /// changes the structure (`/ \ % ; # ?`), or that is no printable ASCII.
    #[error("the path encodes a character that must not be encoded here")]
    Encoded,
    /// No address of ours.
    #[error("there is nothing at this address")]
    Unknown,
    /// An address of ScaiGrid's that is not open through us.
    #[error("this part of ScaiGrid is not open here")]
    NotOpen,
    /// The address takes another method.
    #[error("this address takes {allow} only")]
    Method {
        /// The method it takes.
        allow: &'static str,
    },
    /// The query is refused.
    #[error("the query is refused: {0}")]
    Query(QueryError),
}

impl PathError {
    /// A stable word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Form => "form",
            Self::TooLong => "too_long",
            Self::TooManySegments => "too_many_segments",
            Self::EmptySegment => "empty_segment",
            Self::DotSegment => "dot_segment",
            Self::Backslash => "backslash",
            Self::Parameter => "parameter",
            Self::Fragment => "fragment",
            Self::Character => "character",
            Self::BrokenEncoding => "broken_encoding",
            Self::Encoded => "encoded",
            Self::Unknown => "unknown",
            Self::NotOpen => "not_open",
            Self::Method { .. } => "method",
            Self::Query(error) => error.as_str(),
        }
    }
}

/// A request to ScaiGrid: a route that was decided about, and a query that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpstreamPath {
    route: Route,
    query: Query,
}

impl UpstreamPath {
    /// Reads `target`: the path and query of a request to us as they were received, but for the
    /// `/api` that ScaiFlow's clients put in front.
    ///
    /// # Errors
    /// [`PathError`] says what is wrong; nothing is repaired.
    pub fn parse(method: &Method, target: &str) -> Result<Self, PathError> {
        let (path, query) = match target.split_once('?') {
            Some((path, query)) => (path, query),
            None => (target, ""),
        };
        let route = Route::of(&segments(path)?)?;
        if method != route.method() {
            let allow = if route.is_read() { "GET" } else { "POST" };
            return Err(PathError::Method { allow });
        }
        let query = Query::parse(query).map_err(PathError::Query)?;
        Ok(Self { route, query })
    }

    /// What was asked for.
    #[must_use]
    pub const fn route(&self) -> &Route {
        &self.route
    }

    /// The query.
    #[must_use]
    pub const fn query(&self) -> &Query {
        &self.query
    }

    /// The path and query at ScaiGrid: the route, printed.
    #[must_use]
    pub fn path_and_query(&self) -> String {
        let path = self.route.upstream();
        if self.query.is_empty() {
            path
        } else {
            format!("{path}?{}", self.query.as_str())
        }
    }

    /// The same request for the page that begins at `cursor`.
    #[must_use]
    pub fn following(&self, cursor: &Cursor) -> Self {
        Self {
            route: self.route.clone(),
            query: self.query.with("cursor", cursor.as_str()),
        }
    }
}

fn segments(path: &str) -> Result<Vec<Segment>, PathError> {
    if path.len() > MAX_PATH {
        return Err(PathError::TooLong);
    }
    let rest = path.strip_prefix('/').ok_or(PathError::Form)?;
    if rest.split('/').count() > MAX_SEGMENTS {
        return Err(PathError::TooManySegments);
    }
    rest.split('/').map(Segment::parse).collect()
}
