//! `/v1/admin/sync`: makes the mirror what ScaiKey's directory is, and says how far that is.
//!
//! The one component that reads the directory with the application's own credentials. Others tell it, by `/internal/sync-if-due`, that a sync may be due; no public route
//! leads there.
#![cfg(target_family = "wasm")]

mod background;
mod remembered;
mod routes;
mod view;

use std::rc::Rc;

use scaigate_runtime::spin::{Reply, SpinPorts, note_refusal, serve};
use scaigate_runtime::{Incoming, Site};
use spin_sdk::http::Request;
use spin_sdk::http_service;

use remembered::Remembered;
use routes::Call;

#[http_service]
async fn handle(request: Request) -> Reply {
    let remembered = remembered::get().await;
    let site = remembered.as_ref().map_or_else(
        |_| Site::default(),
        |all| all.callers.site.clone().noting_refusals(note_refusal),
    );
    serve("sync", request, &site, async move |incoming: &Incoming| {
        let remembered: Rc<Remembered> = remembered?;
        let call = Call {
            ports: &SpinPorts::of(incoming),
            remembered: &remembered,
            incoming,
        };
        call.route().await
    })
    .await
}
