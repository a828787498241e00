//! Packages of a catalog: versions, authors, and to whom they are shown.

use scaigate_types::{AdminRole, Database, GroupId, Kv, PackageId, Transaction};

use super::Stores;
use super::fixtures::NOW;
use super::flow_acls::group;
use super::flows::Person;
use super::verdict::{Failure, Verdict, holds, same};
use crate::catalog::{self, Changed, Found, Publication, Version, Visibility};

const fn version(major: u32, minor: u32, patch: u32) -> Version {
    Version {
        major,
        minor,
        patch,
    }
}

fn package_id<K, D>(on: &Stores<'_, K, D>, tag: &str) -> Result<PackageId, Failure> {
    PackageId::parse(&on.name(tag)).map_err(|_| Failure::new("the prefix makes no identifier"))
}

async fn publishes(
    on: &Stores<'_, impl Kv, impl Database>,
    author: &Person,
    tag: &str,
    version: Version,
    visibility: Option<Visibility<'_>>,
    content: &str,
) -> Result<Changed, Failure> {
    let tx = on.db.begin().await?;
    let publication = Publication {
        package_id: &package_id(on, tag)?,
        name: tag,
        description: None,
        version,
        readme: Some("# Read me"),
        content: content.as_bytes(),
        visibility,
        author_email: Some("author@example.test"),
    };
    let changed = catalog::publish(&tx, &author.viewer(), publication, NOW).await?;
    if matches!(changed, Changed::Done(_)) {
        tx.commit().await?;
    }
    Ok(changed)
}

/// The package as somebody sees it, of the case's tenant `tenant`.
async fn seen(
    on: &Stores<'_, impl Kv, impl Database>,
    who: &Person,
    tag: &str,
) -> Result<Option<Found>, Failure> {
    let (tenant_id, package_id) = (on.tenant("tenant")?, package_id(on, tag)?);
    Ok(catalog::find(on.other, &who.viewer(), &tenant_id, &package_id).await?)
}

fn says(changed: &Changed, part: &str) -> Verdict {
    match changed {
        Changed::Done(row) => holds(&format!("{part} in {row}"), row.contains(part)),
        other => Err(Failure::new(format!("not done: {other:?}"))),
    }
}

pub async fn the_same_version_again_raises_the_patch(
    on: &Stores<'_, impl Kv, impl Database>,
) -> Verdict {
    let author = Person::new(on, "author", "tenant")?;
    for (asked, expected) in [
        (version(1, 0, 0), "1.0.0"),
        (version(1, 0, 0), "1.0.1"),
        (version(1, 0, 7), "1.0.7"),
        (version(1, 0, 1), "1.0.8"),
        (version(2, 0, 0), "2.0.0"),
        (version(1, 0, 0), "1.0.9"),
    ] {
        let changed = publishes(on, &author, "package", asked, None, expected).await?;
        says(&changed, &format!("\"version\":\"{expected}\""))?;
        let found = seen(on, &author, "package").await?;
        let found = found.ok_or_else(|| Failure::new("no package"))?;
        let content = catalog::content(on.db, &found).await?;
        same("content", content, Some(expected.as_bytes().to_vec()))?;
    }
    let last = version(3, 0, u32::MAX);
    publishes(on, &author, "package", last, None, "last").await?;
    let changed = publishes(on, &author, "package", last, None, "beyond").await?;
    same("beyond the last", changed, Changed::VersionExhausted)
}

