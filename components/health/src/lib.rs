//! `GET /v1/health`: it lives. `GET /v1/health/ready`: it can serve. `GET /v1/health/detailed`: what
//! works, what does not, and what to do about it, for operators.
//!
//! Of the secrets it holds the one by which administrators are known, and no other: whether the rest are
//! there is asked of the components that hold them.
#![cfg(target_family = "wasm")]

mod remembered;
mod routes;

use scaigate_runtime::spin::{Reply, SpinPorts, serve};
use scaigate_runtime::{Incoming, Site};
use spin_sdk::http::Request;
use spin_sdk::http_service;

#[http_service]
async fn handle(request: Request) -> Reply {
    let remembered = remembered::get().await;
    let site = remembered
        .as_ref()
        .map_or_else(|_| Site::default(), |all| all.site());
    serve(
        "health",
        request,
        &site,
        async move |incoming: &Incoming| {
            routes::route(&SpinPorts::default(), remembered, incoming).await
        },
    )
    .await
}
