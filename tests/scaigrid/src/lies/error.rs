//! Lies in error answers.

use bytes::Bytes;
use serde_json::{Value, json};

use super::MARKUP;
use super::header::retype;
use crate::deviation::ErrorLie;
use crate::exchange::{Call, Reply};
use crate::wire::pieces::Pieces;
use crate::world::World;
use scaigate_emulation::http_date;

pub(crate) fn tell(world: &World, call: &Call, reply: &mut Reply, lie: ErrorLie) {
    let mut value = reply.value().unwrap_or_default();
    let key = call.credential();
    let error = &mut value["error"];
    match lie {
        ErrorLie::EchoKey => {
            error["message"] = json!(format!("backend refused key {key}"));
            error["details"] = json!([{"field": "authorization", "message": key}]);
        }
        ErrorLie::Markup => error["message"] = json!(MARKUP),
        ErrorLie::HugeMessage => error["message"] = json!("x".repeat(1 << 20)),
        ErrorLie::UnknownCode => error["code"] = json!("SOMETHING_NEW"),
        ErrorLie::NumberCode => error["code"] = json!(42),
        ErrorLie::NoError => value = json!({"status": "error"}),
        ErrorLie::DetailForm => value = json!({"detail": "Something went wrong"}),
        ErrorLie::PlainText => return set(reply, "text/plain", "Something went wrong"),
        ErrorLie::Html => {
            return set(
                reply,
                "text/html",
                "<html><h1>Bad Gateway</h1><hr>nginx</html>",
            );
        }
        ErrorLie::Empty => return set(reply, "application/json", ""),
        ErrorLie::With200 => reply.status = 200,
        ErrorLie::RetryHuge => retry(reply, error, "4294967296", json!(4_294_967_296_u64)),
        ErrorLie::RetryNegative => retry(reply, error, "-1", json!(-1)),
        ErrorLie::RetryGarbage => retry(reply, error, "soon", json!("soon")),
        ErrorLie::RetryDateValid => {
            let date = http_date(world.now() + 30);
            retry(reply, error, &date, json!(30));
        }
        ErrorLie::NoRetry => {
            reply.remove("retry-after");
            if let Some(error) = error.as_object_mut() {
                error.remove("retry_after");
            }
        }
    }
    set(reply, "application/json", value.to_string());
}

fn retry(reply: &mut Reply, error: &mut Value, field: &str, member: Value) {
    reply.remove("retry-after");
    reply.add("retry-after", field);
    error["retry_after"] = member;
}

fn set(reply: &mut Reply, content_type: &str, body: impl Into<Bytes>) {
    retype(reply, content_type);
    reply.body = Pieces::whole(body.into());
}
