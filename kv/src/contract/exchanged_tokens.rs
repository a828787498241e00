//! Tokens got in exchange, until they end.

use scaigate_types::{Database, Kv};

use super::Stores;
use super::fixtures::{NOW, TICK};
use super::verdict::{Verdict, same};
use crate::exchanged_token::{find, purge, put};

pub async fn is_found_until_it_ends(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    let name = on.name("token");
    same("none", find(on.db, &name, NOW).await?, None)?;
    put(on.db, &name, b"sealed", NOW).await?;
    let kept = Some((b"sealed".to_vec(), NOW));
    same("kept", find(on.other, &name, NOW.minus(TICK)).await?, kept)?;
    same("ended", find(on.other, &name, NOW).await?, None)
}

pub async fn the_one_that_lasts_longer_stays(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    let name = on.name("token");
    put(on.db, &name, b"first", NOW).await?;
    put(on.other, &name, b"shorter", NOW.minus(TICK)).await?;
    let then = NOW.minus(TICK).minus(TICK);
    let first = Some((b"first".to_vec(), NOW));
    same("first", find(on.db, &name, then).await?, first)?;
    put(on.other, &name, b"longer", NOW.plus(TICK)).await?;
    let longer = Some((b"longer".to_vec(), NOW.plus(TICK)));
    same("longer", find(on.db, &name, then).await?, longer)
}

pub async fn is_purged_when_it_has_ended(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    let name = on.name("token");
    put(on.db, &name, b"sealed", NOW).await?;
    let early = NOW.minus(TICK);
    purge(on.db, early, 10_000).await?;
    same(
        "while good",
        find(on.db, &name, early).await?.is_some(),
        true,
    )?;
    purge(on.db, NOW, 10_000).await?;
    same("after it", find(on.db, &name, early).await?, None)
}
