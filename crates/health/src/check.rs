//! What became of one check.

use std::time::Duration;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::finding::{Finding, Severity};
use crate::list::Name;

/// From here on an answer is slow: a request may need several.
const SLOW: Duration = Duration::from_millis(1000);

/// One part of the world, looked at.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Check {
    /// Stable.
    pub name: &'static str,
    /// How long it took to answer; `None` where nobody was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latency_ms: Option<u64>,
    /// What was seen.
    pub facts: Map<String, Value>,
    /// What somebody should know.
    pub findings: Vec<Finding>,
}

impl Check {
    /// A check with nothing seen yet.
    #[must_use]
    pub fn new(name: &'static str) -> Self {
        Self {
            name,
            latency_ms: None,
            facts: Map::new(),
            findings: Vec::new(),
        }
    }

    /// Adds a fact.
    pub fn fact(&mut self, name: &str, value: impl Into<Value>) {
        self.facts.insert(name.to_owned(), value.into());
    }

    /// Adds a finding.
    pub fn find(&mut self, finding: Finding) {
        self.findings.push(finding);
    }

    /// How long somebody took to answer; too long is a finding (S-21).
    pub fn took(&mut self, took: Duration) {
        let millis = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        self.latency_ms = Some(millis);
        if took >= SLOW && self.findings.is_empty() {
            let finding = Finding::new(Name::DependencySlow).with("latency_ms", millis);
            self.find(finding.with("dependency", self.name));
        }
    }

    /// The worst of its findings; `None` when there is none that is more than good to know.
    #[must_use]
    pub fn worst(&self) -> Option<Severity> {
        let severities = self.findings.iter().map(|finding| finding.severity);
        severities.max().filter(|worst| *worst > Severity::Info)
    }

    /// `ok`, `warning` or `error`.
    #[must_use]
    pub fn status(&self) -> &'static str {
        self.worst().map_or("ok", Severity::as_str)
    }
}
