//! Roles given and taken by hand.

use scaigate_types::{
    AdminRole, PersonId, Query, Row, StoreError, Subject, TenantId, Transaction, Value,
};

use super::{Stamp, super_admin};

/// A user whose role can be changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// The person's row.
    pub person_id: PersonId,
    /// The tenant of the user.
    pub tenant_id: TenantId,
    /// ScaiKey's identifier.
    pub user_id: Subject,
    /// The role now.
    pub role: Option<AdminRole>,
}

fn holder(row: &Row) -> Result<Holder, StoreError> {
    Ok(Holder {
        person_id: PersonId::parse(row.text(0)?).map_err(|_| StoreError::Corrupt)?,
        tenant_id: TenantId::parse(row.text(1)?).map_err(|_| StoreError::Corrupt)?,
        user_id: Subject::parse(row.text(2)?).map_err(|_| StoreError::Corrupt)?,
        role: match row.optional_text(3)? {
            None => None,
            Some(role) => Some(AdminRole::parse(role).ok_or(StoreError::Corrupt)?),
        },
    })
}

/// The users of that identifier who are not deleted: one, unless several tenants have one. At most
/// two are told.
///
/// # Errors
/// [`StoreError`] when the store does not answer.
pub async fn by_user_id(
    on: &impl Query,
    user_id: &str,
    tenant_id: Option<&TenantId>,
) -> Result<Vec<Holder>, StoreError> {
    let sql = "SELECT person_id, tenant_id, subject, admin_role FROM person
        WHERE subject = ?1 AND deleted_at IS NULL AND (?2 IS NULL OR tenant_id = ?2)
        ORDER BY tenant_id LIMIT 2";
    let parameters: [Value; 2] = [user_id.into(), tenant_id.map(TenantId::as_str).into()];
    let rows = on.query(sql, &parameters).await?;
    rows.iter().map(holder).collect()
}

/// The users with that e-mail address who are not deleted, at most two.
///
/// # Errors
/// [`StoreError`] when the store does not answer.
pub async fn by_email(on: &impl Query, email: &str) -> Result<Vec<Holder>, StoreError> {
    let sql = "SELECT person_id, tenant_id, subject, admin_role FROM person
        WHERE lower(email) = lower(?1) AND deleted_at IS NULL ORDER BY tenant_id LIMIT 2";
    let rows = on.query(sql, &[email.into()]).await?;
    rows.iter().map(holder).collect()
}

/// What came of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It is done. `narrows` when the person may do less, or something else, than before.
    Done {
        /// Whether tokens that say the old role must go.
        narrows: bool,
    },
    /// There would be no super admin who can act any more: the transaction must not be committed.
    LastSuperAdmin,
    /// The person is gone, or not of the tenant the caller may act in.
    NotFound,
}

/// Gives a role by hand (`admin_role_source = manual`), or takes it, within the caller's transaction:
/// the statement that writes asks again whether the person is of `within`.
///
/// # Errors
/// [`StoreError`] when the store does not answer.
pub async fn set(
    tx: &impl Transaction,
    person_id: &PersonId,
    within: Option<&TenantId>,
    role: Option<AdminRole>,
    stamp: &Stamp,
) -> Result<Change, StoreError> {
    let before = tx
        .query(
            "SELECT admin_role FROM person
              WHERE person_id = ?1 AND deleted_at IS NULL AND (?2 IS NULL OR tenant_id = ?2)",
            &[
                person_id.as_str().into(),
                within.map(TenantId::as_str).into(),
            ],
        )
        .await?;
    let Some(row) = before.first() else {
        return Ok(Change::NotFound);
    };
    let before = row.optional_text(0)?.map(str::to_owned);
    let had_super_admin = super_admin::count(tx).await? > 0;
    tx.query(
        "UPDATE person SET admin_role = ?2, admin_role_source = iif(?2 IS NULL, NULL, 'manual'),
                           changed_at = ?3, cause = ?4
          WHERE person_id = ?1 AND deleted_at IS NULL AND (?5 IS NULL OR tenant_id = ?5)",
        &[
            person_id.as_str().into(),
            role.map(AdminRole::as_str).into(),
            stamp.now.into(),
            stamp.cause.to_string().into(),
            within.map(TenantId::as_str).into(),
        ],
    )
    .await?;
    if had_super_admin && super_admin::count(tx).await? == 0 {
        return Ok(Change::LastSuperAdmin);
    }
    Ok(Change::Done {
        narrows: before.is_some() && before.as_deref() != role.map(AdminRole::as_str),
    })
}
