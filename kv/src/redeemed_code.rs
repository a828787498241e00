//! Authorization codes that a browser has brought: each goes to ScaiKey once.
//!
//! A second use of a code may make an authorization server revoke what the first one got (RFC 6749
//! §4.1.2), so the second use must not reach it.

use std::time::Duration;

use scaigate_types::{Database, StoreError, Timestamp};

/// Longer than any authorization code lives (RFC 6749 §4.1.2 recommends ten minutes at most).
const REMEMBERED: Duration = Duration::from_secs(3600);

/// Claims a code. Of any number of parallel calls exactly one gets `true`.
///
/// # Errors
/// [`StoreError`] when the store does not answer; the code must not be exchanged then.
pub async fn claim(
    db: &impl Database,
    code_hash: &str,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let rows = db
        .query(
            "INSERT OR IGNORE INTO redeemed_code (code_hash, expires_at) VALUES (?1, ?2)
             RETURNING 1",
            &[code_hash.into(), now.plus(REMEMBERED).into()],
        )
        .await?;
    Ok(!rows.is_empty())
}

/// Gives a claimed code back. Only when it certainly did not reach ScaiKey.
///
/// # Errors
/// [`StoreError`] when the store does not answer; the code then stays claimed.
pub async fn release(db: &impl Database, code_hash: &str) -> Result<(), StoreError> {
    db.query(
        "DELETE FROM redeemed_code WHERE code_hash = ?1",
        &[code_hash.into()],
    )
    .await?;
    Ok(())
}

/// Forgets codes that have long expired, at most `limit`.
///
/// # Errors
/// [`StoreError`] when the store does not answer.
pub async fn purge(db: &impl Database, now: Timestamp, limit: i64) -> Result<(), StoreError> {
    db.query(
        "DELETE FROM redeemed_code WHERE code_hash IN
           (SELECT code_hash FROM redeemed_code WHERE expires_at < ?1 LIMIT ?2)",
        &[now.into(), limit.into()],
    )
    .await?;
    Ok(())
}
