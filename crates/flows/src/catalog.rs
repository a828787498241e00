//! The catalog of a tenant (`contract/scaiflow.md` 2.8).

use scaigate_kv::catalog::{self, Changed, Found, MAX_PACKAGES, Publication, Version, Visibility};
use scaigate_kv::flow::Level;
use scaigate_problem::{Code, Problem};
use scaigate_signin::{Ports, failure};
use scaigate_types::{
    AdminRole, Clock, Database, FlowId, GroupId, PackageId, Query, TenantId, Transaction,
};

use crate::caller::{Reader, Writer};
use crate::content::{self, Content};
use crate::manifest::{Manifest, compile_error};
use crate::{access, flow, fresh, text};

/// Most packages of one list.
const MAX_LISTED: u32 = 10_000;

/// The packages that the caller may see, as a JSON array.
///
/// # Errors
/// A store does not answer.
pub async fn browse(ports: &impl Ports, reader: &Reader) -> Result<String, Problem> {
    catalog::list(ports.db(), &reader.viewer(), MAX_LISTED)
        .await
        .map_err(failure::database)
}

/// To whom a package is to be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shown {
    /// To everybody of the tenant.
    Tenant,
    /// To the members of these groups.
    Groups(Vec<GroupId>),
}

impl Shown {
    /// Reads `visibility` and `visibility_group_ids`.
    ///
    /// # Errors
    /// [`Code::InvalidRequest`].
    pub fn parse(visibility: &str, group_ids: &[String]) -> Result<Self, Problem> {
        let field = "visibility_group_ids";
        match visibility {
            "tenant" if group_ids.is_empty() => Ok(Self::Tenant),
            "tenant" => Err(Problem::invalid_field(field, "only with visibility groups")),
            "groups" if group_ids.is_empty() => Err(Problem::invalid_field(
                field,
                "missing: no group could see it",
            )),
            "groups" => text::group_ids(field, group_ids).map(Self::Groups),
            _ => Err(Problem::invalid_field(
                "visibility",
                "neither tenant nor groups",
            )),
        }
    }

    fn as_stored(&self) -> Visibility<'_> {
        match self {
            Self::Tenant => Visibility::Tenant,
            Self::Groups(groups) => Visibility::Groups(groups),
        }
    }
}

/// Reads `major.minor.patch`, each in its one spelling.
///
/// # Errors
/// [`Code::InvalidRequest`].
pub fn version(text: &str) -> Result<Version, Problem> {
    let number = |text: &str| {
        let number: u32 = text.parse().ok()?;
        (number.to_string() == text).then_some(number)
    };
    let mut parts = text.splitn(4, '.').map(number);
    match (parts.next(), parts.next(), parts.next(), parts.next()) {
        (Some(Some(major)), Some(Some(minor)), Some(Some(patch)), None) => Ok(Version {
            major,
            minor,
            patch,
        }),
        _ => Err(Problem::invalid_field("version", "not major.minor.patch")),
    }
}

/// What is published.
#[derive(Debug)]
pub struct Publish<'a> {
    /// The package's name in addresses.
    pub package_id: &'a PackageId,
    /// The name.
    pub name: &'a str,
    /// What it is for.
    pub description: Option<&'a str>,
    /// The version asked for.
    pub version: Version,
    /// How it is used.
    pub readme: Option<&'a str>,
    /// To whom it is shown; a new package without it to the tenant.
    pub shown: Option<&'a Shown>,
    /// What is in it.
    pub source: Source<'a>,
}

