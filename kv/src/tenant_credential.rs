//! With what a tenant speaks to ScaiGrid, sealed. One row a tenant; what is inside is not known here.

use scaigate_types::{Query, StoreError, TenantId, Timestamp};

/// A tenant's row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// The credential, sealed.
    pub sealed: Vec<u8>,
    /// Who set it, as the caller of [`put`] named them.
    pub set_by: String,
    /// When.
    pub set_at: Timestamp,
}

/// The row of a tenant; `None` when it has none.
///
/// # Errors
/// [`StoreError`] when the store does not answer.
pub async fn find(db: &impl Query, tenant_id: &TenantId) -> Result<Option<Stored>, StoreError> {
    let rows = db
        .query(
            "SELECT sealed, set_by, set_at FROM tenant_credential WHERE tenant_id = ?1",
            &[tenant_id.as_str().into()],
        )
        .await?;
    let Some(row) = rows.first() else {
        return Ok(None);
    };
    Ok(Some(Stored {
        sealed: row.optional_blob(0)?.ok_or(StoreError::Corrupt)?.to_vec(),
        set_by: row.text(1)?.to_owned(),
        set_at: row.time(2)?,
    }))
}

/// Sets a tenant's credential, in place of the one there was.
///
/// # Errors
/// [`StoreError`] when the store does not answer.
pub async fn put(db: &impl Query, tenant_id: &TenantId, stored: &Stored) -> Result<(), StoreError> {
    db.query(
        "INSERT INTO tenant_credential (tenant_id, sealed, set_by, set_at) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (tenant_id) DO UPDATE SET
           sealed = excluded.sealed, set_by = excluded.set_by, set_at = excluded.set_at",
        &[
            tenant_id.as_str().into(),
            stored.sealed.as_slice().into(),
            stored.set_by.as_str().into(),
            stored.set_at.into(),
        ],
    )
    .await
    .map(drop)
}

/// Puts the same credential there, sealed with another key. `false`, and nothing changed, when it is
/// no longer the one that was sealed as `before`.
///
/// # Errors
/// [`StoreError`] when the store does not answer.
pub async fn seal_anew(
    db: &impl Query,
    tenant_id: &TenantId,
    before: &[u8],
    after: &[u8],
) -> Result<bool, StoreError> {
    let rows = db
        .query(
            "UPDATE tenant_credential SET sealed = ?3 WHERE tenant_id = ?1 AND sealed = ?2
             RETURNING 1",
            &[tenant_id.as_str().into(), before.into(), after.into()],
        )
        .await?;
    Ok(!rows.is_empty())
}

/// Removes a tenant's credential; `false` when it had none.
///
/// # Errors
/// [`StoreError`] when the store does not answer.
pub async fn remove(db: &impl Query, tenant_id: &TenantId) -> Result<bool, StoreError> {
    let rows = db
        .query(
            "DELETE FROM tenant_credential WHERE tenant_id = ?1 RETURNING 1",
            &[tenant_id.as_str().into()],
        )
        .await?;
    Ok(!rows.is_empty())
}
