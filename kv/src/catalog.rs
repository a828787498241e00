//! The catalog of a tenant (`contract/scaiflow.md` 2.8): packages that their authors show to the
//! tenant or to some of its groups.

use scaigate_types::{
    AdminRole, GroupId, PackageId, Query, Row, StoreError, TenantId, Timestamp, Transaction, Value,
};

use crate::flow::{GROUPS, Viewer};

/// A version of a package: `major.minor.patch`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    /// Raised by the author.
    pub major: u32,
    /// Raised by the author.
    pub minor: u32,
    /// Raised by the author, or by publishing what is there already.
    pub patch: u32,
}

/// To whom a package is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Visibility<'a> {
    /// To everybody of the tenant.
    Tenant,
    /// To the members of these groups.
    Groups(&'a [GroupId]),
}

impl Visibility<'_> {
    const fn as_str(&self) -> &'static str {
        match self {
            Self::Tenant => "tenant",
            Self::Groups(_) => "groups",
        }
    }

    const fn groups(&self) -> &[GroupId] {
        match self {
            Self::Tenant => &[],
            Self::Groups(groups) => groups,
        }
    }
}

const SHOWN: &str = "json_object(
    'package_id', p.package_id, 'name', p.name, 'description', p.description,
    'version', p.major || '.' || p.minor || '.' || p.patch,
    'author_id', p.author_id, 'author_email', p.author_email, 'tenant_id', p.tenant_id,
    'visibility', p.visibility,
    'visibility_group_ids', json(coalesce((
       SELECT json_group_array(group_id) FROM (
         SELECT v.group_id FROM catalog_group v
          WHERE v.tenant_id = p.tenant_id AND v.package_id = p.package_id ORDER BY v.group_id)),
       '[]')),
    'created_at', strftime('%Y-%m-%dT%H:%M:%SZ', p.created_at / 1000, 'unixepoch'),
    'updated_at', strftime('%Y-%m-%dT%H:%M:%SZ', p.updated_at / 1000, 'unixepoch'))";

/// Whether the viewer may see the package `p`.
fn visible_sql() -> String {
    format!(
        "(?4 = 2 OR (p.tenant_id = ?1 AND (
           ?4 = 1 OR p.visibility = 'tenant' OR (p.author_issuer = ?2 AND p.author_id = ?3)
           OR EXISTS (SELECT 1 FROM catalog_group v
                       WHERE v.tenant_id = p.tenant_id AND v.package_id = p.package_id
                         AND v.group_id IN ({GROUPS})))))"
    )
}

/// The packages that the viewer may see, as a JSON array, by name.
///
/// # Errors
/// [`StoreError`] when the store does not answer.
pub async fn list(on: &impl Query, viewer: &Viewer<'_>, limit: u32) -> Result<String, StoreError> {
    let sql = format!(
        "SELECT json_group_array(json(row)) FROM (
           SELECT {SHOWN} AS row FROM catalog_package p
            WHERE (?4 = 2 OR p.tenant_id = ?1) AND {}
            ORDER BY lower(p.name), p.tenant_id, p.package_id LIMIT ?5)",
        visible_sql()
    );
    let mut parameters = viewer.parameters();
    parameters.push(i64::from(limit).into());
    let rows = on.query(&sql, &parameters).await?;
    Ok(rows.first().ok_or(StoreError::Corrupt)?.text(0)?.to_owned())
}

/// A package that the viewer may see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Its tenant.
    pub tenant_id: TenantId,
    /// The package.
    pub package_id: PackageId,
    /// Whether the viewer may change and delete it: its author and the administrators.
    pub may_manage: bool,
    /// The documented fields, as a JSON object.
    pub shown: String,
}

