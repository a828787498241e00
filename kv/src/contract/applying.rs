//! What a sync writes.

use scaigate_types::{Database, Kv};
use serde_json::{Value, json};

use super::Stores;
use super::comparing::elements;
use super::mirrored::{Place, Seen, ids, nothing_is_known, read, texts, told};
use super::verdict::{Verdict, holds, same};
use crate::directory::compare;
use crate::directory::event::{self, TenantChange, UserChange};
use crate::directory::sync_apply;

fn seen(email: &str, name: &str, status: &str, is_there: bool) -> Option<Seen> {
    Some((
        Some(email.to_owned()),
        Some(name.to_owned()),
        status.to_owned(),
        is_there,
    ))
}

pub async fn users_are_made_changed_and_brought_back(
    on: &Stores<'_, impl Kv, impl Database>,
) -> Verdict {
    let place = Place::new(on, "tenant").await?;
    let (new, known) = (place.user("new")?, place.has_user(on.db, "known", 1).await?);
    let gone = place.has_user(on.db, "gone", 1).await?;
    event::user_deleted(on.db, place.key(&gone), &told(2)).await?;
    let row = |id: &str, status: Value| json!({ "user_id": id, "email": "e@example.test", "display_name": "N", "status": status });
    let page = json!([
        row(new.as_str(), Value::Null),
        row(known.as_str(), "suspended".into()),
        row(gone.as_str(), "active".into()),
    ])
    .to_string();
    let apply = async |page: &str, n| {
        sync_apply::users(on.db, &place.issuer, &place.tenant_id, page, &read(n)).await
    };
    apply(&page, 5).await?;
    for (user_id, status) in [(&new, "active"), (&known, "suspended"), (&gone, "active")] {
        let expected = seen("e@example.test", "N", status, true);
        same(
            user_id.as_str(),
            place.seen(on.other, user_id).await?,
            expected,
        )?;
    }
    let found = compare::changed_users(on.other, &place.issuer, &page).await?;
    same("no more to do", elements(&found)?, vec![])?;
    // What is not told stays as it was.
    apply(
        &json!([{ "user_id": known.as_str(), "email": null }]).to_string(),
        6,
    )
    .await?;
    let expected = seen("e@example.test", "N", "suspended", true);
    same("not told", place.seen(on.db, &known).await?, expected)?;
    // Twice in a page is once.
    let twice = json!([row("twice", Value::Null), row("twice", Value::Null)]).to_string();
    apply(&twice, 6).await?;
    let sql = "SELECT person_id FROM person WHERE issuer = ?1 AND subject = 'twice'";
    same(
        "rows",
        texts(on.db, sql, &[place.issuer.as_str().into()])
            .await?
            .len(),
        1,
    )
}

pub async fn whoever_signed_in_first_is_the_same_person(
    on: &Stores<'_, impl Kv, impl Database>,
) -> Verdict {
    let place = Place::new(on, "tenant").await?;
    let somebody = super::fixtures::Somebody {
        issuer: place.issuer.clone(),
        ..super::fixtures::Somebody::new(on, "user", "tenant")?
    };
    let person = somebody.arrive(on.db).await?;
    let page = json!([{ "user_id": somebody.subject.as_str() }]).to_string();
    let found = compare::changed_users(on.db, &place.issuer, &page).await?;
    same("differs: it was not mirrored", found.count, 1)?;
    sync_apply::users(on.db, &place.issuer, &place.tenant_id, &page, &read(5)).await?;
    let found = event::person_id(on.db, place.key(&somebody.subject)).await?;
    same("the person", found, Some(person.person_id))?;
    let found = compare::changed_users(on.db, &place.issuer, &page).await?;
    same("differs no more", found.count, 0)
}

