//! `scaigate doctor`: what works, what does not, and what to do about it. From outside, as a client sees
//! the deployment; and from inside, by its own word to an administrator or by its database file.

mod bundle;
mod clean;
mod inside;
mod outside;
mod ports;
mod shown;

use scaigate_health::{Check, Finding, Severity};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::arguments::Doctor;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::http_client::HttpClient;
use crate::output::Report;
use crate::settings::Settings;

/// One part of the world, looked at.
#[derive(Debug, Serialize, Deserialize)]
pub struct Seen {
    /// `outside` or `inside`.
    #[serde(default)]
    place: String,
    name: String,
    latency_ms: Option<u64>,
    #[serde(default)]
    facts: Map<String, Value>,
    #[serde(default)]
    findings: Vec<Finding>,
}

impl Seen {
    fn new(place: &str, name: &str) -> Self {
        Self {
            place: place.to_owned(),
            name: name.to_owned(),
            latency_ms: None,
            facts: Map::new(),
            findings: Vec::new(),
        }
    }

    fn fact(&mut self, name: &str, value: impl Into<Value>) {
        self.facts.insert(name.to_owned(), value.into());
    }

    fn worst(&self) -> Option<Severity> {
        self.findings.iter().map(|finding| finding.severity).max()
    }
}

impl From<Check> for Seen {
    fn from(check: Check) -> Self {
        Self {
            place: "inside".to_owned(),
            name: check.name.to_owned(),
            latency_ms: check.latency_ms,
            facts: check.facts,
            findings: check.findings,
        }
    }
}

/// A failure of ours or of a server, as a finding.
fn finding(failure: &Failure, severity: Severity) -> Finding {
    let body = failure.json();
    let text = |name: &str| {
        let text = body
            .pointer(&format!("/error/{name}"))
            .and_then(Value::as_str);
        text.unwrap_or_default().to_owned()
    };
    let details = body.pointer("/error/details").and_then(Value::as_object);
    let mut evidence = details.cloned().unwrap_or_default();
    if !text("request_id").is_empty() {
        evidence.insert("request_id".to_owned(), text("request_id").into());
    }
    Finding {
        code: failure.code().to_owned(),
        severity,
        message: text("message"),
        fix: text("fix"),
        evidence,
    }
}

/// Runs the command.
///
/// # Errors
/// The arguments can't be used, or the bundle can't be written. What is found is no error.
pub fn run(command: &Doctor, http: &HttpClient, settings: &Settings) -> Result<Report, Failure> {
    bundle::keep_secrets(settings)?;
    if let Some(path) = &command.bundle {
        // Before the minute that the checks may take.
        bundle::check_writable(path)?;
    }
    let mut seen = Vec::new();
    let mut audit = None;
    let base = match (&command.url, &command.database, settings.get("PUBLIC_URL")?) {
        // Only the files are there to look at.
        (None, Some(_), None) => None,
        (url, _, _) => Some(settings.scaigate(url.as_deref())?),
    };
    if let Some(base) = &base {
        seen.extend(outside::checks(http, settings, base)?);
    }
    let answered = base.is_some() && !is_silent(&seen);
    match &command.database {
        Some(database) => {
            seen.extend(inside::files(
                http,
                settings,
                database,
                command.key_value.as_deref(),
            )?);
        }
        None if answered => {
            let inside = inside::asked(http, settings, command);
            seen.extend(inside.seen);
            if command.bundle.is_some() {
                audit = inside.audit;
            }
        }
        None => {}
    }
    let json = shown::json(&seen);
    let mut human = shown::table(&seen);
    if let Some(path) = &command.bundle {
        bundle::write(path, command, settings, &json, audit)?;
        human.push_str(&format!("bundle: {}\n", path.display()));
    }
    Ok(Report::done(human, json).ending(exit(&seen)))
}

/// Whether nobody answers at the address.
fn is_silent(seen: &[Seen]) -> bool {
    let silent = ["no_connection", "no_answer"];
    let mut findings = seen.iter().flat_map(|seen| &seen.findings);
    findings.any(|finding| {
        finding.severity == Severity::Error && silent.contains(&finding.code.as_str())
    })
}

fn exit(seen: &[Seen]) -> Exit {
    if is_silent(seen) {
        return Exit::Unreachable;
    }
    match seen.iter().filter_map(Seen::worst).max() {
        None | Some(Severity::Info) => Exit::Done,
        Some(Severity::Warning) => Exit::Warned,
        Some(Severity::Error) => Exit::Failed,
    }
}
