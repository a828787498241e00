//! Tokens that ScaiKey gave in exchange, sealed, until they end.

use scaigate_types::{Query, StoreError, Timestamp};

/// The sealed token under `name` and when it ends, if that is after `good_at`.
///
/// # Errors
/// [`StoreError`] when the store does not answer.
pub async fn find(
    db: &impl Query,
    name: &str,
    good_at: Timestamp,
) -> Result<Option<(Vec<u8>, Timestamp)>, StoreError> {
    let rows = db
        .query(
            "SELECT sealed, expires_at FROM exchanged_token WHERE name = ?1 AND expires_at > ?2",
            &[name.into(), good_at.into()],
        )
        .await?;
    let Some(row) = rows.first() else {
        return Ok(None);
    };
    let sealed = row.optional_blob(0)?.ok_or(StoreError::Corrupt)?;
    Ok(Some((sealed.to_vec(), row.time(1)?)))
}

/// Keeps a sealed token. One that ends later stays.
///
/// # Errors
/// [`StoreError`] when the store does not answer.
pub async fn put(
    db: &impl Query,
    name: &str,
    sealed: &[u8],
    expires_at: Timestamp,
) -> Result<(), StoreError> {
    db.query(
        "INSERT INTO exchanged_token (name, sealed, expires_at) VALUES (?1, ?2, ?3)
         ON CONFLICT (name) DO UPDATE SET sealed = excluded.sealed, expires_at = excluded.expires_at
           WHERE excluded.expires_at > expires_at",
        &[name.into(), sealed.into(), expires_at.into()],
    )
    .await
    .map(drop)
}

/// Forgets tokens that have ended, at most `limit`.
///
/// # Errors
/// [`StoreError`] when the store does not answer.
pub async fn purge(db: &impl Query, now: Timestamp, limit: i64) -> Result<(), StoreError> {
    db.query(
        "DELETE FROM exchanged_token WHERE name IN
           (SELECT name FROM exchanged_token WHERE expires_at <= ?1 LIMIT ?2)",
        &[now.into(), limit.into()],
    )
    .await
    .map(drop)
}
