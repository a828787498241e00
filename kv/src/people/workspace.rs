//! Workspaces and who is a member of them.

use scaigate_types::{
    Database, PersonId, Query, Row, StoreError, TenantId, Timestamp, WorkspaceId, WorkspaceRole,
};

/// A workspace in the list of one of its members.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Membership {
    /// The workspace.
    pub workspace_id: WorkspaceId,
    /// Its name.
    pub name: String,
    /// The person's role in it.
    pub role: WorkspaceRole,
}

/// What a workspace was made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WorkspaceKind {
    /// The one that everybody of a tenant joins.
    Default,
    /// Made by a registration, for one person.
    Personal,
    /// Any other.
    Shared,
}

impl WorkspaceKind {
    /// The name stored and sent.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::Personal => "personal",
            Self::Shared => "shared",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        [Self::Default, Self::Personal, Self::Shared]
            .into_iter()
            .find(|kind| kind.as_str() == text)
    }
}

/// A workspace as one of its members sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Workspace {
    /// The workspace.
    pub workspace_id: WorkspaceId,
    /// The tenant it belongs to.
    pub tenant_id: TenantId,
    /// Its name.
    pub name: String,
    /// What it is for, in its members' words.
    pub description: Option<String>,
    /// What it was made for.
    pub kind: WorkspaceKind,
    /// The person's role in it.
    pub role: WorkspaceRole,
    /// When it was made.
    pub created_at: Timestamp,
    /// When its name or description was last changed.
    pub updated_at: Option<Timestamp>,
    /// How many members it has.
    pub member_count: i64,
}

/// What became of a change to a workspace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Update {
    /// It is done.
    Updated,
    /// The person is a member, but no `admin`.
    Forbidden,
    /// The person is no member, or there is no such workspace in the tenant.
    NotFound,
}

fn membership(row: &Row) -> Result<Membership, StoreError> {
    Ok(Membership {
        workspace_id: WorkspaceId::parse(row.text(0)?).map_err(|_| StoreError::Corrupt)?,
        name: row.text(1)?.to_owned(),
        role: WorkspaceRole::parse(row.text(2)?).ok_or(StoreError::Corrupt)?,
    })
}

/// The workspaces of a person within a tenant, the default one first, then by name.
///
/// # Errors
/// [`StoreError`] when the store does not answer.
pub async fn workspaces(
    db: &impl Query,
    person_id: &PersonId,
    tenant_id: &TenantId,
) -> Result<Vec<Membership>, StoreError> {
    let rows = db
        .query(
            "SELECT w.workspace_id, w.name, m.role
               FROM membership m JOIN workspace w USING (workspace_id)
              WHERE m.person_id = ?1 AND m.removed_at IS NULL AND w.tenant_id = ?2
              ORDER BY w.kind <> 'default', w.name, w.workspace_id LIMIT 1000",
            &[person_id.as_str().into(), tenant_id.as_str().into()],
        )
        .await?;
    rows.iter().map(membership).collect()
}

/// What somebody is in the workspace that everybody of a tenant joins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InDefault {
    /// A member.
    Member(WorkspaceRole),
    /// A member no more.
    Removed,
    /// Not a member yet: the next sign-in makes them one.
    Unknown,
}

/// What a person is in the default workspace of a tenant.
///
/// # Errors
/// [`StoreError`] when the store does not answer.
pub async fn in_default_workspace(
    db: &impl Query,
    person_id: &PersonId,
    tenant_id: &TenantId,
) -> Result<InDefault, StoreError> {
    let rows = db
        .query(
            "SELECT m.role, m.removed_at IS NOT NULL
               FROM membership m JOIN workspace w USING (workspace_id)
              WHERE m.person_id = ?1 AND w.tenant_id = ?2 AND w.kind = 'default'",
            &[person_id.as_str().into(), tenant_id.as_str().into()],
        )
        .await?;
    let Some(row) = rows.first() else {
        return Ok(InDefault::Unknown);
    };
    if row.integer(1)? != 0 {
        return Ok(InDefault::Removed);
    }
    let role = WorkspaceRole::parse(row.text(0)?).ok_or(StoreError::Corrupt)?;
    Ok(InDefault::Member(role))
}

/// Makes a workspace with one member. What a later version offers to administrators; the tests of
/// workspace selection use it now.
///
/// # Errors
/// [`StoreError`] when the store does not answer; [`StoreError::Corrupt`] when the identifier is that
/// of another tenant's workspace, which gets no member then.
pub async fn add_workspace(
    db: &impl Database,
    workspace_id: &WorkspaceId,
    tenant_id: &TenantId,
    name: &str,
    member: (&PersonId, WorkspaceRole),
    now: Timestamp,
) -> Result<(), StoreError> {
    let (person_id, role) = member;
    db.query(
        "INSERT OR IGNORE INTO workspace (workspace_id, tenant_id, name, kind, created_by, created_at)
         VALUES (?1, ?2, ?3, 'shared', ?4, ?5)",
        &[
            workspace_id.as_str().into(),
            tenant_id.as_str().into(),
            name.into(),
            person_id.as_str().into(),
            now.into(),
        ],
    )
    .await?;
    let rows = db
        .query(
            "INSERT INTO membership (person_id, workspace_id, role, created_at)
             SELECT ?1, workspace_id, ?3, ?4 FROM workspace WHERE workspace_id = ?2 AND tenant_id = ?5
             ON CONFLICT DO UPDATE SET role = excluded.role, removed_at = NULL
             RETURNING 1",
            &[
                person_id.as_str().into(),
                workspace_id.as_str().into(),
                role.as_str().into(),
                now.into(),
                tenant_id.as_str().into(),
            ],
        )
        .await?;
    if rows.is_empty() {
        Err(StoreError::Corrupt)
    } else {
        Ok(())
    }
}

