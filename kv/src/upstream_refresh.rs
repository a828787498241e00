//! Single-flight refresh of ScaiKey's refresh tokens, across instances.
//!
//! ScaiKey's refresh tokens are good once. Whoever comes first leases the token's row and calls;
//! everybody else waits for the answer in that row. A leader that is lost is replaced when its
//! lease ends, once: two calls at the most.

use std::time::Duration;

use scaigate_types::{Database, Issuer, StoreError, Subject, Timestamp};

/// How long a leader may take before another caller takes over. Longer than the time-out of the
/// call it makes.
pub const LEASE: Duration = Duration::from_millis(4500);

/// How long a success is handed to later callers.
pub const ANSWER_KEPT: Duration = Duration::from_secs(30);

/// How long a failure to reach ScaiKey is handed to those who were waiting.
pub const FAILURE_KEPT: Duration = Duration::from_secs(2);

/// Calls that may be made for one token while its row lives.
const MAX_ATTEMPTS: i64 = 2;

/// What a caller is to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Turn {
    /// Call ScaiKey, then [`finish`].
    Lead,
    /// The (sealed) answer is there.
    Answer(Vec<u8>),
    /// Somebody else is calling: ask again in a while.
    Wait,
}

/// Asks for the turn on a token. `owner` is unique to this request.
///
/// # Errors
/// [`StoreError`] when the store does not answer; ScaiKey must not be called then.
pub async fn turn(
    db: &impl Database,
    token_hash: &str,
    owner: &str,
    now: Timestamp,
) -> Result<Turn, StoreError> {
    if let Some(answer) = answer(db, token_hash, now).await? {
        return Ok(Turn::Answer(answer));
    }
    let rows = db
        .query(
            "INSERT INTO upstream_refresh (token_hash, owner, lease_until, attempts, expires_at)
             VALUES (?1, ?2, ?3, 1, ?5)
             ON CONFLICT (token_hash) DO UPDATE SET
               owner = excluded.owner,
               lease_until = excluded.lease_until,
               attempts = CASE WHEN expires_at <= ?4 THEN 1 ELSE attempts + 1 END,
               outcome = NULL,
               expires_at = excluded.expires_at
             WHERE expires_at <= ?4
                OR (outcome IS NULL AND lease_until <= ?4 AND attempts < ?6)
             RETURNING 1",
            &[
                token_hash.into(),
                owner.into(),
                now.plus(LEASE).into(),
                now.into(),
                now.plus(ANSWER_KEPT).into(),
                MAX_ATTEMPTS.into(),
            ],
        )
        .await?;
    Ok(if rows.is_empty() {
        Turn::Wait
    } else {
        Turn::Lead
    })
}

async fn answer(
    db: &impl Database,
    token_hash: &str,
    now: Timestamp,
) -> Result<Option<Vec<u8>>, StoreError> {
    let rows = db
        .query(
            "SELECT outcome FROM upstream_refresh
              WHERE token_hash = ?1 AND expires_at > ?2 AND outcome IS NOT NULL",
            &[token_hash.into(), now.into()],
        )
        .await?;
    match rows.first() {
        None => Ok(None),
        Some(row) => Ok(row.optional_blob(0)?.map(<[u8]>::to_vec)),
    }
}

/// Records what ScaiKey said, sealed, for `kept`. A leader that has been replaced changes nothing
/// unless its successor has not finished either: an answer is always better than none.
///
/// # Errors
/// [`StoreError`] when the store does not answer. The leader still has its answer.
pub async fn finish(
    db: &impl Database,
    token_hash: &str,
    outcome: &[u8],
    now: Timestamp,
    kept: Duration,
) -> Result<(), StoreError> {
    db.query(
        "UPDATE upstream_refresh SET outcome = ?2, expires_at = ?3
          WHERE token_hash = ?1 AND outcome IS NULL",
        &[token_hash.into(), outcome.into(), now.plus(kept).into()],
    )
    .await?;
    Ok(())
}

/// Gives the lease back after a call that certainly did not reach ScaiKey or that failed on the
/// way, so that one of those who wait may try at once. `false` when the attempts are used up.
///
/// # Errors
/// [`StoreError`] when the store does not answer; the lease then ends by itself.
pub async fn release(
    db: &impl Database,
    token_hash: &str,
    owner: &str,
) -> Result<bool, StoreError> {
    let rows = db
        .query(
            "UPDATE upstream_refresh SET lease_until = 0
              WHERE token_hash = ?1 AND owner = ?2 AND outcome IS NULL AND attempts < ?3
              RETURNING 1",
            &[token_hash.into(), owner.into(), MAX_ATTEMPTS.into()],
        )
        .await?;
    Ok(!rows.is_empty())
}

/// How long it is remembered whose a refresh token is.
const BOUND: Duration = Duration::from_secs(90 * 24 * 3600);

/// Whose a refresh token is, and of which sign-in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    /// Who issued the ID token of the sign-in.
    pub issuer: Issuer,
    /// The person.
    pub subject: Subject,
    /// When that person signed in.
    pub auth_time: Option<Timestamp>,
    /// Digest of the sign-in's nonce.
    pub nonce_hash: Option<String>,
}

/// Remembers whose a refresh token of ScaiKey is.
///
/// # Errors
/// [`StoreError`] when the store does not answer.
pub async fn bind(
    db: &impl Database,
    token_hash: &str,
    owner: &Owner,
    now: Timestamp,
) -> Result<(), StoreError> {
    db.query(
        "INSERT OR IGNORE INTO upstream_grant
           (token_hash, issuer, subject, auth_time, nonce_hash, expires_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        &[
            token_hash.into(),
            owner.issuer.as_str().into(),
            owner.subject.as_str().into(),
            owner.auth_time.into(),
            owner.nonce_hash.as_deref().into(),
            now.plus(BOUND).into(),
        ],
    )
    .await?;
    Ok(())
}

/// Whose a refresh token is, if that is known.
///
/// # Errors
/// [`StoreError`] when the store does not answer.
pub async fn bound(db: &impl Database, token_hash: &str) -> Result<Option<Owner>, StoreError> {
    let rows = db
        .query(
            "SELECT issuer, subject, auth_time, nonce_hash FROM upstream_grant
              WHERE token_hash = ?1",
            &[token_hash.into()],
        )
        .await?;
    let Some(row) = rows.first() else {
        return Ok(None);
    };
    let corrupt = |_| StoreError::Corrupt;
    Ok(Some(Owner {
        issuer: Issuer::parse(row.text(0)?).map_err(corrupt)?,
        subject: Subject::parse(row.text(1)?).map_err(corrupt)?,
        auth_time: row.optional_time(2)?,
        nonce_hash: row.optional_text(3)?.map(str::to_owned),
    }))
}

/// Forgets answers that have expired, at most `limit`.
///
/// # Errors
/// [`StoreError`] when the store does not answer.
pub async fn purge(db: &impl Database, now: Timestamp, limit: i64) -> Result<(), StoreError> {
    db.query(
        "DELETE FROM upstream_refresh WHERE rowid IN
           (SELECT rowid FROM upstream_refresh WHERE expires_at <= ?1 LIMIT ?2)",
        &[now.into(), limit.into()],
    )
    .await?;
    db.query(
        "DELETE FROM upstream_grant WHERE token_hash IN
           (SELECT token_hash FROM upstream_grant WHERE expires_at <= ?1 LIMIT ?2)",
        &[now.into(), limit.into()],
    )
    .await?;
    Ok(())
}
