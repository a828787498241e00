//! The test-only control endpoints, for tests that run in another process. Off unless `Options::control`.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::deviation::Deviation;
use crate::endpoint::Endpoint;
use crate::exchange::{Call, Reply};
use crate::fault::{Fault, Planned};
use crate::keys::Rotation;
use crate::registration::{self, Decision};
use crate::world::World;

#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
#[derive(Default)]
struct Command {
    /// Everything back to the start, before the rest.
    reset: bool,
    /// Fields of `Behaviour` to change.
    behaviour: serde_json::Map<String, Value>,
    /// Lies until cleared.
    set: Vec<Deviation>,
    /// Lies for the next answer only.
    once: Vec<Deviation>,
    clear: Vec<Deviation>,
    faults: Vec<FaultCommand>,
    heal: Vec<Endpoint>,
    /// Gates to shut and to open.
    hold: Vec<Endpoint>,
    release: Vec<Endpoint>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FaultCommand {
    endpoint: Endpoint,
    fault: Fault,
    /// Absent: always.
    #[serde(default)]
    times: Option<u32>,
    /// How many requests pass before.
    #[serde(default)]
    after: u32,
    /// Only requests for this page of a list.
    #[serde(default)]
    page: Option<u64>,
}

/// `GET /_emulator/switches`.
pub(crate) fn show(world: &World, _call: &Call) -> Reply {
    let switches = &world.switches;
    Reply::json(
        200,
        &json!({"behaviour": switches.behaviour(), "deviations": switches.deviations()}),
    )
}

/// `POST /_emulator/switches` with a command.
pub(crate) fn switch(world: &World, call: &Call) -> Reply {
    let command: Command = match serde_json::from_slice(&call.body) {
        Ok(command) => command,
        Err(error) => return Reply::detail(422, &error.to_string()),
    };
    let switches = &world.switches;
    if command.reset {
        switches.reset();
    }
    if !command.behaviour.is_empty() {
        let mut wanted = json!(switches.behaviour());
        for (name, value) in command.behaviour {
            wanted[name] = value;
        }
        match serde_json::from_value(wanted) {
            Ok(behaviour) => switches.change(|b| *b = behaviour),
            Err(error) => return Reply::detail(422, &error.to_string()),
        }
    }
    command.set.into_iter().for_each(|d| switches.set(d));
    command
        .once
        .into_iter()
        .for_each(|d| switches.set_next(d, 1));
    command.clear.into_iter().for_each(|d| switches.clear(d));
    for FaultCommand {
        endpoint,
        fault,
        times,
        after,
        page,
    } in command.faults
    {
        let planned = Planned {
            fault,
            times,
            after,
            page,
        };
        if times.is_none() && page.is_none() && after == 0 {
            switches.fail_always(endpoint, planned.fault);
        } else {
            switches.plan(endpoint, planned);
        }
    }
    command.heal.into_iter().for_each(|e| switches.heal(e));
    command
        .hold
        .into_iter()
        .for_each(|e| world.recorder.hold(e));
    command
        .release
        .into_iter()
        .for_each(|e| world.recorder.release(e));
    show(world, call)
}

/// `GET /_emulator/requests[?endpoint=token]`.
pub(crate) fn requests(world: &World, call: &Call) -> Reply {
    let rows: Vec<Value> = world
        .recorder
        .requests()
        .iter()
        .filter(|r| call.query("endpoint").is_none_or(|wanted| json!(r.endpoint) == json!(wanted)))
        .map(|r| {
            json!({
                "index": r.index, "endpoint": r.endpoint, "method": r.method.as_str(), "path": r.path,
                "query": r.query, "form": r.form, "at": r.at, "status": r.status,
            })
        })
        .collect();
    Reply::json(200, &json!({ "requests": rows }))
}

/// `DELETE /_emulator/requests`.
pub(crate) fn forget(world: &World, _call: &Call) -> Reply {
    world.recorder.clear();
    Reply::empty(204)
}

/// `POST /_emulator/keys/rotate?rotation=keep_old|drop_old`.
pub(crate) fn rotate(world: &World, call: &Call) -> Reply {
    let rotation = match call.query("rotation") {
        Some("drop_old") => Rotation::DropOld,
        _ => Rotation::KeepOld,
    };
    match world.keys().rotate(rotation) {
        Ok(()) => Reply::empty(204),
        Err(error) => Reply::detail(409, &error.to_string()),
    }
}

/// `POST /_emulator/users/{id}/status` with `{"status": "SUSPENDED"}`.
pub(crate) fn user_status(world: &World, call: &Call) -> Reply {
    let body = call.json();
    let status = body["status"].as_str().unwrap_or_default();
    let known = matches!(status, "ACTIVE" | "SUSPENDED" | "DELETED");
    if known && world.directory().set_user_status(call.param("id"), status) {
        Reply::empty(204)
    } else {
        Reply::detail(404, "no such person or status")
    }
}

/// `GET /_emulator/registrations`: the self-registrations.
pub(crate) fn registrations(world: &World, _call: &Call) -> Reply {
    let rows: Vec<Value> = registration::all(world)
        .iter()
        .map(|r| {
            json!({
                "request_id": r.request_id, "status": r.status, "name": r.name, "email": r.email,
                "scope": r.scope, "redirect_uris": r.redirect_uris, "allowed_scopes": r.allowed_scopes,
                "application_id": r.application_id, "collected": r.collected,
            })
        })
        .collect();
    Reply::json(200, &json!({ "registrations": rows }))
}

/// `POST /_emulator/registrations/{id}` with `{"decision": "approve" | "reject" | "expire", "reason": …}`.
pub(crate) fn decide_registration(world: &World, call: &Call) -> Reply {
    let body = call.json();
    let decision = match body["decision"].as_str() {
        Some("approve") => Decision::Approve,
        Some("reject") => Decision::Reject(body["reason"].as_str().map(str::to_owned)),
        Some("expire") => Decision::Expire,
        _ => return Reply::detail(422, "decision is approve, reject or expire"),
    };
    if registration::decide(world, call.param("id"), decision) {
        Reply::empty(204)
    } else {
        Reply::detail(404, "no such pending registration")
    }
}

/// `DELETE /_emulator/users/{id}`.
pub(crate) fn remove_user(world: &World, call: &Call) -> Reply {
    world.directory().remove_user(call.param("id"));
    Reply::empty(204)
}
