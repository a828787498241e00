//! What is shown of the runs.

use scaigate_kv::directory::sync_run::Run;
use scaigate_types::Timestamp;
use serde_json::{Value, json};

/// `GET /v1/admin/sync`.
pub fn sync_state(running: Option<&Run>, last: Option<&Run>, due_at: Timestamp) -> Value {
    json!({
        "running": running.map(|run| json!({
            "sync_id": run.sync_id,
            "started_by": run.started_by,
            "started_at": run.started_at.rfc3339(),
            "phase": run.phase,
            "users_seen": run.progress.users_seen,
            "groups_seen": run.progress.groups_seen,
            "memberships_seen": run.progress.memberships_seen,
        })),
        "last": last.map(|run| json!({
            "sync_id": run.sync_id,
            "started_by": run.started_by,
            "started_at": run.started_at.rfc3339(),
            "finished_at": run.finished_at.map(Timestamp::rfc3339),
            "outcome": run.outcome,
            "code": run.code,
            "report": run
                .report
                .as_deref()
                .and_then(|text| serde_json::from_str::<Value>(text).ok()),
        })),
        "due_at": (due_at < Timestamp::MAX).then(|| due_at.rfc3339()),
    })
}
