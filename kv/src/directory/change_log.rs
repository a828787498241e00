//! Every change of the mirror, in the order in which it was made. Written by triggers.

use std::time::Duration;

use scaigate_types::{Database, Query, StoreError, TenantId, Timestamp};

/// How long changes are kept.
const KEPT: Duration = Duration::from_secs(30 * 24 * 3600);

/// A page of changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changes {
    /// The changes, as a JSON array.
    pub rows: String,
    /// The cursor that the next page begins after.
    pub next_cursor: i64,
    /// Whether there are more already.
    pub has_more: bool,
}

/// What came of asking for changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Read {
    /// These.
    Changes(Changes),
    /// Some that come after the cursor have been forgotten.
    Expired,
}

/// The changes after `cursor` (0: from the first that is kept), at most `limit`, of one tenant or all.
///
/// # Errors
/// [`StoreError`] when the store does not answer.
pub async fn read(
    on: &impl Query,
    cursor: i64,
    tenant_id: Option<&TenantId>,
    limit: u32,
) -> Result<Read, StoreError> {
    let rows = on
        .query(
            "SELECT json_group_array(json(row)), coalesce(max(cursor), 0), count(*) FROM (
               SELECT cursor, json_object(
                   'cursor', cursor,
                   'at', strftime('%Y-%m-%dT%H:%M:%SZ', at / 1000, 'unixepoch'),
                   'entity', entity, 'action', action, 'tenant_id', tenant_id, 'id', id,
                   'group_id', group_id,
                   'fields', iif(fields = '', json('[]'),
                     json('[\"' || replace(fields, ',', '\",\"') || '\"]')),
                   'cause', json_object(
                     'type', iif(instr(cause, ':') = 0, cause, substr(cause, 1, instr(cause, ':') - 1)),
                     'id', iif(instr(cause, ':') = 0, NULL, substr(cause, instr(cause, ':') + 1)))
                 ) AS row
                 FROM change_log
                WHERE cursor > ?1 AND (?2 IS NULL OR tenant_id = ?2)
                ORDER BY cursor LIMIT ?3)",
            &[
                cursor.into(),
                tenant_id.map(TenantId::as_str).into(),
                i64::from(limit).into(),
            ],
        )
        .await?;
    let row = rows.first().ok_or(StoreError::Corrupt)?;
    let (rows, last, count) = (row.text(0)?.to_owned(), row.integer(1)?, row.integer(2)?);
    // The numbers have no gaps but for what was forgotten, which goes from the oldest on.
    let sql = "SELECT coalesce(min(cursor), 0), coalesce(max(cursor), 0) FROM change_log";
    let kept = on.query(sql, &[]).await?;
    let kept = kept.first().ok_or(StoreError::Corrupt)?;
    let (first_kept, last_kept) = (kept.integer(0)?, kept.integer(1)?);
    if cursor > 0 && first_kept > cursor + 1 {
        return Ok(Read::Expired);
    }
    Ok(Read::Changes(Changes {
        rows,
        next_cursor: if count == 0 {
            cursor.max(last_kept)
        } else {
            last
        },
        has_more: count == i64::from(limit) && last < last_kept,
    }))
}

/// Forgets old changes, at most `limit`; the newest stays, so that the numbers go on.
///
/// # Errors
/// [`StoreError`] when the store does not answer.
pub async fn purge(db: &impl Database, now: Timestamp, limit: i64) -> Result<(), StoreError> {
    db.query(
        "DELETE FROM change_log WHERE cursor IN (
           SELECT cursor FROM change_log
            WHERE at < ?1 AND cursor < (SELECT max(cursor) FROM change_log)
            ORDER BY cursor LIMIT ?2)",
        &[now.minus(KEPT).into(), limit.into()],
    )
    .await?;
    Ok(())
}
