//! People who sign in.

use scaigate_types::{AdminRole, Database, Issuer, Kv, PersonId, StoreError, WorkspaceRole};

use super::Stores;
use super::fixtures::{NOW, Somebody};
use super::interposed::Failing;
use super::verdict::{Failure, Verdict, holds, same};
use crate::people::{self, Person};

/// The roles of a person in the workspaces of their tenant.
async fn roles(db: &impl Database, person: &Person) -> Result<Vec<WorkspaceRole>, StoreError> {
    let all = people::workspaces(db, &person.person_id, &person.tenant_id).await?;
    Ok(all.into_iter().map(|membership| membership.role).collect())
}

/// Sets the status of a person, as a later administrator's page will.
async fn set_status(db: &impl Database, id: &PersonId, status: &str) -> Result<(), StoreError> {
    let sql = "UPDATE person SET status = ?2 WHERE person_id = ?1";
    db.query(sql, &[id.as_str().into(), status.into()])
        .await
        .map(|_| ())
}

/// Sets the administrator's role of a person and where it comes from.
async fn set_role(
    db: &impl Database,
    id: &PersonId,
    role: &str,
    source: &str,
) -> Result<(), StoreError> {
    let sql = "UPDATE person SET admin_role = ?2, admin_role_source = ?3 WHERE person_id = ?1";
    db.query(sql, &[id.as_str().into(), role.into(), source.into()])
        .await
        .map(|_| ())
}

/// Where the administrator's role of a person comes from.
async fn role_source(db: &impl Database, id: &PersonId) -> Result<Option<String>, StoreError> {
    let sql = "SELECT admin_role_source FROM person WHERE person_id = ?1";
    let rows = db.query(sql, &[id.as_str().into()]).await?;
    let row = rows.first().ok_or(StoreError::Corrupt)?;
    Ok(row.optional_text(0)?.map(str::to_owned))
}

pub async fn the_first_becomes_admin(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    let somebody = Somebody::new(on, "first", "tenant")?;
    let person = somebody.arrive(on.db).await?;
    let expected = Person {
        person_id: somebody.fresh.person_id.clone(),
        issuer: somebody.issuer.clone(),
        subject: somebody.subject.clone(),
        tenant_id: somebody.tenant_id.clone(),
        email: somebody.email.clone(),
        name: somebody.name.map(str::to_owned),
        is_active: true,
        admin_role: None,
        personal_workspace_id: None,
    };
    same("person", &person, &expected)?;
    same(
        "roles",
        roles(on.db, &person).await?,
        vec![WorkspaceRole::Admin],
    )
}

pub async fn later_ones_become_viewers(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    let first = Somebody::new(on, "first", "tenant")?.arrive(on.db).await?;
    let second = Somebody::new(on, "second", "tenant")?.arrive(on.db).await?;
    same(
        "roles",
        roles(on.db, &second).await?,
        vec![WorkspaceRole::Viewer],
    )?;
    same(
        "first's roles",
        roles(on.db, &first).await?,
        vec![WorkspaceRole::Admin],
    )?;
    let of = |person: &Person| (person.person_id.clone(), person.tenant_id.clone());
    let (first, second) = (of(&first), of(&second));
    let mine = people::workspaces(on.db, &first.0, &first.1).await?;
    let theirs = people::workspaces(on.db, &second.0, &second.1).await?;
    let ids = |all: &[people::Membership]| -> Vec<String> {
        all.iter()
            .map(|membership| membership.workspace_id.to_string())
            .collect()
    };
    same("the one workspace", ids(&theirs), ids(&mine))
}

pub async fn a_tenant_admin_becomes_admin(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    Somebody::new(on, "first", "tenant")?.arrive(on.db).await?;
    let admin = Somebody {
        is_tenant_admin: true,
        ..Somebody::new(on, "second", "tenant")?
    };
    let person = admin.arrive(on.db).await?;
    same(
        "roles",
        roles(on.db, &person).await?,
        vec![WorkspaceRole::Admin],
    )?;
    same("administrator's role", person.admin_role, None)
}

pub async fn arriving_again_changes_nothing(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    Somebody::new(on, "first", "tenant")?.arrive(on.db).await?;
    let somebody = Somebody::new(on, "second", "tenant")?;
    let person = somebody.arrive(on.db).await?;
    let again = Somebody {
        fresh: people::FreshIds {
            person_id: on.person("unneeded")?,
            workspace_id: on.workspace("unneeded")?,
        },
        ..somebody
    };
    same("person", again.arrive(on.db).await?, person.clone())?;
    same(
        "roles",
        roles(on.db, &person).await?,
        vec![WorkspaceRole::Viewer],
    )?;
    same(
        "unneeded",
        people::find(on.db, &on.person("unneeded")?).await?,
        None,
    )
}

