//! The runs of the sync.

use scaigate_types::{Database, Kv, Query, Timestamp};

use super::Stores;
use super::mirrored::{at, begins, nothing_is_known};
use super::verdict::{Failure, Verdict, holds, same};
use crate::directory::request_sync;
use crate::directory::sync_run::{
    self, Begun, LEASE, Outcome, Progress, Schedule, StartedBy, begin, end, latest, progress,
    schedule,
};

/// No run was ever begun.
async fn none(on: &impl Query) -> Result<(), Failure> {
    nothing_is_known(on).await?;
    on.query("DELETE FROM sync_run", &[]).await?;
    Ok(())
}

async fn ends(
    on: &impl Query,
    sync_id: i64,
    outcome: Outcome,
    now: Timestamp,
) -> Result<bool, Failure> {
    Ok(end(on, sync_id, outcome, Some("code"), "{\"a\":1}", now).await?)
}

pub async fn are_one_at_a_time(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    none(on.db).await?;
    let first = begins(on.db, at(0)).await?;
    let running = Begun::Running {
        sync_id: first,
        started_at: at(0),
    };
    for by in [StartedBy::Call, StartedBy::Due] {
        same("another", begin(on.other, by, at(1)).await?, running)?;
    }
    same(
        "its end",
        ends(on.db, first, Outcome::Applied, at(2)).await?,
        true,
    )?;
    let second = begins(on.other, at(2)).await?;
    holds("another number", second > first)?;
    same(
        "the end of the first",
        ends(on.db, first, Outcome::Failed, at(3)).await?,
        false,
    )?;
    let still = begin(on.db, StartedBy::Due, at(3)).await?;
    same(
        "the second still runs",
        still,
        Begun::Running {
            sync_id: second,
            started_at: at(2),
        },
    )?;
    same(
        "the end of the second",
        ends(on.db, second, Outcome::Skipped, at(4)).await?,
        true,
    )
}

pub async fn a_silent_one_is_abandoned(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    none(on.db).await?;
    let first = begins(on.db, at(0)).await?;
    let over = at(0).plus(LEASE);
    let last_moment = over.minus(super::fixtures::TICK);
    let running = Begun::Running {
        sync_id: first,
        started_at: at(0),
    };
    same(
        "before",
        begin(on.db, StartedBy::Call, last_moment).await?,
        running,
    )?;
    // It is shown as what it is before anybody has begun another.
    let (shown, ended) = latest(on.other, last_moment).await?;
    same(
        "runs",
        (shown.map(|run| run.sync_id), ended),
        (Some(first), None),
    )?;
    let (shown, ended) = latest(on.other, over).await?;
    same("runs no more", shown, None)?;
    let outcome = ended.map(|run| (run.sync_id, run.outcome));
    same(
        "abandoned",
        outcome,
        Some((first, Some("abandoned".to_owned()))),
    )?;
    let second = begins(on.db, over).await?;
    same(
        "its progress",
        progress(on.db, first, "users", Progress::default(), over).await?,
        false,
    )?;
    same(
        "its end",
        ends(on.db, first, Outcome::Applied, over).await?,
        false,
    )?;
    let (running, ended) = latest(on.db, over).await?;
    same("now", running.map(|run| run.sync_id), Some(second))?;
    let ended = ended.map(|run| (run.sync_id, run.outcome, run.finished_at));
    same(
        "before",
        ended,
        Some((first, Some("abandoned".to_owned()), Some(over))),
    )?;
    same(
        "the end",
        ends(on.db, second, Outcome::Failed, over).await?,
        true,
    )
}

