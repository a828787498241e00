//! ScaiGrid on behalf of a tenant: the documented lookups, reads that pass through, and the calls that
//! the configuration allows (`product.md` section 7).
//!
//! The one component that reaches ScaiGrid with somebody's credential.
#![cfg(target_family = "wasm")]

mod remembered;
mod routes;

use scaigate_runtime::Incoming;
use scaigate_runtime::spin::{Arriving, Component, SpinPorts, wire};

use remembered::Remembered;

const COMPONENT: Component = Component::named("proxies");

scaigate_runtime::service!(super::handle);

async fn handle(request: wire::Request) -> wire::Reply {
    let answer = async |remembered: &Remembered, incoming: &Incoming, body: Arriving| {
        routes::route(&SpinPorts::default(), remembered, incoming, body).await
    };
    COMPONENT
        .stream_with(request, remembered::get().await, answer)
        .await
}
