//! The revocation index: one record per ended session, read once per request.
//!
//! A session token is checked without a database; this record is what makes its session end at
//! once instead of when the token expires. It is written before the session's row is ended,
//! so a failure in between ends the session for callers already, and asking again repairs the rest.

use scaigate_types::{Kv, SessionId, StoreError, Timestamp};

use crate::keys;

/// Marks the session as revoked.
///
/// # Errors
/// [`StoreError`] when the store does not answer; the caller must not report success then.
pub async fn revoke(kv: &impl Kv, sid: &SessionId, now: Timestamp) -> Result<(), StoreError> {
    kv.set(&keys::revocation(sid), now.millis().to_string().as_bytes())
        .await
}

/// Whether the session has been revoked. Anything stored under its key counts.
///
/// # Errors
/// [`StoreError`] when the store does not answer, which is never "not revoked".
pub async fn is_revoked(kv: &impl Kv, sid: &SessionId) -> Result<bool, StoreError> {
    Ok(kv.get(&keys::revocation(sid)).await?.is_some())
}

/// Forgets a revocation whose session tokens have all expired.
///
/// # Errors
/// [`StoreError`] when the store does not answer.
pub async fn forget(kv: &impl Kv, sid: &SessionId) -> Result<(), StoreError> {
    kv.delete(&keys::revocation(sid)).await
}
