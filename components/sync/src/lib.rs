//! `/v1/admin/sync`: makes the mirror what ScaiKey's directory is, and says how far that is.
//!
//! The one component that reads the directory with the application's own credentials. Others tell it, by `/internal/sync-if-due`, that a sync may be due; no public route
//! leads there.
#![cfg(target_family = "wasm")]

mod background;
mod remembered;
mod routes;
mod view;

use scaigate_problem::Problem;
use scaigate_runtime::spin::{Component, SpinPorts, wire};
use scaigate_runtime::{Answer, Incoming};

use remembered::Remembered;
use routes::Call;

const COMPONENT: Component = Component::named("sync");

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
