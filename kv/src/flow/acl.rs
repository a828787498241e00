//! Who may do what with a flow, beside its owner and the administrators.

use scaigate_types::{Query, StoreError, Subject, Timestamp};

use super::{Level, Located};

/// Of which kind a principal is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PrincipalType {
    /// A user of the tenant.
    User,
    /// A group of the tenant.
    Group,
}

impl PrincipalType {
    /// The name stored, sent and received.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Group => "group",
        }
    }

    /// Reads a received name; `None` for any other text.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::User, Self::Group]
            .into_iter()
            .find(|kind| kind.as_str() == text)
    }
}

/// A right that is to be given.
#[derive(Clone, Copy, Debug)]
pub struct Grant<'a> {
    /// Made up for it.
    pub acl_id: &'a str,
    /// To a user or a group.
    pub principal_type: PrincipalType,
    /// To which, by ScaiKey's identifier.
    pub principal_id: &'a str,
    /// Which right.
    pub level: Level,
    /// Who gives it.
    pub granted_by: &'a Subject,
}

/// What came of a grant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Granted {
    /// It is given: the row, as JSON.
    Given(String),
    /// The mirror has no such live user or group in the flow's tenant.
    PrincipalNotFound,
    /// The principal has one already.
    Exists,
    /// The flow has as many as it may have.
    Full,
}

/// Most entries of one flow.
pub const MAX_ENTRIES: i64 = 1000;

const ROW: &str = "json_object('id', acl_id, 'flow_id', flow_id, 'principal_type', principal_type,
    'principal_id', principal_id,
    'level', CASE level WHEN 1 THEN 'view' WHEN 2 THEN 'edit' WHEN 3 THEN 'deploy' ELSE 'admin' END,
    'granted_by', granted_by,
    'granted_at', strftime('%Y-%m-%dT%H:%M:%SZ', granted_at / 1000, 'unixepoch'))";

/// The entries of a flow, as a JSON array, in the order in which they were given.
///
/// # Errors
/// [`StoreError`] when the store does not answer.
pub async fn list(on: &impl Query, flow: &Located) -> Result<String, StoreError> {
    let sql = format!(
        "SELECT json_group_array(json(row)) FROM (
           SELECT {ROW} AS row FROM flow_acl WHERE tenant_id = ?1 AND flow_id = ?2
            ORDER BY granted_at, acl_id)"
    );
    let rows = on.query(&sql, &flow.and([])).await?;
    Ok(rows.first().ok_or(StoreError::Corrupt)?.text(0)?.to_owned())
}

/// Gives a right, within the transaction in which the right to give it was read.
///
/// # Errors
/// [`StoreError`] when the store does not answer.
pub async fn grant(
    tx: &impl Query,
    flow: &Located,
    grant: Grant<'_>,
    now: Timestamp,
) -> Result<Granted, StoreError> {
    // A user is one of an issuer: the one that the directory tells of, where there are several.
    let principal = match grant.principal_type {
        PrincipalType::User => {
            "SELECT issuer FROM person
              WHERE tenant_id = ?1 AND subject = ?2 AND deleted_at IS NULL
              ORDER BY synced_at IS NULL, last_seen_at DESC LIMIT 1"
        }
        PrincipalType::Group => {
            "SELECT '' FROM directory_group
              WHERE tenant_id = ?1 AND group_id = ?2 AND deleted_at IS NULL"
        }
    };
    let parameters = [flow.tenant_id.as_str().into(), grant.principal_id.into()];
    let rows = tx.query(principal, &parameters).await?;
    let Some(row) = rows.first() else {
        return Ok(Granted::PrincipalNotFound);
    };
    let issuer = row.text(0)?.to_owned();
    let count = "SELECT count(*) FROM flow_acl WHERE tenant_id = ?1 AND flow_id = ?2";
    let rows = tx.query(count, &flow.and([])).await?;
    if rows.first().ok_or(StoreError::Corrupt)?.integer(0)? >= MAX_ENTRIES {
        return Ok(Granted::Full);
    }
    let sql = format!(
        "INSERT INTO flow_acl (tenant_id, flow_id, acl_id, principal_type, principal_issuer,
                               principal_id, level, granted_by, granted_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
         ON CONFLICT (tenant_id, flow_id, principal_type, principal_id) DO NOTHING
         RETURNING {ROW}"
    );
    let rows = tx
        .query(
            &sql,
            &flow.and([
                grant.acl_id.into(),
                grant.principal_type.as_str().into(),
                issuer.into(),
                grant.principal_id.into(),
                grant.level.rank().into(),
                grant.granted_by.as_str().into(),
                now.into(),
            ]),
        )
        .await?;
    rows.first().map_or(Ok(Granted::Exists), |row| {
        Ok(Granted::Given(row.text(0)?.to_owned()))
    })
}

/// Takes a right away, within the transaction in which the right to do so was read: `false` when the
/// flow has no such entry.
///
/// # Errors
/// [`StoreError`] when the store does not answer.
pub async fn revoke(tx: &impl Query, flow: &Located, acl_id: &str) -> Result<bool, StoreError> {
    let sql = "DELETE FROM flow_acl WHERE tenant_id = ?1 AND flow_id = ?2 AND acl_id = ?3
        RETURNING 1";
    let rows = tx.query(sql, &flow.and([acl_id.into()])).await?;
    Ok(!rows.is_empty())
}
