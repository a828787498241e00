//! Scopes and queues of ScaiQueue (`contract/scaiwave-scaicrew-scaigrid.md` 4).

use serde_json::{Value, json};

use super::listing::{self, Rows};
use crate::behaviour::Spelling;
use crate::caller::Caller;
use crate::endpoint::Endpoint;
use crate::exchange::{Answer, Call, Failure, Reply};
use crate::grid::{Queue, Scope};
use crate::random;
use crate::world::World;

/// Every scope has these (Q-quick).
const SYSTEM_QUEUES: [&str; 5] = [
    "_dead_letter",
    "_events",
    "_audit",
    "_integrity",
    "_corrections",
];

fn scope_row(scope: &Scope) -> Value {
    json!({
        "id": scope.id, "slug": scope.slug, "display_name": scope.display_name,
        "description": scope.description,
    })
}

fn queue_row(queue: &Queue, spelling: Spelling) -> Value {
    let mut row = json!({
        "id": queue.id, "scope_id": queue.scope_id, "slug": queue.slug,
        "display_name": queue.display_name, "max_retries": queue.max_retries,
    });
    match spelling {
        Spelling::Lookup => row["consumer_mode"] = json!(queue.ordering),
        Spelling::Own if queue.ordering == "broadcast" => {
            row["ordering"] = json!("fifo");
            row["consumer_mode"] = json!("broadcast");
        }
        Spelling::Own => {
            row["ordering"] = json!(queue.ordering);
            row["consumer_mode"] = json!("competing");
        }
    }
    row
}

/// The scope of the path, by id or slug, if it is the caller's tenant's.
fn scope(world: &World, call: &Call, caller: &Caller) -> Result<Scope, Failure> {
    let wanted = call.param("scope");
    let grid = world.grid();
    let mut own = grid
        .scopes
        .iter()
        .filter(|s| s.tenant_id == caller.tenant());
    let found = own.find(|s| s.id == wanted || s.slug == wanted);
    found.cloned().ok_or_else(|| Failure::not_found("Scope"))
}

/// A text member of a body; `required` ones may not be missing or empty.
fn text(body: &Value, name: &str, required: bool) -> Result<Option<String>, Failure> {
    match &body[name] {
        Value::String(text) if !text.is_empty() => Ok(Some(text.clone())),
        Value::Null if !required => Ok(None),
        _ => Err(Failure::invalid(name, "a non-empty string is expected")),
    }
}

fn conflict(slug: &str) -> Failure {
    // F-dep: the existing row is not in the answer.
    Failure::new(
        409,
        "SLUG_CONFLICT",
        &format!("slug '{slug}' already exists"),
    )
}

/// `GET /scopes`. Its shape is unknown (4); this is the one that ScaiFlow passes on, with B-api's paging.
pub(crate) fn list_scopes(world: &World, call: &Call, caller: &Caller) -> Answer {
    let rows = {
        let grid = world.grid();
        let is_own = |scope: &&Scope| scope.tenant_id == caller.tenant();
        Rows {
            endpoint: Endpoint::Scopes,
            seen: grid.scopes.iter().filter(is_own).map(scope_row).collect(),
            foreign: grid.scopes.iter().find(|s| !is_own(s)).map(scope_row),
        }
    };
    Ok(Reply::json(200, &listing::page(world, call, rows)?.bare()))
}

/// `POST /scopes` with `slug` and `display_name`.
pub(crate) fn create_scope(world: &World, call: &Call, caller: &Caller) -> Answer {
    let body = call.object()?;
    let slug = text(&body, "slug", true)?.unwrap_or_default();
    let display_name = text(&body, "display_name", true)?.unwrap_or_default();
    let description = text(&body, "description", false)?;
    let mut grid = world.grid();
    let is_taken = |s: &Scope| s.tenant_id == caller.tenant() && s.slug == slug;
    if grid.scopes.iter().any(is_taken) {
        return Err(conflict(&slug));
    }
    let scope = Scope {
        id: random::id("sc_"),
        tenant_id: caller.tenant().to_owned(),
        slug,
        display_name,
        description,
    };
    let row = scope_row(&scope);
    grid.scopes.push(scope);
    Ok(Reply::data(201, row))
}

/// `GET /scopes/{scope}`.
pub(crate) fn get_scope(world: &World, call: &Call, caller: &Caller) -> Answer {
    Ok(Reply::data(200, scope_row(&scope(world, call, caller)?)))
}

/// `GET /scopes/{scope}/queues`.
pub(crate) fn list(world: &World, call: &Call, caller: &Caller) -> Answer {
    let scope = scope(world, call, caller)?;
    let behaviour = world.switches.behaviour();
    let row = |queue: &Queue| queue_row(queue, behaviour.spelling);
    let rows = {
        let grid = world.grid();
        let mut seen: Vec<Value> = grid
            .queues
            .iter()
            .filter(|q| q.scope_id == scope.id)
            .map(row)
            .collect();
        if behaviour.system_queues {
            seen.extend(SYSTEM_QUEUES.iter().map(|slug| {
                row(&Queue {
                    id: format!("q_{}{slug}", scope.id),
                    scope_id: scope.id.clone(),
                    slug: (*slug).to_owned(),
                    display_name: (*slug).to_owned(),
                    ordering: "fifo".to_owned(),
                    max_retries: 0,
                })
            }));
        }
        Rows {
            endpoint: Endpoint::Queues,
            seen,
            foreign: grid.queues.iter().find(|q| q.scope_id != scope.id).map(row),
        }
    };
    Ok(Reply::json(200, &listing::page(world, call, rows)?.bare()))
}

/// `POST /scopes/{scope}/queues`.
pub(crate) fn create(world: &World, call: &Call, caller: &Caller) -> Answer {
    let scope = scope(world, call, caller)?;
    let body = call.object()?;
    let slug = text(&body, "slug", true)?.unwrap_or_default();
    let spelling = world.switches.behaviour().spelling;
    // `ordering` in Q-hitl, `consumer_mode` in F-look (contradiction 19); both are taken.
    let ordering = match text(&body, "ordering", false)? {
        Some(ordering) => Some(ordering),
        None => text(&body, "consumer_mode", false)?,
    };
    let mut grid = world.grid();
    let is_taken = |q: &Queue| q.scope_id == scope.id && q.slug == slug;
    if grid.queues.iter().any(is_taken) || SYSTEM_QUEUES.contains(&slug.as_str()) {
        return Err(conflict(&slug));
    }
    let queue = Queue {
        id: random::id("q_"),
        scope_id: scope.id,
        display_name: text(&body, "display_name", false)?.unwrap_or_else(|| slug.clone()),
        slug,
        ordering: ordering.unwrap_or_else(|| "fifo".to_owned()),
        max_retries: u32::try_from(body["max_retries"].as_u64().unwrap_or(3)).unwrap_or(u32::MAX),
    };
    let row = queue_row(&queue, spelling);
    grid.queues.push(queue);
    Ok(Reply::data(201, row))
}

/// `GET /scopes/{scope}/queues/{queue}`.
pub(crate) fn get(world: &World, call: &Call, caller: &Caller) -> Answer {
    let scope = scope(world, call, caller)?;
    let wanted = call.param("queue");
    let spelling = world.switches.behaviour().spelling;
    let grid = world.grid();
    let mut own = grid.queues.iter().filter(|q| q.scope_id == scope.id);
    let found = own.find(|q| q.id == wanted || q.slug == wanted);
    let queue = found.ok_or_else(|| Failure::not_found("Queue"))?;
    Ok(Reply::data(200, queue_row(queue, spelling)))
}
