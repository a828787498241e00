//! Pages of rows.

use serde_json::{Value, json};

use crate::deviation::Deviation;
use crate::endpoint::Endpoint;
use crate::exchange::{Call, Failure};
use crate::lies;
use crate::world::World;

/// One page, ready to go into an envelope.
pub(crate) struct Page {
    pub(crate) rows: Vec<Value>,
    pub(crate) has_more: Value,
    pub(crate) next_cursor: Value,
}

impl Page {
    /// `{"data": […], "has_more": bool, "next_cursor": "…"}` (B-api).
    pub(crate) fn bare(self) -> Value {
        json!({"data": self.rows, "has_more": self.has_more, "next_cursor": self.next_cursor})
    }
}

/// A list of rows that belong to tenants; `None` belongs to all.
pub(crate) struct Rows {
    pub(crate) endpoint: Endpoint,
    /// Those that the caller sees.
    pub(crate) seen: Vec<Value>,
    /// One that it must not see.
    pub(crate) foreign: Option<Value>,
}

/// Cuts the page that `limit` and `cursor` ask for.
pub(crate) fn page(world: &World, call: &Call, rows: Rows) -> Result<Page, Failure> {
    let behaviour = world.switches.behaviour();
    let limit = match call.query("limit") {
        None => behaviour.default_limit,
        Some(text) => match text.parse::<usize>() {
            Ok(limit) if limit > 0 => limit.min(behaviour.max_limit),
            _ => return Err(Failure::invalid("limit", "a positive number is expected")),
        },
    };
    let cursor = call.query("cursor");
    let from = match cursor {
        None => 0,
        Some(cursor) => {
            position(cursor).ok_or_else(|| Failure::invalid("cursor", "unknown cursor"))?
        }
    };
    let total = rows.seen.len();
    let end = from.saturating_add(limit).min(total);
    let mut page = Page {
        rows: rows.seen.into_iter().skip(from).take(limit).collect(),
        has_more: json!(end < total),
        next_cursor: if end < total {
            json!(format!("cur_{end}"))
        } else {
            Value::Null
        },
    };
    for lie in world.switches.draw(|d| match d {
        Deviation::List(at, lie) if at == rows.endpoint => Some(lie),
        _ => None,
    }) {
        lies::list::tell(&mut page, cursor, rows.foreign.clone(), lie);
    }
    Ok(page)
}

/// `cur_<position>`, with anything after another underscore.
fn position(cursor: &str) -> Option<usize> {
    let rest = cursor.strip_prefix("cur_")?;
    rest.split('_').next()?.parse().ok()
}
