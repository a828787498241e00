//! Noting in the audit log what was refused. Anybody can be refused as often as they like, so an
//! instance writes at most one row a second of each kind and caller, with how many there were, and the
//! log keeps one a minute.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use scaigate_kv::audit;
use scaigate_kv::spin::SpinDatabase;
use scaigate_problem::Code;
use scaigate_types::{Clock, Timestamp};

use super::after_answer;
use super::ports::SpinClock;
use crate::Incoming;

const EVERY: Duration = Duration::from_secs(1);

/// Kinds that an instance counts at a time. What is beyond is not noted.
const MAX_KINDS: usize = 64;

#[derive(Clone, Copy, Default)]
struct Noted {
    last: Timestamp,
    waiting: u32,
}

thread_local! {
    // By route, code and caller.
    static NOTED: RefCell<BTreeMap<(String, &'static str, Option<String>), Noted>> =
        const { RefCell::new(BTreeMap::new()) };
}

/// Where the request went, without what anybody can make up: routes of Spin are exact below these.
fn route(path: &str) -> String {
    let mut parts = path.split('/').skip(1);
    let (version, area) = (parts.next(), parts.next());
    let part = parts.next().filter(|_| matches!(area, Some("auth" | "admin")));
    let parts = [version, area, part].into_iter().flatten();
    parts.fold(String::new(), |route, part| route + "/" + part)
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
    let now = SpinClock.now();
    let route = route(&incoming.path);
    let count = NOTED.with_borrow_mut(|noted| {
        if noted.len() >= MAX_KINDS {
            noted.retain(|_, noted| now.since(noted.last) < EVERY && noted.last <= now);
        }
        if noted.len() >= MAX_KINDS {
            return None;
        }
        let actor = incoming.trail.actor().map(|actor| actor.name.clone());
        let kind = (route.clone(), code.as_str(), actor);
        let noted = noted.entry(kind).or_default();
        noted.waiting = noted.waiting.saturating_add(1);
        if now.since(noted.last) < EVERY && noted.last <= now {
            return None;
        }
        noted.last = now;
        Some(std::mem::take(&mut noted.waiting))
    });
    let Some(count) = count else {
        return;
    };
    let trail = Rc::clone(&incoming.trail);
    after_answer(async move {
        let db = SpinDatabase::default();
        let noted = audit::note_refusals(&db, &route, code.as_str(), count, &trail, now).await;
        if noted.is_err() {
            not_noted(&trail.request_id, code);
        }
    });
}

#[expect(
    clippy::print_stdout,
    reason = "a component's log is its standard output"
)]
fn not_noted(request_id: &str, code: Code) {
    println!(
        r#"{{"audit":"not_written","request_id":"{request_id}","code":"{}"}}"#,
        code.as_str()
    );
}
