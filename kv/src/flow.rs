//! Flows (`contract/scaiflow.md` 2.7): rows of a tenant with immutable versions of their content.
//!
//! Who may do what with a flow is decided by one expression, `level_sql`: the same for a list, a read
//! and a write. A flow of another tenant is not there, except for a super admin.

pub mod acl;
pub mod deployment;
pub mod version;

use scaigate_types::{
    AdminRole, FlowId, Issuer, Query, Row, StoreError, Subject, TenantId, Timestamp, Transaction,
    Value,
};

/// What somebody may do with a flow; each includes those before (`contract/scaiflow.md` section 3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Read it.
    View,
    /// Change it.
    Edit,
    /// Deploy and publish it.
    Deploy,
    /// Delete it, and say who may do what.
    Admin,
}

impl Level {
    const ALL: [Self; 4] = [Self::View, Self::Edit, Self::Deploy, Self::Admin];

    /// The name sent and received.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::View => "view",
            Self::Edit => "edit",
            Self::Deploy => "deploy",
            Self::Admin => "admin",
        }
    }

    /// Reads a received name; `None` for any other text.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.as_str() == text)
    }

    /// As it is stored: from 1.
    const fn rank(self) -> i64 {
        self as i64 + 1
    }

    /// The level of a stored rank; `None` for 0, which is no access.
    fn of_rank(rank: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.rank() == rank)
    }
}

/// Who looks: a person in a tenant.
#[derive(Clone, Copy, Debug)]
pub struct Viewer<'a> {
    /// With `subject`, the identity.
    pub issuer: &'a Issuer,
    /// Unique within the issuer; ScaiKey's identifier of the user.
    pub subject: &'a Subject,
    /// The tenant in which the person acts.
    pub tenant_id: &'a TenantId,
    /// Administrators have implicit `admin`: in their tenant, or everywhere.
    pub admin_role: Option<AdminRole>,
}

impl Viewer<'_> {
    /// `?1` tenant, `?2` issuer, `?3` subject, `?4` administrator: 0 no, 1 of the tenant, 2 of all.
    pub(crate) fn parameters(&self) -> Vec<Value> {
        let admin: i64 = match self.admin_role {
            None => 0,
            Some(AdminRole::TenantAdmin) => 1,
            Some(AdminRole::SuperAdmin) => 2,
        };
        vec![
            self.tenant_id.as_str().into(),
            self.issuer.as_str().into(),
            self.subject.as_str().into(),
            admin.into(),
        ]
    }

    fn and<const N: usize>(&self, more: [Value; N]) -> Vec<Value> {
        let mut parameters = self.parameters();
        parameters.extend(more);
        parameters
    }
}

/// The live groups of the viewer.
pub(crate) const GROUPS: &str = "SELECT m.group_id FROM group_membership m
       JOIN directory_group g USING (tenant_id, group_id)
      WHERE m.tenant_id = ?1 AND m.user_id = ?3 AND m.deleted_at IS NULL AND g.deleted_at IS NULL";

/// The viewer's level on the flow `f`; 0 is none.
fn level_sql() -> String {
    format!(
        "CASE WHEN ?4 = 2 THEN 4
              WHEN f.tenant_id <> ?1 THEN 0
              WHEN ?4 = 1 OR (f.owner_issuer = ?2 AND f.owner_id = ?3) THEN 4
              ELSE coalesce((
                SELECT max(a.level) FROM flow_acl a
                 WHERE a.tenant_id = f.tenant_id AND a.flow_id = f.flow_id
                   AND ((a.principal_type = 'user' AND a.principal_issuer = ?2
                         AND a.principal_id = ?3)
                     OR (a.principal_type = 'group' AND a.principal_id IN ({GROUPS})))), 0) END"
    )
}

/// The fields of a `FlowSummary`, as JSON.
pub(crate) const SUMMARY: &str = "json_object(
    'id', f.flow_id, 'name', f.name, 'description', f.description, 'owner_id', f.owner_id,
    'tenant_id', f.tenant_id, 'version', '1.0.' || f.patch,
    'created_at', strftime('%Y-%m-%dT%H:%M:%SZ', f.created_at / 1000, 'unixepoch'),
    'updated_at', strftime('%Y-%m-%dT%H:%M:%SZ', f.updated_at / 1000, 'unixepoch'))";

/// A flow that is to be.
#[derive(Clone, Copy, Debug)]
pub struct NewFlow<'a> {
    /// Made up for it.
    pub flow_id: &'a FlowId,
    /// Its tenant and its owner.
    pub owner: Viewer<'a>,
    /// The name.
    pub name: &'a str,
    /// What it is for.
    pub description: Option<&'a str>,
    /// The content, as received.
    pub content: &'a [u8],
}

/// Makes a flow of version 1.0.0, owned by who makes it, within the caller's transaction.
///
/// # Errors
/// [`StoreError`] when the store does not answer; the transaction must not be committed then.
pub async fn create(
    tx: &impl Transaction,
    new: NewFlow<'_>,
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.query(
        "INSERT INTO flow (flow_id, tenant_id, name, description, owner_issuer, owner_id,
                           created_at, updated_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7)",
        &[
            new.flow_id.as_str().into(),
            new.owner.tenant_id.as_str().into(),
            new.name.into(),
            new.description.into(),
            new.owner.issuer.as_str().into(),
            new.owner.subject.as_str().into(),
            now.into(),
        ],
    )
    .await?;
    let flow = Located {
        tenant_id: new.owner.tenant_id.clone(),
        flow_id: new.flow_id.clone(),
    };
    version::insert(tx, &flow, 0, new.content, new.owner.subject, now).await
}

