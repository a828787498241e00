//! Who is super admin because of the bootstrap setting.

use scaigate_types::{Database, Kv, PersonId};

use super::Stores;
use super::mirrored::{Place, told};
use super::super_admins::{elect, give, has, person_of};
use super::verdict::{Failure, Verdict, same};
use crate::directory::event::{self, UserChange};

pub async fn elects_one_person_of_that_address(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    let place = Place::new(on, "tenant").await?;
    let email = format!("{}-boss@example.test", on.prefix.to_lowercase());
    let mixed = email.to_uppercase();
    let user_id = place.has_user(on.db, "user", 1).await?;
    let person_id = person_of(on.db, &place, &user_id).await?;
    let tells = |email: &str| {
        let (change, key) = (email.to_owned(), place.key(&user_id));
        async move {
            let change = UserChange {
                email: Some(Some(&change)),
                ..UserChange::default()
            };
            event::user(on.db, key, change, &told(2)).await
        }
    };
    let elected = elect(on.db, &[], Some(&email)).await?;
    same(
        "nobody",
        (elected.bootstrapped, elected.ambiguous_bootstrap),
        (vec![], false),
    )?;
    tells(&mixed).await?;
    let by_bootstrap = "super_admin bootstrap";
    let elected = elect(on.db, &[], Some(&email)).await?;
    same("told", elected.bootstrapped, vec![person_id.clone()])?;
    same("role", has(on.db, &person_id).await?.as_str(), by_bootstrap)?;
    // Once: what was taken by hand stays taken, and a role given otherwise stays as it is.
    for before in [
        Some(("super_admin", "bootstrap")),
        Some(("super_admin", "manual")),
        Some(("tenant_admin", "manual")),
        None,
    ] {
        give(on.db, &person_id, before).await?;
        let elected = elect(on.db, &[], Some(&email)).await?;
        let after = before.map_or_else(String::new, |(role, source)| format!("{role} {source}"));
        same("role", has(on.db, &person_id).await?, after)?;
        let told = (elected.bootstrapped, elected.spent_bootstrap);
        same("told", told, (vec![], true))?;
    }
    // Nor is it for whoever comes by the address afterwards.
    event::user_deleted(on.db, place.key(&user_id), &told(3)).await?;
    let elsewhere = Place::more(on, "elsewhere")?;
    let other = has_address(on, &elsewhere, "other", &email).await?;
    elect(on.db, &[], Some(&email)).await?;
    same("the next", has(on.db, &other).await?, String::new())
}

async fn has_address(
    on: &Stores<'_, impl Kv, impl Database>,
    place: &Place,
    tag: &str,
    email: &str,
) -> Result<PersonId, Failure> {
    let user_id = place.user(tag)?;
    let claims = UserChange {
        email: Some(Some(email)),
        is_present: true,
        ..UserChange::default()
    };
    event::user(on.db, place.key(&user_id), claims, &told(3)).await?;
    person_of(on.db, place, &user_id).await
}

/// Another tenant's user may claim the address, and whoever had it first be deleted.
pub async fn elects_nobody_while_another_has_or_had_the_address(
    on: &Stores<'_, impl Kv, impl Database>,
) -> Verdict {
    let place = Place::new(on, "tenant").await?;
    let elsewhere = Place::more(on, "elsewhere")?;
    let email = format!("{}-chief@example.test", on.prefix.to_lowercase());
    let (first, second) = (
        has_address(on, &place, "first", &email).await?,
        has_address(on, &elsewhere, "second", &email).await?,
    );
    let nobody = async |what: &str| {
        let elected = elect(on.db, &[], Some(&email)).await?;
        let told = (elected.bootstrapped, elected.ambiguous_bootstrap);
        same(what, told, (vec![], true))?;
        for person_id in [&first, &second] {
            same(what, has(on.db, person_id).await?, String::new())?;
        }
        Ok::<_, Failure>(())
    };
    nobody("of two").await?;
    let suspended = UserChange {
        status: Some("suspended"),
        ..UserChange::default()
    };
    let user_id = place.user("first")?;
    event::user(on.db, place.key(&user_id), suspended, &told(4)).await?;
    nobody("one is suspended").await?;
    event::user_deleted(on.db, place.key(&user_id), &told(5)).await?;
    nobody("one is deleted").await
}

pub async fn elects_nobody_who_may_not_act(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    let place = Place::new(on, "tenant").await?;
    let email = format!("{}-head@example.test", on.prefix.to_lowercase());
    let person_id = has_address(on, &place, "user", &email).await?;
    let user_id = place.user("user")?;
    for (n, status, expected) in [(4, "suspended", vec![]), (5, "active", vec![person_id])] {
        let change = UserChange {
            status: Some(status),
            ..UserChange::default()
        };
        event::user(on.db, place.key(&user_id), change, &told(n)).await?;
        let elected = elect(on.db, &[], Some(&email)).await?;
        let found = (elected.bootstrapped, elected.ambiguous_bootstrap);
        same(status, found, (expected, false))?;
    }
    Ok(())
}
