//! Events of users.

use scaigate_types::{Database, Kv, Query};

use super::Stores;
use super::mirrored::{Place, begins, every_order, finishes, nothing_is_known, told, was_read};
use super::verdict::{Verdict, holds, same};
use crate::directory::event::{self, Effect, UserChange};
use crate::people;

/// An address alone.
fn email(email: &str) -> UserChange<'_> {
    UserChange {
        email: Some(Some(email)),
        ..UserChange::default()
    }
}

/// A status alone.
fn status(status: &str) -> UserChange<'_> {
    UserChange {
        status: Some(status),
        ..UserChange::default()
    }
}

/// A creation with everything.
fn created<'a>(email: &'a str, status: &'a str) -> UserChange<'a> {
    UserChange {
        email: Some(Some(email)),
        name: Some(Some("Name")),
        status: Some(status),
        is_present: true,
    }
}

pub async fn leave_the_same_in_every_order(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    let place = Place::new(on, "tenant").await?;
    // One transaction: thousands would each wait for the disk.
    let tx = &on.db.begin().await?;
    let emails = ["1@example.test", "2@example.test", "3@example.test"];
    let receive = async |tag: &str, kind: usize, time: u64| {
        let user_id = place.user(tag)?;
        let key = place.key(&user_id);
        let index = usize::try_from(time.saturating_sub(1)).unwrap_or(0);
        let own = emails.get(index).copied().unwrap_or_default();
        let change = match kind {
            0 => created(own, "active"),
            1 => email(own),
            2 => status("suspended"),
            3 => UserChange {
                name: Some(None),
                ..created(own, "locked")
            },
            _ => {
                event::user_deleted(tx, key, &told(time)).await?;
                return Ok(());
            }
        };
        event::user(tx, key, change, &told(time)).await?;
        Ok(())
    };
    let state = async |tag: &str| {
        let sql = "SELECT email, name, status, deleted_at IS NULL, email_at, name_at, status_at,
                          presence_at, gone_at FROM person WHERE subject = ?1";
        Ok(tx.query(sql, &[place.user(tag)?.as_str().into()]).await?)
    };
    every_order(5, receive, state).await
}

pub async fn tell_what_they_tell_and_no_more(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    let place = Place::new(on, "tenant").await?;
    let user_id = place.user("user")?;
    let key = place.key(&user_id);
    let seen = |email: Option<&str>, name: Option<&str>, status: &str, is_there| {
        let owned = |text: Option<&str>| text.map(str::to_owned);
        Some((owned(email), owned(name), status.to_owned(), is_there))
    };
    let a = "a@example.test";
    let steps = [
        (
            created(a, "active"),
            seen(Some(a), Some("Name"), "active", true),
        ),
        (
            status("suspended"),
            seen(Some(a), Some("Name"), "suspended", true),
        ),
        (
            email("it's@\"ex\u{e4}mple\".test"),
            seen(
                Some("it's@\"ex\u{e4}mple\".test"),
                Some("Name"),
                "suspended",
                true,
            ),
        ),
        (
            UserChange {
                name: Some(None),
                ..UserChange::default()
            },
            seen(Some("it's@\"ex\u{e4}mple\".test"), None, "suspended", true),
        ),
        (
            status("active"),
            seen(Some("it's@\"ex\u{e4}mple\".test"), None, "active", true),
        ),
    ];
    for (n, (change, expected)) in (1..).zip(steps) {
        let effect = event::user(on.db, key, change, &told(n)).await?;
        same("the effect", effect, Effect::Applied)?;
        same(
            &format!("after {n}"),
            place.seen(on.other, &user_id).await?,
            expected,
        )?;
    }
    Ok(())
}