/// Between the comparison and this, events came that are younger than the reading.
pub async fn what_younger_events_said_stays(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    let place = Place::new(on, "tenant").await?;
    let tenant_id = &place.tenant_id;
    let user_id = place.has_user(on.db, "user", 1).await?;
    let page = json!([{ "user_id": user_id.as_str(), "email": "read@example.test",
                        "display_name": "Read", "status": "active" }]);
    // At the very time too: ScaiKey's clock is coarse.
    for n in [10, 11] {
        let change = UserChange {
            status: Some("suspended"),
            ..UserChange::default()
        };
        event::user(on.db, place.key(&user_id), change, &told(n)).await?;
        sync_apply::users(
            on.db,
            &place.issuer,
            tenant_id,
            &page.to_string(),
            &read(10),
        )
        .await?;
        let expected = seen("read@example.test", "Read", "suspended", true);
        same("suspended", place.seen(on.db, &user_id).await?, expected)?;
    }
    event::user_deleted(on.db, place.key(&user_id), &told(12)).await?;
    sync_apply::users(
        on.db,
        &place.issuer,
        tenant_id,
        &page.to_string(),
        &read(12),
    )
    .await?;
    holds(
        "deleted",
        place
            .seen(on.db, &user_id)
            .await?
            .is_some_and(|seen| !seen.3),
    )?;
    let young = place.has_user(on.db, "young", 12).await?;
    sync_apply::absent_users(on.db, &place.issuer, &ids(&[young.as_str()]), &read(12)).await?;
    holds(
        "created since",
        place.seen(on.db, &young).await?.is_some_and(|seen| seen.3),
    )?;
    sync_apply::absent_users(on.db, &place.issuer, &ids(&[young.as_str()]), &read(13)).await?;
    holds(
        "absent later",
        place.seen(on.db, &young).await?.is_some_and(|seen| !seen.3),
    )
}

pub async fn groups_are_made_changed_and_marked(
    on: &Stores<'_, impl Kv, impl Database>,
) -> Verdict {
    let place = Place::new(on, "tenant").await?;
    let tenant_id = &place.tenant_id;
    let (gone, young) = (
        place.has_group(on.db, "gone", 1).await?,
        place.has_group(on.db, "young", 10).await?,
    );
    event::group_deleted(on.db, tenant_id, &gone, &told(2)).await?;
    let new = place.group("new")?;
    let row = |id: &str| json!({ "group_id": id, "name": "Read", "group_type": "SECURITY" });
    let page = json!([row(gone.as_str()), row(young.as_str()), row(new.as_str())]).to_string();
    sync_apply::groups(on.db, tenant_id, &page, &read(10)).await?;
    let names = async || {
        let sql = "SELECT group_id || ' ' || coalesce(name, '') || ' ' || coalesce(group_type, '')
                     FROM directory_group WHERE tenant_id = ?1 AND deleted_at IS NULL ORDER BY group_id";
        texts(on.db, sql, &[tenant_id.as_str().into()]).await
    };
    let expected = vec![
        format!("{gone} Read SECURITY"),
        format!("{new} Read SECURITY"),
        // Its name is as young as the reading; its type nobody had told.
        format!("{young} {young} SECURITY"),
    ];
    same("groups", names().await?, expected)?;
    let user_id = place.has_user(on.db, "user", 1).await?;
    for group_id in [&new, &young] {
        place.member(on.db, group_id, &user_id, true, 9).await?;
    }
    let absent = ids(&[new.as_str(), young.as_str()]);
    sync_apply::absent_groups(on.db, tenant_id, &absent, &read(10)).await?;
    let expected = vec![
        format!("{gone} Read SECURITY"),
        format!("{young} {young} SECURITY"),
    ];
    same("marked", names().await?, expected)?;
    for group_id in [&new, &young] {
        same(
            "members from before",
            place.members(on.db, group_id).await?,
            vec![],
        )?;
    }
    Ok(())
}

pub async fn members_join_and_leave(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    let place = Place::new(on, "tenant").await?;
    let tenant_id = &place.tenant_id;
    let group_id = place.has_group(on.db, "group", 1).await?;
    let other = place.has_group(on.db, "other", 1).await?;
    let users = ["a", "b", "c", "d"].map(|tag| place.user(tag));
    let [a, b, c, d] = users;
    let (a, b, c, d) = (a?, b?, c?, d?);
    let pairs =
        |members: &[&str]| json!([[group_id.as_str(), members], [other.as_str(), []]]).to_string();
    let all = pairs(&[a.as_str(), b.as_str(), c.as_str(), a.as_str()]);
    sync_apply::joined(on.db, tenant_id, &all, &read(5)).await?;
    let members = async || place.members(on.other, &group_id).await;
    same(
        "joined",
        members().await?,
        vec![a.to_string(), b.to_string(), c.to_string()],
    )?;
    // One has left since, one has joined since.
    place.member(on.db, &group_id, &b, false, 10).await?;
    place.member(on.db, &group_id, &d, true, 10).await?;
    sync_apply::joined(on.db, tenant_id, &all, &read(10)).await?;
    let gone = pairs(&[c.as_str(), d.as_str(), "stranger"]);
    sync_apply::left(on.db, tenant_id, &gone, &read(10)).await?;
    same(
        "since",
        members().await?,
        vec![a.to_string(), d.to_string()],
    )?;
    sync_apply::joined(on.db, tenant_id, &pairs(&[c.as_str()]), &read(11)).await?;
    same(
        "back",
        members().await?,
        vec![a.to_string(), c.to_string(), d.to_string()],
    )?;
    same(
        "not of the other",
        place.members(on.db, &other).await?,
        vec![],
    )
}

