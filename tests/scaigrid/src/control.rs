//! The test-only control endpoints, for tests that run in another process. Off unless `Options::control`.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::caller::Caller;
use crate::deviation::Deviation;
use crate::endpoint::Endpoint;
use crate::exchange::{Answer, Call, Failure, Reply};
use crate::fault::Fault;
use crate::world::World;
use scaigate_emulation::Gate;

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
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
    /// Gates to shut, or to let some through.
    hold: Vec<GateCommand>,
    /// Endpoints whose gates open.
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
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct GateCommand {
    endpoint: Endpoint,
    gate: Gate,
    /// How many may pass all the same.
    #[serde(default)]
    allow: u64,
}

/// `GET /_emulator/switches`.
pub(crate) fn show(world: &World, _call: &Call, _caller: &Caller) -> Answer {
    let switches = &world.switches;
    let body = json!({"behaviour": switches.behaviour(), "deviations": switches.deviations()});
    Ok(Reply::json(200, &body))
}

/// `POST /_emulator/switches` with a command.
pub(crate) fn switch(world: &World, call: &Call, caller: &Caller) -> Answer {
    let refused = |error: serde_json::Error| Failure::invalid("body", &error.to_string());
    let command: Command = serde_json::from_slice(&call.body).map_err(refused)?;
    let switches = &world.switches;
    let mut wanted = json!(if command.reset {
        crate::Behaviour::default()
    } else {
        switches.behaviour()
    });
    for (name, value) in command.behaviour {
        wanted[name] = value;
    }
    // Nothing is changed by a command that is refused.
    let behaviour = serde_json::from_value(wanted).map_err(refused)?;
    if command.reset {
        switches.reset();
    }
    switches.change(|b| *b = behaviour);
    for deviation in command.set {
        switches.set(deviation);
    }
    for deviation in command.once {
        switches.set_next(deviation, 1);
    }
    for deviation in command.clear {
        switches.clear(deviation);
    }
    for command in command.faults {
        match command.times {
            Some(times) => switches.fail_next(command.endpoint, command.fault, times),
            None => switches.fail_always(command.endpoint, command.fault),
        }
    }
    for endpoint in command.heal {
        switches.heal(endpoint);
    }
    for command in command.hold {
        let recorder = &world.recorder;
        recorder.allow(command.endpoint, command.gate, command.allow);
    }
    for endpoint in command.release {
        world.recorder.release(endpoint);
    }
    show(world, call, caller)
}

/// `GET /_emulator/requests[?endpoint=chat]`.
pub(crate) fn requests(world: &World, call: &Call, _caller: &Caller) -> Answer {
    let is_wanted = |endpoint: Endpoint| {
        let wanted = call.query("endpoint");
        wanted.is_none_or(|wanted| json!(endpoint) == json!(wanted))
    };
    let rows: Vec<Value> = world
        .recorder
        .requests()
        .iter()
        .filter(|r| is_wanted(r.endpoint))
        .map(|r| {
            let fields: Vec<[String; 2]> = r
                .fields
                .iter()
                .map(|f| [String::from_utf8_lossy(&f.name).into(), f.text().into()])
                .collect();
            json!({
                "index": r.index, "connection": r.connection, "endpoint": r.endpoint,
                "method": r.method, "target": r.target(), "fields": fields,
                "body": String::from_utf8_lossy(&r.body), "body_length": r.body_length,
                "tenant_id": r.tenant_id, "at": r.at, "status": r.status, "sent": r.sent,
                "outcome": r.outcome, "ended_at": r.ended_at,
            })
        })
        .collect();
    Ok(Reply::json(200, &json!({ "requests": rows })))
}

/// `DELETE /_emulator/requests`.
pub(crate) fn forget(world: &World, _call: &Call, _caller: &Caller) -> Answer {
    world.recorder.clear();
    Ok(Reply::empty(204))
}

/// `POST /_emulator/keys/{id}/revoke`.
pub(crate) fn revoke(world: &World, call: &Call, _caller: &Caller) -> Answer {
    if world.grid().revoke(call.param("key")) {
        Ok(Reply::empty(204))
    } else {
        Err(Failure::not_found("API key"))
    }
}
