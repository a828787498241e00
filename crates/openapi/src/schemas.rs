//! The named shapes of answers. Each is the shape of a type or statement that its comment names;
//! objects are closed, so an end-to-end answer that differs fails.

mod audit;
mod directory;
mod flows;
mod health;
mod session;
mod sign_in;

use scaigate_problem::Code;
use serde_json::{Map, Value, json};

use crate::schema::{Schema, about, any_object, either, named, object, open, text};

type Named = Vec<(&'static str, Schema)>;

/// All of them by name.
pub fn schemas() -> Map<String, Value> {
    let all = [
        failures(),
        sign_in::signing_in(),
        session::callers(),
        directory::directory(),
        directory::sync(),
        audit::audit(),
        health::health(),
        flows::flows(),
        flows::scaigrid(),
    ];
    all.concat()
        .into_iter()
        .map(|(name, schema)| (name.to_owned(), schema))
        .collect()
}

/// `scaigate_problem::Problem::body`.
fn failures() -> Named {
    let codes: Vec<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
    let problem = object(&[
        ("type", about(text(), "Where the error reference has it.")),
        ("title", text()),
        (
            "status",
            json!({ "type": "integer", "minimum": 400, "maximum": 599 }),
        ),
        (
            "instance",
            about(text(), "The path of the request, without `/api` in front."),
        ),
        (
            "error",
            object(&[
                ("code", named("Code")),
                ("message", text()),
                ("fix", about(text(), "What to do about it.")),
                ("details", any_object()),
                ("request_id", about(text(), "Finds the log line.")),
            ]),
        ),
        (
            "detail",
            about(
                either(&[
                    text(),
                    open(&[
                        ("error", named("Code")),
                        ("message", text()),
                        ("fix", text()),
                    ]),
                ]),
                "What ScaiFlow's clients read: an object, or for some failures a text.",
            ),
        ),
        ("error_description?", about(text(), "Of OAuth failures.")),
    ]);
    vec![
        (
            "Code",
            about(
                json!({ "type": "string", "enum": codes }),
                "Stable; see /docs/errors.",
            ),
        ),
        ("Problem", problem),
    ]
}