/// The list of members was read before its group, or a member, was deleted.
pub async fn nobody_joins_what_was_deleted_since(
    on: &Stores<'_, impl Kv, impl Database>,
) -> Verdict {
    let place = Place::new(on, "tenant").await?;
    let tenant_id = &place.tenant_id;
    let (gone, stays) = (
        place.has_user(on.db, "gone", 1).await?,
        place.has_user(on.db, "stays", 1).await?,
    );
    let (dead, live) = (
        place.has_group(on.db, "dead", 1).await?,
        place.has_group(on.db, "live", 1).await?,
    );
    for group_id in [&dead, &live] {
        for user_id in [&gone, &stays] {
            place.member(on.db, group_id, user_id, true, 2).await?;
        }
    }
    event::user_deleted(on.db, place.key(&gone), &told(10)).await?;
    event::group_deleted(on.db, tenant_id, &dead, &told(11)).await?;
    let both = [gone.as_str(), stays.as_str()];
    let pairs = json!([[dead.as_str(), both], [live.as_str(), both]]).to_string();
    sync_apply::joined(on.db, tenant_id, &pairs, &read(10)).await?;
    place.has_user(on.db, "gone", 12).await?;
    place.has_group(on.db, "dead", 12).await?;
    same("of the group", place.members(on.db, &dead).await?, vec![])?;
    same(
        "of the other",
        place.members(on.db, &live).await?,
        vec![stays.to_string()],
    )
}

pub async fn tenants_are_made_changed_and_marked(
    on: &Stores<'_, impl Kv, impl Database>,
) -> Verdict {
    nothing_is_known(on.db).await?;
    let (known, new, young) = (on.tenant("known")?, on.tenant("new")?, on.tenant("young")?);
    sync_apply::know_tenant(on.db, &known, &read(1)).await?;
    let change = TenantChange {
        status: Some("suspended"),
        is_present: Some(true),
        ..TenantChange::default()
    };
    event::tenant(on.db, &young, change, &told(10)).await?;
    let row = |id: &str| json!({ "tenant_id": id, "name": "T", "slug": "t", "partner_id": "prt_1", "status": null });
    let page = json!([row(known.as_str()), row(new.as_str()), row(young.as_str())]).to_string();
    sync_apply::tenants(on.db, &page, &read(10)).await?;
    let state = async || {
        let sql = "SELECT name || ' ' || slug || ' ' || partner_id || ' ' || status || ' '
                          || (deleted_at IS NULL) || ' ' || (synced_at IS NOT NULL)
                     FROM tenant WHERE tenant_id IN (?1, ?2, ?3) ORDER BY tenant_id";
        let of = [&known, &new, &young].map(|id| id.as_str().into());
        texts(on.db, sql, &of).await
    };
    let there = [
        "T t prt_1 active 1 1",
        "T t prt_1 active 1 1",
        "T t prt_1 suspended 1 1",
    ];
    same("tenants", state().await?, there.map(str::to_owned).to_vec())?;
    let found = compare::changed_tenants(on.db, &page).await?;
    same("no more to do", found.count, 0)?;
    let all = ids(&[known.as_str(), new.as_str(), young.as_str()]);
    sync_apply::absent_tenants(on.db, &all, &read(10)).await?;
    let gone = [
        "T t prt_1 active 0 1",
        "T t prt_1 active 0 1",
        "T t prt_1 suspended 1 1",
    ];
    same("marked", state().await?, gone.map(str::to_owned).to_vec())?;
    sync_apply::tenants(on.db, &page, &read(11)).await?;
    same("back", state().await?, there.map(str::to_owned).to_vec())
}
