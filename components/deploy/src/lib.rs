//! Deploying a flow (`contract/scaiflow.md` 2.9): `POST /v1/flows/{id}/deploy`, and the deprecated
//! `POST /v1/dev/deploy`.
//!
//! Apart from the other routes of flows, because this one alone reaches ScaiGrid and holds what opens
//! the tenants' keys.
#![cfg(target_family = "wasm")]

mod remembered;
mod routes;

use scaigate_flows::content::MAX_CONTENT;
use scaigate_problem::Problem;
use scaigate_runtime::spin::{Component, SpinPorts, wire};
use scaigate_runtime::{Answer, Incoming, incoming};

use remembered::Remembered;
use routes::Call;

/// Takes content, and what stands around it.
const COMPONENT: Component =
    Component::named("deploy").with_bodies_up_to(MAX_CONTENT + incoming::MAX_BODY);

async fn answer(remembered: &Remembered, incoming: &Incoming) -> Result<Answer, Problem> {
    let call = Call {
        ports: &SpinPorts::of(incoming),
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
