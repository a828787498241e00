//! A tenant's key for ScaiGrid: its status for everybody of the tenant, setting and removing it for the
//! tenant's administrators (`contract/scaiflow.md` 2.4).
//!
//! Holds what seals the keys; reaches ScaiKey, to check access tokens, and nobody else.
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
        .map_or_else(|_| Site::default(), |all| all.callers.site.clone());
    serve(
        "tenants",
        request,
        &site,
        async move |incoming: &Incoming| {
            let remembered = remembered?;
            routes::answer(&SpinPorts::default(), &remembered, incoming).await
        },
    )
    .await
}
