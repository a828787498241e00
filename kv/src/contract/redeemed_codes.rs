//! Authorization codes that go to ScaiKey once.

use std::time::Duration;

use scaigate_types::{Database, Kv};

use super::Stores;
use super::fixtures::{NOW, TICK};
use super::verdict::{Verdict, same};
use crate::redeemed_code::{claim, purge, release};

const REMEMBERED: Duration = Duration::from_secs(3600);

pub async fn is_claimed_once(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    let code = on.name("code");
    same("first", claim(on.db, &code, NOW).await?, true)?;
    same("second", claim(on.db, &code, NOW).await?, false)?;
    same("elsewhere", claim(on.other, &code, NOW).await?, false)?;
    same(
        "later",
        claim(on.db, &code, NOW.plus(2 * REMEMBERED)).await?,
        false,
    )?;
    same(
        "another code",
        claim(on.db, &on.name("code2"), NOW).await?,
        true,
    )
}

pub async fn is_claimed_again_after_release(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    let code = on.name("code");
    same("first", claim(on.db, &code, NOW).await?, true)?;
    release(on.db, &code).await?;
    same("after release", claim(on.other, &code, NOW).await?, true)?;
    release(on.db, &on.name("never-claimed")).await?;
    Ok(())
}

pub async fn is_remembered_then_purged(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    let code = on.name("code");
    claim(on.db, &code, NOW).await?;
    purge(on.db, NOW.plus(REMEMBERED), 10_000).await?;
    same("within the hour", claim(on.db, &code, NOW).await?, false)?;
    purge(on.db, NOW.plus(REMEMBERED + TICK), 10_000).await?;
    same("after it", claim(on.db, &code, NOW).await?, true)
}