fn found(row: &Row, viewer: &Viewer<'_>) -> Result<Found, StoreError> {
    let tenant_id = TenantId::parse(row.text(0)?).map_err(|_| StoreError::Corrupt)?;
    let is_admin = match viewer.admin_role {
        Some(AdminRole::SuperAdmin) => true,
        Some(AdminRole::TenantAdmin) => tenant_id == *viewer.tenant_id,
        None => false,
    };
    Ok(Found {
        package_id: PackageId::parse(row.text(1)?).map_err(|_| StoreError::Corrupt)?,
        may_manage: is_admin || (tenant_id == *viewer.tenant_id && row.integer(2)? != 0),
        shown: row.text(3)?.to_owned(),
        tenant_id,
    })
}

/// The package of a tenant, if the viewer may see it.
///
/// # Errors
/// [`StoreError`] when the store does not answer.
pub async fn find(
    on: &impl Query,
    viewer: &Viewer<'_>,
    tenant_id: &TenantId,
    package_id: &PackageId,
) -> Result<Option<Found>, StoreError> {
    let sql = format!(
        "SELECT p.tenant_id, p.package_id, p.author_issuer = ?2 AND p.author_id = ?3, {SHOWN}
           FROM catalog_package p
          WHERE p.tenant_id = ?5 AND p.package_id = ?6 AND {}",
        visible_sql()
    );
    let mut parameters = viewer.parameters();
    parameters.extend([tenant_id.as_str().into(), package_id.as_str().into()]);
    let rows = on.query(&sql, &parameters).await?;
    rows.first().map(|row| found(row, viewer)).transpose()
}

/// The content of a package as it was last published.
///
/// # Errors
/// [`StoreError`] when the store does not answer.
pub async fn content(on: &impl Query, package: &Found) -> Result<Option<Vec<u8>>, StoreError> {
    let sql = "SELECT v.content FROM catalog_package p
        JOIN catalog_version v USING (tenant_id, package_id, major, minor, patch)
       WHERE p.tenant_id = ?1 AND p.package_id = ?2";
    let rows = on
        .query(sql, &key(&package.tenant_id, &package.package_id))
        .await?;
    let Some(row) = rows.first() else {
        return Ok(None);
    };
    Ok(row.optional_blob(0)?.map(<[u8]>::to_vec))
}

fn key(tenant_id: &TenantId, package_id: &PackageId) -> Vec<Value> {
    vec![tenant_id.as_str().into(), package_id.as_str().into()]
}

/// What is published.
#[derive(Clone, Copy, Debug)]
pub struct Publication<'a> {
    /// The package: a new one, or one of the publisher's.
    pub package_id: &'a PackageId,
    /// The name.
    pub name: &'a str,
    /// What it is for.
    pub description: Option<&'a str>,
    /// The version that the author asks for.
    pub version: Version,
    /// How it is used.
    pub readme: Option<&'a str>,
    /// The content, as received.
    pub content: &'a [u8],
    /// To whom it is shown; a new package without it to the tenant.
    pub visibility: Option<Visibility<'a>>,
    /// The publisher's address, for display.
    pub author_email: Option<&'a str>,
}

/// What came of a publication or a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Changed {
    /// It is done: the package's documented fields, as a JSON object.
    Done(String),
    /// There is such a package, and it is somebody else's.
    NotYours,
    /// There is no such live group in the tenant.
    GroupNotFound(GroupId),
    /// There is no version left to raise to.
    VersionExhausted,
    /// The tenant has as many packages as it may have.
    Full,
}

/// Most packages of one tenant.
pub const MAX_PACKAGES: i64 = 10_000;

