//! Events of ScaiCore (`contract/scaiflow.md` 2.6).

use serde_json::{Value, json};

use super::listing::{self, Rows};
use crate::caller::Caller;
use crate::endpoint::Endpoint;
use crate::exchange::{Answer, Call, Reply};
use crate::grid::Event;
use crate::world::World;
use scaigate_emulation::iso8601;

fn row(event: &Event) -> Value {
    json!({
        "type": event.kind, "core_id": event.core_id, "timestamp": iso8601(event.at),
        "payload": event.payload,
    })
}

/// `GET /events` with `core_id`, `limit`, `cursor`; oldest first.
pub(crate) fn list(world: &World, call: &Call, caller: &Caller) -> Answer {
    let rows = {
        let grid = world.grid();
        let is_own = |event: &&Event| event.tenant_id == caller.tenant();
        let seen = grid.events.iter().filter(is_own);
        let seen = seen.filter(|e| call.query("core_id").is_none_or(|id| id == e.core_id));
        Rows {
            endpoint: Endpoint::Events,
            seen: seen.map(row).collect(),
            foreign: grid.events.iter().find(|e| !is_own(e)).map(row),
        }
    };
    let page = listing::page(world, call, rows)?;
    Ok(Reply::data(
        200,
        json!({"events": page.rows, "next_cursor": page.next_cursor}),
    ))
}
