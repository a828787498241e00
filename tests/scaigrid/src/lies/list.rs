//! Lies in lists.

use serde_json::{Value, json};

use crate::api::listing::Page;
use crate::deviation::ListLie;
use crate::random;

/// Members that name a row.
const IDS: [&str; 6] = [
    "id",
    "slug",
    "bunker_id",
    "core_id",
    "scope_id",
    "checkpoint_id",
];

/// Changes a page; `cursor` is the one that asked for it, `foreign` a row of another tenant.
pub(crate) fn tell(page: &mut Page, cursor: Option<&str>, foreign: Option<Value>, lie: ListLie) {
    let mut more = |cursor: String| {
        page.has_more = json!(true);
        page.next_cursor = json!(cursor);
    };
    match lie {
        ListLie::Empty => page.rows.clear(),
        // A fresh cursor that is accepted as the beginning.
        ListLie::EndlessPages => more(random::id("cur_0_")),
        ListLie::SameCursor => more(cursor.unwrap_or("cur_0").to_owned()),
        ListLie::MoreWithoutCursor => {
            page.has_more = json!(true);
            page.next_cursor = Value::Null;
        }
        ListLie::HostileCursor => {
            more("x&status=running#/../../api-keys?\r\nx-evil: 1%00".to_owned());
        }
        ListLie::HugeCursor => more("x".repeat(64 << 10)),
        ListLie::MoreIsText => page.has_more = json!("false"),
        ListLie::DoubleRows => {
            page.rows = page
                .rows
                .drain(..)
                .flat_map(|row| [row.clone(), row])
                .collect();
        }
        ListLie::NullRow => page.rows.insert(0, Value::Null),
        ListLie::NumberRow => page.rows.insert(0, json!(42)),
        ListLie::NoId => on_ids(page, |row, name| {
            row.as_object_mut().map(|row| row.remove(name));
        }),
        ListLie::NumberId => on_ids(page, |row, name| row[name] = json!(42)),
        ListLie::PathId => on_ids(page, |row, name| row[name] = json!("../../v1/api-keys")),
        ListLie::ForeignRow => page.rows.extend(foreign),
        ListLie::ManyRows => {
            if let Some(row) = page.rows.first().cloned() {
                page.rows.resize(50_000, row);
            }
        }
        ListLie::MoreMembersValid => {
            for row in &mut page.rows {
                row["x_new"] = json!({"nested": [1, null, "text"]});
            }
        }
    }
}

fn on_ids(page: &mut Page, change: impl Fn(&mut Value, &str)) {
    for row in &mut page.rows {
        for name in IDS {
            if row.get(name).is_some() {
                change(row, name);
            }
        }
    }
}
