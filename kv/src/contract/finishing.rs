//! What a sync writes at its end.

use scaigate_types::{Database, Kv, StoreError};
use serde_json::json;

use super::Stores;
use super::mirrored::{Place, at, begins, finishes, ids, nothing_is_known, read, told, was_read};
use super::verdict::{Failure, Verdict, same};
use crate::directory::event::{self, Effect, TenantChange, UserChange};
use crate::directory::sync_apply::{self, Changed, Covered};
use crate::directory::{self, Cause, State};

pub async fn what_was_covered_is_noted(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    nothing_is_known(on.db).await?;
    directory::request_sync(on.db, at(1)).await?;
    directory::request_sync(on.db, at(0)).await?;
    let requested = async || {
        let sql = "SELECT requested_at FROM directory_state";
        let rows = on.db.query(sql, &[]).await?;
        rows.first().ok_or(StoreError::Corrupt)?.optional_time(0)
    };
    same("requested", requested().await?, Some(at(1)))?;
    let covered = Covered {
        users_method: "member_walk",
        user_statuses: false,
        groups: false,
        tenants: false,
        read_until: at(12),
        started_at: at(0),
    };
    sync_apply::finish(on.db, covered, &read(10)).await?;
    same("still requested", requested().await?, Some(at(1)))?;
    let expected = State {
        users_at: at(10),
        read_until: at(12),
        users_method: Some("member_walk".to_owned()),
        synced_at: Some(at(10)),
    };
    same("state", directory::state(on.other).await?, expected)?;
    // What was not covered stays open to older events.
    let place = Place::more(on, "tenant")?;
    let user_id = place.has_user(on.db, "user", 10).await?;
    let change = UserChange {
        status: Some("suspended"),
        ..UserChange::default()
    };
    event::user(on.db, place.key(&user_id), change, &told(11)).await?;
    place.has_group(on.db, "group", 1).await?;
    let created = TenantChange {
        is_present: Some(true),
        ..TenantChange::default()
    };
    let effect = event::tenant(on.db, &on.tenant("other")?, created, &told(2)).await?;
    same("an older tenant", effect, Effect::Applied)?;
    let all = Covered {
        user_statuses: true,
        groups: true,
        tenants: true,
        started_at: at(1),
        ..covered
    };
    sync_apply::finish(on.db, all, &read(20)).await?;
    same("not requested", requested().await?, None)?;
    let name = Some(Some("old"));
    let group_id = place.group("group")?;
    let effect = event::group(
        on.db,
        &place.tenant_id,
        &group_id,
        name,
        None,
        false,
        &told(19),
    )
    .await?;
    same("an older group", effect, Effect::Stale)
}

pub async fn members_of_no_group_are_not_kept(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    let place = Place::new(on, "tenant").await?;
    let user_id = place.has_user(on.db, "user", 1).await?;
    let (unknown, late) = (place.group("unknown")?, place.group("late")?);
    place.member(on.db, &unknown, &user_id, true, 2).await?;
    place.member(on.db, &late, &user_id, true, 10).await?;
    let sync_id = begins(on.db, at(5)).await?;
    finishes(on.db, sync_id, 10).await?;
    same("from before", place.members(on.db, &unknown).await?, vec![])?;
    same(
        "since",
        place.members(on.db, &late).await?,
        vec![user_id.to_string()],
    )
}

/// Two syncs within one second of ScaiKey's clock: what the first marked as deleted is no reason for
/// the second to leave out who is there again.
pub async fn the_next_sync_of_the_same_second_brings_members_back(
    on: &Stores<'_, impl Kv, impl Database>,
) -> Verdict {
    nothing_is_known(on.db).await?;
    let place = Place::more(on, "tenant")?;
    let user_id = place.has_user(on.db, "user", 1).await?;
    let (group_id, kept) = (
        place.has_group(on.db, "group", 1).await?,
        place.has_group(on.db, "kept", 1).await?,
    );
    let tenant_id = &place.tenant_id;
    let (users, groups) = (ids(&[user_id.as_str()]), ids(&[group_id.as_str()]));
    sync_apply::absent_users(on.db, &place.issuer, &users, &read(10)).await?;
    sync_apply::absent_groups(on.db, tenant_id, &groups, &read(10)).await?;
    was_read(on.db, 10).await?;
    let row = json!([{ "user_id": user_id.as_str() }]).to_string();
    sync_apply::users(on.db, &place.issuer, tenant_id, &row, &read(10)).await?;
    let row = json!([{ "group_id": group_id.as_str() }]).to_string();
    sync_apply::groups(on.db, tenant_id, &row, &read(10)).await?;
    let members = [user_id.as_str()];
    let pairs = json!([[group_id.as_str(), members], [kept.as_str(), members]]).to_string();
    sync_apply::joined(on.db, tenant_id, &pairs, &read(10)).await?;
    for group_id in [&group_id, &kept] {
        let expected = vec![user_id.to_string()];
        same("back", place.members(on.db, group_id).await?, expected)?;
    }
    Ok(())
}

pub async fn what_it_changed_is_counted(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    let place = Place::new(on, "tenant").await?;
    let (kept, gone) = (
        place.has_user(on.db, "kept", 1).await?,
        place.has_user(on.db, "gone", 1).await?,
    );
    let back = place.has_user(on.db, "back", 1).await?;
    event::user_deleted(on.db, place.key(&back), &told(2)).await?;
    let sync_id = begins(on.db, at(5)).await?;
    let stamp = directory::Stamp {
        cause: Cause::Sync(sync_id),
        ..read(5)
    };
    let new = place.user("new")?;
    let page = json!([
        { "user_id": new.as_str() }, { "user_id": back.as_str() },
        { "user_id": kept.as_str(), "display_name": "Renamed" },
    ]);
    sync_apply::users(
        on.db,
        &place.issuer,
        &place.tenant_id,
        &page.to_string(),
        &stamp,
    )
    .await?;
    sync_apply::absent_users(on.db, &place.issuer, &ids(&[gone.as_str()]), &stamp).await?;
    let expected = Changed {
        added: 1,
        undeleted: 1,
        soft_deleted: 1,
        updated: 1,
    };
    same(
        "users",
        sync_apply::changed(on.db, &stamp, "user").await?,
        expected,
    )?;
    same(
        "groups",
        sync_apply::changed(on.db, &stamp, "group").await?,
        Changed::default(),
    )?;
    finishes(on.db, sync_id, 5)
        .await
        .map_err(|_| Failure::new("the run did not end"))
}
