//! `GET /v1/health`: it lives. `GET /v1/health/ready`: it can serve. `GET /v1/health/detailed`: what
//! works, what does not, and what to do about it, for operators.
//!
//! Of the secrets it holds the one by which administrators are known, and no other: whether the rest are
//! there is asked of the components that hold them.
#![cfg(target_family = "wasm")]

mod remembered;
mod routes;

use scaigate_runtime::Incoming;
use scaigate_runtime::spin::{Component, SpinPorts, wire};

const COMPONENT: Component = Component::named("health");

scaigate_runtime::service!(super::handle);

async fn handle(request: wire::Request) -> wire::Reply {
    let remembered = remembered::get().await;
    let site = remembered
        .as_ref()
        .map(|all| all.site())
        .unwrap_or_default();
    // It lives also where the settings are wrong.
    let answer = async move |incoming: &Incoming| {
        routes::route(&SpinPorts::of(incoming), remembered, incoming).await
    };
    COMPONENT.respond(request, &site, answer).await
}
