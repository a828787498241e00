//! The sessions of people who may not act any more.

use scaigate_types::{Database, Kv, PartnerId, SessionId, Transaction};

use super::Stores;
use super::fixtures::{NOW, SESSION_LIFETIME, code_of};
use super::mirrored::{Place, told};
use super::super_admins::person_of;
use super::verdict::{Failure, Verdict, holds, same};
use crate::directory::event::{self, TenantChange, UserChange};
use crate::directory::{Scope, end_sessions_of_inactive};
use crate::people;
use crate::session::{self, NewSession};

/// A tenant of a partner with two people who have a session each.
struct World {
    place: Place,
    partner_id: PartnerId,
    sids: [SessionId; 2],
}

impl World {
    async fn new<K, D: Database>(on: &Stores<'_, K, D>, tag: &str) -> Result<Self, Failure> {
        let place = Place::new(on, tag).await?;
        let partner_id = PartnerId::parse(&on.name(&format!("{tag}-partner")))
            .map_err(|_| Failure::new("no partner"))?;
        let change = TenantChange {
            partner_id: Some(&partner_id),
            ..TenantChange::default()
        };
        event::tenant(on.db, &place.tenant_id, change, &told(1)).await?;
        event::partner(on.db, &partner_id, None, None, Some(true), &told(1)).await?;
        let mut sids = Vec::new();
        for user in ["user", "other"] {
            let user_id = place.has_user(on.db, user, 1).await?;
            let person_id = person_of(on.db, &place, &user_id).await?;
            let sid = on.sid(&format!("{tag}-{user}"))?;
            let new = NewSession {
                sid: &sid,
                person_id: &person_id,
                tenant_id: &place.tenant_id,
                expires_at: NOW.plus(SESSION_LIFETIME),
                code_hash: &code_of(on, &format!("{tag}-{user}")),
                code_challenge: None,
                scaikey_sid: None,
                scaikey_tokens: b"sealed",
            };
            session::insert(on.db, &new, NOW).await?;
            sids.push(sid);
        }
        let sids = sids.try_into().map_err(|_| Failure::new("two sessions"))?;
        Ok(Self {
            place,
            partner_id,
            sids,
        })
    }
}

/// Ends the sessions of everybody who is inactive; which of ours they were.
async fn ends<K, D: Database>(
    on: &Stores<'_, K, D>,
    world: &World,
    scope: Scope<'_>,
) -> Result<[bool; 2], Failure> {
    let tx = on.db.begin().await?;
    let ended = end_sessions_of_inactive(&tx, scope, NOW).await?;
    tx.commit().await?;
    Ok(world.sids.each_ref().map(|sid| ended.contains(sid)))
}

pub async fn lose_their_sessions(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    let suspended = Some("suspended");
    for (n, what, both) in [
        (0, "the user is suspended", false),
        (1, "the user is deleted", false),
        (2, "the tenant is suspended", true),
        (3, "the tenant is deleted", true),
        (4, "the partner is suspended", true),
        (5, "the partner is deleted", true),
    ] {
        let world = World::new(on, &format!("tenant-{n}")).await?;
        let World {
            place, partner_id, ..
        } = &world;
        let user_id = place.user("user")?;
        let key = place.key(&user_id);
        same(what, ends(on, &world, Scope::All).await?, [false, false])?;
        let stamp = told(2);
        let tenant = |status, is_present| {
            let change = TenantChange {
                status,
                is_present,
                ..TenantChange::default()
            };
            event::tenant(on.db, &place.tenant_id, change, &stamp)
        };
        match n {
            0 => {
                let change = UserChange {
                    status: suspended,
                    ..UserChange::default()
                };
                event::user(on.db, key, change, &stamp).await?
            }
            1 => event::user_deleted(on.db, key, &stamp).await?,
            2 => tenant(suspended, None).await?,
            3 => tenant(None, Some(false)).await?,
            4 => event::partner(on.db, partner_id, None, suspended, None, &stamp).await?,
            _ => event::partner(on.db, partner_id, None, None, Some(false), &stamp).await?,
        };
        let person_id = person_of(on.db, place, &user_id).await?;
        let found = people::find(on.other, &person_id).await?;
        let found = found.ok_or_else(|| Failure::new("no such person"))?;
        same(what, found.is_active, false)?;
        same(what, ends(on, &world, Scope::All).await?, [true, both])?;
        same("once", ends(on, &world, Scope::All).await?, [false, false])?;
        let [sid, _] = &world.sids;
        let sql = "SELECT end_reason || coalesce(scaikey_tokens, '') FROM session WHERE sid = ?1";
        let reason = super::mirrored::texts(on.db, sql, &[sid.as_str().into()]).await?;
        same("why", reason, vec!["person_inactive".to_owned()])?;
    }
    Ok(())
}

pub async fn one_persons_are_ended_alone(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    let world = World::new(on, "tenant").await?;
    let place = &world.place;
    let user_id = place.user("user")?;
    let person_id = person_of(on.db, place, &user_id).await?;
    let scope = Scope::Person(&person_id);
    same("active", ends(on, &world, scope).await?, [false, false])?;
    let change = TenantChange {
        status: Some("suspended"),
        ..TenantChange::default()
    };
    event::tenant(on.db, &place.tenant_id, change, &told(2)).await?;
    same("inactive", ends(on, &world, scope).await?, [true, false])?;
    same(
        "everybody",
        ends(on, &world, Scope::All).await?,
        [false, true],
    )
}

pub async fn nothing_ends_when_the_transaction_is_undone(
    on: &Stores<'_, impl Kv, impl Database>,
) -> Verdict {
    let world = World::new(on, "tenant").await?;
    let place = &world.place;
    let user_id = place.user("user")?;
    let tx = on.db.begin().await?;
    event::user_deleted(&tx, place.key(&user_id), &told(2)).await?;
    let ended = end_sessions_of_inactive(&tx, Scope::All, NOW).await?;
    let [sid, other] = &world.sids;
    holds("ended", ended.contains(sid) && !ended.contains(other))?;
    drop(tx);
    same(
        "undone",
        ends(on, &world, Scope::All).await?,
        [false, false],
    )?;
    let sql = "SELECT sid FROM session WHERE sid = ?1 AND ended_at IS NULL";
    let live = super::mirrored::texts(on.other, sql, &[sid.as_str().into()]).await?;
    same("live", live.len(), 1)
}
