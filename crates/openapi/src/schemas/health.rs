//! Health.

use super::Named;
use crate::schema::{any_object, count, list, maybe, named, object, text, time, word};

/// What a part is: well, or as bad as its worst finding that needs attention.
fn check() -> crate::Schema {
    object(&[
        ("name", text()),
        ("status", word(&["ok", "warning", "error"])),
        ("latency_ms", maybe(count())),
        ("facts", any_object()),
    ])
}

/// `scaigate_health::Report`.
pub(super) fn health() -> Named {
    vec![
        (
            "Health",
            object(&[("status", word(&["alive", "ready"])), ("version", text())]),
        ),
        (
            "Finding",
            object(&[
                ("code", text()),
                ("severity", word(&["info", "warning", "error"])),
                ("check", text()),
                ("message", text()),
                ("fix", text()),
                ("evidence", any_object()),
            ]),
        ),
        (
            "HealthReport",
            object(&[
                ("status", word(&["ok", "degraded", "failing"])),
                ("version", text()),
                ("checked_at", time()),
                ("checks", list(check())),
                ("findings", list(named("Finding"))),
            ]),
        ),
    ]
}
