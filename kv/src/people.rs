//! Tenants, people, workspaces and memberships.

mod registration;
mod workspace;

use scaigate_types::{
    AdminRole, Issuer, PersonId, Query, Row, StoreError, Subject, TenantId, Timestamp, WorkspaceId,
};

pub use registration::{Registration, personal_workspace, register};
pub use workspace::{
    InDefault, Membership, Update, Workspace, WorkspaceKind, add_workspace, in_default_workspace,
    remove_membership, set_membership_role, update_workspace, workspace, workspaces,
};

/// Who has just proved to be whom: what a verified ID token says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrival<'a> {
    /// With `subject`, the identity. Never the e-mail address.
    pub issuer: &'a Issuer,
    /// Unique within the issuer.
    pub subject: &'a Subject,
    /// The tenant the identity belongs to.
    pub tenant_id: &'a TenantId,
    /// For display.
    pub email: Option<&'a str>,
    /// For display.
    pub name: Option<&'a str>,
    /// Whether ScaiKey calls the person an administrator of the tenant.
    pub is_tenant_admin: bool,
    /// Whether `bootstrap_super_admin` names this person.
    pub is_bootstrap_super_admin: bool,
}

/// Identifiers to use for whatever does not exist yet.
#[derive(Clone, Debug)]
pub struct FreshIds {
    /// For the person.
    pub person_id: PersonId,
    /// For the tenant's default workspace.
    pub workspace_id: WorkspaceId,
}

/// A person as kept here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// Our identifier.
    pub person_id: PersonId,
    /// With `subject`, the identity.
    pub issuer: Issuer,
    /// Unique within the issuer.
    pub subject: Subject,
    /// The tenant the identity belongs to.
    pub tenant_id: TenantId,
    /// For display.
    pub email: Option<String>,
    /// For display.
    pub name: Option<String>,
    /// Whether the person may sign in: neither they nor their tenant nor its partner is suspended or
    /// deleted.
    pub is_active: bool,
    /// ScaiFlow's administrator role.
    pub admin_role: Option<AdminRole>,
    /// The person's own workspace in that tenant, once there is one. Not looked up for somebody who
    /// is just arriving.
    pub personal_workspace_id: Option<WorkspaceId>,
}

/// What is known here of somebody whom ScaiKey vouches for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Whether anybody of the tenant has arrived yet.
    pub tenant_known: bool,
    /// The person; `None` also when the same identity is kept under another tenant.
    pub person: Option<Person>,
}

const PERSON: &str = "person_id, issuer, subject, tenant_id, email, name,
    EXISTS (SELECT 1 FROM active_person a WHERE a.person_id = person.person_id), admin_role";
/// The ninth column that [`person`] reads, where it is of use.
const PERSONAL_WORKSPACE: &str = "(SELECT workspace_id FROM workspace
     WHERE created_by = person.person_id AND tenant_id = person.tenant_id AND kind = 'personal')";

fn person(row: &Row) -> Result<Person, StoreError> {
    let corrupt = |_| StoreError::Corrupt;
    Ok(Person {
        person_id: PersonId::parse(row.text(0)?).map_err(corrupt)?,
        issuer: Issuer::parse(row.text(1)?).map_err(corrupt)?,
        subject: Subject::parse(row.text(2)?).map_err(corrupt)?,
        tenant_id: TenantId::parse(row.text(3)?).map_err(corrupt)?,
        email: row.optional_text(4)?.map(str::to_owned),
        name: row.optional_text(5)?.map(str::to_owned),
        is_active: row.integer(6)? != 0,
        admin_role: match row.optional_text(7)? {
            None => None,
            Some(role) => Some(AdminRole::parse(role).ok_or(StoreError::Corrupt)?),
        },
        personal_workspace_id: match row.optional_text(8)? {
            None => None,
            Some(id) => Some(WorkspaceId::parse(id).map_err(corrupt)?),
        },
    })
}

