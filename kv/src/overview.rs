//! What an operator wants to see of the database at a glance. One statement; nothing is changed.

use scaigate_types::{Query, StoreError, Timestamp};

/// Most tenants named in one [`Overview`].
const MAX_TENANTS: i64 = 20;

/// The database at a glance.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Overview {
    /// Super admins who can act.
    pub super_admins: u64,
    /// People who can act.
    pub people: u64,
    /// Tenants that are not deleted.
    pub tenants: u64,
    /// How many of them have no key for ScaiGrid.
    pub tenants_without_key: u64,
    /// The first of those, by identifier.
    pub some_without_key: Vec<String>,
    /// When an event of the webhook last held.
    pub webhook_received_at: Option<Timestamp>,
    /// When one was last refused.
    pub webhook_refused_at: Option<Timestamp>,
    /// With which code.
    pub webhook_refused_code: Option<String>,
    /// How many were refused since one last held.
    pub webhook_refusals: u64,
}

/// Reads the overview.
///
/// # Errors
/// [`StoreError`] when the store does not answer.
pub async fn read(on: &impl Query) -> Result<Overview, StoreError> {
    let sql = "WITH
        bare AS (SELECT t.tenant_id FROM tenant t
                  WHERE t.deleted_at IS NULL
                    AND NOT EXISTS (SELECT 1 FROM tenant_credential c WHERE c.tenant_id = t.tenant_id)),
        held AS (SELECT max(received_at) AS at FROM webhook_delivery WHERE outcome <> 'refused'),
        refused AS (SELECT received_at, code FROM webhook_delivery WHERE outcome = 'refused'
                     ORDER BY received_at DESC, delivery_id DESC LIMIT 1)
      SELECT (SELECT count(*) FROM active_person WHERE admin_role = 'super_admin'),
             (SELECT count(*) FROM active_person),
             (SELECT count(*) FROM tenant WHERE deleted_at IS NULL),
             (SELECT count(*) FROM bare),
             (SELECT json_group_array(tenant_id) FROM
               (SELECT tenant_id FROM bare ORDER BY tenant_id LIMIT ?1)),
             (SELECT at FROM held),
             (SELECT received_at FROM refused),
             (SELECT code FROM refused),
             (SELECT coalesce(sum(count), 0) FROM webhook_delivery
               WHERE outcome = 'refused' AND received_at >= coalesce((SELECT at FROM held), 0))";
    let rows = on.query(sql, &[MAX_TENANTS.into()]).await?;
    let row = rows.first().ok_or(StoreError::Corrupt)?;
    let count = |index| u64::try_from(row.integer(index)?).map_err(|_| StoreError::Corrupt);
    Ok(Overview {
        super_admins: count(0)?,
        people: count(1)?,
        tenants: count(2)?,
        tenants_without_key: count(3)?,
        some_without_key: serde_json::from_str(row.text(4)?).map_err(|_| StoreError::Corrupt)?,
        webhook_received_at: row.optional_time(5)?,
        webhook_refused_at: row.optional_time(6)?,
        webhook_refused_code: row.optional_text(7)?.map(str::to_owned),
        webhook_refusals: count(8)?,
    })
}

/// What has become of the address that `bootstrap_super_admin` names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bootstrap {
    /// Somebody who has it is super admin.
    Elected,
    /// Nobody here has it.
    Unknown,
    /// Who has it may not act: they, their tenant or its partner is suspended.
    Inactive,
    /// Several people have it, or had it, so it elects nobody.
    Ambiguous,
    /// It has elected somebody before, and does so once.
    Spent,
    /// Somebody has it, and will be super admin at the next sync or sign-in.
    Waiting,
}

/// Reads what has become of `email`, its ASCII letters in lower case.
///
/// # Errors
/// [`StoreError`] when the store does not answer.
pub async fn bootstrap(on: &impl Query, email: &str) -> Result<Bootstrap, StoreError> {
    let sql = "SELECT
        (SELECT count(*) FROM person WHERE lower(email) = ?1),
        (SELECT count(*) FROM active_person WHERE lower(email) = ?1),
        (SELECT count(*) FROM person WHERE lower(email) = ?1 AND deleted_at IS NULL
           AND admin_role = 'super_admin'),
        EXISTS (SELECT 1 FROM bootstrap_election WHERE address = ?1)";
    let rows = on.query(sql, &[email.into()]).await?;
    let row = rows.first().ok_or(StoreError::Corrupt)?;
    if row.integer(2)? > 0 {
        return Ok(Bootstrap::Elected);
    }
    if row.integer(3)? != 0 {
        return Ok(Bootstrap::Spent);
    }
    Ok(match (row.integer(0)?, row.integer(1)?) {
        (0, _) => Bootstrap::Unknown,
        (2.., _) => Bootstrap::Ambiguous,
        (_, 0) => Bootstrap::Inactive,
        _ => Bootstrap::Waiting,
    })
}
