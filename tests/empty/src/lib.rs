//! Answers 200 and "ok" to everything: what a component costs before it does
//! anything.
#![cfg(target_family = "wasm")]

use bytes::Bytes;
use spin_sdk::http::{FullBody, Request, Response};

#[spin_sdk::http_service]
async fn answer(_: Request) -> Response<FullBody<Bytes>> {
    let body = Bytes::from_static(b"ok");
    let length = body.len();
    let mut response = Response::new(FullBody::new(body));
    response
        .headers_mut()
        .insert("content-length", length.into());
    response
}