pub async fn keeps_display_names_that_are_not_sent_again(
    on: &Stores<'_, impl Kv, impl Database>,
) -> Verdict {
    let somebody = Somebody::new(on, "person", "tenant")?;
    somebody.arrive(on.db).await?;
    let silent = Somebody {
        email: None,
        name: None,
        ..somebody.clone()
    };
    let person = silent.arrive(on.db).await?;
    same("e-mail", &person.email, &somebody.email)?;
    same("name", person.name.as_deref(), somebody.name)?;
    let renamed = Somebody {
        email: Some("new@example.test".to_owned()),
        name: Some("New"),
        ..somebody
    };
    let person = renamed.arrive(on.db).await?;
    same("e-mail", person.email.as_deref(), Some("new@example.test"))?;
    same("name", person.name.as_deref(), Some("New"))
}

pub async fn the_same_subject_of_another_issuer_is_somebody_else(
    on: &Stores<'_, impl Kv, impl Database>,
) -> Verdict {
    let somebody = Somebody::new(on, "one", "tenant")?;
    let one = somebody.arrive(on.db).await?;
    let issuer = Issuer::parse("https://another.test").map_err(|_| Failure::new("no issuer"))?;
    let fresh = Somebody::new(on, "two", "tenant")?.fresh;
    let two = Somebody {
        issuer,
        fresh,
        ..somebody
    }
    .arrive(on.db)
    .await?;
    holds("two people", one.person_id != two.person_id)?;
    same(
        "roles",
        roles(on.db, &two).await?,
        vec![WorkspaceRole::Viewer],
    )
}

pub async fn the_same_email_is_somebody_else(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    let one = Somebody::new(on, "one", "tenant")?;
    let two = Somebody {
        email: one.email.clone(),
        ..Somebody::new(on, "two", "tenant")?
    };
    let one = one.arrive(on.db).await?;
    let two = two.arrive(on.db).await?;
    same("e-mail", &one.email, &two.email)?;
    holds("two people", one.person_id != two.person_id)
}

pub async fn a_removed_membership_stays_removed(
    on: &Stores<'_, impl Kv, impl Database>,
) -> Verdict {
    let somebody = Somebody {
        is_tenant_admin: true,
        ..Somebody::new(on, "person", "tenant")?
    };
    let person = somebody.arrive(on.db).await?;
    let sql = "UPDATE membership SET removed_at = ?2 WHERE person_id = ?1";
    on.db
        .query(sql, &[person.person_id.as_str().into(), NOW.into()])
        .await?;
    same("removed", roles(on.db, &person).await?, vec![])?;
    somebody.arrive(on.db).await?;
    same("after arriving again", roles(on.db, &person).await?, vec![])
}

pub async fn a_suspended_person_joins_nothing(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    let mut somebody = Somebody::new(on, "person", "tenant")?;
    let person = somebody.arrive(on.db).await?;
    set_status(on.db, &person.person_id, "suspended").await?;
    somebody.tenant_id = on.tenant("another-tenant")?;
    somebody.fresh.workspace_id = on.workspace("another-workspace")?;
    let person = somebody.arrive(on.db).await?;
    same("active", person.is_active, false)?;
    same("roles", roles(on.db, &person).await?, vec![])?;
    set_status(on.db, &person.person_id, "active").await?;
    let person = somebody.arrive(on.db).await?;
    same(
        "roles once active",
        roles(on.db, &person).await?,
        vec![WorkspaceRole::Admin],
    )
}

pub async fn bootstrap_makes_a_super_admin(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    let super_admin = Some(AdminRole::SuperAdmin);
    let bootstrap = Somebody {
        is_bootstrap_super_admin: true,
        ..Somebody::new(on, "new", "tenant")?
    };
    let person = bootstrap.arrive(on.db).await?;
    same("at the first arrival", person.admin_role, super_admin)?;
    let source = role_source(on.db, &person.person_id).await?;
    same("source", source.as_deref(), Some("bootstrap"))?;
    let later = Somebody {
        is_bootstrap_super_admin: false,
        ..bootstrap
    };
    same("kept", later.arrive(on.db).await?.admin_role, super_admin)?;

    let known = Somebody::new(on, "known", "tenant")?;
    same("before", known.arrive(on.db).await?.admin_role, None)?;
    let person = Somebody {
        is_bootstrap_super_admin: true,
        ..known
    }
    .arrive(on.db)
    .await?;
    same("at a later arrival", person.admin_role, super_admin)?;
    let source = role_source(on.db, &person.person_id).await?;
    same("source", source.as_deref(), Some("bootstrap"))
}

