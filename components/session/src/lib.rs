//! Who the caller is: `/v1/me`, `/v1/auth/whoami`, registration, the caller's workspace, and
//! ScaiKey's word that somebody has signed out there.
//!
//! Checks both session tokens and ScaiKey's access tokens, so it reaches ScaiKey's keys; it holds no
//! secret of ScaiKey.
#![cfg(target_family = "wasm")]

mod remembered;
mod routes;
mod view;

use std::rc::Rc;

use scaigate_runtime::spin::{SpinPorts, notice_due_sync, respond, wire};
use scaigate_runtime::{Incoming, Site};

use remembered::Remembered;
use routes::Call;

scaigate_runtime::service!(super::handle);

async fn handle(request: wire::Request) -> Result<wire::Response, wire::ErrorCode> {
    let remembered = remembered::get().await;
    let site = remembered
        .as_ref()
        .map_or_else(|_| Site::default(), |all| all.callers.site.clone());
    let notices = remembered
        .as_ref()
        .is_ok_and(|remembered| remembered.notices_due_sync);
    let reply = respond(
        "session",
        request,
        &site,
        async move |incoming: &Incoming| {
            let remembered: Rc<Remembered> = remembered?;
            let call = Call {
                ports: &SpinPorts::of(incoming),
                remembered: &remembered,
                incoming,
            };
            call.route().await
        },
    )
    .await;
    if notices {
        notice_due_sync();
    }
    reply
}
