//! `/health` and `/v1/modules`.

use serde_json::{Value, json};

use crate::caller::Caller;
use crate::exchange::{Answer, Call, Reply};
use crate::world::World;

/// `GET /health` (G-health).
pub(crate) fn alive(_world: &World, _call: &Call, _caller: &Caller) -> Answer {
    Ok(Reply::json(200, &json!({"status": "ok"})))
}

/// `GET /health/ready`.
pub(crate) fn ready(_world: &World, _call: &Call, _caller: &Caller) -> Answer {
    let checks = json!({"database": "ok", "redis": "ok", "modules": "ok"});
    Ok(Reply::json(200, &json!({"status": "ok", "checks": checks})))
}

/// `GET /v1/modules`: a bare array in `data` (G-mods).
pub(crate) fn modules(world: &World, _call: &Call, caller: &Caller) -> Answer {
    let grid = world.grid();
    let rows: Vec<Value> = ["scaiqueue", "scaibunker", "scaicore"]
        .into_iter()
        .map(|module| {
            let is_on = grid.has_module(caller.tenant(), module);
            json!({"module_id": module, "status": if is_on { "active" } else { "disabled" }})
        })
        .collect();
    Ok(Reply::data(200, json!(rows)))
}