pub async fn progress_keeps_one_alive(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    none(on.db).await?;
    let sync_id = begins(on.db, at(0)).await?;
    let far = Progress {
        users_seen: 3,
        groups_seen: 2,
        memberships_seen: u64::MAX,
    };
    let later = at(0).plus(LEASE);
    same(
        "in time",
        progress(
            on.db,
            sync_id,
            "groups",
            far,
            later.minus(super::fixtures::TICK),
        )
        .await?,
        true,
    )?;
    let running = Begun::Running {
        sync_id,
        started_at: at(0),
    };
    same(
        "it runs",
        begin(on.other, StartedBy::Due, later).await?,
        running,
    )?;
    let (shown, _) = latest(on.other, later).await?;
    let shown = shown.ok_or_else(|| Failure::new("no run"))?;
    same("phase", shown.phase.as_str(), "groups")?;
    same(
        "users",
        (shown.progress.users_seen, shown.progress.groups_seen),
        (3, 2),
    )?;
    same("started by", shown.started_by.as_str(), "call")?;
    same(
        "the end",
        ends(on.db, sync_id, Outcome::Applied, later).await?,
        true,
    )?;
    same(
        "after it",
        progress(on.db, sync_id, "users", far, later).await?,
        false,
    )
}

pub async fn tell_how_they_ended(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    none(on.db).await?;
    same("none", latest(on.db, at(0)).await?, (None, None))?;
    for (n, outcome, word) in [
        (10, Outcome::Applied, "applied"),
        (20, Outcome::Failed, "failed"),
        (30, Outcome::Skipped, "skipped"),
    ] {
        let begun = sync_run::begin(on.db, StartedBy::Due, at(n)).await?;
        let Begun::Run(sync_id) = begun else {
            return Err(Failure::new("another run is under way"));
        };
        same(
            "the end",
            ends(on.db, sync_id, outcome, at(n + 1)).await?,
            true,
        )?;
        let (running, ended) = latest(on.other, at(n + 2)).await?;
        same("none runs", running, None)?;
        let ended = ended.ok_or_else(|| Failure::new("no run"))?;
        let shown = (ended.sync_id, ended.started_by.as_str(), ended.started_at);
        same("which", shown, (sync_id, "due", at(n)))?;
        same("outcome", ended.outcome.as_deref(), Some(word))?;
        same("code", ended.code.as_deref(), Some("code"))?;
        same("report", ended.report.as_deref(), Some("{\"a\":1}"))?;
        same("finished", ended.finished_at, Some(at(n + 1)))?;
    }
    Ok(())
}

pub async fn decide_when_the_next_is_due(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    none(on.db).await?;
    let nothing = Schedule::default();
    same("none", schedule(on.db, at(0)).await?, nothing)?;
    request_sync(on.db, at(1)).await?;
    let first = begins(on.db, at(2)).await?;
    let expected = Schedule {
        last_started_at: Some(at(2)),
        is_running: true,
        failures: 0,
        requested_at: Some(at(1)),
    };
    same("running", schedule(on.other, at(3)).await?, expected)?;
    let silent = Schedule {
        is_running: false,
        failures: 1,
        ..expected
    };
    same(
        "silent",
        schedule(on.other, at(2).plus(LEASE)).await?,
        silent,
    )?;
    ends(on.db, first, Outcome::Failed, at(4)).await?;
    same("failed", schedule(on.db, at(5)).await?, silent)?;
    let second = begins(on.db, at(100)).await?;
    let third = begins(on.db, at(100).plus(LEASE)).await?;
    holds("another", third > second)?;
    ends(on.db, third, Outcome::Failed, at(300)).await?;
    let thrice = Schedule {
        failures: 3,
        last_started_at: Some(at(100).plus(LEASE)),
        ..silent
    };
    same(
        "one failed, one silent, one failed",
        schedule(on.db, at(301)).await?,
        thrice,
    )?;
    let fourth = begins(on.db, at(400)).await?;
    ends(on.db, fourth, Outcome::Applied, at(401)).await?;
    let good = Schedule {
        failures: 0,
        last_started_at: Some(at(400)),
        ..silent
    };
    same("applied", schedule(on.db, at(402)).await?, good)
}

pub async fn old_ones_are_forgotten(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    none(on.db).await?;
    let mut last = 0;
    for n in 0..205 {
        last = begins(on.db, at(n)).await?;
        ends(on.db, last, Outcome::Applied, at(n)).await?;
    }
    let sql = "SELECT count(*), max(sync_id) FROM sync_run";
    let rows = on.db.query(sql, &[]).await?;
    let row = rows.first().ok_or_else(|| Failure::new("no count"))?;
    same("kept", (row.integer(0)?, row.integer(1)?), (200, last))
}