/// Publishes in the viewer's own tenant, within the caller's transaction. A version that is there
/// already is kept, and its patch is raised past all of the same `major.minor`.
///
/// # Errors
/// [`StoreError`] when the store does not answer; the transaction must not be committed then.
pub async fn publish(
    tx: &impl Transaction,
    viewer: &Viewer<'_>,
    publication: Publication<'_>,
    now: Timestamp,
) -> Result<Changed, StoreError> {
    let tenant_id = viewer.tenant_id;
    let package_id = publication.package_id;
    let rows = tx
        .query(
            "SELECT author_issuer = ?3 AND author_id = ?4 FROM catalog_package
              WHERE tenant_id = ?1 AND package_id = ?2",
            &[
                tenant_id.as_str().into(),
                package_id.as_str().into(),
                viewer.issuer.as_str().into(),
                viewer.subject.as_str().into(),
            ],
        )
        .await?;
    match rows.first() {
        Some(row) if row.integer(0)? == 0 && viewer.admin_role.is_none() => {
            return Ok(Changed::NotYours);
        }
        Some(_) => {}
        None => {
            let sql = "SELECT count(*) FROM catalog_package WHERE tenant_id = ?1";
            let rows = tx.query(sql, &[tenant_id.as_str().into()]).await?;
            if rows.first().ok_or(StoreError::Corrupt)?.integer(0)? >= MAX_PACKAGES {
                return Ok(Changed::Full);
            }
        }
    }
    let Some(version) = next_version(tx, viewer, &publication).await? else {
        return Ok(Changed::VersionExhausted);
    };
    insert(tx, viewer, &publication, version, now).await?;
    if let Some(visibility) = publication.visibility
        && let Some(missing) = show(tx, tenant_id, package_id, visibility).await?
    {
        return Ok(Changed::GroupNotFound(missing));
    }
    shown(tx, tenant_id, package_id).await
}

/// The version asked for, or the first free one after all that share its `major.minor`.
async fn next_version(
    tx: &impl Query,
    viewer: &Viewer<'_>,
    publication: &Publication<'_>,
) -> Result<Option<Version>, StoreError> {
    let asked = publication.version;
    let mut parameters = key(viewer.tenant_id, publication.package_id);
    parameters.extend([
        i64::from(asked.major).into(),
        i64::from(asked.minor).into(),
        i64::from(asked.patch).into(),
    ]);
    let rows = tx
        .query(
            "SELECT coalesce(max(patch), 0), coalesce(max(patch = ?5), 0) FROM catalog_version
              WHERE tenant_id = ?1 AND package_id = ?2 AND major = ?3 AND minor = ?4",
            &parameters,
        )
        .await?;
    let row = rows.first().ok_or(StoreError::Corrupt)?;
    if row.integer(1)? == 0 {
        return Ok(Some(asked));
    }
    let last = u32::try_from(row.integer(0)?).map_err(|_| StoreError::Corrupt)?;
    Ok(last.checked_add(1).map(|patch| Version { patch, ..asked }))
}

async fn insert(
    tx: &impl Query,
    viewer: &Viewer<'_>,
    publication: &Publication<'_>,
    version: Version,
    now: Timestamp,
) -> Result<(), StoreError> {
    let mut parameters = key(viewer.tenant_id, publication.package_id);
    parameters.extend([
        i64::from(version.major).into(),
        i64::from(version.minor).into(),
        i64::from(version.patch).into(),
    ]);
    let mut of_version = parameters.clone();
    of_version.extend([
        viewer.subject.as_str().into(),
        now.into(),
        publication.readme.into(),
        publication.content.into(),
    ]);
    tx.query(
        "INSERT INTO catalog_version (tenant_id, package_id, major, minor, patch, published_by,
                                      published_at, readme, content)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        &of_version,
    )
    .await?;
    parameters.extend([
        publication.name.into(),
        publication.description.into(),
        viewer.issuer.as_str().into(),
        viewer.subject.as_str().into(),
        publication.author_email.into(),
        now.into(),
    ]);
    // What was published last is what is shown and installed.
    tx.query(
        "INSERT INTO catalog_package (tenant_id, package_id, major, minor, patch, name, description,
                                      author_issuer, author_id, author_email, visibility,
                                      created_at, updated_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, 'tenant', ?11, ?11)
         ON CONFLICT (tenant_id, package_id) DO UPDATE SET
           name = excluded.name, description = excluded.description,
           major = excluded.major, minor = excluded.minor, patch = excluded.patch,
           updated_at = max(updated_at, excluded.updated_at)",
        &parameters,
    )
    .await?;
    Ok(())
}

