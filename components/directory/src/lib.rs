//! The directory as administrators see it: `/v1/admin/users`, `/groups`, `/changes`, webhook deliveries,
//! their own tenant's, its flows, and the roles they give and take.
//!
//! Holds no secret of ScaiKey: reading its directory is another component's work.
#![cfg(target_family = "wasm")]

mod query;
mod remembered;
mod routes;
mod view;

use std::cell::Cell;
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
    serve(
        "directory",
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
