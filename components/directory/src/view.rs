//! The documented shapes (`contract/scaiflow.md` 2.2) and those that go with them.

use scaigate_kv::directory::change_log::Changes;
use scaigate_kv::directory::listing::{Listed, Page};
use scaigate_kv::directory::webhook_delivery;
use scaigate_types::Timestamp;
use serde_json::Value;

/// A page of rows under `name`. The rows are JSON already.
pub fn list(name: &str, listed: &Listed, page: &Page<'_>) -> String {
    format!(
        "{{\"{name}\":{},\"total\":{},\"page\":{},\"per_page\":{}}}",
        listed.rows, listed.total, page.page, page.per_page
    )
}

/// A page of the change log.
pub fn changes(changes: &Changes) -> String {
    format!(
        "{{\"changes\":{},\"next_cursor\":{},\"has_more\":{}}}",
        changes.rows, changes.next_cursor, changes.has_more
    )
}

fn time(at: Option<Timestamp>) -> Value {
    at.map(Timestamp::rfc3339).into()
}

/// A page of deliveries.
pub fn deliveries(listed: &webhook_delivery::Listed, page: u32, per_page: u32) -> String {
    format!(
        "{{\"deliveries\":{},\"total\":{},\"page\":{page},\"per_page\":{per_page},\"last_received_at\":{},\"last_refused_at\":{}}}",
        listed.rows,
        listed.total,
        time(listed.last_received_at),
        time(listed.last_refused_at),
    )
}
