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

use std::cell::Cell;
use std::rc::Rc;

use scaigate_flows::content::MAX_CONTENT;
use scaigate_flows::text::MAX_README;
use scaigate_runtime::spin::{Reply, SpinPorts, note_refusal, serve_up_to};
use scaigate_runtime::{Incoming, Site, incoming};
use spin_sdk::http::Request;
use spin_sdk::http_service;

use remembered::Remembered;
use routes::Call;

/// Content, read-me, and what stands around them.
const MAX_BODY: usize = MAX_CONTENT + MAX_README + incoming::MAX_BODY;

#[http_service]
async fn handle(request: Request) -> Reply {
    let remembered = remembered::get().await;
    let site = remembered.as_ref().map_or_else(
        |_| Site::default(),
        |all| all.callers.site.clone().noting_refusals(note_refusal),
    );
    serve_up_to(
        MAX_BODY,
        "flows",
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
