//! Checkpoints of ScaiCore (`contract/scaiflow.md` 2.6, C-11).

use serde_json::{Value, json};

use super::listing::{self, Rows};
use crate::caller::Caller;
use crate::endpoint::Endpoint;
use crate::exchange::{Answer, Call, Failure, Reply};
use crate::grid::Checkpoint;
use crate::world::World;
use scaigate_emulation::iso8601;

fn row(checkpoint: &Checkpoint) -> Value {
    json!({
        "id": checkpoint.id, "core_id": checkpoint.core_id, "status": checkpoint.status,
        "checkpoint_type": checkpoint.checkpoint_type, "created_at": iso8601(checkpoint.at),
        "resolution": checkpoint.resolution,
    })
}

/// `GET /checkpoints` with `core_id`, `status` (default `pending`), `limit`, `cursor`.
pub(crate) fn list(world: &World, call: &Call, caller: &Caller) -> Answer {
    let status = call.query("status").unwrap_or("pending");
    let rows = {
        let grid = world.grid();
        let is_own = |c: &&Checkpoint| c.tenant_id == caller.tenant();
        let seen = grid.checkpoints.iter().filter(is_own);
        let seen = seen.filter(|c| {
            c.status == status && call.query("core_id").is_none_or(|id| id == c.core_id)
        });
        Rows {
            endpoint: Endpoint::Checkpoints,
            seen: seen.map(row).collect(),
            foreign: grid.checkpoints.iter().find(|c| !is_own(c)).map(row),
        }
    };
    Ok(Reply::json(200, &listing::page(world, call, rows)?.bare()))
}

/// `POST /checkpoints/{id}/resolve`; its body is unknown, so any object will do. Once: then 409, with a code of ours.
pub(crate) fn resolve(world: &World, call: &Call, caller: &Caller) -> Answer {
    let body = call.object()?;
    let wanted = call.param("checkpoint");
    let mut grid = world.grid();
    let mut own = grid
        .checkpoints
        .iter_mut()
        .filter(|c| c.tenant_id == caller.tenant());
    let found = own.find(|c| c.id == wanted);
    let checkpoint = found.ok_or_else(|| Failure::not_found("Checkpoint"))?;
    if checkpoint.status != "pending" {
        let message = format!("the checkpoint is {}", checkpoint.status);
        return Err(Failure::new(409, "CHECKPOINT_NOT_PENDING", &message));
    }
    checkpoint.status = "resolved".to_owned();
    checkpoint.resolution = Some(body);
    Ok(Reply::data(200, row(checkpoint)))
}
