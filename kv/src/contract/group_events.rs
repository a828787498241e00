//! Events of groups and of who is in them.

use scaigate_types::{Database, Kv, Query};

use super::Stores;
use super::mirrored::{Place, begins, every_order, finishes, told, was_read};
use super::verdict::{Verdict, same};
use crate::directory::event::{self, Effect};

pub async fn leave_the_same_in_every_order(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    let place = Place::new(on, "tenant").await?;
    // One transaction: thousands would each wait for the disk.
    let tx = &on.db.begin().await?;
    let tenant_id = &place.tenant_id;
    let receive = async |tag: &str, kind: usize, time: u64| {
        let group_id = place.group(tag)?;
        let (text, stamp) = (time.to_string(), told(time));
        let (name, group_type, is_present) = match kind {
            0 => (Some(Some(text.as_str())), Some(text.as_str()), true),
            1 => (Some(Some(text.as_str())), None, false),
            2 => (None, Some(text.as_str()), false),
            _ => {
                event::group_deleted(tx, tenant_id, &group_id, &stamp).await?;
                return Ok(());
            }
        };
        event::group(
            tx, tenant_id, &group_id, name, group_type, is_present, &stamp,
        )
        .await?;
        Ok(())
    };
    let state = async |tag: &str| {
        let sql =
            "SELECT name, group_type, deleted_at IS NULL, name_at, type_at, presence_at, gone_at
                     FROM directory_group WHERE tenant_id = ?1 AND group_id = ?2";
        let of = [tenant_id.as_str().into(), place.group(tag)?.as_str().into()];
        Ok(tx.query(sql, &of).await?)
    };
    every_order(4, receive, state).await
}

/// Joined, left, and the ends and beginnings of the group and of the user.
pub async fn of_members_leave_the_same_in_every_order(
    on: &Stores<'_, impl Kv, impl Database>,
) -> Verdict {
    let place = Place::new(on, "tenant").await?;
    // One transaction: thousands would each wait for the disk.
    let tx = &on.db.begin().await?;
    let tenant_id = &place.tenant_id;
    let receive = async |tag: &str, kind: usize, time: u64| {
        let (group_id, user_id) = (place.group(tag)?, place.user(tag)?);
        let (key, stamp) = (place.key(&user_id), told(time));
        match kind {
            0 => place.member(tx, &group_id, &user_id, true, time).await?,
            1 => place.member(tx, &group_id, &user_id, false, time).await?,
            2 => event::group_deleted(tx, tenant_id, &group_id, &stamp).await?,
            3 => event::user_deleted(tx, key, &stamp).await?,
            _ => event::group(tx, tenant_id, &group_id, None, None, true, &stamp).await?,
        };
        Ok(())
    };
    let state = async |tag: &str| {
        // A membership that never was and one that has ended are the same.
        let sql = "SELECT 1 FROM group_membership
                    WHERE tenant_id = ?1 AND group_id = ?2 AND user_id = ?3 AND deleted_at IS NULL";
        let of = [
            tenant_id.as_str().into(),
            place.group(tag)?.as_str().into(),
            place.user(tag)?.as_str().into(),
        ];
        Ok(tx.query(sql, &of).await?)
    };
    every_order(5, receive, state).await
}

pub async fn a_membership_goes_with_its_group_and_its_user(
    on: &Stores<'_, impl Kv, impl Database>,
) -> Verdict {
    let place = Place::new(on, "tenant").await?;
    let (one, two) = (
        place.has_user(on.db, "one", 1).await?,
        place.has_user(on.db, "two", 1).await?,
    );
    let group_id = place.has_group(on.db, "group", 1).await?;
    for user_id in [&one, &two] {
        place.member(on.db, &group_id, user_id, true, 2).await?;
    }
    event::user_deleted(on.db, place.key(&one), &told(4)).await?;
    same(
        "with the user",
        place.members(on.db, &group_id).await?,
        vec![two.to_string()],
    )?;
    event::group_deleted(on.db, &place.tenant_id, &group_id, &told(5)).await?;
    same(
        "with the group",
        place.members(on.db, &group_id).await?,
        vec![],
    )?;
    // Both are created again.
    place.has_user(on.db, "one", 6).await?;
    place.has_group(on.db, "group", 6).await?;
    for (who, n) in [(&one, 3), (&two, 3)] {
        let effect = place.member(on.db, &group_id, who, true, n).await?;
        same("a joining from before", effect, Effect::Stale)?;
    }
    same("nobody", place.members(on.db, &group_id).await?, vec![])?;
    let effect = place.member(on.db, &group_id, &one, true, 7).await?;
    same("a joining since", effect, Effect::Applied)?;
    same(
        "one",
        place.members(on.db, &group_id).await?,
        vec![one.to_string()],
    )
}

pub async fn may_come_before_what_they_are_about(
    on: &Stores<'_, impl Kv, impl Database>,
) -> Verdict {
    let place = Place::new(on, "tenant").await?;
    let (user_id, group_id) = (place.user("user")?, place.group("group")?);
    let effect = place.member(on.db, &group_id, &user_id, true, 3).await?;
    same("joined", effect, Effect::Applied)?;
    place.has_group(on.db, "group", 1).await?;
    place.has_user(on.db, "user", 2).await?;
    same(
        "a member",
        place.members(on.db, &group_id).await?,
        vec![user_id.to_string()],
    )?;
    let tenants = event::tenants_of_group(on.db, &group_id).await?;
    same("the group's tenant", tenants, vec![place.tenant_id.clone()])
}

