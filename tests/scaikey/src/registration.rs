//! Public self-registration with approval (`contract/scaikey.md` 5.2, way 3).

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::admin::access;
use crate::admin::listing::{equal, page};
use crate::admin::new_application::parse;
use crate::directory::Application;
use crate::exchange::{Call, Reply};
use crate::random;
use crate::world::World;

/// Requests by id.
#[derive(Default)]
pub(crate) struct Registrations {
    requests: BTreeMap<String, Request>,
}

struct Request {
    status_token: String,
    status: &'static str,
    body: Value,
    /// Set by approval.
    application: Option<Application>,
    collected: bool,
}

/// `POST /api/v1/public/register/applications`: 201 with `request_id` and the one-time `status_token`.
pub(crate) fn create(world: &World, call: &Call) -> Reply {
    let body = call.json();
    if let Err(reply) = parse(&body) {
        return reply;
    }
    let (id, status_token) = (random::token("req_"), random::token("sts_"));
    let answer = json!({"request_id": id, "status_token": status_token, "status": "PENDING"});
    let request = Request {
        status_token,
        status: "PENDING",
        body,
        application: None,
        collected: false,
    };
    world.registrations().requests.insert(id, request);
    Reply::json(201, &answer)
}

/// `GET …/{id}?status_token=`: the status; after approval the credentials, once.
pub(crate) fn status(world: &World, call: &Call) -> Reply {
    let mut registrations = world.registrations();
    let Some(request) = authorised(&mut registrations, call) else {
        return Reply::detail(404, "Registration request not found");
    };
    let mut answer = json!({"request_id": call.param("id"), "status": request.status});
    if let Some(application) = request.application.as_ref().filter(|_| !request.collected) {
        answer["app_id"] = json!(application.id);
        answer["client_id"] = json!(application.client_id);
        answer["client_secret"] = json!(application.client_secret);
        answer["issuer"] = json!(world.base_url);
        request.collected = true;
    }
    Reply::json(200, &answer)
}

fn authorised<'a>(registrations: &'a mut Registrations, call: &Call) -> Option<&'a mut Request> {
    let request = registrations.requests.get_mut(call.param("id"))?;
    (call.query("status_token") == Some(request.status_token.as_str())).then_some(request)
}

/// `DELETE …/{id}?status_token=`: cancels a pending request (204).
pub(crate) fn cancel(world: &World, call: &Call) -> Reply {
    let mut registrations = world.registrations();
    match authorised(&mut registrations, call) {
        Some(request) if request.status == "PENDING" => {
            request.status = "CANCELLED";
            Reply::empty(204)
        }
        Some(_) => Reply::detail(409, "Registration request is not pending"),
        None => Reply::detail(404, "Registration request not found"),
    }
}

/// `GET /api/v1/admin/registration-requests/` with `status`.
pub(crate) fn list(world: &World, call: &Call) -> Reply {
    if let Err(reply) = access::read(world, call, None) {
        return reply;
    }
    let rows: Vec<Value> = {
        let registrations = world.registrations();
        let requests = registrations
            .requests
            .iter()
            .filter(|(_, r)| equal(call, "status", r.status));
        requests
            .map(|(id, r)| json!({"id": id, "status": r.status, "name": r.body["name"], "scope": r.body["scope"]}))
            .collect()
    };
    page(world, call, &rows, &access::lies(world, call))
}

/// `POST …/{id}/approve`.
pub(crate) fn approve(world: &World, call: &Call) -> Reply {
    if let Err(reply) = access::write(world, call) {
        return reply;
    }
    if decide(world, call.param("id"), true) {
        Reply::json(200, &json!({"status": "APPROVED"}))
    } else {
        Reply::detail(404, "Registration request not found or not pending")
    }
}

/// `POST …/{id}/reject`.
pub(crate) fn reject(world: &World, call: &Call) -> Reply {
    if let Err(reply) = access::write(world, call) {
        return reply;
    }
    if decide(world, call.param("id"), false) {
        Reply::json(200, &json!({"status": "REJECTED"}))
    } else {
        Reply::detail(404, "Registration request not found or not pending")
    }
}

/// Decides a pending request; `false` when there is none of this id.
pub(crate) fn decide(world: &World, id: &str, approve: bool) -> bool {
    let mut registrations = world.registrations();
    let Some(request) = registrations
        .requests
        .get_mut(id)
        .filter(|r| r.status == "PENDING")
    else {
        return false;
    };
    if !approve {
        request.status = "REJECTED";
        return true;
    }
    let Ok(application) = parse(&request.body) else {
        return false;
    };
    request.status = "APPROVED";
    request.application = Some(application.clone());
    world.directory().applications.push(application);
    true
}
