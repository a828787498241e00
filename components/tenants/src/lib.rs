//! A tenant's key for ScaiGrid: its status for everybody of the tenant, setting and removing it for the
//! tenant's administrators (`contract/scaiflow.md` 2.4).
//!
//! Holds what seals the keys; reaches ScaiKey, to check access tokens, and nobody else.
#![cfg(target_family = "wasm")]

mod remembered;
mod routes;

use scaigate_problem::Problem;
use scaigate_runtime::spin::{Component, SpinPorts, wire};
use scaigate_runtime::{Answer, Incoming};

use remembered::Remembered;

const COMPONENT: Component = Component::named("tenants");

async fn answer(remembered: &Remembered, incoming: &Incoming) -> Result<Answer, Problem> {
    routes::route(&SpinPorts::of(incoming), remembered, incoming).await
}

scaigate_runtime::service!(super::handle);

async fn handle(request: wire::Request) -> wire::Reply {
    COMPONENT
        .respond_with(request, remembered::get().await, answer)
        .await
}
