//! Who the caller is: `/v1/me`, `/v1/auth/whoami`, registration, the caller's workspace, and
//! ScaiKey's word that somebody has signed out there.
//!
//! Checks both session tokens and ScaiKey's access tokens, so it reaches ScaiKey's keys; it holds no
//! secret of ScaiKey.
#![cfg(target_family = "wasm")]

mod remembered;
mod routes;
mod view;

use std::cell::Cell;

use scaigate_kv::purge;
use scaigate_kv::spin::{SpinDatabase, SpinKv};
use scaigate_problem::Problem;
use scaigate_runtime::spin::{
    Component, SpinClock, SpinEntropy, SpinPorts, after_answer, notice_due_sync, wire,
};
use scaigate_runtime::{Answer, Incoming};
use scaigate_types::{Clock, Entropy};

use remembered::Remembered;
use routes::Call;

const COMPONENT: Component = Component::named("session");

async fn answer(remembered: &Remembered, incoming: &Incoming) -> Result<Answer, Problem> {
    let call = Call {
        ports: &SpinPorts::of(incoming),
        remembered,
        incoming,
    };
    call.route().await
}

scaigate_runtime::service!(super::handle);

thread_local! {
    // From a number drawn by each instance: few live to see 4096 requests.
    static COUNT: Cell<Option<u16>> = const { Cell::new(None) };
}

/// Once in 4096 requests, forgets what has expired, after the answer. It is work of some milliseconds,
/// which all of them bear.
fn purge_now_and_then() {
    let drawn = || u16::from_ne_bytes(SpinEntropy.bytes());
    let count = COUNT.get().unwrap_or_else(drawn);
    COUNT.set(Some(count.wrapping_add(1)));
    if count.is_multiple_of(4096) {
        after_answer(async {
            // What fails now is done another time.
            let _ = purge::purge(&SpinDatabase::default(), &SpinKv, SpinClock.now()).await;
        });
    }
}

async fn handle(request: wire::Request) -> wire::Reply {
    let remembered = remembered::get().await;
    let notices = remembered
        .as_ref()
        .is_ok_and(|remembered| remembered.notices_due_sync);
    let reply = COMPONENT.respond_with(request, remembered, answer).await;
    purge_now_and_then();
    if notices {
        notice_due_sync();
    }
    reply
}
