//! Roles given and taken by hand.

use scaigate_types::{AdminRole, Database, Kv, PersonId, TenantId, Transaction};

use super::Stores;
use super::mirrored::{Place, told};
use super::super_admins::{give, has, person_of};
use super::verdict::{Failure, Verdict, same};
use crate::directory::event::{self, UserChange};
use crate::directory::role::{self, Change};
use crate::directory::super_admin;
use crate::directory::{Cause, Stamp};

const SUPER: Option<AdminRole> = Some(AdminRole::SuperAdmin);
const TENANT: Option<AdminRole> = Some(AdminRole::TenantAdmin);

/// Sets a role as a flow does it: what would leave no super admin is undone.
async fn sets(
    db: &impl Database,
    person_id: &PersonId,
    within: Option<&TenantId>,
    role: Option<AdminRole>,
) -> Result<Change, Failure> {
    let tx = db.begin().await?;
    let stamp = Stamp {
        cause: Cause::Operator,
        ..told(9)
    };
    let change = role::set(&tx, person_id, within, role, &stamp).await?;
    if matches!(change, Change::Done { .. }) {
        tx.commit().await?;
    }
    Ok(change)
}

const fn done(narrows: bool) -> Change {
    Change::Done { narrows }
}

pub async fn are_given_and_taken(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    let place = Place::new(on, "tenant").await?;
    let keeper = place.has_user(on.db, "keeper", 1).await?;
    give(
        on.db,
        &person_of(on.db, &place, &keeper).await?,
        Some(("super_admin", "manual")),
    )
    .await?;
    let user_id = place.has_user(on.db, "user", 1).await?;
    let person_id = person_of(on.db, &place, &user_id).await?;
    for (role, change, after) in [
        (TENANT, done(false), "tenant_admin manual"),
        (TENANT, done(false), "tenant_admin manual"),
        (SUPER, done(true), "super_admin manual"),
        (TENANT, done(true), "tenant_admin manual"),
        (None, done(true), ""),
        (None, done(false), ""),
        (SUPER, done(false), "super_admin manual"),
    ] {
        same("done", sets(on.db, &person_id, None, role).await?, change)?;
        same("role", has(on.other, &person_id).await?.as_str(), after)?;
    }
    // What a group or the setting has given becomes a matter of hands.
    for source in ["group", "bootstrap"] {
        give(on.db, &person_id, Some(("super_admin", source))).await?;
        same(
            source,
            sets(on.db, &person_id, None, SUPER).await?,
            done(false),
        )?;
        same(
            source,
            has(on.db, &person_id).await?.as_str(),
            "super_admin manual",
        )?;
    }
    let sql = "SELECT cause FROM person WHERE person_id = ?1";
    let cause = super::mirrored::texts(on.db, sql, &[person_id.as_str().into()]).await?;
    same("cause", cause, vec!["operator".to_owned()])
}

pub async fn stay_within_a_tenant(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    let place = Place::new(on, "tenant").await?;
    let elsewhere = Place::more(on, "elsewhere")?;
    let user_id = place.has_user(on.db, "user", 1).await?;
    let person_id = person_of(on.db, &place, &user_id).await?;
    let other = Some(&elsewhere.tenant_id);
    same(
        "of another",
        sets(on.db, &person_id, other, TENANT).await?,
        Change::NotFound,
    )?;
    same("nothing", has(on.db, &person_id).await?.as_str(), "")?;
    let own = Some(&place.tenant_id);
    same(
        "of its own",
        sets(on.db, &person_id, own, TENANT).await?,
        done(false),
    )?;
    same(
        "a stranger",
        sets(on.db, &on.person("stranger")?, None, TENANT).await?,
        Change::NotFound,
    )?;
    event::user_deleted(on.db, place.key(&user_id), &told(5)).await?;
    same(
        "somebody gone",
        sets(on.db, &person_id, None, None).await?,
        Change::NotFound,
    )?;
    same(
        "kept",
        has(on.db, &person_id).await?.as_str(),
        "tenant_admin manual",
    )
}

