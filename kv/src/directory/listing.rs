//! Pages of users, groups, members and flows, as JSON in the documented fields: whole pages come out of
//! the store as one text.

use scaigate_types::{GroupId, Query, StoreError, TenantId, Value};

use crate::flow;

/// Which rows, and which of their pages.
#[derive(Clone, Copy, Debug)]
pub struct Page<'a> {
    /// Of this tenant alone.
    pub tenant_id: Option<&'a TenantId>,
    /// Part of the name, the address or the identifier, without regard to case.
    pub search: Option<&'a str>,
    /// The status in lower case; `deleted` for the deleted ones.
    pub status: Option<&'a str>,
    /// From 1.
    pub page: u32,
    /// Rows of a page.
    pub per_page: u32,
}

/// A page of rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// The rows, as a JSON array.
    pub rows: String,
    /// How many there are in all.
    pub total: i64,
}

impl Page<'_> {
    /// `?1` tenant, `?2` search, `?3` status, `?4` limit, `?5` offset.
    fn parameters(&self) -> Vec<Value> {
        let before = i64::from(self.page.saturating_sub(1));
        let offset = before.saturating_mul(i64::from(self.per_page));
        vec![
            self.tenant_id.map(TenantId::as_str).into(),
            self.search.into(),
            self.status.into(),
            i64::from(self.per_page).into(),
            offset.into(),
        ]
    }
}

async fn listed(on: &impl Query, sql: &str, parameters: &[Value]) -> Result<Listed, StoreError> {
    let rows = on.query(sql, parameters).await?;
    let row = rows.first().ok_or(StoreError::Corrupt)?;
    Ok(Listed {
        total: row.integer(0)?,
        rows: row.text(1)?.to_owned(),
    })
}

const USER_JSON: &str = "json_object(
    'id', subject, 'tenant_id', tenant_id, 'email', email, 'display_name', name,
    'status', upper(status), 'admin_role', admin_role, 'admin_role_source', admin_role_source,
    'deleted_at', strftime('%Y-%m-%dT%H:%M:%SZ', deleted_at / 1000, 'unixepoch'),
    'last_synced_at', strftime('%Y-%m-%dT%H:%M:%SZ',
      iif(deleted_at IS NULL AND synced_at IS NOT NULL,
          max(synced_at, coalesce((SELECT s.synced_at FROM directory_state s), 0)), synced_at) / 1000,
      'unixepoch'))";

/// Users, deleted ones included unless a status is asked for, by e-mail address.
///
/// # Errors
/// [`StoreError`] when the store does not answer.
pub async fn users(on: &impl Query, page: Page<'_>) -> Result<Listed, StoreError> {
    let matching = "FROM person
        WHERE (?1 IS NULL OR tenant_id = ?1)
          AND (?2 IS NULL OR instr(lower(coalesce(email, '')), lower(?2)) > 0
            OR instr(lower(coalesce(name, '')), lower(?2)) > 0 OR subject = ?2)
          AND (?3 IS NULL OR iif(deleted_at IS NULL, status, 'deleted') = ?3)";
    let sql = format!(
        "SELECT (SELECT count(*) {matching}), json_group_array(json(row)) FROM (
           SELECT {USER_JSON} AS row {matching}
            ORDER BY lower(email), tenant_id, subject LIMIT ?4 OFFSET ?5)"
    );
    listed(on, &sql, &page.parameters()).await
}

