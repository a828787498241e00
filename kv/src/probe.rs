//! Whether the stores take what is written to them, found out without leaving anything behind that
//! means something.

use scaigate_types::{Database, Kv, StoreError, Timestamp};

use crate::keys;

/// Reads: what a store has to do for every request.
///
/// # Errors
/// [`StoreError`] when the store does not answer.
pub async fn reads(kv: &impl Kv) -> Result<(), StoreError> {
    kv.get(keys::PROBE).await.map(drop)
}

/// Writes the time under a key of its own, and reads it back. Whoever else does the same meanwhile
/// writes a time too.
///
/// # Errors
/// [`StoreError`] when the store does not answer, or forgets.
pub async fn writes(kv: &impl Kv, now: Timestamp) -> Result<(), StoreError> {
    kv.set(keys::PROBE, now.millis().to_string().as_bytes())
        .await?;
    match kv.get(keys::PROBE).await? {
        Some(_) => Ok(()),
        None => Err(StoreError::Corrupt),
    }
}

/// Begins a transaction that writes, and undoes it.
///
/// # Errors
/// [`StoreError`] when the database takes no writer.
pub async fn takes_writers(db: &impl Database) -> Result<(), StoreError> {
    db.begin().await.map(drop)
}
