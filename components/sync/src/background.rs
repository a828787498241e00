//! Syncs that nobody waits for, and what every sync says in the log.

use scaigate_directory::sync::{self, Report};
use scaigate_problem::Problem;
use scaigate_runtime::spin::{SpinPorts, after_answer};
use serde_json::json;

use crate::remembered;

/// Syncs after the answer, if one is due and none is under way.
pub fn sync_if_due() {
    after_answer(async {
        match sync_now_if_due().await {
            Ok(None) => {}
            Ok(Some(report)) => log_report(&report),
            Err(problem) => log_problem(&problem),
        }
    });
}

async fn sync_now_if_due() -> Result<Option<Report>, Problem> {
    let remembered = remembered::get().await?;
    sync::sync_if_due(&SpinPorts::default(), remembered.sync_context()?).await
}

/// Says what a sync did, and each warning on lines of its own, the documented text as it is documented.
#[expect(
    clippy::print_stdout,
    reason = "a component's log is its standard output"
)]
pub fn log_report(report: &Report) {
    let line = json!({
        "component": "sync",
        "event": "sync",
        "sync_id": report.sync_id,
        "statistics": report.statistics,
        "warnings": report.warnings.iter().map(|warning| warning.code).collect::<Vec<_>>(),
    });
    println!("{line}");
    for warning in &report.warnings {
        println!("{}", warning.message);
    }
}

#[expect(
    clippy::print_stdout,
    reason = "a component's log is its standard output"
)]
fn log_problem(problem: &Problem) {
    let code = problem.code();
    let line = json!({
        "component": "sync",
        "event": "sync",
        "code": code.as_str(),
        "fault": code.fault().as_str(),
        "fix": code.fix(),
    });
    println!("{line}");
}
