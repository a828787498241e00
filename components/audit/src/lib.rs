//! The audit log: `/v1/admin/audit`, its export, and what is known of its chain.
//!
//! Seals what was appended since: before it shows anything, and when another component tells it, by
//! `/internal/seal`, that a minute has gone by; no public route leads there.
#![cfg(target_family = "wasm")]

mod query;
mod remembered;
mod routes;

use std::cell::Cell;

use scaigate_runtime::spin::{SpinPorts, note_refusal, respond, wire};
use scaigate_runtime::{Incoming, Site};

use routes::Call;

scaigate_runtime::service!(super::handle);

async fn handle(request: wire::Request) -> Result<wire::Response, wire::ErrorCode> {
    let remembered = remembered::get().await;
    let site = remembered.as_ref().map_or_else(
        |_| Site::default(),
        |all| all.callers.site.clone().noting_refusals(note_refusal),
    );
    respond("audit", request, &site, async move |incoming: &Incoming| {
        let remembered = remembered?;
        let call = Call {
            ports: &SpinPorts::default(),
            remembered: &remembered,
            incoming,
            limit: Cell::default(),
        };
        call.answer().await
    })
    .await
}
