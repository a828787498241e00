//! How sessions end, one or many, and what is forgotten of them.

use std::time::Duration;

use scaigate_types::{
    Database, Issuer, PersonId, Query, Row, SessionId, StoreError, Subject, Timestamp, Transaction,
    Value,
};

/// How long an ended session's row is kept, so that its refresh tokens can be told why.
const REMEMBERED: Duration = Duration::from_secs(24 * 3600);

/// Ends a session and drops ScaiKey's tokens from it. Ending an ended session changes nothing.
///
/// # Errors
/// [`StoreError`] when the store does not answer.
pub async fn end(
    db: &impl Query,
    sid: &SessionId,
    reason: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    db.query(
        "UPDATE session SET ended_at = ?2, end_reason = ?3, scaikey_tokens = NULL
          WHERE sid = ?1 AND ended_at IS NULL",
        &[sid.as_str().into(), now.into(), reason.into()],
    )
    .await?;
    Ok(())
}

/// Whose sessions are to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose<'a> {
    /// All of a person.
    Person(&'a PersonId),
    /// All of a subject of ScaiKey.
    Subject {
        /// Who says so.
        issuer: &'a Issuer,
        /// Unique within the issuer, or within a tenant of it.
        subject: &'a Subject,
    },
    /// Those that began with one session at ScaiKey.
    ScaikeySession {
        /// Who says so.
        issuer: &'a Issuer,
        /// ScaiKey's identifier of the session (`sid`).
        sid: &'a str,
    },
    /// Those that began with one session at ScaiKey, if they are the subject's.
    SubjectAndSession {
        /// Who says so.
        issuer: &'a Issuer,
        /// Unique within the issuer, or within a tenant of it.
        subject: &'a Subject,
        /// ScaiKey's identifier of the session (`sid`).
        sid: &'a str,
    },
}

/// The people an issuer, `?4`, speaks for: its own, and those of its tenants. A tenant's issuer is
/// no other tenant's, nor the platform's (N-088).
const OF_ISSUER: &str = "SELECT person_id FROM person
    WHERE (issuer = ?4 OR issuer = ?4 || '/tenants/' || tenant_id)";

/// Ends every live session of `whose`, as [`end`] does, and says which, in no order. Within a
/// transaction, so that their revocation records are written before anybody sees them ended.
///
/// # Errors
/// [`StoreError`] when the store does not answer; the transaction must not be committed then.
pub async fn end_all(
    tx: &impl Transaction,
    whose: Whose<'_>,
    reason: &'static str,
    now: Timestamp,
) -> Result<Vec<SessionId>, StoreError> {
    let of = |issuer: &Issuer| Value::from(issuer.as_str());
    let (condition, named): (_, Vec<Value>) = match whose {
        Whose::Person(person_id) => ("person_id = ?3".to_owned(), vec![person_id.as_str().into()]),
        Whose::Subject { issuer, subject } => (
            format!("person_id IN ({OF_ISSUER} AND subject = ?3)"),
            vec![subject.as_str().into(), of(issuer)],
        ),
        Whose::ScaikeySession { issuer, sid } => (
            format!(
                "scaikey_sid = ?3 AND person_id IN ({OF_ISSUER} AND person_id = session.person_id)"
            ),
            vec![sid.into(), of(issuer)],
        ),
        Whose::SubjectAndSession {
            issuer,
            subject,
            sid,
        } => (
            format!("scaikey_sid = ?3 AND person_id IN ({OF_ISSUER} AND subject = ?5)"),
            vec![sid.into(), of(issuer), subject.as_str().into()],
        ),
    };
    let sql = format!(
        "UPDATE session SET ended_at = ?1, end_reason = ?2, scaikey_tokens = NULL
          WHERE ended_at IS NULL AND expires_at > ?1 AND {condition}
          RETURNING sid"
    );
    let mut parameters = vec![now.into(), reason.into()];
    parameters.extend(named);
    let rows = tx.query(&sql, &parameters).await?;
    rows.iter().map(sid).collect()
}

/// The live sessions of a person with their current generations, to be narrowed to what comes after
/// ([`crate::revocation::narrow`]). Notes that they are, so that the records are forgotten one day.
///
/// # Errors
/// [`StoreError`] when the store does not answer; the transaction must not be committed then.
pub async fn generations(
    tx: &impl Transaction,
    person_id: &PersonId,
    now: Timestamp,
) -> Result<Vec<(SessionId, u32)>, StoreError> {
    let rows = tx
        .query(
            "UPDATE session SET narrowed_at = ?2
              WHERE person_id = ?1 AND ended_at IS NULL AND expires_at > ?2
              RETURNING sid, generation",
            &[person_id.as_str().into(), now.into()],
        )
        .await?;
    rows.iter()
        .map(|row| {
            let generation = u32::try_from(row.integer(1)?).map_err(|_| StoreError::Corrupt)?;
            Ok((sid(row)?, generation))
        })
        .collect()
}

fn sid(row: &Row) -> Result<SessionId, StoreError> {
    SessionId::parse(row.text(0)?).map_err(|_| StoreError::Corrupt)
}

/// Ended or narrowed sessions whose revocation records no token needs any more, at most `limit`.
///
/// # Errors
/// [`StoreError`] when the store does not answer.
pub async fn revocations_to_forget(
    db: &impl Database,
    now: Timestamp,
    limit: i64,
) -> Result<Vec<SessionId>, StoreError> {
    let rows = db
        .query(
            "SELECT sid FROM session
              WHERE revocation_forgotten = 0
                AND (ended_at < ?1
                  OR (ended_at IS NULL AND narrowed_at IS NOT NULL AND expires_at < ?1))
              LIMIT ?2",
            &[now.minus(REMEMBERED).into(), limit.into()],
        )
        .await?;
    rows.iter().map(sid).collect()
}

/// Notes that a session's revocation record is gone, so that its row may go.
///
/// # Errors
/// [`StoreError`] when the store does not answer.
pub async fn revocation_forgotten(db: &impl Database, sid: &SessionId) -> Result<(), StoreError> {
    db.query(
        "UPDATE session SET revocation_forgotten = 1 WHERE sid = ?1",
        &[sid.as_str().into()],
    )
    .await?;
    Ok(())
}

/// Removes sessions that have expired or were never redeemed, at most `limit`.
///
/// # Errors
/// [`StoreError`] when the store does not answer.
pub async fn purge(db: &impl Database, now: Timestamp, limit: i64) -> Result<(), StoreError> {
    db.query(
        "DELETE FROM session WHERE rowid IN (
           SELECT rowid FROM session
            WHERE ((ended_at IS NULL AND narrowed_at IS NULL) OR revocation_forgotten = 1)
              AND (expires_at < ?1 OR (code_consumed_at IS NULL AND code_expires_at < ?1))
            LIMIT ?2)",
        &[now.minus(REMEMBERED).into(), limit.into()],
    )
    .await?;
    Ok(())
}
