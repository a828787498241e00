//! All checks together.

use futures_util::future::{join, join3};
use http::HeaderMap;
use scaigate_problem::{Code, Problem};
use scaigate_signin::Ports;
use scaigate_signin::settings::Variables;
use scaigate_types::{Clock, Timestamp};
use serde_json::{Map, Value, json};

use crate::check::Check;
use crate::finding::{Finding, Severity};
use crate::settings::{Judged, not_configured, origins};
use crate::{directory, scaigrid, scaikey, siblings, stores};

/// What was found, the same whoever asks.
#[derive(Clone, Debug)]
pub struct Report {
    /// When.
    pub checked_at: Timestamp,
    /// Each part of the world that was looked at.
    pub checks: Vec<Check>,
}

/// Who asks, and by which address.
pub struct Asked<'a> {
    /// The `Host` header.
    pub host: Option<&'a str>,
    /// The request's headers, for their credential alone.
    pub headers: &'a HeaderMap,
}

/// Whether requests can be served: the settings by which callers are known, and both stores. What lies
/// outside is not asked: sessions outlive an hour without ScaiKey, and a deployment that is taken out
/// of service for it would be the larger outage.
///
/// # Errors
/// What is in the way, as the routes answer it.
pub async fn ready(ports: &impl Ports, judged: &Judged) -> Result<(), Problem> {
    if !judged.serves {
        return Err(judged.problem());
    }
    stores::read(ports).await
}

impl Judged {
    /// The answer to a request that these settings make impossible. Lists every fault of every setting.
    #[must_use]
    pub fn problem(&self) -> Problem {
        let fault = |finding: &Finding| {
            let mut members = Map::new();
            for name in ["setting", "problem"] {
                members.insert(name.to_owned(), finding.evidence.get(name)?.clone());
            }
            members.insert("fix".to_owned(), finding.fix.clone().into());
            Some(Value::Object(members))
        };
        let faults: Vec<Value> = self.check.findings.iter().filter_map(fault).collect();
        Problem::new(Code::ConfigurationInvalid).with("faults", faults)
    }
}

/// Runs every check that is the same whoever asks, at the same time.
pub async fn detailed(ports: &impl Ports, judged: &Judged) -> Report {
    let scaigrid = async {
        match &judged.scaigrid {
            Some(base) => Some(scaigrid::check(ports, base).await),
            None => None,
        }
    };
    let (stores, (scaikey, scaigrid), held) = join3(
        here(ports, judged),
        join(scaikey::checks(ports, judged), scaigrid),
        siblings::held(ports, judged.scaigrid.is_some()),
    )
    .await;
    let mut checks = vec![settings(judged, held)];
    checks.extend(stores);
    checks.extend(scaikey);
    checks.extend(scaigrid);
    let mut report = Report {
        checked_at: ports.clock().now(),
        checks,
    };
    report.quieten();
    report
}

/// The same for who has the files of a deployment and its settings, but no running one: the secrets are
/// judged by `variables` themselves.
pub async fn local(ports: &impl Ports, judged: &Judged, variables: &impl Variables) -> Report {
    let mut checks = vec![settings(judged, siblings::held_here(variables, judged))];
    checks.extend(here(ports, judged).await);
    checks.extend(scaikey::checks(ports, judged).await);
    if let Some(base) = &judged.scaigrid {
        checks.push(scaigrid::check(ports, base).await);
    }
    let mut report = Report {
        checked_at: ports.clock().now(),
        checks,
    };
    report.quieten();
    report
}

/// The settings, with what those who hold secrets say.
fn settings(judged: &Judged, held: siblings::Held) -> Check {
    let mut check = judged.check.clone();
    let mut missing = held.missing;
    let is_ours = |finding: &&Finding| finding.code == Code::OidcNotConfigured.as_str();
    for finding in check.findings.iter().filter(is_ours) {
        let ours = finding.evidence.get("missing").and_then(Value::as_array);
        for name in ours.into_iter().flatten().filter_map(Value::as_str) {
            if !missing.iter().any(|known| known == name) {
                missing.push(name.to_owned());
            }
        }
    }
    if !missing.is_empty() {
        missing.sort_unstable();
        check.findings.retain(|finding| !is_ours(&finding));
        let names: Vec<&str> = missing.iter().map(String::as_str).collect();
        check.findings.insert(0, not_configured(&names));
    }
    for finding in held.findings {
        let is_known = |known: &Finding| {
            known.code == finding.code
                && known.evidence.get("setting") == finding.evidence.get("setting")
        };
        if !check.findings.iter().any(is_known) {
            check.find(finding);
        }
    }
    check
}

