//! Access lists of flows: users, groups as they are now, and nobody of another tenant.

use scaigate_types::{Database, FlowId, Kv, Transaction};

use super::Stores;
use super::fixtures::NOW;
use super::flows::Person;
use super::verdict::{Failure, Verdict, holds, same};
use crate::flow::acl::{self, Grant, Granted, PrincipalType};
use crate::flow::{self, Level};

/// What comes of `owner` giving a right on the flow.
async fn grants(
    on: &Stores<'_, impl Kv, impl Database>,
    owner: &Person,
    flow_id: &FlowId,
    principal: (PrincipalType, &str),
    level: Level,
) -> Result<Granted, Failure> {
    let tx = on.db.begin().await?;
    let viewer = owner.viewer();
    let found = flow::find(&tx, &viewer, flow_id).await?;
    let found = found.ok_or_else(|| Failure::new("a flow is not there"))?;
    let (principal_type, principal_id) = principal;
    let granted = acl::grant(
        &tx,
        &found.flow,
        Grant {
            acl_id: &format!("{}-{principal_id}", on.name("acl")),
            principal_type,
            principal_id,
            level,
            granted_by: viewer.subject,
        },
        NOW,
    )
    .await?;
    tx.commit().await?;
    Ok(granted)
}

/// A group of the case's tenant `tenant` with one member.
pub async fn group(
    on: &Stores<'_, impl Kv, impl Database>,
    tag: &str,
    tenant: &str,
    member: &str,
) -> Result<String, Failure> {
    let (group_id, tenant_id) = (on.name(tag), on.tenant(tenant)?);
    on.db
        .query(
            "INSERT INTO directory_group (tenant_id, group_id, name, synced_at, changed_at, cause)
             VALUES (?1, ?2, 'Group', 1, 0, 'sync:1')",
            &[tenant_id.as_str().into(), group_id.as_str().into()],
        )
        .await?;
    on.db
        .query(
            "INSERT INTO group_membership (tenant_id, group_id, user_id, changed_at, cause)
             VALUES (?1, ?2, ?3, 0, 'sync:1')",
            &[
                tenant_id.as_str().into(),
                group_id.as_str().into(),
                on.subject(member)?.as_str().into(),
            ],
        )
        .await?;
    Ok(group_id)
}

async fn marks(
    on: &Stores<'_, impl Kv, impl Database>,
    table: &str,
    group_id: &str,
    deleted: bool,
) -> Verdict {
    let sql = format!("UPDATE {table} SET deleted_at = iif(?2, 1, NULL) WHERE group_id = ?1");
    on.db
        .query(&sql, &[group_id.into(), i64::from(deleted).into()])
        .await?;
    Ok(())
}

pub async fn a_user_has_the_level_given(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    let owner = Person::new(on, "owner", "tenant")?;
    let flow_id = owner.makes(on, "flow").await?;
    for (tag, level) in [
        ("viewer", Level::View),
        ("editor", Level::Edit),
        ("deployer", Level::Deploy),
        ("admin", Level::Admin),
    ] {
        let person = Person::new(on, tag, "tenant")?.mirrored(on.db).await?;
        same("before", person.level(on.db, &flow_id).await?, None)?;
        let principal = (PrincipalType::User, person.viewer().subject.as_str());
        let granted = grants(on, &owner, &flow_id, principal, level).await?;
        holds("it is given", matches!(granted, Granted::Given(_)))?;
        same(
            "after",
            person.level(on.other, &flow_id).await?,
            Some(level),
        )?;
        let again = grants(on, &owner, &flow_id, principal, Level::View).await?;
        same("again", again, Granted::Exists)?;
        same(
            "unchanged",
            person.level(on.db, &flow_id).await?,
            Some(level),
        )?;
    }
    Ok(())
}

pub async fn a_group_counts_as_long_as_it_and_its_membership_live(
    on: &Stores<'_, impl Kv, impl Database>,
) -> Verdict {
    let owner = Person::new(on, "owner", "tenant")?;
    let flow_id = owner.makes(on, "flow").await?;
    let member = Person::new(on, "member", "tenant")?;
    let group_id = group(on, "group", "tenant", "member").await?;
    let principal = (PrincipalType::Group, group_id.as_str());
    grants(on, &owner, &flow_id, principal, Level::Edit).await?;
    let outsider = Person::new(on, "outsider", "tenant")?;
    same("an outsider", outsider.level(on.db, &flow_id).await?, None)?;
    for (table, deleted, expected) in [
        ("group_membership", false, Some(Level::Edit)),
        ("group_membership", true, None),
        ("group_membership", false, Some(Level::Edit)),
        ("directory_group", true, None),
        ("directory_group", false, Some(Level::Edit)),
    ] {
        marks(on, table, &group_id, deleted).await?;
        let what = format!("{table} deleted: {deleted}");
        same(&what, member.level(on.db, &flow_id).await?, expected)?;
    }
    Ok(())
}

