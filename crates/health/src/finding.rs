//! Something that somebody should know.

use scaigate_problem::{Code, Problem};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::list::Name;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Good to know; nothing has to be done.
    Info,
    /// Something does not work for somebody, or will not for long.
    Warning,
    /// Something does not work.
    Error,
}

impl Severity {
    /// The word shown.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// Something that somebody should know, and what to do about it. Holds nothing secret: codes, our own
/// words, and evidence that is ours or sanitised.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// Stable. That of the failure that callers get, where they get one.
    pub code: String,
    /// How bad it is.
    pub severity: Severity,
    /// What is so.
    pub message: String,
    /// What to do. Names a setting, a command or an endpoint.
    pub fix: String,
    /// What was seen.
    #[serde(default)]
    pub evidence: Map<String, Value>,
}

impl Finding {
    /// One of our own list.
    #[must_use]
    pub fn new(name: Name) -> Self {
        Self {
            code: name.as_str().to_owned(),
            severity: name.severity(),
            message: name.message().to_owned(),
            fix: name.fix().to_owned(),
            evidence: Map::new(),
        }
    }

    /// A failure that callers get, or will get.
    #[must_use]
    pub fn of_code(code: Code, severity: Severity) -> Self {
        Self {
            code: code.as_str().to_owned(),
            severity,
            message: code.message().to_owned(),
            fix: code.fix().to_owned(),
            evidence: Map::new(),
        }
    }

    /// A failure that has happened to us, with its details as the evidence.
    #[must_use]
    pub fn of_problem(problem: &Problem, severity: Severity) -> Self {
        let mut finding = Self::of_code(problem.code(), severity);
        finding.fix = problem.fix().to_owned();
        finding.evidence.clone_from(problem.details());
        finding
    }

    /// A failure by its name; `None` when the list of failures has no such name.
    #[must_use]
    pub fn of_failure(code: &str, severity: Severity) -> Option<Self> {
        let code = Code::ALL.iter().find(|known| known.as_str() == code)?;
        Some(Self::of_code(*code, severity))
    }

    /// Adds evidence.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.evidence.insert(name.to_owned(), value.into());
        self
    }

    /// Says more exactly what to do.
    #[must_use]
    pub fn with_fix(mut self, fix: impl Into<String>) -> Self {
        self.fix = fix.into();
        self
    }
}
