//! What is shown of the runs.

use scaigate_kv::directory::sync_run::Run;
use scaigate_types::Timestamp;
use serde_json::{Value, json};

/// `GET /v1/admin/sync`.
pub fn sync_state(running: Option<&Run>, last: Option<&Run>, due_at: Timestamp) -> Value {
    json!({
        "running": running.map(|run| json!({
            "sync_id": run.sync_id,
            "trigger": run.started_by,
            "started_at": run.started_at.rfc3339(),
            "phase": run.phase,
            "users_seen": run.progress.users_seen,
            "groups_seen": run.progress.groups_seen,
            "memberships_seen": run.progress.memberships_seen,
        })),
        "last": last.map(ended),
        "due_at": (due_at < Timestamp::MAX).then(|| due_at.rfc3339()),
    })
}

/// A run that is over: with what its caller was answered, the statistics of one that was applied, or
/// the details of the failure.
fn ended(run: &Run) -> Value {
    let text = run.report.as_deref().unwrap_or("null");
    let mut report: Value = serde_json::from_str(text).unwrap_or_default();
    let details = report.pointer_mut("/error/details").map(Value::take);
    let mut statistics = report.as_object().cloned().unwrap_or_default();
    let warnings = statistics.remove("warnings").unwrap_or_else(|| json!([]));
    let _ = statistics.remove("sync_id");
    let is_applied = run.outcome.as_deref() == Some("applied");
    json!({
        "sync_id": run.sync_id,
        "trigger": run.started_by,
        "started_at": run.started_at.rfc3339(),
        "finished_at": run.finished_at.map(Timestamp::rfc3339),
        "outcome": run.outcome,
        "code": run.code,
        "details": details,
        "statistics": is_applied.then_some(statistics),
        "warnings": warnings,
    })
}
