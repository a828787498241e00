//! What the mirror knows of somebody who is not where they should be (S-12, S-13).

use scaigate_types::{Query, StoreError};

/// A user with the address that was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// ScaiKey's identifier.
    pub user_id: String,
    /// The tenant.
    pub tenant_id: String,
    /// The status in lower case.
    pub status: String,
    /// Whether the row is marked as deleted.
    pub is_deleted: bool,
    /// Whether the directory has ever told of the user; a sign-in alone may have.
    pub is_mirrored: bool,
    /// Whether the tenant or its partner is suspended or deleted.
    pub is_tenant_inactive: bool,
    /// `super_admin` or `tenant_admin`.
    pub admin_role: Option<String>,
    /// `manual`, `group` or `bootstrap`.
    pub admin_role_source: Option<String>,
    /// How many live groups the user is in.
    pub groups: i64,
    /// How many of those are named by `scaiflow_super_admin_groups`.
    pub super_admin_groups: i64,
}

/// Everybody with that e-mail address, deleted ones included, at most ten. `groups` as for
/// [`super::super_admin::Election`].
///
/// # Errors
/// [`StoreError`] when the store does not answer.
pub async fn known(on: &impl Query, email: &str, groups: &str) -> Result<Vec<Known>, StoreError> {
    let rows = on
        .query(
            "SELECT p.subject, p.tenant_id, p.status, p.deleted_at IS NOT NULL,
                    p.synced_at IS NOT NULL,
                    EXISTS (SELECT 1 FROM tenant t LEFT JOIN partner q ON q.partner_id = t.partner_id
                             WHERE t.tenant_id = p.tenant_id
                               AND (t.status <> 'active' OR t.deleted_at IS NOT NULL
                                 OR q.status <> 'active' OR q.deleted_at IS NOT NULL)),
                    p.admin_role, p.admin_role_source,
                    (SELECT count(*) FROM group_membership m
                       JOIN directory_group g USING (tenant_id, group_id)
                      WHERE +m.tenant_id = p.tenant_id AND m.user_id = p.subject
                        AND m.deleted_at IS NULL AND g.deleted_at IS NULL),
                    (SELECT count(*) FROM group_membership m
                       JOIN directory_group g USING (tenant_id, group_id)
                      WHERE +m.tenant_id = p.tenant_id AND m.user_id = p.subject
                        AND m.deleted_at IS NULL AND g.deleted_at IS NULL
                        AND (g.group_id IN (SELECT value FROM json_each(?2))
                          OR g.name IN (SELECT value FROM json_each(?2))))
               FROM person p WHERE lower(p.email) = lower(?1)
              ORDER BY p.deleted_at IS NOT NULL, p.tenant_id LIMIT 10",
            &[email.into(), groups.into()],
        )
        .await?;
    rows.iter()
        .map(|row| {
            Ok(Known {
                user_id: row.text(0)?.to_owned(),
                tenant_id: row.text(1)?.to_owned(),
                status: row.text(2)?.to_owned(),
                is_deleted: row.integer(3)? != 0,
                is_mirrored: row.integer(4)? != 0,
                is_tenant_inactive: row.integer(5)? != 0,
                admin_role: row.optional_text(6)?.map(str::to_owned),
                admin_role_source: row.optional_text(7)?.map(str::to_owned),
                groups: row.integer(8)?,
                super_admin_groups: row.integer(9)?,
            })
        })
        .collect()
}