/// Where a flow is: what every statement about one flow asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Located {
    /// Its tenant.
    pub tenant_id: TenantId,
    /// The flow.
    pub flow_id: FlowId,
}

impl Located {
    /// `?1` tenant, `?2` flow.
    fn and<const N: usize>(&self, more: [Value; N]) -> Vec<Value> {
        let mut parameters = vec![self.tenant_id.as_str().into(), self.flow_id.as_str().into()];
        parameters.extend(more);
        parameters
    }
}

/// A flow that the viewer may at least see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Where it is.
    pub flow: Located,
    /// What the viewer may do.
    pub level: Level,
    /// Its name.
    pub name: String,
    /// Its version.
    pub patch: i64,
    /// The documented fields of the summary, as a JSON object.
    pub summary: String,
}

fn found(row: &Row) -> Result<Option<Found>, StoreError> {
    let Some(level) = Level::of_rank(row.integer(0)?) else {
        return Ok(None);
    };
    Ok(Some(Found {
        flow: Located {
            tenant_id: TenantId::parse(row.text(1)?).map_err(|_| StoreError::Corrupt)?,
            flow_id: FlowId::parse(row.text(2)?).map_err(|_| StoreError::Corrupt)?,
        },
        level,
        name: row.text(3)?.to_owned(),
        patch: row.integer(4)?,
        summary: row.text(5)?.to_owned(),
    }))
}

/// The flow, if the viewer may see it.
///
/// # Errors
/// [`StoreError`] when the store does not answer.
pub async fn find(
    on: &impl Query,
    viewer: &Viewer<'_>,
    flow_id: &FlowId,
) -> Result<Option<Found>, StoreError> {
    let sql = format!(
        "SELECT {}, f.tenant_id, f.flow_id, f.name, f.patch, {SUMMARY}
           FROM flow f WHERE f.flow_id = ?5 AND f.deleted_at IS NULL",
        level_sql()
    );
    let rows = on
        .query(&sql, &viewer.and([flow_id.as_str().into()]))
        .await?;
    rows.first().map_or(Ok(None), found)
}

/// Which flows are listed.
#[derive(Clone, Copy, Debug)]
pub struct Page<'a> {
    /// Part of the name, without regard to case.
    pub search: Option<&'a str>,
    /// At most so many.
    pub limit: u32,
}

/// A list of rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// The rows, as a JSON array.
    pub rows: String,
    /// How many there are in all.
    pub total: i64,
}

pub(crate) fn listed(rows: &[Row]) -> Result<Listed, StoreError> {
    let row = rows.first().ok_or(StoreError::Corrupt)?;
    Ok(Listed {
        total: row.integer(0)?,
        rows: row.text(1)?.to_owned(),
    })
}

/// The flows that the viewer may see, the last changed first.
///
/// # Errors
/// [`StoreError`] when the store does not answer.
pub async fn list(
    on: &impl Query,
    viewer: &Viewer<'_>,
    page: Page<'_>,
) -> Result<Listed, StoreError> {
    let level = level_sql();
    let sql = format!(
        "WITH seen AS MATERIALIZED (
           SELECT f.* FROM flow f
            WHERE f.deleted_at IS NULL AND (?4 = 2 OR f.tenant_id = ?1) AND {level} > 0
              AND (?5 IS NULL OR instr(lower(f.name), lower(?5)) > 0))
         SELECT (SELECT count(*) FROM seen), json_group_array(json(row)) FROM (
           SELECT {SUMMARY} AS row FROM seen f
            ORDER BY f.updated_at DESC, f.flow_id LIMIT ?6)"
    );
    let parameters = viewer.and([page.search.into(), i64::from(page.limit).into()]);
    listed(&on.query(&sql, &parameters).await?)
}

/// What is to be changed; what is `None` stays.
#[derive(Clone, Copy, Debug, Default)]
pub struct Change<'a> {
    /// The name.
    pub name: Option<&'a str>,
    /// The description, or `Some(None)` for none.
    pub description: Option<Option<&'a str>>,
    /// The content, as received: makes a new version.
    pub content: Option<&'a [u8]>,
}

/// Changes a flow within the caller's transaction, in which the right to do so was read: `false` when
/// it is not there any more. Whoever changes at the same time waits, and makes the next version.
///
/// # Errors
/// [`StoreError`] when the store does not answer; the transaction must not be committed then.
pub async fn update(
    tx: &impl Transaction,
    flow: &Located,
    change: Change<'_>,
    by: &Subject,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let rows = tx
        .query(
            "UPDATE flow SET name = coalesce(?3, name),
                             description = iif(?4, ?5, description),
                             patch = patch + ?6, updated_at = max(updated_at, ?7)
              WHERE tenant_id = ?1 AND flow_id = ?2 AND deleted_at IS NULL RETURNING patch",
            &flow.and([
                change.name.into(),
                i64::from(change.description.is_some()).into(),
                change.description.flatten().into(),
                i64::from(change.content.is_some()).into(),
                now.into(),
            ]),
        )
        .await?;
    let Some(row) = rows.first() else {
        return Ok(false);
    };
    if let Some(content) = change.content {
        version::insert(tx, flow, row.integer(0)?, content, by, now).await?;
    }
    Ok(true)
}

/// Marks a flow as deleted, within the caller's transaction. Its content is kept; `false` when it is
/// not there any more.
///
/// # Errors
/// [`StoreError`] when the store does not answer.
pub async fn delete(
    tx: &impl Transaction,
    flow: &Located,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let sql = "UPDATE flow SET deleted_at = ?3
        WHERE tenant_id = ?1 AND flow_id = ?2 AND deleted_at IS NULL RETURNING 1";
    Ok(!tx.query(sql, &flow.and([now.into()])).await?.is_empty())
}
