//! A workspace as its members see it, and who may change it.

use std::time::Duration;

use scaigate_types::{Database, Kv, PersonId, TenantId, Timestamp, WorkspaceId, WorkspaceRole};

use super::Stores;
use super::fixtures::{NOW, Somebody};
use super::verdict::{Failure, Verdict, same};
use crate::people::{
    Update, Workspace, WorkspaceKind, add_workspace, remove_membership, set_membership_role,
    update_workspace, workspace,
};

const LATER: Timestamp = Timestamp::from_millis(NOW.millis() + 60_000);

/// The workspace `team` of the tenant `tenant`, and its only member, an `admin`.
struct Team {
    person_id: PersonId,
    workspace_id: WorkspaceId,
    tenant_id: TenantId,
}

impl Team {
    async fn new<K, D: Database>(on: &Stores<'_, K, D>) -> Result<Self, Failure> {
        let person = Somebody::new(on, "admin", "tenant")?.arrive(on.db).await?;
        let team = Self {
            person_id: person.person_id,
            workspace_id: on.workspace("team")?,
            tenant_id: person.tenant_id,
        };
        team.join(on.db, &team.person_id, WorkspaceRole::Admin)
            .await?;
        Ok(team)
    }

    async fn join(&self, db: &impl Database, person_id: &PersonId, role: WorkspaceRole) -> Verdict {
        let member = (person_id, role);
        add_workspace(db, &self.workspace_id, &self.tenant_id, "Team", member, NOW).await?;
        Ok(())
    }

    async fn seen(
        &self,
        db: &impl Database,
        person_id: &PersonId,
    ) -> Result<Option<Workspace>, Failure> {
        Ok(workspace(db, person_id, &self.workspace_id, &self.tenant_id).await?)
    }

    async fn rename(&self, db: &impl Database, person_id: &PersonId) -> Result<Update, Failure> {
        let (id, tenant_id) = (&self.workspace_id, &self.tenant_id);
        let name = Some("Renamed");
        Ok(update_workspace(db, person_id, id, tenant_id, name, None, LATER).await?)
    }
}

pub async fn a_member_sees_it(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    let team = Team::new(on).await?;
    let other = Somebody::new(on, "other", "tenant")?.arrive(on.db).await?;
    let left = Somebody::new(on, "left", "tenant")?.arrive(on.db).await?;
    team.join(on.db, &other.person_id, WorkspaceRole::Author)
        .await?;
    team.join(on.db, &left.person_id, WorkspaceRole::Author)
        .await?;
    remove_membership(on.db, &left.person_id, &team.workspace_id, NOW).await?;
    let expected = Workspace {
        workspace_id: team.workspace_id.clone(),
        tenant_id: team.tenant_id.clone(),
        name: "Team".to_owned(),
        description: None,
        kind: WorkspaceKind::Shared,
        role: WorkspaceRole::Author,
        created_at: NOW,
        updated_at: None,
        member_count: 2,
    };
    let seen = team.seen(on.other, &other.person_id).await?;
    same("a member", seen, Some(expected))?;
    same(
        "one who left",
        team.seen(on.db, &left.person_id).await?,
        None,
    )
}

pub async fn nobody_else_sees_it(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    let team = Team::new(on).await?;
    let outsider = Somebody::new(on, "outsider", "tenant")?
        .arrive(on.db)
        .await?;
    same(
        "no member",
        team.seen(on.db, &outsider.person_id).await?,
        None,
    )?;
    // Not even to a member, where the sign-in was for another tenant.
    let elsewhere = Somebody::new(on, "stranger", "elsewhere")?
        .arrive(on.db)
        .await?;
    let seen = workspace(
        on.db,
        &team.person_id,
        &team.workspace_id,
        &elsewhere.tenant_id,
    )
    .await?;
    same("another tenant", seen, None)?;
    let nowhere = on.workspace("nowhere")?;
    let seen = workspace(on.db, &team.person_id, &nowhere, &team.tenant_id).await?;
    same("no workspace", seen, None)
}

pub async fn an_admin_changes_what_is_given(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    let team = Team::new(on).await?;
    let step = |n: u64| LATER.plus(Duration::from_secs(n));
    let text = |text: &str| Some(text.to_owned());
    let cases = [
        ("nothing", None, None, "Team", None, None),
        ("name", Some("One"), None, "One", None, Some(step(1))),
        (
            "description",
            None,
            Some(Some("why")),
            "One",
            text("why"),
            Some(step(2)),
        ),
        (
            "the name alone",
            Some("Two"),
            None,
            "Two",
            text("why"),
            Some(step(3)),
        ),
        (
            "no description",
            None,
            Some(None),
            "Two",
            None,
            Some(step(4)),
        ),
        (
            "both",
            Some("'"),
            Some(Some("\"")),
            "'",
            text("\""),
            Some(step(5)),
        ),
    ];
    for (n, (what, name, description, new_name, new_description, updated_at)) in (0..).zip(cases) {
        let (id, tenant_id) = (&team.workspace_id, &team.tenant_id);
        let done = update_workspace(
            on.db,
            &team.person_id,
            id,
            tenant_id,
            name,
            description,
            step(n),
        )
        .await?;
        same(what, done, Update::Updated)?;
        let seen = team
            .seen(on.other, &team.person_id)
            .await?
            .ok_or_else(|| Failure::new("no workspace"))?;
        same(what, seen.name.as_str(), new_name)?;
        same(what, seen.description, new_description)?;
        same(what, seen.updated_at, updated_at)?;
    }
    Ok(())
}

pub async fn nobody_else_changes_it(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    let team = Team::new(on).await?;
    for role in [
        WorkspaceRole::Viewer,
        WorkspaceRole::Operator,
        WorkspaceRole::Author,
    ] {
        let member = Somebody::new(on, role.as_str(), "tenant")?
            .arrive(on.db)
            .await?;
        team.join(on.db, &member.person_id, role).await?;
        let refused = team.rename(on.db, &member.person_id).await?;
        same(role.as_str(), refused, Update::Forbidden)?;
    }
    let outsider = Somebody::new(on, "outsider", "tenant")?
        .arrive(on.db)
        .await?;
    let refused = team.rename(on.db, &outsider.person_id).await?;
    same("no member", refused, Update::NotFound)?;

    let elsewhere = on.tenant("elsewhere")?;
    let (id, name) = (&team.workspace_id, Some("Renamed"));
    let refused =
        update_workspace(on.db, &team.person_id, id, &elsewhere, name, None, LATER).await?;
    same("another tenant", refused, Update::NotFound)?;

    let seen = team.seen(on.db, &team.person_id).await?;
    let seen = seen.map(|seen| (seen.name, seen.updated_at));
    same("unchanged", seen, Some(("Team".to_owned(), None)))
}

pub async fn a_right_taken_away_counts_at_once(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    let team = Team::new(on).await?;
    let (admin, id) = (&team.person_id, &team.workspace_id);
    set_membership_role(on.other, admin, id, WorkspaceRole::Author).await?;
    same(
        "lowered",
        team.rename(on.db, admin).await?,
        Update::Forbidden,
    )?;
    set_membership_role(on.other, admin, id, WorkspaceRole::Admin).await?;
    remove_membership(on.other, admin, id, NOW).await?;
    same(
        "removed",
        team.rename(on.db, admin).await?,
        Update::NotFound,
    )
}
