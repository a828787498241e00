//! Registration: a person and their personal workspace.

use scaigate_types::{PersonId, Query, Row, StoreError, Timestamp, WorkspaceId};

use super::{Arrival, FreshIds, Person, arrive};

/// Somebody registered, now or before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registration {
    /// The person.
    pub person: Person,
    /// Their personal workspace in the tenant they arrived in.
    pub personal_workspace_id: WorkspaceId,
    /// Whether this very call made the personal workspace: `true` once, however many call at once.
    pub created: bool,
}

/// Lets somebody arrive as [`arrive`] does, and gives them a personal workspace if they have none
/// in this tenant (`contract/scaiwave-scaicrew-scaigrid.md` 1.6). `personal_workspace_id` is used if
/// it has to be made. Each step is idempotent, so a call that was cut short is finished by the next.
///
/// The person becomes its `admin`; a membership that was removed or changed stays so. `None` is
/// somebody inactive, who gets nothing.
///
/// # Errors
/// [`StoreError`] when the store does not answer; [`StoreError::Corrupt`] when the identifier is
/// another workspace's.
pub async fn register(
    db: &impl Query,
    arrival: &Arrival<'_>,
    fresh: &FreshIds,
    personal_workspace_id: &WorkspaceId,
    now: Timestamp,
) -> Result<Option<Registration>, StoreError> {
    let person = arrive(db, arrival, fresh, now).await?;
    if !person.is_active {
        return Ok(None);
    }
    let (person_id, tenant_id) = (person.person_id.as_str(), person.tenant_id.as_str());
    let made = db
        .query(
            "INSERT OR IGNORE INTO workspace
               (workspace_id, tenant_id, name, kind, created_by, created_at)
             VALUES (?1, ?2, 'Personal', 'personal', ?3, ?4) RETURNING 1",
            &[
                personal_workspace_id.as_str().into(),
                tenant_id.into(),
                person_id.into(),
                now.into(),
            ],
        )
        .await?;
    // An update that changes nothing: unlike an insert that is ignored, it answers with the row.
    let rows = db
        .query(
            "INSERT INTO membership (person_id, workspace_id, role, created_at)
             SELECT ?1, workspace_id, 'admin', ?3 FROM workspace
              WHERE created_by = ?1 AND tenant_id = ?2 AND kind = 'personal'
             ON CONFLICT DO UPDATE SET role = role
             RETURNING workspace_id",
            &[person_id.into(), tenant_id.into(), now.into()],
        )
        .await?;
    let personal_workspace_id = identifier(rows.first().ok_or(StoreError::Corrupt)?)?;
    Ok(Some(Registration {
        person,
        personal_workspace_id,
        created: !made.is_empty(),
    }))
}

/// The personal workspace of a person in their tenant, if they have registered. Whether they are
/// still its member is not asked.
///
/// # Errors
/// [`StoreError`] when the store does not answer.
pub async fn personal_workspace(
    db: &impl Query,
    person_id: &PersonId,
) -> Result<Option<WorkspaceId>, StoreError> {
    let rows = db
        .query(
            "SELECT w.workspace_id
               FROM person p JOIN workspace w
                 ON w.created_by = p.person_id AND w.tenant_id = p.tenant_id
                AND w.kind = 'personal'
              WHERE p.person_id = ?1",
            &[person_id.as_str().into()],
        )
        .await?;
    rows.first().map(identifier).transpose()
}

fn identifier(row: &Row) -> Result<WorkspaceId, StoreError> {
    WorkspaceId::parse(row.text(0)?).map_err(|_| StoreError::Corrupt)
}
