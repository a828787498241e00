//! Registration, and the personal workspace it makes.

use scaigate_types::{Database, Kv, StoreError, WorkspaceId, WorkspaceRole};

use super::Stores;
use super::fixtures::{NOW, Somebody};
use super::interposed::Failing;
use super::verdict::{Failure, Verdict, holds, same};
use crate::people::{
    self, Person, WorkspaceKind, personal_workspace, remove_membership, set_membership_role,
    workspace,
};

/// The role of a person in a workspace of their tenant.
async fn role(
    db: &impl Database,
    person: &Person,
    id: &WorkspaceId,
) -> Result<Option<WorkspaceRole>, StoreError> {
    let seen = workspace(db, &person.person_id, id, &person.tenant_id).await?;
    Ok(seen.map(|seen| seen.role))
}

pub async fn makes_the_person_and_a_workspace_of_their_own(
    on: &Stores<'_, impl Kv, impl Database>,
) -> Verdict {
    let somebody = Somebody::new(on, "person", "tenant")?;
    let own = on.workspace("own")?;
    let registered = somebody.registers(on.db, "own", on).await?;
    same("made", registered.created, true)?;
    same("workspace", &registered.personal_workspace_id, &own)?;
    let person = registered.person;
    same(
        "person",
        people::find(on.other, &person.person_id).await?,
        Some(people::Person {
            personal_workspace_id: Some(own.clone()),
            ..person.clone()
        }),
    )?;
    let seen = workspace(on.other, &person.person_id, &own, &person.tenant_id)
        .await?
        .ok_or_else(|| Failure::new("no workspace"))?;
    same("name", seen.name.as_str(), "Personal")?;
    same("kind", seen.kind, WorkspaceKind::Personal)?;
    same("role", seen.role, WorkspaceRole::Admin)?;
    same("members", seen.member_count, 1)?;
    same("made at", seen.created_at, NOW)?;
    let found = personal_workspace(on.other, &person.person_id).await?;
    same("found", found, Some(own))?;
    let listed = people::workspaces(on.db, &person.person_id, &person.tenant_id).await?;
    same("listed, with the default one", listed.len(), 2)
}

pub async fn again_it_makes_nothing(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    let somebody = Somebody::new(on, "person", "tenant")?;
    let first = somebody.registers(on.db, "own", on).await?;
    let again = somebody.registers(on.other, "unneeded", on).await?;
    same("made", again.created, false)?;
    same("person", again.person, first.person.clone())?;
    same(
        "workspace",
        again.personal_workspace_id,
        first.personal_workspace_id,
    )?;
    let unneeded = on.workspace("unneeded")?;
    same(
        "unneeded",
        role(on.db, &first.person, &unneeded).await?,
        None,
    )
}

pub async fn an_arrival_alone_has_no_personal_workspace(
    on: &Stores<'_, impl Kv, impl Database>,
) -> Verdict {
    let person = Somebody::new(on, "person", "tenant")?.arrive(on.db).await?;
    let found = personal_workspace(on.db, &person.person_id).await?;
    same("arrived", found, None)?;
    let found = personal_workspace(on.db, &on.person("stranger")?).await?;
    same("stranger", found, None)
}

pub async fn everybody_gets_their_own(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    let one = Somebody::new(on, "one", "tenant")?;
    let two = Somebody::new(on, "two", "tenant")?;
    let first = one.registers(on.db, "own-1", on).await?;
    let second = two.registers(on.db, "own-2", on).await?;
    same("made", (first.created, second.created), (true, true))?;
    let (mine, theirs) = (&first.personal_workspace_id, &second.personal_workspace_id);
    holds("two workspaces", mine != theirs)?;
    same(
        "mine, to the other",
        role(on.db, &second.person, mine).await?,
        None,
    )?;
    same(
        "theirs, to me",
        role(on.db, &first.person, theirs).await?,
        None,
    )
}

