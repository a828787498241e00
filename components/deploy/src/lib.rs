//! Deploying a flow (`contract/scaiflow.md` 2.9): `POST /v1/flows/{id}/deploy`, and the deprecated
//! `POST /v1/dev/deploy`.
//!
//! Apart from the other routes of flows, because this one alone reaches ScaiGrid and holds what opens
//! the tenants' keys.
#![cfg(target_family = "wasm")]

mod remembered;
mod routes;

use std::cell::Cell;
use std::rc::Rc;

use scaigate_flows::content::MAX_CONTENT;
use scaigate_runtime::spin::{Reply, SpinPorts, note_refusal, serve_up_to};
use scaigate_runtime::{Incoming, Site, incoming};
use spin_sdk::http::Request;
use spin_sdk::http_service;

use remembered::Remembered;
use routes::Call;

/// Content, and what stands around it.
const MAX_BODY: usize = MAX_CONTENT + incoming::MAX_BODY;

#[http_service]
async fn handle(request: Request) -> Reply {
    let remembered = remembered::get().await;
    let site = remembered.as_ref().map_or_else(
        |_| Site::default(),
        |all| all.callers.site.clone().noting_refusals(note_refusal),
    );
    serve_up_to(
        MAX_BODY,
        "deploy",
        request,
        &site,
        async move |incoming: &Incoming| {
            let remembered: Rc<Remembered> = remembered?;
            let call = Call {
                ports: &SpinPorts::of(incoming),
                remembered: &remembered,
                incoming,
                limit: Cell::default(),
            };
            call.answer().await
        },
    )
    .await
}
