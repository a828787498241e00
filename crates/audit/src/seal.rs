//! Sealing: what was appended since becomes part of the chain.

use std::time::Duration;

use scaigate_jose::Tagger;
use scaigate_kv::audit::sealing::{self, Seal};
use scaigate_types::{Database, StoreError, Timestamp, Transaction};

use crate::chain::{hash, tag_holds, tagged};

/// How long rows are kept.
pub const KEPT: Duration = Duration::from_secs(400 * 24 * 3600);

/// Rows of one transaction: others wait for it.
const BATCH: u32 = 500;
/// Transactions of one call.
const BATCHES: u32 = 20;

/// Seals what is not sealed, from the oldest on, and forgets what is older than [`KEPT`], a bounded
/// number of each. How many rows were sealed. Any number may call at once: each row is sealed once.
///
/// # Errors
/// [`StoreError`] when the store does not answer; what was sealed before stays so.
pub async fn seal(db: &impl Database, tagger: &Tagger, now: Timestamp) -> Result<u64, StoreError> {
    let mut sealed = 0;
    for _ in 0..BATCHES {
        // Without a lock: mostly there is nothing.
        if sealing::unsealed(db, 1).await?.is_empty() {
            break;
        }
        let tx = db.begin().await?;
        sealed += batch(&tx, tagger, now).await?;
        tx.commit().await?;
    }
    let before = now.minus(KEPT);
    if sealing::oldest(db).await?.is_some_and(|at| at < before) {
        let tx = db.begin().await?;
        sealing::purge(&tx, before, BATCH).await?;
        tx.commit().await?;
    }
    Ok(sealed)
}

async fn batch(tx: &impl Transaction, tagger: &Tagger, now: Timestamp) -> Result<u64, StoreError> {
    let rows = sealing::unsealed(tx, BATCH).await?;
    let (Some(first), Some(last)) = (rows.first(), rows.last()) else {
        return Ok(0);
    };
    let state = sealing::state(tx).await?;
    let before = sealing::last_sealed(tx)
        .await?
        .unwrap_or((state.purged_seq, state.purged_hash));
    // A seal says since when all was in order. Where the one before is not the chain's end, or no key of
    // ours made it, somebody has been here: then it begins anew, and says so for ever.
    let from = match &state.seal {
        None if before.0 == 0 => first.entry.seq,
        Some(seal)
            if (seal.seq, &seal.hash) == (before.0, &before.1) && tag_holds(tagger, seal) =>
        {
            seal.from
        }
        _ => first.entry.seq,
    };
    let seq = last.entry.seq;
    let mut previous = before.1;
    let mut hashes = Vec::with_capacity(rows.len());
    for row in &rows {
        previous = hash(&previous, &row.entry);
        hashes.push(serde_json::json!([row.entry.seq, previous]));
    }
    let seal = Seal {
        seq,
        hash: previous,
        from,
        at: now,
        tag: String::new(),
    };
    let hashes = serde_json::Value::from(hashes).to_string();
    sealing::seal(tx, &hashes, &tagged(tagger, seal)).await?;
    Ok(rows.len() as u64)
}
