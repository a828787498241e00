//! Who looks for an unknown key at ScaiKey: one request of all instances, every thirty seconds.

use std::time::Duration;

use scaigate_types::{Query, StoreError, Timestamp};

/// At most one search in this time (N-072).
pub const EVERY: Duration = Duration::from_secs(30);

/// Whose search it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claim {
    /// The caller's: nobody else searches in the next thirty seconds.
    Ours,
    /// Somebody's who began at this time.
    Anothers {
        /// When.
        at: Timestamp,
    },
}

/// Claims the search for keys of the set named `key_set`. Of any number of parallel callers one
/// gets it.
///
/// # Errors
/// [`StoreError`] when the store does not answer; the caller must not search then.
pub async fn claim(db: &impl Query, key_set: &str, now: Timestamp) -> Result<Claim, StoreError> {
    let millis = i64::try_from(EVERY.as_millis()).unwrap_or(i64::MAX);
    // One from far in the future is from before the clock was set back; one from a moment ahead is of
    // somebody who read the clock after us and was first here.
    let rows = db
        .query(
            "INSERT INTO key_search (key_set, began_at) VALUES (?1, ?2)
             ON CONFLICT (key_set) DO UPDATE SET began_at = ?2
               WHERE began_at <= ?2 - ?3 OR began_at > ?2 + ?3
             RETURNING 1",
            &[key_set.into(), now.into(), millis.into()],
        )
        .await?;
    if !rows.is_empty() {
        return Ok(Claim::Ours);
    }
    let rows = db
        .query(
            "SELECT began_at FROM key_search WHERE key_set = ?1",
            &[key_set.into()],
        )
        .await?;
    let at = rows.first().ok_or(StoreError::Corrupt)?.time(0)?;
    Ok(Claim::Anothers { at })
}
