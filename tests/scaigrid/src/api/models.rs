//! Models (`contract/scaiwave-scaicrew-scaigrid.md` 3.4).

use serde_json::{Value, json};

use super::listing::{self, Rows};
use crate::behaviour::ModelsForm;
use crate::caller::Caller;
use crate::endpoint::Endpoint;
use crate::exchange::{Answer, Call, Failure, Reply};
use crate::grid::Model;
use crate::world::World;

/// Whether a caller sees a model.
pub(crate) fn is_visible(model: &Model, caller: &Caller) -> bool {
    let owner = model.tenant_id.as_deref();
    owner.is_none_or(|owner| Some(owner) == caller.tenant_id.as_deref())
}

fn native(model: &Model) -> Value {
    let mut row = json!({
        "slug": model.slug, "display_name": model.display_name, "modality": model.modality,
        "context_window": model.context_window, "status": model.status, "health_status": "healthy",
        "active_backend_count": 2, "total_backend_count": 2,
    });
    if let Some(tokens) = model.max_output_tokens {
        row["max_output_tokens"] = json!(tokens);
    }
    row
}

fn openai(model: &Model) -> Value {
    let owner = model.slug.split('/').next().unwrap_or_default();
    let mut row = json!({
        "id": model.slug, "object": "model", "created": 1_735_689_600, "owned_by": owner,
        "context_window": model.context_window,
    });
    if let Some(tokens) = model.max_output_tokens {
        row["max_output_tokens"] = json!(tokens);
    }
    row
}

fn rows(
    world: &World,
    call: &Call,
    caller: &Caller,
    endpoint: Endpoint,
    row: fn(&Model) -> Value,
) -> Rows {
    let grid = world.grid();
    let wanted = |name: &str, value: &str| call.query(name).is_none_or(|asked| asked == value);
    let seen = grid.models.iter().filter(|m| is_visible(m, caller));
    let seen = seen.filter(|m| wanted("modality", &m.modality) && wanted("status", &m.status));
    Rows {
        endpoint,
        seen: seen.map(row).collect(),
        foreign: grid.models.iter().find(|m| !is_visible(m, caller)).map(row),
    }
}

/// `GET /v1/models`, in the form that the deployment uses.
pub(crate) fn list(world: &World, call: &Call, caller: &Caller) -> Answer {
    let form = world.switches.behaviour().models_form;
    if form == ModelsForm::OpenAi {
        return openai_list(world, call, caller, Endpoint::Models);
    }
    let rows = rows(world, call, caller, Endpoint::Models, native);
    let page = listing::page(world, call, rows)?;
    let body = match form {
        // Where the cursor is in this form no page says; here it is beside the rows.
        ModelsForm::Items => json!({
            "status": "ok",
            "data": {"items": page.rows, "has_more": page.has_more, "next_cursor": page.next_cursor},
        }),
        _ => page.bare(),
    };
    Ok(Reply::json(200, &body))
}

/// `GET /oai/v1/models`.
pub(crate) fn list_openai(world: &World, call: &Call, caller: &Caller) -> Answer {
    openai_list(world, call, caller, Endpoint::OpenAiModels)
}

fn openai_list(world: &World, call: &Call, caller: &Caller, endpoint: Endpoint) -> Answer {
    let rows = rows(world, call, caller, endpoint, openai);
    let page = listing::page(world, call, rows)?;
    Ok(Reply::json(
        200,
        &json!({"object": "list", "data": page.rows}),
    ))
}

/// Finds a model for use: unknown ones are 404, another tenant's 403 (3.6).
pub(crate) fn find(world: &World, caller: &Caller, slug: &str) -> Result<Model, Failure> {
    let grid = world.grid();
    let Some(model) = grid.models.iter().find(|model| model.slug == slug) else {
        let message = format!("model '{slug}' not found");
        return Err(Failure::new(404, "MODEL_NOT_FOUND", &message));
    };
    if !is_visible(model, caller) {
        let message = format!("no access to model '{slug}'");
        return Err(Failure::new(403, "MODEL_ACCESS_DENIED", &message));
    }
    Ok(model.clone())
}

/// `GET /v1/models/{slug}`.
pub(crate) fn get(world: &World, call: &Call, caller: &Caller) -> Answer {
    let model = find(world, caller, call.param("slug"))?;
    Ok(Reply::json(
        200,
        &json!({"status": "ok", "data": native(&model)}),
    ))
}
