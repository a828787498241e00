//! API keys of the caller (`contract/scaiwave-scaicrew-scaigrid.md` 3.2).

use serde_json::{Value, json};

use super::listing::{self, Rows};
use crate::caller::Caller;
use crate::endpoint::Endpoint;
use crate::exchange::{Answer, Call, Failure, Reply};
use crate::grid::ApiKey;
use crate::world::World;

/// Metadata only: the key itself is shown once, when it is made.
fn row(key: &ApiKey) -> Value {
    json!({
        "id": key.id, "name": key.name, "prefix": "sgk_", "scopes": key.scopes,
        "expires_at": key.expires_at,
    })
}

fn is_own(key: &ApiKey, caller: &Caller) -> bool {
    key.user_id == caller.id && key.tenant_id == caller.tenant()
}

/// `GET /v1/api-keys`.
pub(crate) fn list(world: &World, call: &Call, caller: &Caller) -> Answer {
    let rows = {
        let grid = world.grid();
        let own = grid.keys.iter().filter(|k| is_own(k, caller));
        Rows {
            endpoint: Endpoint::ApiKeys,
            seen: own.map(row).collect(),
            foreign: grid.keys.iter().find(|k| !is_own(k, caller)).map(row),
        }
    };
    Ok(Reply::json(200, &listing::page(world, call, rows)?.bare()))
}

/// `DELETE /v1/api-keys/{id}`: at once, calls in flight included.
pub(crate) fn revoke(world: &World, call: &Call, caller: &Caller) -> Answer {
    let mut grid = world.grid();
    let id = call.param("key").to_owned();
    if !grid.keys.iter().any(|k| k.id == id && is_own(k, caller)) {
        return Err(Failure::not_found("API key"));
    }
    grid.revoke(&id);
    Ok(Reply::empty(204))
}