/// The stores, and what the database knows.
async fn here(ports: &impl Ports, judged: &Judged) -> Vec<Check> {
    let (key_value, (database, seen)) =
        join(stores::key_value(ports), stores::database(ports)).await;
    let mut checks = vec![key_value, database];
    if let Some(seen) = seen {
        checks.push(directory::directory(ports, judged, &seen).await);
        checks.push(directory::webhook(judged.deployment.as_ref(), &seen));
        checks.extend(directory::credentials(judged, &seen));
    }
    checks
}

/// What is the caller's alone: real requests with their credential, and the address they came by.
pub async fn own(ports: &impl Ports, judged: &Judged, asked: &Asked<'_>) -> Vec<Check> {
    let mut address = Check::new("address");
    if let Some(deployment) = &judged.deployment {
        address.fact("public_url", deployment.public_url.as_str());
        address.findings = origins(deployment, asked.host);
    }
    let mut checks = vec![address, siblings::whoami(ports, asked.headers).await];
    if judged.scaigrid.is_some() {
        checks.push(siblings::models(ports, asked.headers).await);
    }
    checks
}

impl Report {
    /// A webhook that is not configured has never received anything either: one finding says so.
    fn quieten(&mut self) {
        let has = |code: &str| {
            let mut all = self.checks.iter().flat_map(|check| &check.findings);
            all.any(|finding| finding.code == code)
        };
        if has(Code::WebhookNotConfigured.as_str()) {
            for check in &mut self.checks {
                check
                    .findings
                    .retain(|finding| finding.code != "webhook_never_received");
            }
        }
    }

    /// With more checks.
    #[must_use]
    pub fn with(mut self, more: Vec<Check>) -> Self {
        self.checks.extend(more);
        self
    }

    /// The worst there is: `ok`, `degraded` or `failing`.
    #[must_use]
    pub fn status(&self) -> &'static str {
        match self.checks.iter().filter_map(Check::worst).max() {
            None | Some(Severity::Info) => "ok",
            Some(Severity::Warning) => "degraded",
            Some(Severity::Error) => "failing",
        }
    }

    /// The body of `GET /v1/health/detailed`.
    #[must_use]
    pub fn json(&self, version: &str) -> Value {
        let check = |check: &Check| {
            json!({
                "name": check.name,
                "status": check.status(),
                "latency_ms": check.latency_ms,
                "facts": check.facts,
            })
        };
        let mut findings: Vec<(&Check, &Finding)> = Vec::new();
        for check in &self.checks {
            findings.extend(check.findings.iter().map(|finding| (check, finding)));
        }
        // The worst first; in the order of the checks otherwise.
        findings.sort_by_key(|(_, finding)| std::cmp::Reverse(finding.severity));
        let finding = |(check, finding): &(&Check, &Finding)| {
            json!({
                "code": finding.code,
                "severity": finding.severity,
                "check": check.name,
                "message": finding.message,
                "fix": finding.fix,
                "evidence": finding.evidence,
            })
        };
        json!({
            "status": self.status(),
            "version": version,
            "checked_at": self.checked_at.rfc3339(),
            "checks": self.checks.iter().map(check).collect::<Vec<_>>(),
            "findings": findings.iter().map(finding).collect::<Vec<_>>(),
        })
    }

    /// The header `Server-Timing`: how long each dependency took (S-21).
    #[must_use]
    pub fn server_timing(&self) -> String {
        let timing = |check: &Check| {
            check
                .latency_ms
                .map(|took| format!("{};dur={took}", check.name))
        };
        let timings: Vec<String> = self.checks.iter().filter_map(timing).collect();
        timings.join(", ")
    }
}
