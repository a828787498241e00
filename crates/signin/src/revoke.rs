//! Ending and narrowing sessions: rows in the database, and the revocation index that every request
//! reads.
//!
//! Both happen in one transaction whose last step is the commit. Cut short before it, the index may
//! say already what the rows do not: callers are refused, and asking again repairs the rest. The
//! database's write lock puts everybody who writes the index of a live session in a row, so a
//! narrowing never overwrites an end.

use scaigate_kv::revocation;
use scaigate_kv::session::{self, Whose};
use scaigate_problem::Problem;
use scaigate_types::{Clock, Database, PersonId, SessionId, Transaction};

use crate::failure;
use crate::ports::Ports;

/// Ends one session everywhere.
///
/// # Errors
/// A store does not answer; the same can be asked again.
pub async fn end(ports: &impl Ports, sid: &SessionId, reason: &str) -> Result<(), Problem> {
    let now = ports.clock().now();
    let tx = ports.db().begin().await.map_err(failure::database)?;
    session::end(&tx, sid, reason, now)
        .await
        .map_err(failure::database)?;
    revocation::revoke(ports.kv(), sid, now)
        .await
        .map_err(failure::kv)?;
    tx.commit().await.map_err(failure::database)
}

/// Ends all sessions of somebody within the caller's transaction, which it commits. The number of
/// sessions ended.
///
/// # Errors
/// A store does not answer; the caller undoes the transaction, and the same can be asked again.
pub async fn end_all(
    ports: &impl Ports,
    tx: &impl Transaction,
    whose: Whose<'_>,
    reason: &'static str,
) -> Result<usize, Problem> {
    let now = ports.clock().now();
    let ended = session::end_all(tx, whose, reason, now)
        .await
        .map_err(failure::database)?;
    for sid in &ended {
        revocation::revoke(ports.kv(), sid, now)
            .await
            .map_err(failure::kv)?;
    }
    Ok(ended.len())
}

/// Makes every session token that a person holds now a revoked one, within the caller's
/// transaction: a role or a membership has changed in it. The sessions go on; the next refresh says
/// what is true then. The number of sessions narrowed.
///
/// # Errors
/// As [`end_all`].
pub async fn narrow_all(
    ports: &impl Ports,
    tx: &impl Transaction,
    person_id: &PersonId,
) -> Result<usize, Problem> {
    let now = ports.clock().now();
    let live = session::generations(tx, person_id, now)
        .await
        .map_err(failure::database)?;
    for (sid, generation) in &live {
        revocation::narrow(ports.kv(), sid, *generation, now)
            .await
            .map_err(failure::kv)?;
    }
    Ok(live.len())
}
