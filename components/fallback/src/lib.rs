//! Whatever no other component serves below `/v1`: 404. Reaches nothing.
#![cfg(target_family = "wasm")]

use scaigate_problem::{Code, Problem};
use scaigate_runtime::spin::{Reply, serve};
use scaigate_runtime::{Incoming, Site};
use spin_sdk::http::Request;
use spin_sdk::http_service;

#[http_service]
async fn handle(request: Request) -> Reply {
    let not_found = async |_: &Incoming| Err(Problem::new(Code::NotFound));
    serve("fallback", request, &Site::default(), not_found).await
}
