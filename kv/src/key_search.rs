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
    // While somebody searches, the others only read: of a storm of tokens, few wait to write.
    if let Some(at) = begun(db, key_set, now).await? {
        return Ok(Claim::Anothers { at });
    }
    let rows = db
        .query(
            "INSERT INTO key_search (key_set, began_at) VALUES (?1, ?2)
             ON CONFLICT (key_set) DO UPDATE SET began_at = ?2
               WHERE began_at <= ?2 - ?3 OR began_at > ?2 + ?3
             RETURNING 1",
            &[key_set.into(), now.into(), every().into()],
        )
        .await;
    let error = match rows {
        Ok(rows) if !rows.is_empty() => return Ok(Claim::Ours),
        Ok(_) => StoreError::Corrupt,
        // Who could not write was in each other's way, and somebody's search may be under way.
        Err(StoreError::Busy) => StoreError::Busy,
        Err(error) => return Err(error),
    };
    let at = begun(db, key_set, now).await?.ok_or(error)?;
    Ok(Claim::Anothers { at })
}

/// When the search began after which nobody else is due yet. One from far in the future is from before
/// the clock was set back; one from a moment ahead is of somebody who read the clock after us and was
/// first here.
async fn begun(
    db: &impl Query,
    key_set: &str,
    now: Timestamp,
) -> Result<Option<Timestamp>, StoreError> {
    let rows = db
        .query(
            "SELECT began_at FROM key_search
              WHERE key_set = ?1 AND began_at > ?2 - ?3 AND began_at <= ?2 + ?3",
            &[key_set.into(), now.into(), every().into()],
        )
        .await?;
    rows.first().map(|row| row.time(0)).transpose()
}

fn every() -> i64 {
    i64::try_from(EVERY.as_millis()).unwrap_or(i64::MAX)
}
