//! The sync: ScaiKey's directory, read whole, made the mirror's (`product.md` section 6).
//!
//! A run reads page by page and keeps only what differs from the mirror; nothing is written before
//! everything has been read. Then all differences are one transaction, with the super admins, the
//! sessions that end and the run's own row. A run that dies has changed nothing.

mod apply;
mod list;
mod plan;
mod reader;
mod reading;
mod stage;

use scaigate_kv::directory::sync_run::{self, Begun, Outcome, StartedBy};
use scaigate_problem::{Code, Problem};
use scaigate_signin::settings::{Fault, Scaikey};
use scaigate_signin::{Ports, failure};
use scaigate_types::{Clock, Database, StoreError, Timestamp, Transaction};
use std::time::Duration;

pub use crate::report::{Report, Statistics, Warning};
use crate::settings::DirectorySettings;
use reader::Reader;

/// How soon to ask again whether a run that is under way has ended.
const ASK_AGAIN: Duration = Duration::from_secs(5);

/// What a sync works with.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// ScaiKey, or why it can't be read.
    pub scaikey: Result<&'a Scaikey, &'a [Fault]>,
    /// The settings of the directory.
    pub settings: &'a DirectorySettings,
}

/// The identity of a run.
#[derive(Clone, Copy, Debug)]
struct Run {
    sync_id: i64,
    started_at: Timestamp,
}

/// Reads ScaiKey's directory and makes it the mirror's. With `force`, also when it has shrunk to less
/// than half.
///
/// # Errors
/// [`Code::SyncRunning`], [`Code::SyncSuspiciousShrink`], [`Code::SyncIncomplete`],
/// [`Code::SyncForbidden`], [`Code::SyncSuperseded`]; ScaiKey or a store does not answer. Nothing has
/// been changed then.
pub async fn sync(
    ports: &impl Ports,
    context: Context<'_>,
    force: bool,
) -> Result<Report, Problem> {
    let Ok(scaikey) = context.scaikey else {
        return Ok(Report::skipped("credentials_missing"));
    };
    let started_at = ports.clock().now();
    let begun = sync_run::begin(ports.db(), StartedBy::Call, started_at)
        .await
        .map_err(failure::database)?;
    match begun {
        Begun::Run(sync_id) => {
            let run = Run {
                sync_id,
                started_at,
            };
            go(ports, scaikey, context.settings, run, force).await
        }
        Begun::Running {
            sync_id,
            started_at,
        } => Err(Problem::new(Code::SyncRunning)
            .with("sync_id", sync_id)
            .with("started_at", started_at.rfc3339())
            .with_retry_after(ASK_AGAIN)),
    }
}

/// Goes through a run that has begun, to its end.
async fn go(
    ports: &impl Ports,
    scaikey: &Scaikey,
    settings: &DirectorySettings,
    run: Run,
    force: bool,
) -> Result<Report, Problem> {
    let outcome = read_and_apply(ports, scaikey, settings, run, force).await;
    if let Err(problem) = &outcome {
        // The row says why for whoever looks later. Where it can't, the lease runs out by itself.
        let _ = note_failure(ports, run, problem).await;
    }
    outcome
}

async fn note_failure(ports: &impl Ports, run: Run, problem: &Problem) -> Result<(), StoreError> {
    let tx = ports.db().begin().await?;
    sync_run::end(
        &tx,
        run.sync_id,
        Outcome::Failed,
        Some(problem.code().as_str()),
        &problem.body("", "").to_string(),
        ports.clock().now(),
    )
    .await?;
    tx.commit().await
}

async fn read_and_apply(
    ports: &impl Ports,
    scaikey: &Scaikey,
    settings: &DirectorySettings,
    run: Run,
    force: bool,
) -> Result<Report, Problem> {
    let reader = Reader::start(ports, scaikey, run).await?;
    let reading = reading::read(&reader, settings).await?;
    if !force {
        apply::refuse_shrink(ports, &reading).await?;
    }
    apply::apply(ports, settings, run, reading).await
}

/// Whether a sync is due: `None` when none is, or one is under way already.
///
/// # Errors
/// A store does not answer.
pub async fn due_at(
    ports: &impl Ports,
    settings: &DirectorySettings,
) -> Result<Timestamp, Problem> {
    let now = ports.clock().now();
    let schedule = sync_run::schedule(ports.db(), now)
        .await
        .map_err(failure::database)?;
    Ok(schedule.due_at(settings.sync_interval))
}

/// Runs a sync if one is due and nobody else has begun it.
///
/// # Errors
/// As [`sync`].
pub async fn sync_if_due(
    ports: &impl Ports,
    context: Context<'_>,
) -> Result<Option<Report>, Problem> {
    let Ok(scaikey) = context.scaikey else {
        return Ok(None);
    };
    let now = ports.clock().now();
    let schedule = sync_run::schedule(ports.db(), now)
        .await
        .map_err(failure::database)?;
    if schedule.is_running || schedule.due_at(context.settings.sync_interval) > now {
        return Ok(None);
    }
    let started_at = ports.clock().now();
    let begun = sync_run::begin_due(ports.db(), &schedule, started_at)
        .await
        .map_err(failure::database)?;
    let Some(sync_id) = begun else {
        return Ok(None);
    };
    let run = Run {
        sync_id,
        started_at,
    };
    go(ports, scaikey, context.settings, run, false)
        .await
        .map(Some)
}
