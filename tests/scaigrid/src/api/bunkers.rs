//! Bunkers (`contract/scaiwave-scaicrew-scaigrid.md` 5).

use serde_json::{Value, json};

use super::listing::{self, Rows};
use crate::behaviour::{BunkerReach, Spelling};
use crate::caller::Caller;
use crate::endpoint::Endpoint;
use crate::exchange::{Answer, Call, Failure, Reply};
use crate::grid::Bunker;
use crate::world::World;

fn status(bunker: &Bunker, spelling: Spelling) -> &str {
    match (spelling, bunker.status.as_str()) {
        (Spelling::Lookup, "running") => "ready",
        (_, status) => status,
    }
}

/// The record's exact names are unknown (5); these are the create call's, or ScaiFlow's.
fn row(bunker: &Bunker, spelling: Spelling) -> Value {
    let (image, lifecycle) = match spelling {
        Spelling::Own => ("image", "lifecycle_mode"),
        Spelling::Lookup => ("image_ref", "lifecycle"),
    };
    let mut row = json!({
        "bunker_id": bunker.id, "status": status(bunker, spelling), "network_profile": "isolated",
        "cpu_millicores": 1_000, "memory_mb": 512, "disk_mb": 1_024,
    });
    row[image] = json!(bunker.image);
    row[lifecycle] = json!(bunker.lifecycle);
    row
}

fn is_visible(bunker: &Bunker, caller: &Caller, reach: BunkerReach) -> bool {
    caller.holds("scaibunker:admin")
        || bunker.tenant_id == caller.tenant()
            && (reach == BunkerReach::Tenant || bunker.owner_id == caller.id)
}

/// `GET /bunkers` with `limit`, `cursor`, `status`, `lifecycle`.
pub(crate) fn list(world: &World, call: &Call, caller: &Caller) -> Answer {
    let behaviour = world.switches.behaviour();
    let (spelling, reach) = (behaviour.spelling, behaviour.bunker_reach);
    let wanted = |name: &str, value: &str| call.query(name).is_none_or(|asked| asked == value);
    let rows = {
        let grid = world.grid();
        let (seen, foreign): (Vec<&Bunker>, Vec<&Bunker>) = grid
            .bunkers
            .iter()
            .partition(|b| is_visible(b, caller, reach));
        let seen = seen
            .into_iter()
            .filter(|b| wanted("status", status(b, spelling)) && wanted("lifecycle", &b.lifecycle));
        Rows {
            endpoint: Endpoint::Bunkers,
            seen: seen.map(|b| row(b, spelling)).collect(),
            foreign: foreign.first().map(|b| row(b, spelling)),
        }
    };
    Ok(Reply::json(200, &listing::page(world, call, rows)?.bare()))
}

/// `GET /bunkers/{bunker_id}`.
pub(crate) fn get(world: &World, call: &Call, caller: &Caller) -> Answer {
    let behaviour = world.switches.behaviour();
    let wanted = call.param("bunker");
    let grid = world.grid();
    let mut bunkers = grid.bunkers.iter();
    let found = bunkers.find(|b| b.id == wanted && is_visible(b, caller, behaviour.bunker_reach));
    let bunker = found.ok_or_else(|| Failure::not_found("Bunker"))?;
    Ok(Reply::data(200, row(bunker, behaviour.spelling)))
}