pub async fn a_membership_removed_or_lowered_stays_so(
    on: &Stores<'_, impl Kv, impl Database>,
) -> Verdict {
    let somebody = Somebody::new(on, "person", "tenant")?;
    let registered = somebody.registers(on.db, "own", on).await?;
    let (person, own) = (registered.person, registered.personal_workspace_id);
    let viewer = WorkspaceRole::Viewer;
    let lowered = set_membership_role(on.db, &person.person_id, &own, viewer).await?;
    same("lowering", lowered, true)?;
    somebody.registers(on.db, "again", on).await?;
    same("lowered", role(on.db, &person, &own).await?, Some(viewer))?;

    let removed = remove_membership(on.db, &person.person_id, &own, NOW).await?;
    same("removing", removed, true)?;
    let again = somebody.registers(on.db, "again", on).await?;
    same("made", again.created, false)?;
    same("workspace", &again.personal_workspace_id, &own)?;
    same("removed", role(on.db, &person, &own).await?, None)?;
    // Who is no member has no role to change.
    let admin = WorkspaceRole::Admin;
    let raised = set_membership_role(on.db, &person.person_id, &own, admin).await?;
    same("raising", raised, false)?;
    let removed = remove_membership(on.db, &person.person_id, &own, NOW).await?;
    same("removing again", removed, false)
}

pub async fn a_suspended_person_gets_nothing(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    let somebody = Somebody::new(on, "person", "tenant")?;
    let person = somebody.arrive(on.db).await?;
    somebody.set_status(on.db, "suspended").await?;
    let refused = somebody.register(on.db, &on.workspace("own")?).await?;
    same("registering", refused, None)?;
    let found = personal_workspace(on.db, &person.person_id).await?;
    same("workspace", found, None)?;
    somebody.set_status(on.db, "active").await?;
    let registered = somebody.registers(on.db, "own", on).await?;
    same("once active", registered.created, true)
}

/// What somebody kept in one tenant does not follow them into another.
pub async fn another_tenant_has_another_workspace(
    on: &Stores<'_, impl Kv, impl Database>,
) -> Verdict {
    let here = Somebody::new(on, "person", "tenant")?;
    let left = here.registers(on.db, "own-1", on).await?;
    let there = Somebody {
        tenant_id: on.tenant("elsewhere")?,
        fresh: Somebody::new(on, "moved", "elsewhere")?.fresh,
        ..here.clone()
    };
    let moved = there.registers(on.db, "own-2", on).await?;
    same(
        "the same person",
        &moved.person.person_id,
        &left.person.person_id,
    )?;
    same("made", moved.created, true)?;
    let found = personal_workspace(on.db, &moved.person.person_id).await?;
    same("found", found, Some(moved.personal_workspace_id))?;
    let old = &left.personal_workspace_id;
    same("the old one", role(on.db, &moved.person, old).await?, None)?;
    let back = here.registers(on.db, "own-3", on).await?;
    same("made on return", back.created, false)?;
    same("on return", &back.personal_workspace_id, old)?;
    let found = personal_workspace(on.db, &back.person.person_id).await?;
    same("found on return", found.as_ref(), Some(old))
}

pub async fn takes_no_workspace_of_somebody_else(
    on: &Stores<'_, impl Kv, impl Database>,
) -> Verdict {
    let owner = Somebody::new(on, "owner", "tenant")?;
    let taken = owner.registers(on.db, "own", on).await?;
    let thief = Somebody::new(on, "thief", "tenant")?;
    let outcome = thief.register(on.db, &taken.personal_workspace_id).await;
    same("registering", outcome, Err(StoreError::Corrupt))?;
    let person = thief.arrive(on.db).await?;
    let seen = role(on.db, &person, &taken.personal_workspace_id).await?;
    same("the owner's", seen, None)
}

pub async fn one_cut_short_is_finished_by_the_next(
    on: &Stores<'_, impl Kv, impl Database>,
) -> Verdict {
    // Beyond the last statement nothing is cut: that tells how many there are.
    for statement in 1..=12 {
        let tag = format!("person-{statement}");
        let somebody = Somebody::new(on, &tag, &format!("tenant-{statement}"))?;
        let own = on.workspace(&format!("own-{statement}"))?;
        let cut = Failing::at(on.db, statement);
        let outcome = somebody.register(&cut, &own).await;
        let finished = somebody
            .registers(on.db, &format!("late-{statement}"), on)
            .await?;
        let seen = role(on.db, &finished.person, &finished.personal_workspace_id).await?;
        same(&tag, seen, Some(WorkspaceRole::Admin))?;
        let all = people::workspaces(
            on.db,
            &finished.person.person_id,
            &finished.person.tenant_id,
        )
        .await?;
        same(&tag, all.len(), 2)?;
        if outcome.is_ok() {
            return holds("everything was cut once", statement == 7);
        }
        same("the cut", outcome, Err(StoreError::Unavailable))?;
    }
    Err(Failure::new(
        "a registration takes more statements than expected",
    ))
}