/// Whoever cannot act is no super admin who could give it back.
pub async fn the_last_super_admin_stays(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    let place = Place::new(on, "tenant").await?;
    // Those of other cases.
    let sql = "UPDATE person SET admin_role = NULL, admin_role_source = NULL
                WHERE admin_role = 'super_admin'";
    on.db.query(sql, &[]).await?;
    let (one, two) = (
        place.has_user(on.db, "one", 1).await?,
        place.has_user(on.db, "two", 1).await?,
    );
    let (first, second) = (
        person_of(on.db, &place, &one).await?,
        person_of(on.db, &place, &two).await?,
    );
    same(
        "nobody yet",
        sets(on.db, &first, None, None).await?,
        done(false),
    )?;
    same(
        "the first",
        sets(on.db, &first, None, SUPER).await?,
        done(false),
    )?;
    for role in [None, TENANT] {
        same(
            "the last",
            sets(on.db, &first, None, role).await?,
            Change::LastSuperAdmin,
        )?;
        same(
            "is one still",
            has(on.other, &first).await?.as_str(),
            "super_admin manual",
        )?;
    }
    same(
        "the second",
        sets(on.db, &second, None, SUPER).await?,
        done(false),
    )?;
    let suspended = UserChange {
        status: Some("suspended"),
        ..UserChange::default()
    };
    event::user(on.db, place.key(&two), suspended, &told(2)).await?;
    same("count", super_admin::count(on.db).await?, 1)?;
    same(
        "the last who can act",
        sets(on.db, &first, None, None).await?,
        Change::LastSuperAdmin,
    )?;
    same(
        "who cannot act",
        sets(on.db, &second, None, None).await?,
        done(true),
    )?;
    give(on.db, &second, Some(("super_admin", "manual"))).await?;
    let active = UserChange {
        status: Some("active"),
        ..UserChange::default()
    };
    event::user(on.db, place.key(&two), active, &told(3)).await?;
    same(
        "one of two",
        sets(on.db, &first, None, None).await?,
        done(true),
    )?;
    same(
        "the other",
        has(on.db, &second).await?.as_str(),
        "super_admin manual",
    )
}

pub async fn holders_are_found_by_identifier_and_address(
    on: &Stores<'_, impl Kv, impl Database>,
) -> Verdict {
    let place = Place::new(on, "tenant").await?;
    let elsewhere = Place::more(on, "elsewhere")?;
    let user_id = place.has_user(on.db, "user", 1).await?;
    let person_id = person_of(on.db, &place, &user_id).await?;
    sets(on.db, &person_id, None, TENANT).await?;
    let found = role::by_user_id(on.db, user_id.as_str(), None).await?;
    let expected = role::Holder {
        person_id,
        tenant_id: place.tenant_id.clone(),
        user_id: user_id.clone(),
        role: TENANT,
    };
    same("by identifier", found, vec![expected.clone()])?;
    let address = format!("{user_id}@EXAMPLE.test").to_uppercase();
    same(
        "by address",
        role::by_email(on.other, &address).await?,
        vec![expected.clone()],
    )?;
    elsewhere.has_user(on.db, "user", 1).await?;
    same(
        "of two",
        role::by_user_id(on.db, user_id.as_str(), None).await?.len(),
        2,
    )?;
    same("addresses", role::by_email(on.db, &address).await?.len(), 2)?;
    let own = role::by_user_id(on.db, user_id.as_str(), Some(&place.tenant_id)).await?;
    same("of the tenant", own, vec![expected])?;
    event::user_deleted(on.db, place.key(&user_id), &told(5)).await?;
    let left = role::by_user_id(on.db, user_id.as_str(), Some(&place.tenant_id)).await?;
    same("gone", left, vec![])?;
    for nobody in ["' OR 1=1 --", "%"] {
        same(nobody, role::by_user_id(on.db, nobody, None).await?, vec![])?;
        same(nobody, role::by_email(on.db, nobody).await?, vec![])?;
    }
    Ok(())
}
