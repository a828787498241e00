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
    /// Some that come after the cursor have been forgotten, or it is none of this log's.
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
    // One statement: what is said of the log must be of the moment at which its rows were read.
    let rows = on
        .query(
            "SELECT json_group_array(json(row)), coalesce(max(cursor), 0), count(*),
                    (SELECT coalesce(min(cursor), 0) FROM change_log),
                    (SELECT coalesce(max(cursor), 0) FROM change_log) FROM (
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
                ORDER BY cursor LIMIT max(?3, 1))",
            &[
                cursor.into(),
                tenant_id.map(TenantId::as_str).into(),
                i64::from(limit).into(),
            ],
        )
        .await?;
    let row = rows.first().ok_or(StoreError::Corrupt)?;
    let (last, count) = (row.integer(1)?, row.integer(2)?);
    // The numbers have no gaps but for what was forgotten, which goes from the oldest on. Nobody has
    // been given one that is still to come, unless the log is another one.
    let (first_kept, last_kept) = (row.integer(3)?, row.integer(4)?);
    if cursor > 0 && (first_kept > cursor.saturating_add(1) || cursor > last_kept) {
        return Ok(Read::Expired);
    }
    // A page that is not full has seen all there is, of other tenants too: whoever goes on from there
    // is not told of changes forgotten that were never theirs.
    let is_full = count == i64::from(limit.max(1));
    Ok(Read::Changes(Changes {
        rows: row.text(0)?.to_owned(),
        next_cursor: if is_full { last } else { last_kept },
        has_more: is_full && last < last_kept,
    }))
}

/// Forgets old changes, at most `limit`, from the first on; the newest stays, so that the numbers go
/// on.
///
/// # Errors
/// [`StoreError`] when the store does not answer.
pub async fn purge(db: &impl Database, now: Timestamp, limit: i64) -> Result<(), StoreError> {
    db.query(
        "DELETE FROM change_log WHERE cursor IN (
           SELECT cursor FROM change_log
            WHERE cursor < coalesce(
              (SELECT c.cursor FROM change_log c WHERE c.at >= ?1 ORDER BY c.cursor LIMIT 1),
              (SELECT max(c.cursor) FROM change_log c))
            ORDER BY cursor LIMIT ?2)",
        &[now.minus(KEPT).into(), limit.into()],
    )
    .await?;
    Ok(())
}
