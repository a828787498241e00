//! How often `X-Dev-*` headers came where they mean nothing (S-33).
//!
//! A hint for people: two instances that note at the same moment count one.

use scaigate_types::{Kv, StoreError, Timestamp};
use serde::{Deserialize, Serialize};

use crate::keys;

/// What has been noted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Noted {
    /// Requests, at least.
    pub count: u64,
    /// When the last came.
    pub last_at: Timestamp,
}

/// What has been noted; `None` when there was none.
///
/// # Errors
/// [`StoreError`] when the store does not answer.
pub async fn read(kv: &impl Kv) -> Result<Option<Noted>, StoreError> {
    let bytes = kv.get(keys::DEV_HEADERS).await?;
    Ok(bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()))
}

/// Notes `count` more.
///
/// # Errors
/// [`StoreError`] when the store does not answer.
pub async fn note(kv: &impl Kv, count: u64, now: Timestamp) -> Result<(), StoreError> {
    let before = read(kv).await?.map_or(0, |noted| noted.count);
    let noted = Noted {
        count: before.saturating_add(count),
        last_at: now,
    };
    let bytes = serde_json::to_vec(&noted).map_err(|_| StoreError::Corrupt)?;
    kv.set(keys::DEV_HEADERS, &bytes).await
}
