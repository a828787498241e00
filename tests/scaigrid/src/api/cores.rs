//! Cores: create, read, publish, invoke (`contract/scaiflow.md` 2.9, 2.10, C-12).

use serde_json::{Value, json};

use super::listing::{self, Rows};
use crate::behaviour::PublishAgain;
use crate::caller::Caller;
use crate::endpoint::Endpoint;
use crate::exchange::{Answer, Call, Failure, Reply};
use crate::grid::{Core, Event, Model};
use crate::random;
use crate::world::World;

fn row(core: &Core) -> Value {
    json!({
        "id": core.id, "core_id": core.id, "name": core.name, "published_slug": core.published_slug,
        "status": if core.published_slug.is_some() { "published" } else { "draft" },
    })
}

/// `GET /cores`.
pub(crate) fn list(world: &World, call: &Call, caller: &Caller) -> Answer {
    let rows = {
        let grid = world.grid();
        let is_own = |core: &&Core| core.tenant_id == caller.tenant();
        Rows {
            endpoint: Endpoint::Cores,
            seen: grid.cores.iter().filter(is_own).map(row).collect(),
            foreign: grid.cores.iter().find(|c| !is_own(c)).map(row),
        }
    };
    Ok(Reply::json(200, &listing::page(world, call, rows)?.bare()))
}

fn verifier_error(message: &str) -> Failure {
    Failure::new(
        422,
        "VALIDATION_ERROR",
        &format!("verifier error: {message}"),
    )
}

/// Name and source of a create call: YAML as ScaiFlow sends it, or JSON as ScaiGrid documents it (C-12).
fn submitted(call: &Call) -> Result<(String, String), Failure> {
    let content_type = call.header("content-type").unwrap_or_default();
    let kind = content_type.split(';').next().unwrap_or_default().trim();
    let kind = kind.to_ascii_lowercase();
    if kind == "application/json" {
        let body = call.object()?;
        let member = |name: &str| body[name].as_str().filter(|text| !text.is_empty());
        return match (member("name"), member("source")) {
            (Some(name), Some(source)) => Ok((name.to_owned(), source.to_owned())),
            (None, _) => Err(Failure::invalid("name", "required")),
            (_, None) => Err(Failure::invalid("source", "required")),
        };
    }
    if !kind.ends_with("yaml") {
        return Err(Failure::invalid("content-type", "JSON or YAML is expected"));
    }
    let Ok(source) = std::str::from_utf8(&call.body) else {
        return Err(verifier_error("the manifest is not UTF-8"));
    };
    // Not a YAML parser: the first `name` will do.
    let name = source
        .lines()
        .find_map(|line| line.trim_start().strip_prefix("name:"))
        .map(|name| name.trim().trim_matches(['"', '\'']))
        .filter(|name| !name.is_empty());
    match name {
        Some(name) => Ok((name.to_owned(), source.to_owned())),
        None => Err(verifier_error("the manifest has no name")),
    }
}

/// `POST /cores`.
pub(crate) fn create(world: &World, call: &Call, caller: &Caller) -> Answer {
    let (name, source) = submitted(call)?;
    let mut grid = world.grid();
    let is_taken = |c: &Core| c.tenant_id == caller.tenant() && c.name == name;
    if world.switches.behaviour().core_names_unique && grid.cores.iter().any(is_taken) {
        let message = format!("slug '{name}' already exists");
        return Err(Failure::new(409, "SLUG_CONFLICT", &message));
    }
    let core = Core {
        id: random::id("core_"),
        tenant_id: caller.tenant().to_owned(),
        name,
        source,
        published_slug: None,
    };
    let row = row(&core);
    grid.cores.push(core);
    Ok(Reply::data(201, row))
}

fn is_wanted(core: &Core, call: &Call, caller: &Caller) -> bool {
    core.id == call.param("core") && core.tenant_id == caller.tenant()
}

/// `GET /cores/{id}`; with the source.
pub(crate) fn get(world: &World, call: &Call, caller: &Caller) -> Answer {
    let grid = world.grid();
    let found = grid.cores.iter().find(|c| is_wanted(c, call, caller));
    let core = found.ok_or_else(|| Failure::not_found("Core"))?;
    let mut row = row(core);
    row["source"] = json!(core.source);
    Ok(Reply::data(200, row))
}

/// `POST /cores/{id}/publish` with `group_ids`: the core becomes a model of its tenant.
pub(crate) fn publish(world: &World, call: &Call, caller: &Caller) -> Answer {
    if !call.body.is_empty()
        && !matches!(call.object()?["group_ids"], Value::Array(_) | Value::Null)
    {
        return Err(Failure::invalid("group_ids", "an array is expected"));
    }
    let again = world.switches.behaviour().publish_again;
    let mut guard = world.grid();
    let grid = &mut *guard;
    let tenant = grid.tenants.iter().find(|t| t.id == caller.tenant());
    let tenant = tenant.map_or("", |t| t.slug.as_str());
    let found = grid.cores.iter_mut().find(|c| is_wanted(c, call, caller));
    let core = found.ok_or_else(|| Failure::not_found("Core"))?;
    if core.published_slug.is_some() {
        if again == PublishAgain::Refused {
            return Err(Failure::new(
                400,
                "VALIDATION_ERROR",
                "the core is published already",
            ));
        }
        return Ok(Reply::data(200, row(core)));
    }
    let slug = format!("scaicore/{tenant}/{}", core.name);
    core.published_slug = Some(slug.clone());
    let row = row(core);
    grid.models.push(Model {
        slug,
        display_name: core.name.clone(),
        modality: "chat".to_owned(),
        context_window: 32_768,
        max_output_tokens: None,
        status: "active".to_owned(),
        tenant_id: Some(caller.tenant().to_owned()),
        streams: false,
    });
    Ok(Reply::data(200, row))
}

/// `POST /cores/{id}/invoke` with `{"input": {…}}`: gives the input back, and leaves two events.
pub(crate) fn invoke(world: &World, call: &Call, caller: &Caller) -> Answer {
    let body = call.object()?;
    if !body["input"].is_object() {
        return Err(Failure::invalid("input", "an object is expected"));
    }
    let mut grid = world.grid();
    let found = grid.cores.iter().find(|c| is_wanted(c, call, caller));
    let core_id = found.ok_or_else(|| Failure::not_found("Core"))?.id.clone();
    let invocation = random::id("inv_");
    for stage in ["started", "completed"] {
        grid.events.push(Event {
            tenant_id: caller.tenant().to_owned(),
            kind: format!("scaicore.runtime.invocation.{stage}"),
            core_id: core_id.clone(),
            at: world.now(),
            payload: json!({"invocation_id": invocation}),
        });
    }
    Ok(Reply::data(
        200,
        json!({"invocation_id": invocation, "status": "completed", "output": body["input"]}),
    ))
}