/// Groups, deleted ones included unless a status is asked for, by name.
///
/// # Errors
/// [`StoreError`] when the store does not answer.
pub async fn groups(on: &impl Query, page: Page<'_>) -> Result<Listed, StoreError> {
    let matching = "FROM directory_group g
        WHERE (?1 IS NULL OR tenant_id = ?1)
          AND (?2 IS NULL OR instr(lower(coalesce(name, '')), lower(?2)) > 0 OR group_id = ?2)
          AND (?3 IS NULL OR iif(deleted_at IS NULL, 'active', 'deleted') = ?3)";
    let sql = format!(
        "SELECT (SELECT count(*) {matching}), json_group_array(json(row)) FROM (
           SELECT json_object(
             'id', group_id, 'tenant_id', tenant_id, 'name', name, 'group_type', group_type,
             'member_count', (SELECT count(*) FROM group_membership m
               WHERE m.tenant_id = g.tenant_id AND m.group_id = g.group_id AND m.deleted_at IS NULL),
             'deleted_at', strftime('%Y-%m-%dT%H:%M:%SZ', deleted_at / 1000, 'unixepoch'),
             'last_synced_at', strftime('%Y-%m-%dT%H:%M:%SZ',
               iif(deleted_at IS NULL,
                   max(synced_at, coalesce((SELECT s.synced_at FROM directory_state s), 0)), synced_at)
                 / 1000, 'unixepoch')) AS row
             {matching} ORDER BY lower(name), tenant_id, group_id LIMIT ?4 OFFSET ?5)"
    );
    listed(on, &sql, &page.parameters()).await
}

/// The live members of a group, in one tenant or in whichever has it.
///
/// # Errors
/// [`StoreError`] when the store does not answer.
pub async fn members(
    on: &impl Query,
    group_id: &GroupId,
    page: Page<'_>,
) -> Result<Listed, StoreError> {
    let matching = "FROM person
        WHERE (?1 IS NULL OR tenant_id = ?1)
          AND (?2 IS NULL OR instr(lower(coalesce(email, '')), lower(?2)) > 0
            OR instr(lower(coalesce(name, '')), lower(?2)) > 0 OR subject = ?2)
          AND iif(deleted_at IS NULL, status, 'deleted') = coalesce(?3, status)
          AND (tenant_id, subject) IN (
            SELECT m.tenant_id, m.user_id FROM group_membership m
              JOIN directory_group g USING (tenant_id, group_id)
             WHERE m.group_id = ?6 AND m.deleted_at IS NULL AND g.deleted_at IS NULL)";
    let sql = format!(
        "SELECT (SELECT count(*) {matching}), json_group_array(json(row)) FROM (
           SELECT {USER_JSON} AS row {matching}
            ORDER BY lower(email), tenant_id, subject LIMIT ?4 OFFSET ?5)"
    );
    let mut parameters = page.parameters();
    parameters.push(group_id.as_str().into());
    listed(on, &sql, &parameters).await
}

/// Flows, deleted ones included unless a status is asked for (`active` or `deleted`), the last changed
/// first: what an administrator has implicit `admin` on.
///
/// # Errors
/// [`StoreError`] when the store does not answer.
pub async fn flows(on: &impl Query, page: Page<'_>) -> Result<Listed, StoreError> {
    let matching = "FROM flow f
        WHERE (?1 IS NULL OR f.tenant_id = ?1)
          AND (?2 IS NULL OR instr(lower(f.name), lower(?2)) > 0 OR f.flow_id = ?2 OR f.owner_id = ?2)
          AND (?3 IS NULL OR iif(f.deleted_at IS NULL, 'active', 'deleted') = ?3)";
    let sql = format!(
        "SELECT (SELECT count(*) {matching}), json_group_array(json(row)) FROM (
           SELECT json_set({}, '$.deleted_at',
                    strftime('%Y-%m-%dT%H:%M:%SZ', f.deleted_at / 1000, 'unixepoch')) AS row
             {matching} ORDER BY f.updated_at DESC, f.flow_id LIMIT ?4 OFFSET ?5)",
        flow::SUMMARY
    );
    listed(on, &sql, &page.parameters()).await
}

/// Whether there is a live group of that identifier, in one tenant or in any.
///
/// # Errors
/// [`StoreError`] when the store does not answer.
pub async fn has_group(
    on: &impl Query,
    group_id: &GroupId,
    tenant_id: Option<&TenantId>,
) -> Result<bool, StoreError> {
    let sql = "SELECT 1 FROM directory_group
        WHERE group_id = ?1 AND deleted_at IS NULL AND (?2 IS NULL OR tenant_id = ?2) LIMIT 1";
    let parameters = [
        group_id.as_str().into(),
        tenant_id.map(TenantId::as_str).into(),
    ];
    Ok(!on.query(sql, &parameters).await?.is_empty())
}
