//! ScaiGrid on behalf of a tenant: the documented lookups, reads that pass through, and the calls that
//! the configuration allows (`product.md` section 7).
//!
//! The one component that reaches ScaiGrid with somebody's credential.
#![cfg(target_family = "wasm")]

mod remembered;
mod routes;

use scaigate_runtime::Site;
use scaigate_runtime::spin::{SpinPorts, note_refusal, respond_stream, wire};

scaigate_runtime::service!(super::handle);

async fn handle(request: wire::Request) -> Result<wire::Response, wire::ErrorCode> {
    let remembered = remembered::get().await;
    let site = remembered.as_ref().map_or_else(
        |_| Site::default(),
        |all| all.callers.site.clone().noting_refusals(note_refusal),
    );
    respond_stream("proxies", request, &site, async move |incoming, body| {
        let remembered = remembered?;
        routes::route(&SpinPorts::default(), &remembered, incoming, body).await
    })
    .await
}