/// Changes to whom a package is shown, within the caller's transaction, in which the right to do so
/// was read.
///
/// # Errors
/// [`StoreError`] when the store does not answer; the transaction must not be committed then, nor
/// when a group is missing.
pub async fn set_visibility(
    tx: &impl Transaction,
    package: &Found,
    visibility: Visibility<'_>,
    now: Timestamp,
) -> Result<Changed, StoreError> {
    let (tenant_id, package_id) = (&package.tenant_id, &package.package_id);
    if let Some(missing) = show(tx, tenant_id, package_id, visibility).await? {
        return Ok(Changed::GroupNotFound(missing));
    }
    let mut parameters = key(tenant_id, package_id);
    parameters.push(now.into());
    tx.query(
        "UPDATE catalog_package SET updated_at = max(updated_at, ?3)
          WHERE tenant_id = ?1 AND package_id = ?2",
        &parameters,
    )
    .await?;
    shown(tx, tenant_id, package_id).await
}

/// Writes to whom a package is shown; names the first group that is not there.
async fn show(
    tx: &impl Query,
    tenant_id: &TenantId,
    package_id: &PackageId,
    visibility: Visibility<'_>,
) -> Result<Option<GroupId>, StoreError> {
    let package = key(tenant_id, package_id);
    let sql = "DELETE FROM catalog_group WHERE tenant_id = ?1 AND package_id = ?2";
    tx.query(sql, &package).await?;
    for group_id in visibility.groups() {
        let mut parameters = package.clone();
        parameters.push(group_id.as_str().into());
        let rows = tx
            .query(
                "INSERT INTO catalog_group (tenant_id, package_id, group_id)
                 SELECT ?1, ?2, group_id FROM directory_group
                  WHERE tenant_id = ?1 AND group_id = ?3 AND deleted_at IS NULL
                 ON CONFLICT DO UPDATE SET group_id = excluded.group_id RETURNING 1",
                &parameters,
            )
            .await?;
        if rows.is_empty() {
            return Ok(Some(group_id.clone()));
        }
    }
    let mut parameters = package;
    parameters.push(visibility.as_str().into());
    tx.query(
        "UPDATE catalog_package SET visibility = ?3 WHERE tenant_id = ?1 AND package_id = ?2",
        &parameters,
    )
    .await?;
    Ok(None)
}

async fn shown(
    tx: &impl Query,
    tenant_id: &TenantId,
    package_id: &PackageId,
) -> Result<Changed, StoreError> {
    let sql = format!(
        "SELECT {SHOWN} FROM catalog_package p WHERE p.tenant_id = ?1 AND p.package_id = ?2"
    );
    let rows = tx.query(&sql, &key(tenant_id, package_id)).await?;
    let row = rows.first().ok_or(StoreError::Corrupt)?;
    Ok(Changed::Done(row.text(0)?.to_owned()))
}

/// Deletes a package with all its versions, within the caller's transaction. Flows that were made of
/// it stay.
///
/// # Errors
/// [`StoreError`] when the store does not answer; the transaction must not be committed then.
pub async fn delete(tx: &impl Transaction, package: &Found) -> Result<(), StoreError> {
    let key = key(&package.tenant_id, &package.package_id);
    for sql in [
        "DELETE FROM catalog_group WHERE tenant_id = ?1 AND package_id = ?2",
        "DELETE FROM catalog_version WHERE tenant_id = ?1 AND package_id = ?2",
        "DELETE FROM catalog_package WHERE tenant_id = ?1 AND package_id = ?2",
    ] {
        tx.query(sql, &key).await?;
    }
    Ok(())
}
