//! What of a reading of ScaiKey differs from the mirror. Whole pages go in as JSON and only what
//! differs comes back, as JSON again: nothing is read row by row, and nothing is written.
//!
//! Rows are objects with the members `user_id`, `email`, `display_name`, `status` of a user,
//! `group_id`, `name`, `group_type` of a group, and `tenant_id`, `name`, `slug`, `partner_id`, `status`
//! of a tenant. A member that is missing or `null` is not known, and differs from nothing.

use scaigate_types::{GroupId, Issuer, Query, Row, StoreError, TenantId, Timestamp, Value};

/// JSON of an array, and how many elements it has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rows {
    /// The array.
    pub json: String,
    /// The number of its elements.
    pub count: u64,
}

impl Rows {
    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.count == 0
    }
}

fn rows(row: &Row) -> Result<Rows, StoreError> {
    Ok(Rows {
        count: u64::try_from(row.integer(0)?).map_err(|_| StoreError::Corrupt)?,
        json: row.text(1)?.to_owned(),
    })
}

async fn one(on: &impl Query, sql: &str, parameters: &[Value]) -> Result<Rows, StoreError> {
    let found = on.query(sql, parameters).await?;
    rows(found.first().ok_or(StoreError::Corrupt)?)
}

/// The users of a page that the mirror does not have, has as deleted, or has otherwise.
///
/// # Errors
/// [`StoreError`] when the store does not answer.
pub async fn changed_users(
    on: &impl Query,
    issuer: &Issuer,
    page: &str,
) -> Result<Rows, StoreError> {
    let sql = "SELECT count(*), json_group_array(json(j.value))
         FROM json_each(?1) j
         LEFT JOIN person p ON p.issuer = ?2 AND p.subject = j.value ->> '$.user_id'
        WHERE p.person_id IS NULL OR p.synced_at IS NULL OR p.deleted_at IS NOT NULL
           OR coalesce(j.value ->> '$.email', p.email) IS NOT p.email
           OR coalesce(j.value ->> '$.display_name', p.name) IS NOT p.name
           OR coalesce(j.value ->> '$.status', p.status) IS NOT p.status";
    one(on, sql, &[page.into(), issuer.as_str().into()]).await
}

/// The mirrored users of a tenant that are not among `seen`, an array of identifiers, and of whom no
/// event younger than `read_at` has said that they are there.
///
/// # Errors
/// [`StoreError`] when the store does not answer.
pub async fn absent_users(
    on: &impl Query,
    issuer: &Issuer,
    seen: &str,
    read_at: Timestamp,
) -> Result<Rows, StoreError> {
    let sql = "SELECT count(*), json_group_array(subject) FROM person
        WHERE issuer = ?1 AND synced_at IS NOT NULL AND deleted_at IS NULL AND presence_at < ?3
          AND subject NOT IN (SELECT value FROM json_each(?2))";
    let parameters = [issuer.as_str().into(), seen.into(), read_at.into()];
    one(on, sql, &parameters).await
}

/// The groups of a page that the mirror does not have, has as deleted, or has otherwise.
///
/// # Errors
/// [`StoreError`] when the store does not answer.
pub async fn changed_groups(
    on: &impl Query,
    tenant_id: &TenantId,
    page: &str,
) -> Result<Rows, StoreError> {
    let sql = "SELECT count(*), json_group_array(json(j.value))
         FROM json_each(?1) j
         LEFT JOIN directory_group g
           ON g.tenant_id = ?2 AND g.group_id = j.value ->> '$.group_id'
        WHERE g.group_id IS NULL OR g.deleted_at IS NOT NULL
           OR coalesce(j.value ->> '$.name', g.name) IS NOT g.name
           OR coalesce(j.value ->> '$.group_type', g.group_type) IS NOT g.group_type";
    one(on, sql, &[page.into(), tenant_id.as_str().into()]).await
}

/// The mirrored groups of a tenant that are not among `seen`. One that an event has created since is
/// told too: its members from before are not members any more.
///
/// # Errors
/// [`StoreError`] when the store does not answer.
pub async fn absent_groups(
    on: &impl Query,
    tenant_id: &TenantId,
    seen: &str,
    read_at: Timestamp,
) -> Result<Rows, StoreError> {
    let sql = "SELECT count(*), json_group_array(group_id) FROM directory_group g
        WHERE tenant_id = ?1 AND deleted_at IS NULL
          AND group_id NOT IN (SELECT value FROM json_each(?2))
          AND (presence_at < ?3 OR EXISTS (
            SELECT 1 FROM group_membership m
             WHERE m.tenant_id = ?1 AND m.group_id = g.group_id AND m.deleted_at IS NULL
               AND m.presence_at < ?3))";
    let parameters = [tenant_id.as_str().into(), seen.into(), read_at.into()];
    one(on, sql, &parameters).await
}

