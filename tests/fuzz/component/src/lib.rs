//! The targets as a component: `POST /TARGET?mutations=N` runs the body and N mutations of it, and
//! answers how many inputs that were. A target that panics is a trap: the runner answers 500. `broken`
//! always does, so that a test sees that it would be seen.

#![cfg(target_family = "wasm")]

use bytes::Bytes;
use http::{Response, StatusCode};
use http_body_util::BodyExt as _;
use scaigate_fuzz::{TARGETS, mutations};
use spin_sdk::http::{FullBody, Request};
use spin_sdk::http_service;

#[http_service]
async fn handle(request: Request) -> Response<FullBody<Bytes>> {
    let (parts, body) = request.into_parts();
    let name = parts.uri.path().trim_start_matches('/');
    assert!(name != "broken");
    let target = TARGETS.iter().find(|(own, _)| *own == name);
    let count = parts
        .uri
        .query()
        .and_then(|query| query.strip_prefix("mutations="));
    let count = count.and_then(|count| count.parse().ok());
    let (Some((_, target)), Some(count), Ok(body)) = (target, count, body.collect().await) else {
        return answer(StatusCode::NOT_FOUND, "no such target".to_owned());
    };
    let body = body.to_bytes();
    target(&body);
    for input in mutations(&body, count) {
        target(&input);
    }
    answer(StatusCode::OK, (count + 1).to_string())
}

fn answer(status: StatusCode, text: String) -> Response<FullBody<Bytes>> {
    let mut response = Response::new(FullBody::new(Bytes::from(text)));
    *response.status_mut() = status;
    response
}
