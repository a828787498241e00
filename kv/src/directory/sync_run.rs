//! The runs of the sync: one at a time, by a lease whose number is the fence.
//!
//! A run that dies keeps its row; when its lease is over the next one marks it as abandoned and goes
//! on. What a run wants to apply is applied only while its row still says that it runs.

use std::time::Duration;

use scaigate_types::{Query, Row, StoreError, Timestamp};

/// How long a run may be silent before another may begin.
pub const LEASE: Duration = Duration::from_secs(60);

/// Finished runs that are kept.
const KEPT: i64 = 200;

/// Who wanted a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StartedBy {
    /// Somebody's call.
    Call,
    /// A request that noticed that one is due.
    Due,
}

impl StartedBy {
    /// The word stored and shown.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Call => "call",
            Self::Due => "due",
        }
    }
}

/// What came of wanting to begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Begun {
    /// This caller runs, under this number.
    Run(i64),
    /// Another runs.
    Running {
        /// Its number.
        sync_id: i64,
        /// Since when.
        started_at: Timestamp,
    },
}

/// Begins a run unless one is under way. The statement that begins is the one that looks.
///
/// # Errors
/// [`StoreError`] when the store does not answer.
pub async fn begin(
    on: &impl Query,
    started_by: StartedBy,
    now: Timestamp,
) -> Result<Begun, StoreError> {
    if let Some(sync_id) = insert(on, started_by, None, now).await? {
        return Ok(Begun::Run(sync_id));
    }
    let sql = "SELECT sync_id, started_at FROM sync_run WHERE outcome IS NULL";
    let rows = on.query(sql, &[]).await?;
    match rows.first() {
        Some(row) => Ok(Begun::Running {
            sync_id: row.integer(0)?,
            started_at: row.time(1)?,
        }),
        // It has ended in between.
        None => Err(StoreError::Busy),
    }
}

/// Begins the run that was due by `schedule`, unless another has begun since: of all who find one due,
/// one begins it, however late they are. Its number.
///
/// # Errors
/// [`StoreError`] when the store does not answer.
pub async fn begin_due(
    on: &impl Query,
    schedule: &Schedule,
    now: Timestamp,
) -> Result<Option<i64>, StoreError> {
    let last = schedule.last_started_at.map_or(-1, Timestamp::sql);
    insert(on, StartedBy::Due, Some(last), now).await
}

/// `last`: only while that is when the last run began, -1 for none.
async fn insert(
    on: &impl Query,
    started_by: StartedBy,
    last: Option<i64>,
    now: Timestamp,
) -> Result<Option<i64>, StoreError> {
    on.query(
        "UPDATE sync_run SET outcome = 'abandoned', finished_at = ?1
          WHERE outcome IS NULL AND lease_until <= ?1",
        &[now.into()],
    )
    .await?;
    let rows = on
        .query(
            "INSERT INTO sync_run (started_by, started_at, lease_until, phase, log_cursor)
             SELECT ?1, ?2, ?3, 'tenants', (SELECT coalesce(max(cursor), 0) FROM change_log)
              WHERE NOT EXISTS (SELECT 1 FROM sync_run WHERE outcome IS NULL)
                AND (?4 IS NULL OR (SELECT coalesce(max(started_at), -1) FROM sync_run) = ?4)
             RETURNING sync_id",
            &[
                started_by.as_str().into(),
                now.into(),
                now.plus(LEASE).into(),
                last.into(),
            ],
        )
        .await?;
    let Some(row) = rows.first() else {
        return Ok(None);
    };
    let sync_id = row.integer(0)?;
    on.query(
        "DELETE FROM sync_run WHERE sync_id <= ?1",
        &[(sync_id - KEPT).into()],
    )
    .await?;
    Ok(Some(sync_id))
}

/// How far a run is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Users read so far.
    pub users_seen: u64,
    /// Groups read so far.
    pub groups_seen: u64,
    /// Memberships read so far.
    pub memberships_seen: u64,
}

