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
use crate::settings::Settings;

const TIMEOUT: Duration = Duration::from_secs(30);
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
            for byte in segment.bytes() {
                if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
                    path.push(char::from(byte));
                } else {
                    // Writing to a string can't fail.
                    let _ = write!(path, "%{byte:02X}");
                }
            }
        }
        (!path.is_empty()).then_some(Self(path))
    }

    /// The path.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What to send.
#[derive(Clone, Debug)]
pub struct OwnCall<'a> {
    /// The method.
    pub method: Method,
    /// Where to.
    pub path: &'a GridPath,
    /// What the body is; `None` with an empty one.
    pub content_type: Option<&'static str>,
    /// The body.
    pub body: Bytes,
    /// Under which our log has it; ScaiGrid's will, too.
    pub request_id: &'a str,
}

/// Sends `call` with the credential of `chosen` ([`crate::credential::choose`]), once and without
/// following a redirect. A success, and a 409 for who can do without what exists already, come with
/// their body, at most 4 MiB; what it says is ScaiGrid's and not to be shown unseen.
///
/// # Errors
/// ScaiGrid refuses otherwise, does not answer, or answers with the credential in it.
pub async fn call(
    ports: &impl Ports,
    settings: &Settings,
    chosen: &Chosen,
    call: OwnCall<'_>,
) -> Result<(StatusCode, Bytes), Problem> {
    let credential = chosen.credential();
    let base_url = credential.base_url(&settings.grid.base_url);
    let internal = |_| Problem::new(Code::Internal);
    let mut request = Request::new(call.body);
    *request.method_mut() = call.method;
    *request.uri_mut() =
        Uri::try_from(base_url.join(call.path.as_str())).map_err(|_| internal(()))?;
    let headers = request.headers_mut();
    headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    headers.insert(USER_AGENT, HeaderValue::from_static("scaigate"));
    if let Some(content_type) = call.content_type {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    }
    let id = HeaderValue::from_str(call.request_id).map_err(|_| internal(()))?;
    headers.insert("x-request-id", id);
    let authorization = credential.authorization().ok_or_else(|| internal(()))?;
    headers.insert(AUTHORIZATION, authorization);
    let limits = Limits {
        timeout: TIMEOUT,
        max_body: lookup::MAX_BODY,
    };
    let answer = ports
        .outbound()
        .send(request, limits)
        .await
        .map_err(failure::outbound)?;
    let (parts, body) = answer.into_parts();
    if credential.occurs_in(&body) {
        return Err(failure::invalid(InvalidAnswer::Reflected));
    }
    match parts.status.as_u16() {
        200..=299 | 409 => Ok((parts.status, body)),
        300..=399 => Err(failure::unusable("ScaiGrid answered with a redirect")),
        _ => {
            let read = body.get(..error::MAX_BODY).unwrap_or(&body);
            let error = UpstreamError::read(parts.status, &parts.headers, read);
            Err(failure::refused(&error, chosen.source()))
        }
    }
}
