//! The statements of the chain: what is not sealed, what the last seal says, and what is forgotten. What
//! a hash or a seal is, the crate `audit` knows.

use scaigate_types::{Query, StoreError, Timestamp, Transaction};

use super::row::{self, Row};

/// What the last seal says, and what was forgotten.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    /// The last row that was forgotten; 0 for none.
    pub purged_seq: i64,
    /// Its hash; empty for none.
    pub purged_hash: String,
    /// The seal; `None` before there was one.
    pub seal: Option<Seal>,
    /// The number that the last row ever written had.
    pub last_seq: i64,
}

/// A seal: the chain up to a row, confirmed with a key that the database does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seal {
    /// The last row that it covers.
    pub seq: i64,
    /// Its hash.
    pub hash: String,
    /// The first row since which every seal found the one before it in order.
    pub from: i64,
    /// When it was made.
    pub at: Timestamp,
    /// The key's word for all of that.
    pub tag: String,
}

/// What is known of the chain.
///
/// # Errors
/// [`StoreError`] when the store does not answer.
pub async fn state(on: &impl Query) -> Result<State, StoreError> {
    let rows = on
        .query(
            "SELECT purged_seq, purged_hash, sealed_seq, sealed_hash, sealed_from, sealed_at, tag,
                    coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'audit_log'), 0)
               FROM audit_state WHERE one = 1",
            &[],
        )
        .await?;
    let row = rows.first().ok_or(StoreError::Corrupt)?;
    let seal = match (row.optional_text(6)?, row.optional_time(5)?) {
        (Some(tag), Some(at)) => Some(Seal {
            seq: row.integer(2)?,
            hash: row.text(3)?.to_owned(),
            from: row.integer(4)?,
            at,
            tag: tag.to_owned(),
        }),
        _ => None,
    };
    Ok(State {
        purged_seq: row.integer(0)?,
        purged_hash: row.text(1)?.to_owned(),
        seal,
        last_seq: row.integer(7)?,
    })
}

/// The last row that has a hash, and that hash.
///
/// # Errors
/// [`StoreError`] when the store does not answer.
pub async fn last_sealed(on: &impl Query) -> Result<Option<(i64, String)>, StoreError> {
    let sql = "SELECT seq, hash FROM audit_log WHERE hash IS NOT NULL ORDER BY seq DESC LIMIT 1";
    let rows = on.query(sql, &[]).await?;
    rows.first()
        .map(|row| Ok((row.integer(0)?, row.text(1)?.to_owned())))
        .transpose()
}

/// The rows without a hash, from the oldest on, at most `limit`.
///
/// # Errors
/// [`StoreError`] when the store does not answer.
pub async fn unsealed(on: &impl Query, limit: u32) -> Result<Vec<Row>, StoreError> {
    let sql = format!(
        "SELECT {}, NULL FROM audit_log WHERE hash IS NULL ORDER BY seq LIMIT ?1",
        row::COLUMNS
    );
    let rows = on.query(&sql, &[i64::from(limit).into()]).await?;
    rows.iter().map(row::read).collect()
}

/// How many rows have no hash yet, and since when the oldest waits.
///
/// # Errors
/// [`StoreError`] when the store does not answer.
pub async fn tail(on: &impl Query) -> Result<(u64, Option<Timestamp>), StoreError> {
    let sql = "SELECT count(*), min(at) FROM audit_log WHERE hash IS NULL";
    let rows = on.query(sql, &[]).await?;
    let row = rows.first().ok_or(StoreError::Corrupt)?;
    let count = u64::try_from(row.integer(0)?).map_err(|_| StoreError::Corrupt)?;
    Ok((count, row.optional_time(1)?))
}

/// Gives rows their hashes, `[seq, hash]` each as JSON, and keeps the seal.
///
/// # Errors
/// [`StoreError`] when the store does not answer; the transaction must not be committed then.
pub async fn seal(tx: &impl Transaction, hashes: &str, seal: &Seal) -> Result<(), StoreError> {
    tx.query(
        "UPDATE audit_log SET hash = j.value ->> 1 FROM json_each(?1) AS j
          WHERE seq = j.value ->> 0",
        &[hashes.into()],
    )
    .await?;
    tx.query(
        "UPDATE audit_state SET sealed_seq = ?1, sealed_hash = ?2, sealed_from = ?3, sealed_at = ?4,
                                tag = ?5 WHERE one = 1",
        &[
            seal.seq.into(),
            seal.hash.as_str().into(),
            seal.from.into(),
            seal.at.into(),
            seal.tag.as_str().into(),
        ],
    )
    .await?;
    Ok(())
}

/// Forgets sealed rows older than `before`, from the first on, at most `limit`, and never the last
/// sealed. What is kept goes on from the hash of the last one forgotten, and a row says so. How many.
///
/// # Errors
/// [`StoreError`] when the store does not answer; the transaction must not be committed then.
pub async fn purge(
    tx: &impl Transaction,
    before: Timestamp,
    limit: u32,
) -> Result<u64, StoreError> {
    // The first that stays decides, so that what is kept has no gap.
    let rows = tx
        .query(
            "SELECT seq, hash FROM audit_log
              WHERE seq < coalesce(
                (SELECT k.seq FROM audit_log k WHERE k.at >= ?1 OR k.hash IS NULL
                  ORDER BY k.seq LIMIT 1),
                (SELECT max(k.seq) FROM audit_log k))
              ORDER BY seq LIMIT ?2",
            &[before.into(), i64::from(limit).into()],
        )
        .await?;
    let Some(last) = rows.last() else {
        return Ok(0);
    };
    tx.query(
        "UPDATE audit_state SET purged_seq = ?1, purged_hash = ?2 WHERE one = 1",
        &[last.integer(0)?.into(), last.text(1)?.into()],
    )
    .await?;
    tx.query(
        "DELETE FROM audit_log WHERE seq <= ?1",
        &[last.integer(0)?.into()],
    )
    .await?;
    Ok(rows.len() as u64)
}

/// When the oldest row was written; `None` when there is none.
///
/// # Errors
/// [`StoreError`] when the store does not answer.
pub async fn oldest(on: &impl Query) -> Result<Option<Timestamp>, StoreError> {
    let sql = "SELECT at FROM audit_log ORDER BY seq LIMIT 1";
    let rows = on.query(sql, &[]).await?;
    rows.first().map(|row| row.time(0)).transpose()
}
