//! Logout tokens of ScaiKey that were acted on: each counts once (OpenID Connect Back-Channel Logout
//! 1.0 §2.6).

use scaigate_types::{Query, StoreError, Timestamp, Transaction};

/// Claims a logout token until `expires_at`, after which it must be refused for its age. Of any
/// number of parallel calls exactly one gets `true`.
///
/// Claimed in the transaction that ends the sessions: one that is undone leaves the token good, so
/// ScaiKey can send it again.
///
/// # Errors
/// [`StoreError`] when the store does not answer; the token must not be acted on then.
pub async fn claim(
    tx: &impl Transaction,
    token_hash: &str,
    expires_at: Timestamp,
) -> Result<bool, StoreError> {
    let rows = tx
        .query(
            "INSERT INTO logout_token (token_hash, expires_at) VALUES (?1, ?2)
             ON CONFLICT DO NOTHING RETURNING 1",
            &[token_hash.into(), expires_at.into()],
        )
        .await?;
    Ok(!rows.is_empty())
}

/// Forgets tokens that have expired, at most `limit`.
///
/// # Errors
/// [`StoreError`] when the store does not answer.
pub async fn purge(db: &impl Query, now: Timestamp, limit: i64) -> Result<(), StoreError> {
    db.query(
        "DELETE FROM logout_token WHERE token_hash IN
           (SELECT token_hash FROM logout_token WHERE expires_at < ?1 LIMIT ?2)",
        &[now.into(), limit.into()],
    )
    .await?;
    Ok(())
}
