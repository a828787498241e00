//! A tenant's key for ScaiGrid: its status for everybody of the tenant, setting and removing it for the
//! tenant's administrators (`contract/scaiflow.md` 2.4).
//!
//! Holds what seals the keys; reaches ScaiKey, to check access tokens, and nobody else.
#![cfg(target_family = "wasm")]

mod remembered;
mod routes;

use scaigate_runtime::spin::{SpinPorts, note_refusal, respond, wire};
use scaigate_runtime::{Incoming, Site};

scaigate_runtime::service!(super::handle);

async fn handle(request: wire::Request) -> Result<wire::Response, wire::ErrorCode> {
    let remembered = remembered::get().await;
    let site = remembered.as_ref().map_or_else(
        |_| Site::default(),
        |all| all.callers.site.clone().noting_refusals(note_refusal),
    );
    respond(
        "tenants",
        request,
        &site,
        async move |incoming: &Incoming| {
            let remembered = remembered?;
            routes::route(&SpinPorts::of(incoming), &remembered, incoming).await
        },
    )
    .await
}