pub async fn an_applied_sync_makes_older_ones_void(
    on: &Stores<'_, impl Kv, impl Database>,
) -> Verdict {
    let place = Place::new(on, "tenant").await?;
    let tenant_id = &place.tenant_id;
    let user_id = place.has_user(on.db, "user", 1).await?;
    let group_id = place.has_group(on.db, "group", 1).await?;
    place.member(on.db, &group_id, &user_id, true, 2).await?;
    was_read(on.db, 10).await?;
    let name = Some(Some("old"));
    let stale = [
        event::group(on.db, tenant_id, &group_id, name, None, true, &told(9)).await?,
        event::group_deleted(on.db, tenant_id, &group_id, &told(9)).await?,
        place.member(on.db, &group_id, &user_id, false, 9).await?,
        event::group(
            on.db,
            tenant_id,
            &place.group("new")?,
            name,
            None,
            true,
            &told(9),
        )
        .await?,
    ];
    same("older", stale, [Effect::Stale; 4])?;
    same(
        "a member",
        place.members(on.db, &group_id).await?,
        vec![user_id.to_string()],
    )?;
    let applied = [
        place.member(on.db, &group_id, &user_id, false, 10).await?,
        place.member(on.db, &group_id, &user_id, true, 11).await?,
        event::group_deleted(on.db, tenant_id, &group_id, &told(12)).await?,
    ];
    same("since", applied, [Effect::Applied; 3])
}

/// The group is deleted and created again. The deletion is still on its way when the group is read,
/// and older than the reading; so are memberships that it ended.
pub async fn a_void_deletion_still_ends_what_was_before(
    on: &Stores<'_, impl Kv, impl Database>,
) -> Verdict {
    let place = Place::new(on, "tenant").await?;
    let tenant_id = &place.tenant_id;
    let user_id = place.has_user(on.db, "user", 1).await?;
    let group_id = place.has_group(on.db, "group", 1).await?;
    let sql = "UPDATE directory_state SET groups_at = ?1, users_at = ?1";
    on.db.query(sql, &[told(10).at.into()]).await?;
    let effect = event::group_deleted(on.db, tenant_id, &group_id, &told(5)).await?;
    same("the group's deletion", effect, Effect::Stale)?;
    let effect = event::user_deleted(on.db, place.key(&user_id), &told(6)).await?;
    same("the user's deletion", effect, Effect::Stale)?;
    for n in [4, 5] {
        let effect = place.member(on.db, &group_id, &user_id, true, n).await?;
        same("a joining before", effect, Effect::Stale)?;
    }
    let effect = place.member(on.db, &group_id, &user_id, true, 7).await?;
    same("a joining after", effect, Effect::Applied)
}

/// The group, or the user, is known to be there again; what was before has ended all the same, and
/// whoever had a role by it has to be looked at.
pub async fn a_late_deletion_that_ends_a_membership_is_news(
    on: &Stores<'_, impl Kv, impl Database>,
) -> Verdict {
    let place = Place::new(on, "tenant").await?;
    let tenant_id = &place.tenant_id;
    let user_id = place.has_user(on.db, "user", 8).await?;
    let group_id = place.has_group(on.db, "group", 8).await?;
    let key = place.key(&user_id);
    place.member(on.db, &group_id, &user_id, true, 2).await?;
    let effect = event::group_deleted(on.db, tenant_id, &group_id, &told(3)).await?;
    same("the group's", effect, Effect::Applied)?;
    let effect = event::group_deleted(on.db, tenant_id, &group_id, &told(3)).await?;
    same("again", effect, Effect::Stale)?;
    place.member(on.db, &group_id, &user_id, true, 4).await?;
    let effect = event::user_deleted(on.db, key, &told(5)).await?;
    same("the user's", effect, Effect::Applied)?;
    let effect = event::user_deleted(on.db, key, &told(5)).await?;
    same("again", effect, Effect::Stale)?;
    same(
        "there",
        event::has_user(on.db, tenant_id, &user_id).await?,
        true,
    )
}

/// Members of a group that a sync did not compare, for it was created again meanwhile.
pub async fn a_deletion_ends_what_no_sync_compared(
    on: &Stores<'_, impl Kv, impl Database>,
) -> Verdict {
    let place = Place::new(on, "tenant").await?;
    let user_id = place.has_user(on.db, "user", 1).await?;
    let group_id = place.group("group")?;
    place.member(on.db, &group_id, &user_id, true, 3).await?;
    // The group was created at 2, deleted at 4 and is created again while a sync reads from 5 on.
    let sync_id = begins(on.db, told(5).now).await?;
    place.has_group(on.db, "group", 2).await?;
    place.has_group(on.db, "group", 6).await?;
    finishes(on.db, sync_id, 5).await?;
    event::group_deleted(on.db, &place.tenant_id, &group_id, &told(4)).await?;
    same("members", place.members(on.db, &group_id).await?, vec![])?;
    let sql = "SELECT 1 FROM directory_group
                WHERE tenant_id = ?1 AND group_id = ?2 AND deleted_at IS NULL";
    let of = [place.tenant_id.as_str().into(), group_id.as_str().into()];
    same("the group", on.db.query(sql, &of).await?.len(), 1)
}
