//! The content of flows, version by version. Written once, kept also when the flow is deleted.

use scaigate_types::{Query, StoreError, Subject, Timestamp};

use super::{Listed, Located, listed};

pub(super) async fn insert(
    tx: &impl Query,
    flow: &Located,
    patch: i64,
    content: &[u8],
    by: &Subject,
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.query(
        "INSERT INTO flow_version (tenant_id, flow_id, patch, content, created_by, created_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        &flow.and([patch.into(), content.into(), by.as_str().into(), now.into()]),
    )
    .await?;
    Ok(())
}

/// The content of one version, as it was received; `None` when there is no such version.
///
/// # Errors
/// [`StoreError`] when the store does not answer.
pub async fn content(
    on: &impl Query,
    flow: &Located,
    patch: i64,
) -> Result<Option<Vec<u8>>, StoreError> {
    let sql = "SELECT content FROM flow_version
        WHERE tenant_id = ?1 AND flow_id = ?2 AND patch = ?3";
    let rows = on.query(sql, &flow.and([patch.into()])).await?;
    let Some(row) = rows.first() else {
        return Ok(None);
    };
    Ok(row.optional_blob(0)?.map(<[u8]>::to_vec))
}

/// The versions of a flow without their content, the newest first.
///
/// # Errors
/// [`StoreError`] when the store does not answer.
pub async fn list(on: &impl Query, flow: &Located, limit: u32) -> Result<Listed, StoreError> {
    let sql = "SELECT (SELECT count(*) FROM flow_version WHERE tenant_id = ?1 AND flow_id = ?2),
                      json_group_array(json(row)) FROM (
           SELECT json_object('version', '1.0.' || patch, 'created_by', created_by,
             'created_at', strftime('%Y-%m-%dT%H:%M:%SZ', created_at / 1000, 'unixepoch'),
             'size_bytes', length(content)) AS row
             FROM flow_version WHERE tenant_id = ?1 AND flow_id = ?2
            ORDER BY patch DESC LIMIT ?3)";
    listed(&on.query(sql, &flow.and([i64::from(limit).into()])).await?)
}