/// From where the content comes.
#[derive(Debug)]
pub enum Source<'a> {
    /// A flow, as it is now.
    Flow(&'a FlowId),
    /// The request.
    Content(&'a Content),
}

/// Publishes: the package's row, as JSON. Nothing is stored unless the content is a manifest.
///
/// # Errors
/// [`Code::InvalidRequest`], [`Code::CompileError`], [`Code::FlowNotFound`], [`Code::FlowAccessDenied`],
/// [`Code::PackageAccessDenied`], [`Code::GroupNotFound`], [`Code::LimitReached`]; a store does not
/// answer.
pub async fn publish(
    ports: &impl Ports,
    writer: &Writer,
    publish: Publish<'_>,
) -> Result<String, Problem> {
    let description = publish.description.map(text::description).transpose()?;
    let name = text::name(publish.name)?;
    let readme = publish.readme.map(text::readme).transpose()?;
    let reader = writer.reader();
    let tx = ports.db().begin().await.map_err(failure::database)?;
    let content = match publish.source {
        Source::Content(content) => content.as_bytes().to_vec(),
        Source::Flow(flow_id) => {
            let access = access::require(&tx, reader, flow_id, Level::Deploy).await?;
            // A package is its publisher's tenant's: what is another's stays there.
            if access.flow().tenant_id != reader.user().tenant_id {
                return Err(Problem::new(Code::FlowNotFound));
            }
            flow::content_of(&tx, &access, access.patch()).await?
        }
    };
    Manifest::of_saved(&content).map_err(|error| compile_error(&error))?;
    let publication = Publication {
        package_id: publish.package_id,
        name,
        description: description.flatten(),
        version: publish.version,
        readme,
        content: &content,
        visibility: publish.shown.map(Shown::as_stored),
        author_email: reader.user().email.as_deref(),
    };
    let changed = catalog::publish(&tx, &writer.viewer(), publication, ports.clock().now())
        .await
        .map_err(failure::database)?;
    let row = done(changed)?;
    tx.commit().await.map_err(failure::database)?;
    Ok(row)
}

fn done(changed: Changed) -> Result<String, Problem> {
    match changed {
        Changed::Done(row) => Ok(row),
        Changed::NotYours => Err(Problem::new(Code::PackageAccessDenied)),
        Changed::GroupNotFound(group_id) => {
            Err(Problem::new(Code::GroupNotFound).with("group_id", group_id.as_str()))
        }
        Changed::VersionExhausted => Err(Problem::invalid_field("version", "no patch is left")),
        Changed::Full => Err(Problem::new(Code::LimitReached).with("limit", MAX_PACKAGES)),
    }
}

/// The package of an address: in the caller's tenant, or for a super admin in the one they name.
async fn find(
    on: &impl Query,
    reader: &Reader,
    tenant_id: Option<&TenantId>,
    package_id: &PackageId,
) -> Result<Found, Problem> {
    let own = &reader.user().tenant_id;
    let tenant_id = match tenant_id {
        Some(asked) if reader.user().admin_role == Some(AdminRole::SuperAdmin) => asked,
        Some(asked) if asked != own => return Err(Problem::new(Code::PackageNotFound)),
        _ => own,
    };
    catalog::find(on, &reader.viewer(), tenant_id, package_id)
        .await
        .map_err(failure::database)?
        .ok_or_else(|| Problem::new(Code::PackageNotFound))
}

/// The content of a package with an identifier of its own: a copy that is not saved. As JSON.
///
/// # Errors
/// [`Code::PackageNotFound`]; a store does not answer.
pub async fn install(
    ports: &impl Ports,
    reader: &Reader,
    tenant_id: Option<&TenantId>,
    package_id: &PackageId,
) -> Result<String, Problem> {
    let found = find(ports.db(), reader, tenant_id, package_id).await?;
    let bytes = catalog::content(ports.db(), &found)
        .await
        .map_err(failure::database)?
        .ok_or_else(|| Problem::new(Code::PackageNotFound))?;
    let flow_id = fresh::flow_id(ports)?;
    let head = format!("{{\"id\":\"{flow_id}\",\"package\":{}}}", found.shown);
    content::with_content(&head, &bytes)
}

/// A package that the caller may change.
async fn managed(
    tx: &impl Query,
    writer: &Writer,
    tenant_id: Option<&TenantId>,
    package_id: &PackageId,
) -> Result<Found, Problem> {
    let found = find(tx, writer.reader(), tenant_id, package_id).await?;
    if found.may_manage {
        Ok(found)
    } else {
        Err(Problem::new(Code::PackageAccessDenied))
    }
}

/// Changes to whom a package is shown: its row, as JSON.
///
/// # Errors
/// [`Code::PackageNotFound`], [`Code::PackageAccessDenied`], [`Code::GroupNotFound`]; a store does not
/// answer.
pub async fn show(
    ports: &impl Ports,
    writer: &Writer,
    tenant_id: Option<&TenantId>,
    package_id: &PackageId,
    shown: &Shown,
) -> Result<String, Problem> {
    let tx = ports.db().begin().await.map_err(failure::database)?;
    let found = managed(&tx, writer, tenant_id, package_id).await?;
    let now = ports.clock().now();
    let changed = catalog::set_visibility(&tx, &found, shown.as_stored(), now)
        .await
        .map_err(failure::database)?;
    let row = done(changed)?;
    tx.commit().await.map_err(failure::database)?;
    Ok(row)
}

/// Deletes a package with all its versions.
///
/// # Errors
/// As [`show`].
pub async fn delete(
    ports: &impl Ports,
    writer: &Writer,
    tenant_id: Option<&TenantId>,
    package_id: &PackageId,
) -> Result<(), Problem> {
    let tx = ports.db().begin().await.map_err(failure::database)?;
    let found = managed(&tx, writer, tenant_id, package_id).await?;
    catalog::delete(&tx, &found)
        .await
        .map_err(failure::database)?;
    tx.commit().await.map_err(failure::database)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_has_three_numbers_in_one_spelling() {
        let read = |text| version(text).ok().map(|v| (v.major, v.minor, v.patch));
        assert_eq!(read("0.1.0"), Some((0, 1, 0)));
        assert_eq!(read("10.20.30"), Some((10, 20, 30)));
        for bad in [
            "",
            "1",
            "1.2",
            "1.2.3.4",
            "1.2.x",
            "01.2.3",
            "1.2.-3",
            "1.2.+3",
            " 1.2.3",
            "1.2.3-a",
            "1..3",
            "4294967296.0.0",
            "v1.0.0",
        ] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }

    #[test]
    fn visibility_and_groups_belong_together() {
        let groups = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect::<Vec<_>>();
        assert_eq!(Shown::parse("tenant", &[]).unwrap(), Shown::Tenant);
        assert!(matches!(
            Shown::parse("groups", &groups(&["grp_1"])),
            Ok(Shown::Groups(_))
        ));
        for (visibility, ids) in [
            ("tenant", groups(&["grp_1"])),
            ("groups", groups(&[])),
            ("groups", groups(&["a b"])),
            ("groups", vec!["g".to_owned(); text::MAX_GROUPS + 1]),
            ("public", groups(&[])),
            ("", groups(&[])),
        ] {
            let refused = Shown::parse(visibility, &ids).unwrap_err();
            assert_eq!(refused.code(), Code::InvalidRequest, "{visibility} {ids:?}");
        }
    }
}