/// Who has joined and who has left a group, given all its members as an array of identifiers.
///
/// # Errors
/// [`StoreError`] when the store does not answer.
pub async fn changed_members(
    on: &impl Query,
    tenant_id: &TenantId,
    group_id: &GroupId,
    members: &str,
    read_at: Timestamp,
) -> Result<(Rows, Rows), StoreError> {
    let sql = "SELECT count(*), json_group_array(j.value) FROM json_each(?3) j
        WHERE NOT EXISTS (
          SELECT 1 FROM group_membership m
           WHERE m.tenant_id = ?1 AND m.group_id = ?2 AND m.user_id = j.value
             AND m.deleted_at IS NULL)
       UNION ALL
       SELECT count(*), json_group_array(user_id) FROM group_membership
        WHERE tenant_id = ?1 AND group_id = ?2 AND deleted_at IS NULL AND presence_at < ?4
          AND user_id NOT IN (SELECT value FROM json_each(?3))";
    let parameters = [
        tenant_id.as_str().into(),
        group_id.as_str().into(),
        members.into(),
        read_at.into(),
    ];
    let found = on.query(sql, &parameters).await?;
    match found.as_slice() {
        [joined, left] => Ok((rows(joined)?, rows(left)?)),
        _ => Err(StoreError::Corrupt),
    }
}

/// The tenants of a page that the mirror does not have, has as deleted, or has otherwise.
///
/// # Errors
/// [`StoreError`] when the store does not answer.
pub async fn changed_tenants(on: &impl Query, page: &str) -> Result<Rows, StoreError> {
    let sql = "SELECT count(*), json_group_array(json(j.value))
         FROM json_each(?1) j
         LEFT JOIN tenant t ON t.tenant_id = j.value ->> '$.tenant_id'
        WHERE t.tenant_id IS NULL OR t.synced_at IS NULL OR t.deleted_at IS NOT NULL
           OR coalesce(j.value ->> '$.name', t.name) IS NOT t.name
           OR coalesce(j.value ->> '$.slug', t.slug) IS NOT t.slug
           OR coalesce(j.value ->> '$.partner_id', t.partner_id) IS NOT t.partner_id
           OR coalesce(j.value ->> '$.status', t.status) IS NOT t.status";
    one(on, sql, &[page.into()]).await
}

/// The mirrored tenants that are not among `seen`.
///
/// # Errors
/// [`StoreError`] when the store does not answer.
pub async fn absent_tenants(
    on: &impl Query,
    seen: &str,
    read_at: Timestamp,
) -> Result<Rows, StoreError> {
    let sql = "SELECT count(*), json_group_array(tenant_id) FROM tenant
        WHERE synced_at IS NOT NULL AND deleted_at IS NULL AND presence_at < ?2
          AND tenant_id NOT IN (SELECT value FROM json_each(?1))";
    one(on, sql, &[seen.into(), read_at.into()]).await
}

/// The tenants of which the mirror has live users or groups.
///
/// # Errors
/// [`StoreError`] when the store does not answer.
pub async fn mirrored_tenants(on: &impl Query) -> Result<Vec<TenantId>, StoreError> {
    let sql = "SELECT tenant_id FROM tenant t
        WHERE EXISTS (SELECT 1 FROM person p WHERE p.tenant_id = t.tenant_id
                         AND p.synced_at IS NOT NULL AND p.deleted_at IS NULL)
           OR EXISTS (SELECT 1 FROM directory_group g WHERE g.tenant_id = t.tenant_id
                         AND g.deleted_at IS NULL)";
    let found = on.query(sql, &[]).await?;
    found
        .iter()
        .map(|row| TenantId::parse(row.text(0)?).map_err(|_| StoreError::Corrupt))
        .collect()
}

/// How many live users, groups and memberships the mirror has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Size {
    /// Users.
    pub users: u64,
    /// Groups.
    pub groups: u64,
    /// Memberships of live groups.
    pub memberships: u64,
}

/// How much the mirror holds.
///
/// # Errors
/// [`StoreError`] when the store does not answer.
pub async fn size(on: &impl Query) -> Result<Size, StoreError> {
    let sql = "SELECT
        (SELECT count(*) FROM person WHERE synced_at IS NOT NULL AND deleted_at IS NULL),
        (SELECT count(*) FROM directory_group WHERE deleted_at IS NULL),
        (SELECT count(*) FROM group_membership m JOIN directory_group g USING (tenant_id, group_id)
          WHERE m.deleted_at IS NULL AND g.deleted_at IS NULL)";
    let found = on.query(sql, &[]).await?;
    let row = found.first().ok_or(StoreError::Corrupt)?;
    let number = |index| u64::try_from(row.integer(index)?).map_err(|_| StoreError::Corrupt);
    Ok(Size {
        users: number(0)?,
        groups: number(1)?,
        memberships: number(2)?,
    })
}
