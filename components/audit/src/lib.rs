//! The audit log: `/v1/admin/audit`, its export, and what is known of its chain.
//!
//! Seals what was appended since: before it shows anything, and when another component tells it, by
//! `/internal/seal`, that a minute has gone by; no public route leads there.
#![cfg(target_family = "wasm")]

mod query;
mod remembered;
mod routes;

use scaigate_problem::Problem;
use scaigate_runtime::spin::{Component, SpinPorts, wire};
use scaigate_runtime::{Answer, Incoming};

use remembered::Remembered;
use routes::Call;

const COMPONENT: Component = Component::named("audit");

async fn answer(remembered: &Remembered, incoming: &Incoming) -> Result<Answer, Problem> {
    let call = Call {
        // Who reads the log does not seal it: nothing that is written here is the request's.
        ports: &SpinPorts::default(),
        remembered,
        incoming,
    };
    call.route().await
}

scaigate_runtime::service!(super::handle);

async fn handle(request: wire::Request) -> wire::Reply {
    COMPONENT
        .respond_with(request, remembered::get().await, answer)
        .await
}