pub async fn the_highest_of_several_counts(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    let owner = Person::new(on, "owner", "tenant")?;
    let flow_id = owner.makes(on, "flow").await?;
    let member = Person::new(on, "member", "tenant")?.mirrored(on.db).await?;
    let user = (PrincipalType::User, member.viewer().subject.as_str());
    grants(on, &owner, &flow_id, user, Level::View).await?;
    for (tag, level) in [("editors", Level::Edit), ("deployers", Level::Deploy)] {
        let group_id = group(on, tag, "tenant", "member").await?;
        grants(
            on,
            &owner,
            &flow_id,
            (PrincipalType::Group, &group_id),
            level,
        )
        .await?;
    }
    same(
        "level",
        member.level(on.db, &flow_id).await?,
        Some(Level::Deploy),
    )
}

pub async fn nobody_of_another_tenant_can_be_named_or_gets_in(
    on: &Stores<'_, impl Kv, impl Database>,
) -> Verdict {
    let owner = Person::new(on, "owner", "tenant")?;
    let flow_id = owner.makes(on, "flow").await?;
    let stranger = Person::new(on, "stranger", "elsewhere")?
        .mirrored(on.db)
        .await?;
    let group_id = group(on, "strangers", "elsewhere", "stranger").await?;
    let subject = stranger.viewer().subject.as_str();
    for principal in [
        (PrincipalType::User, subject),
        (PrincipalType::Group, &*group_id),
    ] {
        let granted = grants(on, &owner, &flow_id, principal, Level::View).await?;
        same("granted", granted, Granted::PrincipalNotFound)?;
    }
    // The same identifiers in both tenants are two users and two groups.
    let namesake = group(on, "strangers", "tenant", "stranger").await?;
    let principal = (PrincipalType::Group, namesake.as_str());
    grants(on, &owner, &flow_id, principal, Level::Admin).await?;
    same("level", stranger.level(on.db, &flow_id).await?, None)
}

pub async fn a_deleted_principal_can_not_be_named(
    on: &Stores<'_, impl Kv, impl Database>,
) -> Verdict {
    let owner = Person::new(on, "owner", "tenant")?;
    let flow_id = owner.makes(on, "flow").await?;
    let group_id = group(on, "group", "tenant", "member").await?;
    marks(on, "directory_group", &group_id, true).await?;
    let principal = (PrincipalType::Group, group_id.as_str());
    let granted = grants(on, &owner, &flow_id, principal, Level::View).await?;
    same("a group", granted, Granted::PrincipalNotFound)?;
    let nobody = on.name("nobody");
    let principal = (PrincipalType::User, nobody.as_str());
    let granted = grants(on, &owner, &flow_id, principal, Level::View).await?;
    same("a user", granted, Granted::PrincipalNotFound)
}

pub async fn a_right_taken_away_is_gone(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    let owner = Person::new(on, "owner", "tenant")?;
    let flow_id = owner.makes(on, "flow").await?;
    let other_id = owner.makes(on, "other").await?;
    let person = Person::new(on, "person", "tenant")?.mirrored(on.db).await?;
    let subject = person.viewer().subject.as_str();
    grants(
        on,
        &owner,
        &flow_id,
        (PrincipalType::User, subject),
        Level::Admin,
    )
    .await?;
    let acl_id = format!("{}-{subject}", on.name("acl"));
    let located = |found: Option<flow::Found>| {
        found
            .map(|found| found.flow)
            .ok_or_else(|| Failure::new("a flow is not there"))
    };
    let other = located(owner.finds(on.db, &other_id).await?)?;
    same(
        "of another flow",
        acl::revoke(on.db, &other, &acl_id).await?,
        false,
    )?;
    let flow = located(owner.finds(on.db, &flow_id).await?)?;
    holds("listed", acl::list(on.db, &flow).await?.contains(subject))?;
    same("first", acl::revoke(on.db, &flow, &acl_id).await?, true)?;
    same("again", acl::revoke(on.other, &flow, &acl_id).await?, false)?;
    same("list", acl::list(on.db, &flow).await?.as_str(), "[]")?;
    same("level", person.level(on.db, &flow_id).await?, None)
}
