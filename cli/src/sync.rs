//! `scaigate sync`: begins a run and shows how far it is, until it has ended.

use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use http::Method;
use serde_json::{Value, json};

use crate::api::Api;
use crate::arguments::Sync;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::http_client::{HttpClient, NO_ANSWER};
use crate::output::Report;
use crate::progress::Line;
use crate::settings::Settings;
use crate::table::Table;
use crate::terminal;

const PATH: &str = "/v1/admin/sync";
/// The answer comes when the run has ended.
const LONGEST: Duration = Duration::from_secs(15 * 60);
/// How often it is asked how far the run is.
const EVERY: Duration = Duration::from_secs(1);
/// How long an answer to that is waited for: the end of the run does not wait for more.
const PATIENCE: Duration = Duration::from_secs(5);
/// What stands beside the statistics in the answer.
const NO_STATISTICS: [&str; 3] = ["warnings", "skipped_reason", "sync_id"];

/// Runs the command.
///
/// # Errors
/// The run was refused, failed, or its end is not known.
pub fn run(command: &Sync, http: &HttpClient, settings: &Settings) -> Result<Report, Failure> {
    let api = Api::connect(http, settings, &command.server, "admin:read")?;
    if command.status {
        return Ok(status(api.get(PATH, &[])?));
    }
    let line = Line::new(command.progress);
    let (running, ended) = mpsc::channel::<()>();
    let answer = thread::scope(|scope| {
        if let Some(line) = line {
            let api = &api;
            scope.spawn(move || watch(api, &ended, line));
        }
        let body = json!({ "force": command.force });
        let answer = api.send(Method::POST, PATH, &[], Some(&body), LONGEST);
        // Ends the watching.
        drop(running);
        answer
    });
    let answer = answer.map_err(|failure| match failure.code() {
        NO_ANSWER => failure
            .with_fix("The run may have begun all the same: `scaigate sync --status` shows it."),
        _ => failure,
    })?;
    report(api.json(&answer)?)
}

fn watch(api: &Api<'_>, ended: &Receiver<()>, mut line: Line) {
    line.say("reading ScaiKey's directory");
    while ended.recv_timeout(EVERY) == Err(RecvTimeoutError::Timeout) {
        // A question that fails changes nothing: the answer to the run itself decides.
        let answer = api.send(Method::GET, PATH, &[], None, PATIENCE);
        let Ok(status) = answer.and_then(|answer| api.json(&answer)) else {
            continue;
        };
        if let Some(running) = status.get("running").filter(|running| !running.is_null()) {
            line.say(&progress(running));
        }
    }
}

/// How far a run is.
fn progress(running: &Value) -> String {
    let count = |name: &str| running.get(name).and_then(Value::as_u64).unwrap_or(0);
    format!(
        "{}: {} users, {} groups, {} memberships seen",
        running
            .get("phase")
            .and_then(Value::as_str)
            .unwrap_or("running"),
        count("users_seen"),
        count("groups_seen"),
        count("memberships_seen"),
    )
}

fn report(answer: Value) -> Result<Report, Failure> {
    let members = answer.as_object().ok_or_else(|| {
        let message = "The answer to the sync is not one.";
        Failure::new(Exit::Failed, "unreadable_answer", message)
            .with_fix("Check that scaigate and this command are of one version.")
    })?;
    let mut human = String::new();
    let skipped = members.get("skipped_reason").and_then(Value::as_str);
    if let Some(reason) = skipped {
        human.push_str(&format!("skipped: {}\n", terminal::short(reason, 200)));
        if reason == "credentials_missing" {
            human.push_str(
                "  fix: Set the three ScaiKey settings; `scaigate scaikey-register` makes them.\n",
            );
        }
    }
    human.push_str(&statistics(&answer).render());
    human.push_str(&warnings(&answer));
    let exit = if skipped.is_some() {
        Exit::Failed
    } else {
        Exit::Done
    };
    Ok(Report::done(human, answer).ending(exit))
}

/// The statistics of a run, by name.
fn statistics(of: &Value) -> Table {
    let mut table = Table::plain();
    for (name, value) in of.as_object().into_iter().flatten() {
        if NO_STATISTICS.contains(&name.as_str()) {
            continue;
        }
        let text = match value {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            _ => continue,
        };
        table.row([Some(name.as_str()), Some(text.as_str())]);
    }
    table
}

/// What the run found that somebody should do something about.
fn warnings(of: &Value) -> String {
    let mut text = String::new();
    let warnings = of.get("warnings").and_then(Value::as_array);
    for warning in warnings.into_iter().flatten() {
        let part = |name: &str| {
            let part = warning.get(name).and_then(Value::as_str);
            terminal::short(part.unwrap_or_default(), 400)
        };
        text.push_str(&format!("warning: {}: {}\n", part("code"), part("message")));
        if !part("fix").is_empty() {
            text.push_str(&format!("  fix: {}\n", part("fix")));
        }
    }
    text
}

fn status(answer: Value) -> Report {
    let text = |of: &Value, name: &str| match of.get(name) {
        None | Some(Value::Null) => "-".to_owned(),
        Some(Value::String(text)) => terminal::short(text, 100),
        Some(other) => other.to_string(),
    };
    let member = |name: &str| answer.get(name).filter(|value| !value.is_null());
    let mut human = match member("running") {
        Some(run) => format!(
            "running: {}, since {}, {}\n",
            text(run, "sync_id"),
            text(run, "started_at"),
            terminal::short(&progress(run), 200)
        ),
        None => "running: none\n".to_owned(),
    };
    match member("last") {
        Some(run) => {
            human.push_str(&format!(
                "last: {}, {}, begun by {} at {}, ended at {}, code {}\n",
                text(run, "sync_id"),
                text(run, "outcome"),
                text(run, "trigger"),
                text(run, "started_at"),
                text(run, "finished_at"),
                text(run, "code"),
            ));
            if let Some(found) = run.get("statistics") {
                human.push_str(&statistics(found).render());
            }
            human.push_str(&warnings(run));
        }
        None => human.push_str("last: none\n"),
    }
    human.push_str(&format!("due: {}\n", text(&answer, "due_at")));
    Report::done(human, answer)
}
