//! Documents of ScaiKey (discovery, keys) kept in the key-value store with the time they were read.

use scaigate_types::{Kv, StoreError, Timestamp};
use serde::{Deserialize, Serialize};

/// A document as ScaiKey served it, and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Document {
    v: u8,
    /// When it was read.
    pub fetched_at: Timestamp,
    /// When a key set was last read for a token that names a key not in it; bounds how often.
    #[serde(default)]
    pub sought_at: Option<Timestamp>,
    /// Its body: text, because everything ScaiKey serves is JSON.
    pub body: String,
}

impl Document {
    /// A document read at `fetched_at`.
    #[must_use]
    pub const fn new(fetched_at: Timestamp, body: String) -> Self {
        Self {
            v: 1,
            fetched_at,
            sought_at: None,
            body,
        }
    }
}

/// The document under `key`; `None` when there is none or it is of another version.
///
/// # Errors
/// [`StoreError`] when the store does not answer.
pub async fn load(kv: &impl Kv, key: &str) -> Result<Option<Document>, StoreError> {
    let Some(bytes) = kv.get(key).await? else {
        return Ok(None);
    };
    Ok(serde_json::from_slice::<Document>(&bytes)
        .ok()
        .filter(|document| document.v == 1))
}

/// Keeps `document` under `key`.
///
/// # Errors
/// [`StoreError`] when the store does not answer.
pub async fn save(kv: &impl Kv, key: &str, document: &Document) -> Result<(), StoreError> {
    let bytes = serde_json::to_vec(document).map_err(|_| StoreError::Corrupt)?;
    kv.set(key, &bytes).await
}
