//! What the deployment knows of itself: by its own word, or by its files.

use std::path::Path;

use futures_executor::block_on;
use scaigate_health::{Finding, Severity, judge, local};
use scaigate_kv::schema::VERSION;
use serde_json::Value;

use super::clean::clean;
use super::ports::FilePorts;
use super::{Seen, finding};
use crate::api::Api;
use crate::arguments::{Doctor, Server};
use crate::failure::Failure;
use crate::http_client::HttpClient;
use crate::settings::Settings;

const PLACE: &str = "inside";
/// Most checks of a server that are shown.
const MOST: usize = 64;

/// What a server said.
pub struct Asked {
    /// Its checks.
    pub seen: Vec<Seen>,
    /// Its latest audit rows, if it has any to show.
    pub audit: Option<Value>,
}

/// Asks the deployment, as an administrator. That this can't be done is a finding too.
pub fn asked(http: &HttpClient, settings: &Settings, command: &Doctor) -> Asked {
    let server = Server {
        url: command.url.clone(),
        token: command.token.clone(),
    };
    let mut question = Seen::new(PLACE, "detailed");
    let api = match Api::connect(http, settings, &server, "admin:read") {
        Ok(api) => api,
        Err(failure) => {
            question.findings.push(not_asked(&failure));
            return Asked {
                seen: vec![question],
                audit: None,
            };
        }
    };
    // Reading it is written into it: only for a bundle, which holds it.
    let wanted = command.bundle.as_ref();
    let audit = wanted.and_then(|_| api.get("/v1/admin/audit", &[]).ok());
    let seen = match api.get("/v1/health/detailed", &[]) {
        Ok(mut report) => {
            clean(&mut report);
            match checks(&report) {
                Some(checks) => checks,
                None => {
                    question
                        .findings
                        .push(finding(&api.unreadable(), Severity::Error));
                    vec![question]
                }
            }
        }
        Err(failure) => {
            question.findings.push(finding(&failure, Severity::Error));
            vec![question]
        }
    };
    Asked { seen, audit }
}

/// Nobody may be asked: that is no fault of the deployment.
fn not_asked(failure: &Failure) -> Finding {
    let mut found = finding(failure, Severity::Warning);
    if found.code == "usage" {
        found.code = "not_asked".to_owned();
        found.severity = Severity::Info;
        "Only looked at from outside: there is no token.".clone_into(&mut found.message);
        "Give --token or SCAIGATE_TOKEN, set SCAIFLOW_SCAIKEY_CLIENT_ID and SCAIFLOW_SCAIKEY_CLIENT_SECRET, or name the file with --database."
            .clone_into(&mut found.fix);
    }
    found
}

/// The report of a server. Its findings come in one list, each with the check it belongs to.
fn checks(report: &Value) -> Option<Vec<Seen>> {
    let list = report.get("checks").and_then(Value::as_array)?;
    let mut seen: Vec<Seen> = list
        .iter()
        .take(MOST)
        .map(|check| serde_json::from_value(check.clone()))
        .collect::<Result<_, _>>()
        .ok()?;
    for found in report.get("findings").and_then(Value::as_array)? {
        let name = found.get("check").and_then(Value::as_str)?;
        let found: Finding = serde_json::from_value(found.clone()).ok()?;
        seen.iter_mut()
            .find(|seen| seen.name == name)?
            .findings
            .push(found);
    }
    for seen in &mut seen {
        PLACE.clone_into(&mut seen.place);
    }
    Some(seen)
}

/// The checks that the deployment would run, over its files and with the settings of this command.
///
/// # Errors
/// A setting can't be read, or the files can't be used.
pub fn files(
    http: &HttpClient,
    settings: &Settings,
    database: &Path,
    key_value: Option<&Path>,
) -> Result<Vec<Seen>, Failure> {
    let ports = match FilePorts::open(http, database, key_value) {
        Ok(ports) => ports,
        // Of another version: told with the command that mends it (S-25).
        Err(failure) if failure.code().starts_with("schema_") => {
            let mut seen = Seen::new(PLACE, "database");
            seen.fact("schema_expected", VERSION);
            seen.findings.push(finding(&failure, Severity::Error));
            return Ok(vec![seen]);
        }
        Err(failure) => return Err(failure),
    };
    // Fails here, once, if it does.
    settings.get("PUBLIC_URL")?;
    let variables = |name: &str| settings.get(&name.to_uppercase()).ok().flatten();
    let judged = judge(&variables);
    let report = block_on(local(&ports, &judged, &variables));
    Ok(report.checks.into_iter().map(Seen::from).collect())
}
