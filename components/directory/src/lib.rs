//! The directory as administrators see it: `/v1/admin/users`, `/groups`, `/changes`, webhook deliveries,
//! their own tenant's, its flows, and the roles they give and take.
//!
//! Holds no secret of ScaiKey: reading its directory is another component's work.
#![cfg(target_family = "wasm")]

mod query;
mod remembered;
mod routes;
mod view;

use scaigate_problem::Problem;
use scaigate_runtime::spin::{Component, SpinPorts, wire};
use scaigate_runtime::{Answer, Incoming};

use remembered::Remembered;
use routes::Call;

const COMPONENT: Component = Component::named("directory");

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