pub async fn is_shown_to_whom_it_is_for(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    let author = Person::new(on, "author", "tenant")?;
    let group_id = group(on, "readers", "tenant", "reader").await?;
    let readers = [GroupId::parse(&group_id).map_err(|_| Failure::new("a group"))?];
    publishes(on, &author, "open", version(1, 0, 0), None, "open").await?;
    let groups = Some(Visibility::Groups(&readers));
    publishes(on, &author, "closed", version(1, 0, 0), groups, "closed").await?;
    let tenant_admin = AdminRole::TenantAdmin;
    for (who, open, closed) in [
        (Person::new(on, "author", "tenant")?, true, true),
        (Person::new(on, "reader", "tenant")?, true, true),
        (Person::new(on, "other", "tenant")?, true, false),
        (
            Person::new(on, "other", "tenant")?.with_role(tenant_admin),
            true,
            true,
        ),
        (Person::new(on, "author", "elsewhere")?, false, false),
        (Person::new(on, "reader", "elsewhere")?, false, false),
        (
            Person::new(on, "other", "elsewhere")?.with_role(tenant_admin),
            false,
            false,
        ),
        (
            Person::new(on, "other", "elsewhere")?.with_role(AdminRole::SuperAdmin),
            true,
            true,
        ),
    ] {
        let list = catalog::list(on.other, &who.viewer(), 1000).await?;
        for (tag, expected) in [("open", open), ("closed", closed)] {
            let what = format!("{tag} for {:?}", who.viewer());
            let found = seen(on, &who, tag).await?;
            same(&what, found.is_some(), expected)?;
            let wanted = format!("\"package_id\":\"{}\"", on.name(tag));
            same(&format!("listed: {what}"), list.contains(&wanted), expected)?;
        }
    }
    let sql = "UPDATE group_membership SET deleted_at = 1 WHERE group_id = ?1";
    on.db.query(sql, &[group_id.into()]).await?;
    let reader = Person::new(on, "reader", "tenant")?;
    same(
        "after leaving the group",
        seen(on, &reader, "closed").await?,
        None,
    )
}

pub async fn belongs_to_its_author(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    let author = Person::new(on, "author", "tenant")?;
    publishes(on, &author, "package", version(1, 0, 0), None, "first").await?;
    let other = Person::new(on, "other", "tenant")?;
    let changed = publishes(on, &other, "package", version(2, 0, 0), None, "theirs").await?;
    same("somebody else", changed, Changed::NotYours)?;
    let found = seen(on, &other, "package").await?;
    same(
        "may manage",
        found.map(|found| found.may_manage),
        Some(false),
    )?;
    let admin = Person::new(on, "admin", "tenant")?.with_role(AdminRole::TenantAdmin);
    let changed = publishes(on, &admin, "package", version(2, 0, 0), None, "admin").await?;
    says(
        &changed,
        &format!("\"author_id\":\"{}\"", on.subject("author")?),
    )?;
    // The same name in another tenant is another package.
    let namesake = Person::new(on, "author", "elsewhere")?;
    let changed = publishes(on, &namesake, "package", version(1, 0, 0), None, "x").await?;
    says(&changed, "\"version\":\"1.0.0\"")
}

pub async fn an_unknown_group_changes_nothing(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    let author = Person::new(on, "author", "tenant")?;
    let theirs = group(on, "theirs", "elsewhere", "author").await?;
    let theirs = GroupId::parse(&theirs).map_err(|_| Failure::new("a group"))?;
    let groups = Visibility::Groups(std::slice::from_ref(&theirs));
    let changed = publishes(
        on,
        &author,
        "package",
        version(1, 0, 0),
        Some(groups),
        "first",
    )
    .await?;
    same(
        "publishing",
        changed,
        Changed::GroupNotFound(theirs.clone()),
    )?;
    same(
        "nothing is there",
        seen(on, &author, "package").await?,
        None,
    )?;
    publishes(on, &author, "package", version(1, 0, 0), None, "first").await?;
    let before = seen(on, &author, "package").await?;
    let package = before.clone().ok_or_else(|| Failure::new("no package"))?;
    let tx = on.db.begin().await?;
    let changed = catalog::set_visibility(&tx, &package, groups, NOW).await?;
    same("changing", changed, Changed::GroupNotFound(theirs.clone()))?;
    drop(tx);
    same("unchanged", seen(on, &author, "package").await?, before)
}

pub async fn a_deleted_one_is_gone_with_its_versions(
    on: &Stores<'_, impl Kv, impl Database>,
) -> Verdict {
    let author = Person::new(on, "author", "tenant")?;
    publishes(on, &author, "package", version(1, 0, 0), None, "first").await?;
    let package = seen(on, &author, "package").await?;
    let package = package.ok_or_else(|| Failure::new("no package"))?;
    let tx = on.db.begin().await?;
    catalog::delete(&tx, &package).await?;
    tx.commit().await?;
    same("found", seen(on, &author, "package").await?, None)?;
    same("content", catalog::content(on.db, &package).await?, None)?;
    let other = Person::new(on, "other", "tenant")?;
    let changed = publishes(on, &other, "package", version(1, 0, 0), None, "new").await?;
    says(&changed, "\"version\":\"1.0.0\"")
}
