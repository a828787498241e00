//! Sign-ins that have been begun and not finished: one row per `state`, consumed exactly once.

use std::time::Duration;

use scaigate_types::{Database, StoreError, Timestamp};

/// How long a person has to sign in at ScaiKey.
pub const LIFETIME: Duration = Duration::from_secs(600);

/// Pending sign-ins of one browser; the oldest beyond that are dropped.
pub const MAX_PER_BROWSER: i64 = 20;

/// How long a finished or expired one is remembered, so that a late answer can be told why.
const REMEMBERED: Duration = Duration::from_secs(3600);

/// What becomes of a `state`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Consumed {
    /// It was pending in this browser and is consumed now; what had been kept for it.
    Now(Vec<u8>),
    /// Never issued, or forgotten.
    Unknown,
    /// Older than [`LIFETIME`].
    Expired,
    /// Consumed before.
    AlreadyUsed,
    /// Issued to another browser. It stays good for that one.
    OtherBrowser,
}

/// Records a begun sign-in, and drops this browser's oldest ones beyond [`MAX_PER_BROWSER`].
///
/// `state_hash` and `browser_hash` are digests, `sealed` is opaque: a copy of the row is of no use.
///
/// # Errors
/// [`StoreError`] when the store does not answer; then nothing may be begun.
pub async fn insert(
    db: &impl Database,
    state_hash: &str,
    browser_hash: &str,
    sealed: &[u8],
    now: Timestamp,
) -> Result<(), StoreError> {
    db.query(
        "INSERT INTO pending_login (state_hash, browser_hash, sealed, created_at, expires_at)
         VALUES (?1, ?2, ?3, ?4, ?5)",
        &[
            state_hash.into(),
            browser_hash.into(),
            sealed.into(),
            now.into(),
            now.plus(LIFETIME).into(),
        ],
    )
    .await?;
    db.query(
        "DELETE FROM pending_login WHERE browser_hash = ?1 AND consumed_at IS NULL
           AND state_hash NOT IN (
             SELECT state_hash FROM pending_login
              WHERE browser_hash = ?1 AND consumed_at IS NULL
              ORDER BY created_at DESC, rowid DESC LIMIT ?2)",
        &[browser_hash.into(), MAX_PER_BROWSER.into()],
    )
    .await?;
    Ok(())
}

/// Consumes a `state` for the browser that holds `browser_hash`. Of any number of parallel calls
/// exactly one gets [`Consumed::Now`].
///
/// # Errors
/// [`StoreError`] when the store does not answer; the state may then have been consumed.
pub async fn consume(
    db: &impl Database,
    state_hash: &str,
    browser_hash: Option<&str>,
    now: Timestamp,
) -> Result<Consumed, StoreError> {
    if let Some(browser_hash) = browser_hash {
        let rows = db
            .query(
                "UPDATE pending_login SET consumed_at = ?3
                  WHERE state_hash = ?1 AND browser_hash = ?2
                    AND consumed_at IS NULL AND expires_at > ?3
                  RETURNING sealed",
                &[state_hash.into(), browser_hash.into(), now.into()],
            )
            .await?;
        if let Some(row) = rows.first() {
            let sealed = row.optional_blob(0)?.ok_or(StoreError::Corrupt)?;
            return Ok(Consumed::Now(sealed.to_vec()));
        }
    }
    let rows = db
        .query(
            "SELECT browser_hash, consumed_at, expires_at FROM pending_login WHERE state_hash = ?1",
            &[state_hash.into()],
        )
        .await?;
    let Some(row) = rows.first() else {
        return Ok(Consumed::Unknown);
    };
    if Some(row.text(0)?) != browser_hash {
        return Ok(Consumed::OtherBrowser);
    }
    if row.optional_time(1)?.is_some() {
        return Ok(Consumed::AlreadyUsed);
    }
    Ok(Consumed::Expired)
}

/// Forgets rows that nobody can ask about any more, at most `limit`.
///
/// # Errors
/// [`StoreError`] when the store does not answer.
pub async fn purge(db: &impl Database, now: Timestamp, limit: i64) -> Result<(), StoreError> {
    db.query(
        "DELETE FROM pending_login WHERE rowid IN
           (SELECT rowid FROM pending_login WHERE expires_at < ?1 LIMIT ?2)",
        &[now.minus(REMEMBERED).into(), limit.into()],
    )
    .await?;
    Ok(())
}
