//! Counting requests that carry headers of development where those mean nothing (S-33): whoever sends
//! them takes this for another environment.

use std::cell::Cell;
use std::time::Duration;

use scaigate_kv::dev_headers;
use scaigate_kv::spin::SpinKv;
use scaigate_signin::authenticate::DEV_HEADERS;
use scaigate_signin::settings::Environment;
use scaigate_types::{Clock, Timestamp};

use super::after_answer;
use super::ports::SpinClock;
use crate::Incoming;

/// Anybody can send them, so an instance writes at most this often.
const EVERY: Duration = Duration::from_secs(1);

thread_local! {
    static LAST: Cell<Timestamp> = const { Cell::new(Timestamp::from_millis(0)) };
    static WAITING: Cell<u64> = const { Cell::new(0) };
}

/// Whether a request carries such headers.
pub(super) fn carries_dev_headers(incoming: &Incoming) -> bool {
    let mut names = incoming.headers.keys();
    names.any(|name| DEV_HEADERS.contains(&name.as_str()))
}

/// Notes, after the answer, a request with such headers. Without `env=dev` alone is that something to
/// be told of.
pub fn note_dev_headers(incoming: &Incoming, environment: Environment) {
    if environment == Environment::Development || !carries_dev_headers(incoming) {
        return;
    }
    WAITING.set(WAITING.get().saturating_add(1));
    let now = SpinClock.now();
    if LAST.get() <= now && now.since(LAST.get()) < EVERY {
        return;
    }
    LAST.set(now);
    let count = WAITING.replace(0);
    after_answer(async move {
        let _ = dev_headers::note(&SpinKv, count, now).await;
    });
}
