//! `/api/v1/admin/registration-requests/`: what administrators decide.

use serde_json::{Value, json};

use crate::admin::access;
use crate::admin::listing::{equal, page};
use crate::exchange::{Call, Reply};
use crate::registration::{self, Decision, Registration};
use crate::world::World;

fn row(request: &Registration) -> Value {
    json!({
        "id": request.request_id,
        "status": request.status,
        "name": request.name,
        "email": request.email,
        "scope": request.scope,
        "redirect_uris": request.redirect_uris,
        "allowed_scopes": request.allowed_scopes,
        "application_id": request.application_id,
    })
}

/// `GET /` with `status`, `scope`.
pub(crate) fn list(world: &World, call: &Call) -> Reply {
    if let Err(reply) = access::read(world, call, None) {
        return reply;
    }
    let all = registration::all(world);
    let rows = all
        .iter()
        .filter(|r| equal(call, "status", &r.status) && equal(call, "scope", &r.scope))
        .map(row);
    let lies = access::lies(world, call);
    page(world, call, &rows.collect::<Vec<_>>(), &lies)
}

/// `POST …/{id}/approve`.
pub(crate) fn approve(world: &World, call: &Call) -> Reply {
    decide(world, call, Decision::Approve, "APPROVED")
}

/// `POST …/{id}/reject` with `{"reason": …}`.
pub(crate) fn reject(world: &World, call: &Call) -> Reply {
    let reason = call.json()["reason"].as_str().map(str::to_owned);
    decide(world, call, Decision::Reject(reason), "REJECTED")
}

fn decide(world: &World, call: &Call, decision: Decision, status: &str) -> Reply {
    if let Err(reply) = access::write(world, call) {
        return reply;
    }
    if registration::decide(world, call.param("id"), decision) {
        Reply::json(200, &json!({ "status": status }))
    } else {
        Reply::detail(404, "Registration request not found or not pending")
    }
}
