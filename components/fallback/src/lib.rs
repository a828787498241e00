//! Whatever no other component serves below `/v1`: 404. Reaches nothing.
#![cfg(target_family = "wasm")]

use scaigate_problem::{Code, Problem};
use scaigate_runtime::spin::{Component, wire};
use scaigate_runtime::{Incoming, Site};

const COMPONENT: Component = Component::named("fallback");

scaigate_runtime::service!(super::handle);

async fn handle(request: wire::Request) -> wire::Reply {
    let not_found = async |_: &Incoming| Err(Problem::new(Code::NotFound));
    COMPONENT
        .respond(request, &Site::default(), not_found)
        .await
}
