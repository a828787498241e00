//! Documents of ScaiKey (discovery, keys) kept in the key-value store with the time they were read.

use scaigate_types::{Kv, StoreError, Timestamp};
use serde::{Deserialize, Serialize};

/// A document as ScaiKey served it, and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Document {
    v: u8,
    /// When it was read.
    pub fetched_at: Timestamp,
    /// When ScaiKey was asked for a newer one and did not answer; bounds how often it is asked.
    #[serde(default)]
    pub asked_in_vain: Option<Timestamp>,
    /// Its body: text, because everything ScaiKey serves is JSON. Empty when there has been none.
    pub body: String,
}

impl Document {
    /// A document read at `fetched_at`.
    #[must_use]
    pub const fn new(fetched_at: Timestamp, body: String) -> Self {
        Self {
            v: 1,
            fetched_at,
            asked_in_vain: None,
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

/// Notes that ScaiKey was asked for the document under `key` and did not answer. What is kept there
/// stays.
///
/// # Errors
/// [`StoreError`] when the store does not answer.
pub async fn note_asked_in_vain(kv: &impl Kv, key: &str, now: Timestamp) -> Result<(), StoreError> {
    let mut document = load(kv, key)
        .await?
        .unwrap_or_else(|| Document::new(Timestamp::from_millis(0), String::new()));
    document.asked_in_vain = Some(now);
    save(kv, key, &document).await
}
