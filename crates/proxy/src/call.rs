//! Calls of our own to ScaiGrid, such as a deployment's, with a caller's credential.

use std::fmt::Write as _;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, CONTENT_TYPE, USER_AGENT};
use http::{HeaderValue, Method, Request, StatusCode, Uri};
use scaigate_problem::{Code, Problem};
use scaigate_scaigrid::error::InvalidAnswer;
use scaigate_scaigrid::{Chosen, UpstreamError, error, lookup};
use scaigate_signin::Ports;
use scaigate_types::{Limits, Outbound};

use crate::failure;
use crate::lookup::may_repeat;
use crate::settings::Settings;

/// Longest segment of a path, in bytes.
const MAX_SEGMENT: usize = 256;

/// A path at ScaiGrid, made of segments of ours: whatever they hold, each stays one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GridPath(String);

impl GridPath {
    /// The path of these segments; `None` when one is empty, of dots alone, or longer than 256 bytes.
    #[must_use]
    pub fn of(segments: &[&str]) -> Option<Self> {
        let mut path = String::new();
        for segment in segments {
            let is_name = segment.bytes().any(|byte| byte != b'.') && segment.len() <= MAX_SEGMENT;
            if !is_name {
                return None;
            }
            path.push('/');
            push_encoded(&mut path, segment);
        }
        (!path.is_empty()).then_some(Self(path))
    }

    /// The path with `name=value` as its query; `name` is ours, `value` anybody's.
    #[must_use]
    pub fn with_query(mut self, name: &'static str, value: &str) -> Self {
        self.0.push('?');
        self.0.push_str(name);
        self.0.push('=');
        push_encoded(&mut self.0, value);
        self
    }

    /// Path and query.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Everything but RFC 3986's unreserved characters as `%XX`.
fn push_encoded(to: &mut String, text: &str) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            to.push(char::from(byte));
        } else {
            // Writing to a string can't fail.
            let _ = write!(to, "%{byte:02X}");
        }
    }
}

/// What to send.
#[derive(Clone, Debug)]
pub struct OwnCall<'a> {
    /// The method. A GET whose connection fails is sent once more.
    pub method: Method,
    /// Where to.
    pub path: &'a GridPath,
    /// What the body is; `None` with an empty one.
    pub content_type: Option<&'static str>,
    /// The body.
    pub body: Bytes,
    /// Under which our log has it; ScaiGrid's will, too.
    pub request_id: &'a str,
    /// How long ScaiGrid has.
    pub timeout: Duration,
}

/// What ScaiGrid answered. The body is its own words, and not to be shown unseen.
#[derive(Clone, Debug, PartialEq)]
pub struct Answered {
    /// The status.
    pub status: StatusCode,
    /// The body, at most 4 MiB, without the credential as it was sent.
    pub body: Bytes,
    /// What the answer is called when it is no success.
    pub refusal: Option<Problem>,
}

/// Sends `call` with the credential of `chosen` ([`crate::credential::choose`]), without following a
/// redirect. Every status is an answer.
///
/// # Errors
/// ScaiGrid does not answer, redirects, or answers with the credential in it.
pub async fn send(
    ports: &impl Ports,
    settings: &Settings,
    chosen: &Chosen,
    call: OwnCall<'_>,
) -> Result<Answered, Problem> {
    let limits = Limits {
        timeout: call.timeout,
        max_body: lookup::MAX_BODY,
    };
    let sent = || -> Result<_, Problem> {
        let request = request(settings, chosen, &call).ok_or(Problem::new(Code::Internal))?;
        Ok(ports.outbound().send(request, limits))
    };
    let answer = match sent()?.await {
        Err(error) if call.method == Method::GET && may_repeat(error) => sent()?.await,
        answer => answer,
    };
    let (parts, body) = answer.map_err(failure::outbound)?.into_parts();
    if chosen.credential().occurs_in(&body) {
        return Err(failure::invalid(InvalidAnswer::Reflected));
    }
    if parts.status.is_redirection() {
        return Err(failure::unusable("ScaiGrid answered with a redirect"));
    }
    let refusal = (!parts.status.is_success()).then(|| {
        let read = body.get(..error::MAX_BODY).unwrap_or(&body);
        let error = UpstreamError::read(parts.status, &parts.headers, read);
        failure::refused(&error, chosen.source())
    });
    Ok(Answered {
        status: parts.status,
        body,
        refusal,
    })
}

/// `None` never happens: paths and request ids are printable ASCII.
fn request(settings: &Settings, chosen: &Chosen, call: &OwnCall<'_>) -> Option<Request<Bytes>> {
    let credential = chosen.credential();
    let base_url = credential.base_url(&settings.grid.base_url);
    let mut request = Request::new(call.body.clone());
    *request.method_mut() = call.method.clone();
    *request.uri_mut() = Uri::try_from(base_url.join(call.path.as_str())).ok()?;
    let headers = request.headers_mut();
    headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    headers.insert(USER_AGENT, HeaderValue::from_static("scaigate"));
    if let Some(content_type) = call.content_type {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    }
    headers.insert("x-request-id", HeaderValue::from_str(call.request_id).ok()?);
    headers.insert(AUTHORIZATION, credential.authorization()?);
    Some(request)
}