/// Records that somebody arrived: the tenant, the person, the tenant's default workspace and the
/// membership in it. Each step is idempotent, so a call that was cut short is finished by the next
/// sign-in.
///
/// The person who creates the default workspace is its `admin`; later ones join as `viewer`, tenant
/// administrators as `admin`. A removed membership stays removed, and an inactive person joins
/// nothing.
///
/// # Errors
/// [`StoreError`] when the store does not answer.
pub async fn arrive(
    db: &impl Query,
    arrival: &Arrival<'_>,
    fresh: &FreshIds,
    now: Timestamp,
) -> Result<Person, StoreError> {
    let tenant_id = arrival.tenant_id.as_str();
    // An address that somebody else has or had names nobody, and one elects once (N-104). A role
    // granted by hand or by a group is kept; `bootstrap` only fills a gap.
    let rows = db
        .query(
            &format!(
                "WITH bootstrap AS (
                   SELECT ?8 AND NOT EXISTS (
                       SELECT 1 FROM bootstrap_election WHERE address = lower(?5))
                     AND NOT EXISTS (
                       SELECT 1 FROM person WHERE lower(email) = lower(?5)
                          AND NOT (issuer = ?2 AND subject = ?3)) AS elects)
                 INSERT INTO person (person_id, issuer, subject, tenant_id, email, name,
                                     admin_role, admin_role_source, created_at, last_seen_at,
                                     changed_at, cause)
                 SELECT ?1, ?2, ?3, ?4, ?5, ?6, iif(elects, 'super_admin', NULL),
                        iif(elects, 'bootstrap', NULL), ?7, ?7, ?7, 'sign_in'
                   FROM bootstrap WHERE true
                 ON CONFLICT (issuer, subject) DO UPDATE SET
                   tenant_id = excluded.tenant_id,
                   email = coalesce(excluded.email, email),
                   name = coalesce(excluded.name, name),
                   admin_role = CASE WHEN excluded.admin_role IS NOT NULL
                     AND status = 'active' AND deleted_at IS NULL
                     AND coalesce(admin_role, '') <> 'super_admin'
                     THEN 'super_admin' ELSE admin_role END,
                   admin_role_source = CASE WHEN excluded.admin_role IS NOT NULL
                     AND status = 'active' AND deleted_at IS NULL
                     AND coalesce(admin_role, '') <> 'super_admin'
                     THEN 'bootstrap' ELSE admin_role_source END,
                   changed_at = ?7, cause = 'sign_in',
                   last_seen_at = max(last_seen_at, excluded.last_seen_at)
                 RETURNING {PERSON}, NULL"
            ),
            &[
                fresh.person_id.as_str().into(),
                arrival.issuer.as_str().into(),
                arrival.subject.as_str().into(),
                tenant_id.into(),
                arrival.email.into(),
                arrival.name.into(),
                now.into(),
                i64::from(arrival.is_bootstrap_super_admin).into(),
            ],
        )
        .await?;
    let person = person(rows.first().ok_or(StoreError::Corrupt)?)?;
    if !person.is_active {
        return Ok(person);
    }
    let person_id = person.person_id.as_str();
    db.query(
        "INSERT OR IGNORE INTO tenant (tenant_id, created_at, changed_at, cause)
         VALUES (?1, ?2, ?2, 'sign_in')",
        &[tenant_id.into(), now.into()],
    )
    .await?;
    db.query(
        "INSERT OR IGNORE INTO workspace (workspace_id, tenant_id, name, kind, created_by, created_at)
         VALUES (?1, ?2, 'Default', 'default', ?3, ?4)",
        &[fresh.workspace_id.as_str().into(), tenant_id.into(), person_id.into(), now.into()],
    )
    .await?;
    db.query(
        "INSERT OR IGNORE INTO membership (person_id, workspace_id, role, created_at)
         SELECT ?1, workspace_id, CASE WHEN created_by = ?1 OR ?3 THEN 'admin' ELSE 'viewer' END, ?4
           FROM workspace WHERE tenant_id = ?2 AND kind = 'default'",
        &[
            person_id.into(),
            tenant_id.into(),
            i64::from(arrival.is_tenant_admin).into(),
            now.into(),
        ],
    )
    .await?;
    Ok(person)
}

/// The person, or `None`.
///
/// # Errors
/// [`StoreError`] when the store does not answer.
pub async fn find(db: &impl Query, id: &PersonId) -> Result<Option<Person>, StoreError> {
    let sql = format!("SELECT {PERSON}, {PERSONAL_WORKSPACE} FROM person WHERE person_id = ?1");
    let rows = db.query(&sql, &[id.as_str().into()]).await?;
    rows.first().map(person).transpose()
}

/// Whether the tenant is known, and who the identity is within it, in one round trip.
///
/// # Errors
/// [`StoreError`] when the store does not answer.
pub async fn standing(
    db: &impl Query,
    issuer: &Issuer,
    subject: &Subject,
    tenant_id: &TenantId,
) -> Result<Standing, StoreError> {
    // The tenant's column comes last: the person's are read by position.
    let sql = format!(
        "SELECT {PERSON}, {PERSONAL_WORKSPACE}, EXISTS (SELECT 1 FROM tenant WHERE tenant_id = ?3)
           FROM (SELECT 1)
           LEFT JOIN person ON issuer = ?1 AND subject = ?2 AND tenant_id = ?3"
    );
    let parameters = [
        issuer.as_str().into(),
        subject.as_str().into(),
        tenant_id.as_str().into(),
    ];
    let rows = db.query(&sql, &parameters).await?;
    let row = rows.first().ok_or(StoreError::Corrupt)?;
    Ok(Standing {
        tenant_known: row.integer(9)? != 0,
        person: match row.optional_text(0)? {
            None => None,
            Some(_) => Some(person(row)?),
        },
    })
}

/// Whether anybody of the tenant has arrived yet. For callers that are no people.
///
/// # Errors
/// [`StoreError`] when the store does not answer.
pub async fn tenant_known(db: &impl Query, tenant_id: &TenantId) -> Result<bool, StoreError> {
    let sql = "SELECT 1 FROM tenant WHERE tenant_id = ?1";
    let rows = db.query(sql, &[tenant_id.as_str().into()]).await?;
    Ok(!rows.is_empty())
}

/// The issuers under which a subject is kept that `issuer` speaks for: itself, and those of its
/// tenants if it names none.
///
/// # Errors
/// [`StoreError`] when the store does not answer.
pub async fn issuers_of(
    db: &impl Query,
    issuer: &Issuer,
    subject: &Subject,
) -> Result<Vec<Issuer>, StoreError> {
    let rows = db
        .query(
            "SELECT issuer FROM person
              WHERE subject = ?2 AND (issuer = ?1 OR issuer = ?1 || '/tenants/' || tenant_id)",
            &[issuer.as_str().into(), subject.as_str().into()],
        )
        .await?;
    rows.iter()
        .map(|row| Issuer::parse(row.text(0)?).map_err(|_| StoreError::Corrupt))
        .collect()
}
