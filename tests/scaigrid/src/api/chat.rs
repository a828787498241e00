//! `POST /v1/inference/chat` (`contract/scaiwave-scaicrew-scaigrid.md` 3.5).

use serde_json::{Value, json};

use super::models;
use crate::caller::Caller;
use crate::deviation::{Deviation, StreamLie};
use crate::exchange::{Answer, Call, Failure, Reply};
use crate::lies::header::retype;
use crate::random;
use crate::stream::{self, Events};
use crate::wire::pieces::{Pieces, Timing};
use crate::world::World;

fn check(body: &Value) -> Result<(), Failure> {
    if !body["model"].is_string() {
        return Err(Failure::invalid("model", "required"));
    }
    if body["messages"].as_array().is_none_or(Vec::is_empty) {
        return Err(Failure::invalid("messages", "required"));
    }
    let is_in_range = |name: &str, most: f64| {
        body[name].is_null()
            || body[name]
                .as_f64()
                .is_some_and(|n| (0.0..=most).contains(&n))
    };
    if !is_in_range("temperature", 2.0) {
        return Err(Failure::invalid("temperature", "0.0 to 2.0"));
    }
    if !matches!(body["stream"], Value::Null | Value::Bool(_)) {
        return Err(Failure::invalid("stream", "a boolean is expected"));
    }
    Ok(())
}

/// Answers with generated text, plain or streamed.
pub(crate) fn chat(world: &World, call: &Call, caller: &Caller) -> Answer {
    let body = call.object()?;
    check(&body)?;
    let slug = body["model"].as_str().unwrap_or_default();
    let model = models::find(world, caller, slug)?;
    if model.modality != "chat" {
        return Err(Failure::invalid("model", "not a chat model"));
    }
    let script = world.switches.behaviour().stream;
    let is_streamed = body["stream"] == json!(true);
    if is_streamed && !model.streams {
        return Err(Failure::invalid("stream", "the model can't stream"));
    }
    let lies = if is_streamed {
        world.switches.draw(|d| match d {
            Deviation::Stream(lie) => Some(lie),
            _ => None,
        })
    } else {
        Vec::new()
    };
    if !is_streamed || lies.contains(&StreamLie::NotStreamed) {
        let text: String = (0..script.chunks.min(64))
            .map(|n| stream::content(n, script.chunk_bytes))
            .collect();
        let message = json!({"role": "assistant", "content": text});
        return Ok(Reply::json(
            200,
            &json!({
                "status": "ok",
                "data": {
                    "id": random::id("chat_"), "model": slug,
                    "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
                },
            }),
        ));
    }
    let mut reply = Reply::empty(200)
        .with("content-type", "text/event-stream")
        .with("cache-control", "no-cache");
    for lie in &lies {
        match lie {
            StreamLie::JsonType => retype(&mut reply, "application/json"),
            StreamLie::HtmlType => retype(&mut reply, "text/html"),
            _ => {}
        }
    }
    let timing = Timing::new(script.pace);
    let events = Events::new(script, lies, call.credential(), caller.key.clone());
    reply.body = Pieces::Events {
        events: Box::new(events),
        timing,
    };
    Ok(reply)
}
