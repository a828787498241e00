//! Flows (`contract/scaiflow.md` 2.7, 2.8): `/v1/flows` and `/v1/catalog`. Deploying is another
//! component's.
//!
//! Holds no secret of ScaiKey.
#![cfg(target_family = "wasm")]

mod body;
mod catalog;
mod flows;
mod query;
mod remembered;
mod routes;

use scaigate_flows::content::MAX_CONTENT;
use scaigate_flows::text::MAX_README;
use scaigate_problem::Problem;
use scaigate_runtime::spin::{Component, SpinPorts, wire};
use scaigate_runtime::{Answer, Incoming, incoming};

use remembered::Remembered;
use routes::Call;

/// Takes content, a read-me, and what stands around them.
const COMPONENT: Component =
    Component::named("flows").with_bodies_up_to(MAX_CONTENT + MAX_README + incoming::MAX_BODY);

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
