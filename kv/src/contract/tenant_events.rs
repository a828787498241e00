//! Events of tenants and partners.

use scaigate_types::{Database, Kv, PartnerId, Query, TenantId};

use super::Stores;
use super::mirrored::{every_order, nothing_is_known, told, was_read};
use super::verdict::{Failure, Verdict, same};
use crate::directory::event::{self, Effect, TenantChange};

fn partner_id(text: &str) -> Result<PartnerId, Failure> {
    PartnerId::parse(text).map_err(|_| Failure::new("no partner"))
}

pub async fn leave_the_same_in_every_order(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    nothing_is_known(on.db).await?;
    // One transaction: thousands would each wait for the disk.
    let tx = &on.db.begin().await?;
    let receive = async |tag: &str, kind: usize, time: u64| {
        let tenant_id = on.tenant(tag)?;
        let text = time.to_string();
        let partner = partner_id(&text)?;
        let nothing = TenantChange::default();
        let change = match kind {
            0 => TenantChange {
                name: Some(Some(&text)),
                slug: Some(&text),
                partner_id: Some(&partner),
                status: Some("active"),
                is_present: Some(true),
            },
            1 => TenantChange {
                name: Some(Some(&text)),
                ..nothing
            },
            2 => TenantChange {
                partner_id: Some(&partner),
                slug: Some(&text),
                ..nothing
            },
            3 => TenantChange {
                status: Some("suspended"),
                ..nothing
            },
            _ => TenantChange {
                is_present: Some(false),
                ..nothing
            },
        };
        event::tenant(tx, &tenant_id, change, &told(time)).await?;
        Ok(())
    };
    let state = async |tag: &str| {
        let sql = "SELECT name, slug, partner_id, status, deleted_at IS NULL, name_at, slug_at,
                          partner_at, status_at, presence_at FROM tenant WHERE tenant_id = ?1";
        Ok(tx.query(sql, &[on.tenant(tag)?.as_str().into()]).await?)
    };
    every_order(5, receive, state).await
}

pub async fn of_partners_leave_the_same_in_every_order(
    on: &Stores<'_, impl Kv, impl Database>,
) -> Verdict {
    nothing_is_known(on.db).await?;
    // One transaction: thousands would each wait for the disk.
    let tx = &on.db.begin().await?;
    let receive = async |tag: &str, kind: usize, time: u64| {
        let id = partner_id(&on.name(tag))?;
        let text = time.to_string();
        let name = Some(Some(text.as_str()));
        let (name, status, is_present) = match kind {
            0 => (name, Some("active"), Some(true)),
            1 => (name, None, None),
            2 => (None, Some("suspended"), None),
            _ => (None, None, Some(false)),
        };
        event::partner(tx, &id, name, status, is_present, &told(time)).await?;
        Ok(())
    };
    let state = async |tag: &str| {
        let sql = "SELECT name, status, deleted_at IS NULL, name_at, status_at, presence_at
                     FROM partner WHERE partner_id = ?1";
        Ok(tx.query(sql, &[on.name(tag).into()]).await?)
    };
    every_order(4, receive, state).await
}

/// Each says whether anything of what it tells was news, whatever else has changed.
pub async fn tell_whether_they_were_news(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    nothing_is_known(on.db).await?;
    let (tenant_id, partner) = (on.tenant("tenant")?, partner_id(&on.name("partner"))?);
    let nothing = TenantChange::default();
    let named = TenantChange {
        name: Some(Some("Acme")),
        ..nothing
    };
    let suspended = TenantChange {
        status: Some("suspended"),
        ..nothing
    };
    for (what, change, n, expected) in [
        ("a name", named, 5, Effect::Applied),
        ("an older name", named, 4, Effect::Stale),
        ("an older status", suspended, 3, Effect::Applied),
        ("a still older one", suspended, 2, Effect::Stale),
    ] {
        same(
            what,
            event::tenant(on.db, &tenant_id, change, &told(n)).await?,
            expected,
        )?;
    }
    for (what, name, status, n, expected) in [
        (
            "a partner's name",
            Some(Some("P")),
            None,
            5,
            Effect::Applied,
        ),
        ("an older one", Some(Some("Q")), None, 4, Effect::Stale),
        (
            "a partner's older status",
            None,
            Some("suspended"),
            3,
            Effect::Applied,
        ),
        ("a still older one", None, Some("active"), 2, Effect::Stale),
    ] {
        let effect = event::partner(on.db, &partner, name, status, None, &told(n)).await?;
        same(what, effect, expected)?;
    }
    Ok(())
}

async fn is_there(on: &impl Query, tenant_id: &TenantId) -> Result<bool, Failure> {
    let sql = "SELECT 1 FROM tenant
                WHERE tenant_id = ?1 AND deleted_at IS NULL AND synced_at IS NOT NULL";
    Ok(!on
        .query(sql, &[tenant_id.as_str().into()])
        .await?
        .is_empty())
}

pub async fn an_applied_sync_makes_older_ones_void(
    on: &Stores<'_, impl Kv, impl Database>,
) -> Verdict {
    nothing_is_known(on.db).await?;
    let created = TenantChange {
        is_present: Some(true),
        ..TenantChange::default()
    };
    let deleted = TenantChange {
        is_present: Some(false),
        ..TenantChange::default()
    };
    let (known, unknown) = (on.tenant("known")?, on.tenant("unknown")?);
    event::tenant(on.db, &known, created, &told(1)).await?;
    was_read(on.db, 10).await?;
    same(
        "deleted",
        event::tenant(on.db, &known, deleted, &told(9)).await?,
        Effect::Stale,
    )?;
    same("is there", is_there(on.db, &known).await?, true)?;
    same(
        "created",
        event::tenant(on.db, &unknown, created, &told(9)).await?,
        Effect::Stale,
    )?;
    same("is not there", is_there(on.db, &unknown).await?, false)?;
    // Nor does a creation that is void make a tenant mirrored that a user has named.
    let stamp = told(11);
    crate::directory::sync_apply::know_tenant(on.db, &unknown, &stamp).await?;
    same(
        "created",
        event::tenant(on.db, &unknown, created, &told(9)).await?,
        Effect::Stale,
    )?;
    same("is not there", is_there(on.db, &unknown).await?, false)?;
    same(
        "since",
        event::tenant(on.db, &unknown, created, &told(12)).await?,
        Effect::Applied,
    )?;
    same("is there", is_there(on.db, &unknown).await?, true)?;
    same(
        "gone",
        event::tenant(on.db, &known, deleted, &told(10)).await?,
        Effect::Applied,
    )?;
    same("is not there", is_there(on.db, &known).await?, false)
}