pub async fn a_deletion_stays_until_a_creation(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    let place = Place::new(on, "tenant").await?;
    let user_id = place.user("user")?;
    let key = place.key(&user_id);
    // Before anybody has heard of the user.
    let effect = event::user_deleted(on.db, key, &told(5)).await?;
    same("a deletion of somebody unknown", effect, Effect::Applied)?;
    let is_there = async || {
        Ok::<_, super::Failure>(
            place
                .seen(on.db, &user_id)
                .await?
                .is_some_and(|seen| seen.3),
        )
    };
    for (what, change, n, effect) in [
        (
            "a late creation",
            created("a@example.test", "active"),
            4,
            Effect::Applied,
        ),
        ("a change", email("b@example.test"), 6, Effect::Applied),
        ("a status", status("active"), 7, Effect::Applied),
    ] {
        same(
            what,
            event::user(on.db, key, change, &told(n)).await?,
            effect,
        )?;
        same(what, is_there().await?, false)?;
    }
    let back = UserChange {
        is_present: true,
        ..UserChange::default()
    };
    same(
        "an older return",
        event::user(on.db, key, back, &told(4)).await?,
        Effect::Stale,
    )?;
    same("an older return", is_there().await?, false)?;
    same(
        "a return",
        event::user(on.db, key, back, &told(8)).await?,
        Effect::Applied,
    )?;
    same("a return", is_there().await?, true)?;
    same(
        "an older deletion",
        event::user_deleted(on.db, key, &told(7)).await?,
        Effect::Stale,
    )?;
    same("an older deletion", is_there().await?, true)?;
    let found = event::person_id(on.db, key).await?;
    holds("it has been one person all along", found.is_some())
}

pub async fn an_applied_sync_makes_older_ones_void(
    on: &Stores<'_, impl Kv, impl Database>,
) -> Verdict {
    let place = Place::new(on, "tenant").await?;
    let user_id = place.has_user(on.db, "user", 1).await?;
    let key = place.key(&user_id);
    was_read(on.db, 10).await?;
    let before = place.seen(on.db, &user_id).await?;
    same(
        "address",
        event::user(on.db, key, email("old@example.test"), &told(9)).await?,
        Effect::Stale,
    )?;
    same(
        "status",
        event::user(on.db, key, status("suspended"), &told(9)).await?,
        Effect::Stale,
    )?;
    same(
        "deletion",
        event::user_deleted(on.db, key, &told(9)).await?,
        Effect::Stale,
    )?;
    let stranger = place.user("stranger")?;
    let all = created("stranger@example.test", "active");
    let effect = event::user(on.db, place.key(&stranger), all, &told(9)).await?;
    same(
        "a creation of somebody who is not there",
        effect,
        Effect::Stale,
    )?;
    same("nobody", place.seen(on.db, &stranger).await?, None)?;
    same("unchanged", place.seen(on.db, &user_id).await?, before)?;
    // ScaiKey's clock is coarse: what bears the very time may have come after.
    for n in [10, 11] {
        let effect = event::user(on.db, key, status("suspended"), &told(n)).await?;
        same("a status since", effect, Effect::Applied)?;
    }
    same(
        "a deletion since",
        event::user_deleted(on.db, key, &told(10)).await?,
        Effect::Applied,
    )
}

/// The suspension is on its way when a sync reads the user as suspended already; what comes while the
/// sync reads is older than the reading and says the opposite.
pub async fn one_that_came_while_a_sync_read_can_be_corrected(
    on: &Stores<'_, impl Kv, impl Database>,
) -> Verdict {
    let place = Place::new(on, "tenant").await?;
    let user_id = place.has_user(on.db, "user", 1).await?;
    let key = place.key(&user_id);
    event::user(on.db, key, status("suspended"), &told(2)).await?;
    let sync_id = begins(on.db, told(9).now).await?;
    // Compared: no difference. Activated at 5, suspended again at 6.
    event::user(on.db, key, status("active"), &told(5)).await?;
    finishes(on.db, sync_id, 8).await?;
    let effect = event::user(on.db, key, status("suspended"), &told(6)).await?;
    same("the suspension", effect, Effect::Applied)?;
    let is_suspended =
        |seen: Option<super::mirrored::Seen>| seen.is_some_and(|seen| seen.2 == "suspended");
    holds(
        "suspended",
        is_suspended(place.seen(on.db, &user_id).await?),
    )?;
    // The next sync compares the user undisturbed.
    was_read(on.db, 20).await?;
    let effect = event::user(on.db, key, status("active"), &told(19)).await?;
    same("an older activation", effect, Effect::Stale)?;
    holds(
        "still suspended",
        is_suspended(place.seen(on.db, &user_id).await?),
    )
}

