//! Noting deliveries that were refused, so that "not arriving" can be told from "arriving and refused"
//! (S-11). Anybody can send what is refused, so an instance writes at most one row a second of each
//! kind, with how many there were.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::Duration;

use scaigate_kv::directory::webhook_delivery;
use scaigate_problem::{Code, Problem};
use scaigate_runtime::spin::SpinPorts;
use scaigate_signin::Ports;
use scaigate_types::{Clock, Timestamp};

const EVERY: Duration = Duration::from_secs(1);

#[derive(Clone, Copy, Default)]
struct Noted {
    last: Timestamp,
    waiting: u32,
}

thread_local! {
    static NOTED: RefCell<BTreeMap<&'static str, Noted>> = const { RefCell::new(BTreeMap::new()) };
}

const fn is_refusal(code: Code) -> bool {
    matches!(
        code,
        Code::WebhookNotConfigured
            | Code::WebhookSignatureMissing
            | Code::WebhookSignatureMismatch
            | Code::WebhookTimestampMissing
            | Code::WebhookTimestampOutOfWindow
            | Code::WebhookMalformed
            | Code::WebhookEventConflict
            | Code::PayloadTooLarge
    )
}

/// Notes a refusal. Where the note can't be written, the answer is the same.
pub async fn note(ports: &SpinPorts, problem: &Problem) {
    let code = problem.code();
    if !is_refusal(code) {
        return;
    }
    let now = ports.clock().now();
    let count = NOTED.with_borrow_mut(|noted| {
        let noted = noted.entry(code.as_str()).or_default();
        noted.waiting = noted.waiting.saturating_add(1);
        if now.since(noted.last) < EVERY && noted.last <= now {
            return None;
        }
        noted.last = now;
        Some(std::mem::take(&mut noted.waiting))
    });
    if let Some(count) = count {
        let _ = webhook_delivery::refused(ports.db(), code.as_str(), count, now).await;
    }
}