/// A workspace of the tenant, to one of its members; `None` to everybody else.
///
/// # Errors
/// [`StoreError`] when the store does not answer.
pub async fn workspace(
    db: &impl Query,
    person_id: &PersonId,
    workspace_id: &WorkspaceId,
    tenant_id: &TenantId,
) -> Result<Option<Workspace>, StoreError> {
    let rows = db
        .query(
            "SELECT w.workspace_id, w.tenant_id, w.name, w.description, w.kind, m.role,
                    w.created_at, w.updated_at,
                    (SELECT count(*) FROM membership c
                      WHERE c.workspace_id = w.workspace_id AND c.removed_at IS NULL)
               FROM membership m JOIN workspace w USING (workspace_id)
              WHERE m.person_id = ?1 AND m.workspace_id = ?2 AND m.removed_at IS NULL
                AND w.tenant_id = ?3",
            &[
                person_id.as_str().into(),
                workspace_id.as_str().into(),
                tenant_id.as_str().into(),
            ],
        )
        .await?;
    let Some(row) = rows.first() else {
        return Ok(None);
    };
    let corrupt = |_| StoreError::Corrupt;
    Ok(Some(Workspace {
        workspace_id: WorkspaceId::parse(row.text(0)?).map_err(corrupt)?,
        tenant_id: TenantId::parse(row.text(1)?).map_err(corrupt)?,
        name: row.text(2)?.to_owned(),
        description: row.optional_text(3)?.map(str::to_owned),
        kind: WorkspaceKind::parse(row.text(4)?).ok_or(StoreError::Corrupt)?,
        role: WorkspaceRole::parse(row.text(5)?).ok_or(StoreError::Corrupt)?,
        created_at: row.time(6)?,
        updated_at: row.optional_time(7)?,
        member_count: row.integer(8)?,
    }))
}

/// Changes the name and the description of a workspace, each if given; a description of `None`
/// removes it. The statement that writes is the one that asks for the role, so a role that was taken
/// away before it is not used.
///
/// # Errors
/// [`StoreError`] when the store does not answer; the change may then have been made.
pub async fn update_workspace(
    db: &impl Query,
    person_id: &PersonId,
    workspace_id: &WorkspaceId,
    tenant_id: &TenantId,
    name: Option<&str>,
    description: Option<Option<&str>>,
    now: Timestamp,
) -> Result<Update, StoreError> {
    let member = [
        person_id.as_str().into(),
        workspace_id.as_str().into(),
        tenant_id.as_str().into(),
    ];
    let mut parameters = member.to_vec();
    parameters.extend([
        name.into(),
        i64::from(description.is_some()).into(),
        description.flatten().into(),
        now.into(),
    ]);
    let rows = db
        .query(
            "UPDATE workspace SET
               name = coalesce(?4, name),
               description = CASE WHEN ?5 THEN ?6 ELSE description END,
               updated_at = CASE WHEN ?5 OR ?4 IS NOT NULL THEN ?7 ELSE updated_at END
              WHERE workspace_id = ?2 AND tenant_id = ?3
                AND EXISTS (SELECT 1 FROM membership m
                             WHERE m.person_id = ?1 AND m.workspace_id = ?2
                               AND m.role = 'admin' AND m.removed_at IS NULL)
              RETURNING 1",
            &parameters,
        )
        .await?;
    if !rows.is_empty() {
        return Ok(Update::Updated);
    }
    // Nothing was changed; only why is left to tell.
    let rows = db
        .query(
            "SELECT 1 FROM membership m JOIN workspace w USING (workspace_id)
              WHERE m.person_id = ?1 AND m.workspace_id = ?2 AND m.removed_at IS NULL
                AND w.tenant_id = ?3",
            &member,
        )
        .await?;
    Ok(if rows.is_empty() {
        Update::NotFound
    } else {
        Update::Forbidden
    })
}

/// Gives a member another role. `false` when the person is no member. Whoever takes a role away also
/// narrows the person's sessions ([`crate::session::generations`]).
///
/// # Errors
/// [`StoreError`] when the store does not answer.
pub async fn set_membership_role(
    on: &impl Query,
    person_id: &PersonId,
    workspace_id: &WorkspaceId,
    role: WorkspaceRole,
) -> Result<bool, StoreError> {
    let rows = on
        .query(
            "UPDATE membership SET role = ?3
              WHERE person_id = ?1 AND workspace_id = ?2 AND removed_at IS NULL
              RETURNING 1",
            &[
                person_id.as_str().into(),
                workspace_id.as_str().into(),
                role.as_str().into(),
            ],
        )
        .await?;
    Ok(!rows.is_empty())
}

/// Removes a member, for good: arriving or registering again does not bring them back. `false` when
/// the person is no member.
///
/// # Errors
/// [`StoreError`] when the store does not answer.
pub async fn remove_membership(
    on: &impl Query,
    person_id: &PersonId,
    workspace_id: &WorkspaceId,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let rows = on
        .query(
            "UPDATE membership SET removed_at = ?3
              WHERE person_id = ?1 AND workspace_id = ?2 AND removed_at IS NULL
              RETURNING 1",
            &[
                person_id.as_str().into(),
                workspace_id.as_str().into(),
                now.into(),
            ],
        )
        .await?;
    Ok(!rows.is_empty())
}
