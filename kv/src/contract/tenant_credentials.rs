//! With what a tenant speaks to ScaiGrid.

use scaigate_types::{Database, Kv, Timestamp};

use super::Stores;
use super::fixtures::{NOW, TICK};
use super::verdict::{Verdict, same};
use crate::tenant_credential::{Stored, find, put, remove, seal_anew};

fn stored(sealed: &[u8], set_at: Timestamp) -> Stored {
    Stored {
        sealed: sealed.to_vec(),
        set_by: "somebody".to_owned(),
        set_at,
    }
}

pub async fn is_found_by_its_tenant_alone(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    let (tenant, other) = (on.tenant("a")?, on.tenant("b")?);
    same("none", find(on.db, &tenant).await?, None)?;
    put(on.db, &tenant, &stored(b"one", NOW)).await?;
    let kept = Some(stored(b"one", NOW));
    same("kept", find(on.other, &tenant).await?, kept)?;
    same("another's", find(on.other, &other).await?, None)
}

pub async fn the_last_one_set_stays(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    let tenant = on.tenant("a")?;
    put(on.db, &tenant, &stored(b"one", NOW)).await?;
    let next = stored(b"two", NOW.plus(TICK));
    put(on.other, &tenant, &next).await?;
    same("rotated", find(on.db, &tenant).await?, Some(next))
}

pub async fn sealing_anew_changes_nothing_else(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    let (tenant, other) = (on.tenant("a")?, on.tenant("b")?);
    for tenant in [&tenant, &other] {
        put(on.db, tenant, &stored(b"old", NOW)).await?;
    }
    let done = seal_anew(on.other, &tenant, b"old", b"new").await?;
    same("done", done, true)?;
    let own = find(on.db, &tenant).await?;
    same("own", own, Some(stored(b"new", NOW)))?;
    let others = find(on.db, &other).await?;
    same("another's", others, Some(stored(b"old", NOW)))
}

pub async fn sealing_anew_loses_against_a_rotation(
    on: &Stores<'_, impl Kv, impl Database>,
) -> Verdict {
    let tenant = on.tenant("a")?;
    put(on.db, &tenant, &stored(b"old", NOW)).await?;
    put(on.other, &tenant, &stored(b"rotated", NOW)).await?;
    let done = seal_anew(on.db, &tenant, b"old", b"old again").await?;
    same("lost", done, false)?;
    let kept = find(on.db, &tenant).await?;
    same("rotated", kept, Some(stored(b"rotated", NOW)))
}

pub async fn is_gone_when_removed(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    let tenant = on.tenant("a")?;
    same("none", remove(on.db, &tenant).await?, false)?;
    put(on.db, &tenant, &stored(b"one", NOW)).await?;
    same("removed", remove(on.other, &tenant).await?, true)?;
    same("gone", find(on.db, &tenant).await?, None)?;
    let back = seal_anew(on.db, &tenant, b"one", b"two").await?;
    same("stays gone", back, false)
}
