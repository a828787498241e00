//! Noting in the audit log what was refused.

use std::rc::Rc;

use scaigate_audit::{Refusals, route};
use scaigate_kv::spin::note_refusals;
use scaigate_problem::Code;
use scaigate_types::Clock;

use super::after_answer;
use super::ports::SpinClock;
use crate::Incoming;

thread_local! {
    static REFUSALS: Refusals = const { Refusals::new() };
}

/// Notes, after the answer, that a request was refused with `code`: 401, 403 and 429 everywhere, 400
/// where people sign in. Where the note can't be written, the component's log says so.
pub fn note_refusal(incoming: &Incoming, code: Code) {
    let is_refusal = match code.status() {
        401 | 403 | 429 => true,
        400 => incoming.path.starts_with("/v1/auth/"),
        _ => false,
    };
    if !is_refusal {
        return;
    }
    let (now, route) = (SpinClock.now(), route(&incoming.path));
    let (code, trail) = (code.as_str(), Rc::clone(&incoming.trail));
    let count = REFUSALS.with(|refusals| refusals.count(&route, code, &trail, now));
    if let Some(count) = count {
        let noting = note_refusals(route, code, count, Rc::clone(&trail), now);
        after_answer(async move {
            if noting.await.is_err() {
                not_noted(&trail.request_id, code);
            }
        });
    }
}

#[expect(
    clippy::print_stdout,
    reason = "a component's log is its standard output"
)]
fn not_noted(request_id: &str, code: &str) {
    println!(r#"{{"audit":"not_written","request_id":"{request_id}","code":"{code}"}}"#);
}