fn number(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// Says how far a run is and that it is alive. `false` when it is not the one that runs any more.
///
/// # Errors
/// [`StoreError`] when the store does not answer.
pub async fn progress(
    on: &impl Query,
    sync_id: i64,
    phase: &'static str,
    progress: Progress,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let rows = on
        .query(
            "UPDATE sync_run SET phase = ?2, users_seen = ?3, groups_seen = ?4,
                                 memberships_seen = ?5, lease_until = ?6
              WHERE sync_id = ?1 AND outcome IS NULL RETURNING 1",
            &[
                sync_id.into(),
                phase.into(),
                number(progress.users_seen).into(),
                number(progress.groups_seen).into(),
                number(progress.memberships_seen).into(),
                now.plus(LEASE).into(),
            ],
        )
        .await?;
    Ok(!rows.is_empty())
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// What was read is the mirror now.
    Applied,
    /// Nothing was changed, and why.
    Failed,
    /// Nothing was to be done.
    Skipped,
}

impl Outcome {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
        }
    }
}

/// Ends a run. `report` is what its caller is answered with, as JSON. `false` when the run was not the
/// one that runs any more: then whatever its transaction has done must be undone.
///
/// # Errors
/// [`StoreError`] when the store does not answer.
pub async fn end(
    on: &impl Query,
    sync_id: i64,
    outcome: Outcome,
    code: Option<&str>,
    report: &str,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let rows = on
        .query(
            "UPDATE sync_run SET outcome = ?2, code = ?3, report = ?4, finished_at = ?5
              WHERE sync_id = ?1 AND outcome IS NULL RETURNING 1",
            &[
                sync_id.into(),
                outcome.as_str().into(),
                code.into(),
                report.into(),
                now.into(),
            ],
        )
        .await?;
    Ok(!rows.is_empty())
}

/// A run as it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// Its number.
    pub sync_id: i64,
    /// `call` or `due`.
    pub started_by: String,
    /// When it began.
    pub started_at: Timestamp,
    /// What it reads.
    pub phase: String,
    /// How far it is.
    pub progress: Progress,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// `applied`, `failed`, `skipped`, `abandoned`; `None` while it runs.
    pub outcome: Option<String>,
    /// Why it failed.
    pub code: Option<String>,
    /// What its caller was answered with, as JSON.
    pub report: Option<String>,
}

fn run(row: &Row) -> Result<Run, StoreError> {
    let count = |index| u64::try_from(row.integer(index)?).map_err(|_| StoreError::Corrupt);
    Ok(Run {
        sync_id: row.integer(0)?,
        started_by: row.text(1)?.to_owned(),
        started_at: row.time(2)?,
        phase: row.text(3)?.to_owned(),
        progress: Progress {
            users_seen: count(4)?,
            groups_seen: count(5)?,
            memberships_seen: count(6)?,
        },
        finished_at: row.optional_time(7)?,
        outcome: row.optional_text(8)?.map(str::to_owned),
        code: row.optional_text(9)?.map(str::to_owned),
        report: row.optional_text(10)?.map(str::to_owned),
    })
}

/// The run under way, if any, and the last that has ended.
///
/// # Errors
/// [`StoreError`] when the store does not answer.
pub async fn latest(
    on: &impl Query,
    now: Timestamp,
) -> Result<(Option<Run>, Option<Run>), StoreError> {
    let sql = "SELECT sync_id, started_by, started_at, phase, users_seen, groups_seen,
                      memberships_seen, finished_at,
                      CASE WHEN outcome IS NULL AND lease_until <= ?1 THEN 'abandoned'
                           ELSE outcome END,
                      code, report
                 FROM sync_run ORDER BY sync_id DESC LIMIT 2";
    let rows = on.query(sql, &[now.into()]).await?;
    let (mut running, mut last) = (None, None);
    for row in &rows {
        let run = run(row)?;
        let slot = if run.outcome.is_none() {
            &mut running
        } else {
            &mut last
        };
        if slot.is_none() {
            *slot = Some(run);
        }
    }
    Ok((running, last))
}

