//! Workspaces and who may act in them.

use scaigate_types::{Database, Kv, StoreError, WorkspaceRole};

use super::Stores;
use super::fixtures::{NOW, Somebody};
use super::verdict::{Verdict, same};
use crate::people::{self, Person};

/// The names of the workspaces of `person` in the tenant `tenant`, with their roles.
async fn listed(
    on: &Stores<'_, impl Kv, impl Database>,
    person: &Person,
    tenant: &str,
) -> Result<Vec<(String, WorkspaceRole)>, super::Failure> {
    let all = people::workspaces(on.db, &person.person_id, &on.tenant(tenant)?).await?;
    Ok(all
        .into_iter()
        .map(|membership| (membership.name, membership.role))
        .collect())
}

/// Adds the workspace `tag` to the tenant `tenant`, with one member.
async fn add(
    on: &Stores<'_, impl Kv, impl Database>,
    tag: &str,
    tenant: &str,
    person: &Person,
    role: WorkspaceRole,
) -> Result<(), super::Failure> {
    let (workspace_id, tenant_id) = (on.workspace(tag)?, on.tenant(tenant)?);
    let member = (&person.person_id, role);
    people::add_workspace(on.db, &workspace_id, &tenant_id, tag, member, NOW).await?;
    Ok(())
}

fn row(name: &str, role: WorkspaceRole) -> (String, WorkspaceRole) {
    (name.to_owned(), role)
}

pub async fn lists_the_default_one_first(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    let person = Somebody::new(on, "person", "tenant")?.arrive(on.db).await?;
    add(on, "Beta", "tenant", &person, WorkspaceRole::Viewer).await?;
    add(on, "Alpha", "tenant", &person, WorkspaceRole::Author).await?;
    let expected = vec![
        row("Default", WorkspaceRole::Admin),
        row("Alpha", WorkspaceRole::Author),
        row("Beta", WorkspaceRole::Viewer),
    ];
    same("listed", listed(on, &person, "tenant").await?, expected)?;
    add(on, "Alpha", "tenant", &person, WorkspaceRole::Operator).await?;
    let roles = listed(on, &person, "tenant").await?;
    let expected = Some(row("Alpha", WorkspaceRole::Operator));
    same("changed role", roles.get(1).cloned(), expected)
}

pub async fn lists_none_of_another_tenant(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    let person = Somebody::new(on, "person", "tenant")?.arrive(on.db).await?;
    Somebody::new(on, "stranger", "elsewhere")?
        .arrive(on.db)
        .await?;
    // Even a membership in it does not show it: the sign-in was for one tenant.
    add(on, "foreign", "elsewhere", &person, WorkspaceRole::Admin).await?;
    let own = vec![row("Default", WorkspaceRole::Admin)];
    same("own tenant", listed(on, &person, "tenant").await?, own)?;
    let there = vec![row("foreign", WorkspaceRole::Admin)];
    same("the other", listed(on, &person, "elsewhere").await?, there)?;
    same(
        "unknown tenant",
        listed(on, &person, "nowhere").await?,
        vec![],
    )
}

pub async fn lists_none_of_another_person(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    let one = Somebody::new(on, "one", "tenant")?.arrive(on.db).await?;
    let two = Somebody::new(on, "two", "tenant")?.arrive(on.db).await?;
    add(on, "private", "tenant", &one, WorkspaceRole::Admin).await?;
    let expected = vec![row("Default", WorkspaceRole::Viewer)];
    same("the other's", listed(on, &two, "tenant").await?, expected)
}

pub async fn does_not_move_a_workspace_to_another_tenant(
    on: &Stores<'_, impl Kv, impl Database>,
) -> Verdict {
    let one = Somebody::new(on, "one", "tenant")?.arrive(on.db).await?;
    let two = Somebody::new(on, "two", "elsewhere")?.arrive(on.db).await?;
    add(on, "shared", "tenant", &one, WorkspaceRole::Admin).await?;
    let refused = add(on, "shared", "elsewhere", &two, WorkspaceRole::Admin).await;
    same("adding", refused, Err(StoreError::Corrupt.into()))?;
    for tenant in ["tenant", "elsewhere"] {
        let seen = listed(on, &two, tenant).await?;
        same(
            "membership",
            seen.iter().any(|(name, _)| name == "shared"),
            false,
        )?;
    }
    Ok(())
}

pub async fn says_what_somebody_is_in_the_default_one(
    on: &Stores<'_, impl Kv, impl Database>,
) -> Verdict {
    use people::{InDefault, in_default_workspace};
    let first = Somebody::new(on, "first", "tenant")?;
    let person = first.arrive(on.db).await?;
    let (tenant, elsewhere) = (on.tenant("tenant")?, on.tenant("elsewhere")?);
    let id = &person.person_id;
    let admin = InDefault::Member(WorkspaceRole::Admin);
    same(
        "first",
        in_default_workspace(on.other, id, &tenant).await?,
        admin,
    )?;
    let unknown = InDefault::Unknown;
    same(
        "elsewhere",
        in_default_workspace(on.other, id, &elsewhere).await?,
        unknown,
    )?;
    let later = Somebody::new(on, "later", "tenant")?.arrive(on.db).await?;
    let id = &later.person_id;
    // Another workspace says nothing.
    add(on, "Own", "tenant", &later, WorkspaceRole::Admin).await?;
    let viewer = InDefault::Member(WorkspaceRole::Viewer);
    same(
        "later",
        in_default_workspace(on.other, id, &tenant).await?,
        viewer,
    )?;
    let default = &first.fresh.workspace_id;
    people::remove_membership(on.db, id, default, NOW).await?;
    let removed = InDefault::Removed;
    same(
        "removed",
        in_default_workspace(on.other, id, &tenant).await?,
        removed,
    )
}
