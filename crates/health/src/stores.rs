//! The key-value store and the database.

use std::time::Duration;

use scaigate_kv::{dev_headers, overview, probe, schema};
use scaigate_problem::{Code, Problem};
use scaigate_signin::{Ports, failure};
use scaigate_types::{Clock, StoreError};

use crate::bounded::within;
use crate::check::Check;
use crate::finding::{Finding, Severity};
use crate::list::Name;

/// How long a store may take for one step.
pub const PATIENCE: Duration = Duration::from_secs(3);

/// A store did not answer, or not in time.
#[derive(Clone, Copy, Debug)]
pub enum Failed {
    Store(StoreError),
    Late,
}

/// One step of a store, within its time.
pub async fn step<T>(
    ports: &impl Ports,
    step: impl Future<Output = Result<T, StoreError>>,
) -> Result<T, Failed> {
    match within(ports.clock(), PATIENCE, step).await {
        Some(done) => done.map_err(Failed::Store),
        None => Err(Failed::Late),
    }
}

impl Failed {
    /// As it is answered.
    pub fn problem(self, store: &'static str) -> Problem {
        match self {
            Self::Late => Problem::new(Code::StoreUnavailable)
                .with("store", store)
                .with("reason", "the store did not answer in time")
                .with_retry_after(Duration::from_secs(1)),
            Self::Store(error) if store == "sqlite" => failure::database(error),
            Self::Store(error) => failure::kv(error),
        }
    }

    fn finding(self, store: &'static str) -> Finding {
        match self {
            Self::Late => Finding::new(Name::StoreSlow)
                .with("store", store)
                .with("waited_ms", u64::try_from(PATIENCE.as_millis()).unwrap_or(u64::MAX)),
            Self::Store(StoreError::SchemaNewer) => {
                Finding::of_code(Code::SchemaNewer, Severity::Error)
                    .with("expected", schema::VERSION)
            }
            Self::Store(_) => Finding::of_problem(&self.problem(store), Severity::Error)
                .with_fix("Look at what the store runs on (its disk, its network, its rights); GET /v1/health/ready says when it is back."),
        }
    }
}

/// Both stores read: what every request needs.
pub async fn read(ports: &impl Ports) -> Result<(), Problem> {
    step(ports, schema::version(ports.db()))
        .await
        .map_err(|failed| failed.problem("sqlite"))?;
    step(ports, probe::reads(ports.kv()))
        .await
        .map_err(|failed| failed.problem("key_value"))
}

/// The key-value store, read and written; and what it knows of headers of development (S-33).
pub async fn key_value(ports: &impl Ports) -> Check {
    let mut check = Check::new("key_value");
    let began = ports.clock().now();
    match step(ports, probe::writes(ports.kv(), began)).await {
        Err(failed) => check.find(failed.finding("key_value")),
        Ok(()) => check.took(ports.clock().now().since(began)),
    }
    if let Ok(Some(noted)) = step(ports, dev_headers::read(ports.kv())).await {
        check.find(
            Finding::new(Name::DevHeadersIgnored)
                .with("count", noted.count)
                .with("last_at", noted.last_at.rfc3339()),
        );
    }
    check
}

/// The database: its schema, whether it takes writers, and what is in it.
pub async fn database(ports: &impl Ports) -> (Check, Option<overview::Overview>) {
    let mut check = Check::new("database");
    check.fact("schema_expected", schema::VERSION);
    let began = ports.clock().now();
    let version = match step(ports, schema::version(ports.db())).await {
        Ok(version) => version,
        Err(failed) => {
            check.find(failed.finding("sqlite"));
            return (check, None);
        }
    };
    let took = ports.clock().now().since(began);
    check.fact("schema_version", version);
    if version > schema::VERSION {
        let newer = Failed::Store(StoreError::SchemaNewer).finding("sqlite");
        check.find(newer.with("version", version));
        return (check, None);
    }
    if let Err(failed) = step(ports, probe::takes_writers(ports.db())).await {
        let mut finding = failed.finding("sqlite").with("operation", "write");
        // Whoever holds the lock may be at work: a sync that is applied, for one.
        if matches!(failed, Failed::Late | Failed::Store(StoreError::Busy)) {
            finding.severity = Severity::Warning;
        }
        check.find(finding);
    }
    let overview = match step(ports, overview::read(ports.db())).await {
        Ok(overview) => Some(overview),
        Err(failed) => {
            check.find(failed.finding("sqlite"));
            None
        }
    };
    check.took(took);
    (check, overview)
}