pub async fn bootstrap_keeps_a_role_given_otherwise(
    on: &Stores<'_, impl Kv, impl Database>,
) -> Verdict {
    for (tag, role, expected) in [
        ("super", "super_admin", "manual"),
        ("tenant-admin", "tenant_admin", "bootstrap"),
    ] {
        let somebody = Somebody::new(on, tag, "tenant")?;
        let person = somebody.arrive(on.db).await?;
        let somebody = Somebody {
            is_bootstrap_super_admin: true,
            ..somebody
        };
        set_role(on.db, &person.person_id, role, "manual").await?;
        let person = somebody.arrive(on.db).await?;
        same(tag, person.admin_role, Some(AdminRole::SuperAdmin))?;
        let source = role_source(on.db, &person.person_id).await?;
        same(tag, source.as_deref(), Some(expected))?;
    }
    Ok(())
}

/// An address can pass to somebody else (N-104).
pub async fn bootstrap_elects_once_and_nobody_of_a_shared_address(
    on: &Stores<'_, impl Kv, impl Database>,
) -> Verdict {
    let named = |tag: &str, email: &Option<String>| {
        Ok::<_, Failure>(Somebody {
            email: email.clone(),
            is_bootstrap_super_admin: true,
            ..Somebody::new(on, tag, tag)?
        })
    };
    let address = Some(format!("{}-Boss@example.test", on.prefix));
    let first = named("first", &address)?;
    let person = first.arrive(on.db).await?;
    same("the first", person.admin_role, Some(AdminRole::SuperAdmin))?;
    let next = named("next", &address)?;
    same("the next", next.arrive(on.db).await?.admin_role, None)?;
    // Whoever took the role by hand meant it.
    let sql = "UPDATE person SET admin_role = NULL, admin_role_source = NULL WHERE person_id = ?1";
    let id = person.person_id.as_str();
    on.db.query(sql, &[id.into()]).await?;
    same("taken", first.arrive(on.db).await?.admin_role, None)?;
    // Neither is elected while both have an address, or one of them had it.
    let address = Some(format!("{}-Chief@example.test", on.prefix));
    let nobody = Somebody {
        is_bootstrap_super_admin: false,
        ..named("before", &address)?
    };
    let person = nobody.arrive(on.db).await?;
    let next = named("after", &address)?;
    same("of two", next.arrive(on.db).await?.admin_role, None)?;
    let sql = "UPDATE person SET deleted_at = 1 WHERE person_id = ?1";
    let id = person.person_id.as_str();
    on.db.query(sql, &[id.into()]).await?;
    same(
        "of one who is gone",
        next.arrive(on.db).await?.admin_role,
        None,
    )
}

pub async fn bootstrap_does_not_reach_a_suspended_person(
    on: &Stores<'_, impl Kv, impl Database>,
) -> Verdict {
    let somebody = Somebody::new(on, "person", "tenant")?;
    let person = somebody.arrive(on.db).await?;
    set_status(on.db, &person.person_id, "suspended").await?;
    let person = Somebody {
        is_bootstrap_super_admin: true,
        ..somebody
    }
    .arrive(on.db)
    .await?;
    same("administrator's role", person.admin_role, None)
}

pub async fn an_arrival_cut_short_is_finished_by_the_next(
    on: &Stores<'_, impl Kv, impl Database>,
) -> Verdict {
    // Beyond the last statement nothing is cut: that tells how many there are.
    for statement in 1..=8 {
        let tag = format!("first-{statement}");
        let somebody = Somebody::new(on, &tag, &format!("tenant-{statement}"))?;
        let cut = Failing::at(on.db, statement);
        let outcome = somebody.arrive(&cut).await;
        let person = somebody.arrive(on.db).await?;
        same(
            &tag,
            roles(on.db, &person).await?,
            vec![WorkspaceRole::Admin],
        )?;
        if outcome.is_ok() {
            return holds("something was cut", statement > 1);
        }
        same("the cut", outcome, Err(StoreError::Unavailable))?;
    }
    Err(Failure::new(
        "an arrival takes more statements than expected",
    ))
}

pub async fn is_found_by_identifier(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    let person = Somebody::new(on, "person", "tenant")?.arrive(on.db).await?;
    let found = people::find(on.other, &person.person_id).await?;
    same("found", found, Some(person))?;
    same(
        "unknown",
        people::find(on.db, &on.person("unknown")?).await?,
        None,
    )
}