pub async fn void_ones_make_nobody_mirrored(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    let place = Place::new(on, "tenant").await?;
    let somebody = super::fixtures::Somebody {
        issuer: place.issuer.clone(),
        ..super::fixtures::Somebody::new(on, "user", "tenant")?
    };
    somebody.arrive(on.db).await?;
    was_read(on.db, 10).await?;
    let key = place.key(&somebody.subject);
    event::user(on.db, key, email("old@example.test"), &told(9)).await?;
    let sql = "SELECT 1 FROM person WHERE issuer = ?1 AND subject = ?2 AND synced_at IS NULL";
    let of = [
        place.issuer.as_str().into(),
        somebody.subject.as_str().into(),
    ];
    same(
        "known from a sign-in alone",
        on.db.query(sql, &of).await?.len(),
        1,
    )?;
    event::user(on.db, key, email("new@example.test"), &told(11)).await?;
    same("and from ScaiKey", on.db.query(sql, &of).await?.len(), 0)
}

/// A tenant's issuer is its own; where one issuer has people of two tenants, an event of the one does
/// not move or delete those of the other.
pub async fn of_another_tenant_change_nobody(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    let place = Place::new(on, "tenant").await?;
    let user_id = place.has_user(on.db, "user", 1).await?;
    let before = place.seen(on.db, &user_id).await?;
    let elsewhere = Place {
        issuer: place.issuer.clone(),
        ..Place::more(on, "elsewhere")?
    };
    let key = elsewhere.key(&user_id);
    let effect = event::user(on.db, key, created("b@example.test", "suspended"), &told(2)).await?;
    same("a creation", effect, Effect::Stale)?;
    same(
        "a deletion",
        event::user_deleted(on.db, key, &told(3)).await?,
        Effect::Stale,
    )?;
    same("unchanged", place.seen(on.db, &user_id).await?, before)?;
    same("elsewhere", elsewhere.seen(on.db, &user_id).await?, None)
}

pub async fn know_the_tenant(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    let place = Place::new(on, "tenant").await?;
    same(
        "before",
        people::tenant_known(on.db, &place.tenant_id).await?,
        false,
    )?;
    place.has_user(on.db, "user", 1).await?;
    same(
        "after",
        people::tenant_known(on.db, &place.tenant_id).await?,
        true,
    )?;
    let user_id = place.user("user")?;
    let tenants = event::tenants_of_user(on.db, &user_id).await?;
    same("of the user", tenants, vec![place.tenant_id.clone()])?;
    let elsewhere = Place::more(on, "elsewhere")?;
    elsewhere.has_user(on.db, "user", 1).await?;
    same(
        "of two",
        event::tenants_of_user(on.db, &user_id).await?.len(),
        2,
    )?;
    nothing_is_known(on.db).await?;
    Ok(())
}

pub async fn tell_who_is_there(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    let place = Place::new(on, "tenant").await?;
    let elsewhere = Place::more(on, "elsewhere")?;
    let somebody = super::fixtures::Somebody {
        issuer: place.issuer.clone(),
        ..super::fixtures::Somebody::new(on, "user", "tenant")?
    };
    somebody.arrive(on.db).await?;
    let user_id = &somebody.subject;
    let is_there = async |place: &Place| event::has_user(on.db, &place.tenant_id, user_id).await;
    same("by a sign-in", is_there(&place).await?, false)?;
    event::user(on.db, place.key(user_id), email("a@example.test"), &told(1)).await?;
    same("by an event", is_there(&place).await?, true)?;
    same("elsewhere", is_there(&elsewhere).await?, false)?;
    event::user_deleted(on.db, place.key(user_id), &told(2)).await?;
    same("deleted", is_there(&place).await?, false)
}
