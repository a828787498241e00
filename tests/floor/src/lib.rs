//! Answers every request with headers and a body like those of `GET /v1/me`, and looks at nothing:
//! what such an answer costs before anybody has been recognised.
#![cfg(target_family = "wasm")]

use bytes::Bytes;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use scaigate_runtime::Answer;
use scaigate_runtime::spin::wire;

/// As long as what somebody is told who has one workspace and no groups.
const BODY: &[u8] = &[b' '; 1_500];

const HEADERS: [(HeaderName, HeaderValue); 5] = [
    (
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    ),
    (
        HeaderName::from_static("x-request-id"),
        HeaderValue::from_static("req_01M81J2CRMCPQ4CZ5BKG105VGB"),
    ),
    (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    (
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    ),
    (header::VARY, HeaderValue::from_static("Origin")),
];

scaigate_runtime::service!(super::handle);

async fn handle(_: wire::Request) -> wire::Reply {
    let mut answer = Answer::new(Bytes::from_static(BODY));
    let headers: &mut HeaderMap = answer.headers_mut();
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(BODY.len()));
    headers.extend(HEADERS);
    wire::response(answer)
}