/// What decides when the next run is due.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Schedule {
    /// When the last one began; `None` when there was none.
    pub last_started_at: Option<Timestamp>,
    /// Whether one is under way.
    pub is_running: bool,
    /// Runs that have failed or died since one was applied.
    pub failures: u32,
    /// When an event asked for one that has not been applied.
    pub requested_at: Option<Timestamp>,
}

/// What decides when the next run is due.
///
/// # Errors
/// [`StoreError`] when the store does not answer.
pub async fn schedule(on: &impl Query, now: Timestamp) -> Result<Schedule, StoreError> {
    let sql = "SELECT max(started_at),
            coalesce(sum(outcome IS NULL AND lease_until > ?1), 0),
            coalesce(sum((outcome IN ('failed', 'abandoned') OR (outcome IS NULL AND lease_until <= ?1))
              AND sync_id > coalesce((SELECT max(sync_id) FROM sync_run
                                       WHERE outcome IN ('applied', 'skipped')), 0)), 0),
            (SELECT requested_at FROM directory_state WHERE one = 1)
          FROM sync_run";
    let rows = on.query(sql, &[now.into()]).await?;
    let row = rows.first().ok_or(StoreError::Corrupt)?;
    Ok(Schedule {
        last_started_at: row.optional_time(0)?,
        is_running: row.integer(1)? > 0,
        failures: u32::try_from(row.integer(2)?).map_err(|_| StoreError::Corrupt)?,
        requested_at: row.optional_time(3)?,
    })
}

impl Schedule {
    /// When the next run is due: `interval` after the last began, at once when an event asked for one
    /// since, and after failures a minute, two, four … at most `interval`. Without an interval only what
    /// an event asks for is due; [`Timestamp::MAX`] is never.
    #[must_use]
    pub fn due_at(&self, interval: Option<Duration>) -> Timestamp {
        let Some(last) = self.last_started_at else {
            return match interval {
                Some(_) => Timestamp::from_millis(0),
                None => self.requested_at.unwrap_or(Timestamp::MAX),
            };
        };
        let by_time = interval.map_or(Timestamp::MAX, |interval| last.plus(interval));
        if self.failures > 0 && (interval.is_some() || self.requested_at.is_some()) {
            let wait = Duration::from_secs(60 << (self.failures - 1).min(12));
            let longest = interval.unwrap_or(Duration::from_secs(3600));
            return last.plus(wait.min(longest));
        }
        match self.requested_at {
            Some(requested) if requested >= last => requested,
            _ => by_time,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_run_is_due_when_the_schedule_says() {
        let hour = Duration::from_secs(3600);
        let at = Timestamp::from_secs;
        let schedule = |last: Option<u64>, failures, requested: Option<u64>| Schedule {
            last_started_at: last.map(at),
            is_running: false,
            failures,
            requested_at: requested.map(at),
        };
        for (schedule, due) in [
            (schedule(None, 0, None), 0),
            (schedule(None, 0, Some(7)), 0),
            (schedule(Some(1000), 0, None), 4600),
            (schedule(Some(1000), 0, Some(1200)), 1200),
            (schedule(Some(1000), 0, Some(900)), 4600),
            (schedule(Some(1000), 1, None), 1060),
            (schedule(Some(1000), 2, Some(1001)), 1120),
            (schedule(Some(1000), 7, None), 4600),
            (schedule(Some(1000), 4000, None), 4600),
        ] {
            assert_eq!(schedule.due_at(Some(hour)), at(due), "{schedule:?}");
        }
        for (schedule, due) in [
            (schedule(None, 0, None), Timestamp::MAX),
            (schedule(None, 0, Some(7)), at(7)),
            (schedule(Some(1000), 0, None), Timestamp::MAX),
            (schedule(Some(1000), 3, None), Timestamp::MAX),
            (schedule(Some(1000), 0, Some(1200)), at(1200)),
            (schedule(Some(1000), 2, Some(900)), at(1120)),
        ] {
            assert_eq!(
                schedule.due_at(None),
                due,
                "{schedule:?} without an interval"
            );
        }
    }
}
