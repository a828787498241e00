//! Who is super admin because of the bootstrap setting.

use scaigate_types::{Database, Kv};

use super::Stores;
use super::mirrored::{Place, told};
use super::super_admins::{elect, give, has, person_of};
use super::verdict::{Verdict, same};
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
    for (before, after, is_new) in [
        (None, by_bootstrap, true),
        (Some(("tenant_admin", "manual")), by_bootstrap, true),
        (Some(("super_admin", "manual")), "super_admin manual", false),
        (Some(("super_admin", "bootstrap")), by_bootstrap, false),
    ] {
        give(on.db, &person_id, before).await?;
        let elected = elect(on.db, &[], Some(&email)).await?;
        same("role", has(on.db, &person_id).await?.as_str(), after)?;
        same("told", elected.bootstrapped.contains(&person_id), is_new)?;
    }
    // Another tenant's user may claim the address.
    give(on.db, &person_id, None).await?;
    let elsewhere = Place::more(on, "elsewhere")?;
    let other = elsewhere.user("other")?;
    let claims = UserChange {
        email: Some(Some(&email)),
        is_present: true,
        ..UserChange::default()
    };
    event::user(on.db, elsewhere.key(&other), claims, &told(3)).await?;
    let elected = elect(on.db, &[], Some(&email)).await?;
    same(
        "of two",
        (elected.bootstrapped, elected.ambiguous_bootstrap),
        (vec![], true),
    )?;
    same("nobody", has(on.db, &person_id).await?, String::new())?;
    // Whoever may not act does not count.
    let suspended = UserChange {
        status: Some("suspended"),
        ..UserChange::default()
    };
    event::user(on.db, elsewhere.key(&other), suspended, &told(4)).await?;
    let elected = elect(on.db, &[], Some(&email)).await?;
    same("of one", elected.bootstrapped, vec![person_id.clone()])?;
    event::user_deleted(on.db, place.key(&user_id), &told(5)).await?;
    let elected = elect(on.db, &[], Some(&email)).await?;
    same(
        "of none",
        (elected.bootstrapped, elected.ambiguous_bootstrap),
        (vec![], false),
    )?;
    same("kept", has(on.db, &person_id).await?.as_str(), by_bootstrap)
}
