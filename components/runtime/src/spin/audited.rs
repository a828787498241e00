//! Noting in the audit log what was refused, and what administrators read.

use std::rc::Rc;

use scaigate_audit::{Refusals, route};
use scaigate_kv::audit;
use scaigate_kv::spin::{SpinDatabase, note_refusals};
use scaigate_problem::{Code, Problem};
use scaigate_signin::failure;
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

/// Notes that an administrator read `what`. What is shown is shown only where the audit log says to whom.
///
/// # Errors
/// [`Code::StoreUnavailable`] where it can't be written.
pub async fn note_read(incoming: &Incoming, what: &str) -> Result<(), Problem> {
    let db = SpinDatabase::default();
    audit::note_read(&db, what, &incoming.trail, SpinClock.now())
        .await
        .map_err(failure::database)
}

/// The same after the answer, for what has to be shown also when the database is down. Where the note
/// can't be written, the component's log says so.
pub fn note_read_after_answer(incoming: &Incoming, what: &'static str) {
    let (trail, now) = (Rc::clone(&incoming.trail), SpinClock.now());
    after_answer(async move {
        let db = SpinDatabase::default();
        if audit::note_read(&db, what, &trail, now).await.is_err() {
            not_noted(&trail.request_id, "admin.read");
        }
    });
}

#[expect(
    clippy::print_stdout,
    reason = "a component's log is its standard output"
)]
fn not_noted(request_id: &str, what: &str) {
    println!(r#"{{"audit":"not_written","request_id":"{request_id}","what":"{what}"}}"#);
}
