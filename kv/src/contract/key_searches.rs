//! Who may look for an unknown key at ScaiKey.

use scaigate_types::{Database, Kv};

use super::fixtures::{NOW, TICK};
use super::verdict::{Verdict, same};
use super::{Stores, interposed};
use crate::key_search::{Claim, EVERY, claim};

pub async fn is_somebodys_for_half_a_minute(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    let keys = on.name("keys");
    let taken = Claim::Anothers { at: NOW };
    same("first", claim(on.db, &keys, NOW).await?, Claim::Ours)?;
    same("at once", claim(on.other, &keys, NOW).await?, taken)?;
    let late = NOW.plus(EVERY);
    let before = late.minus(TICK);
    same("a little early", claim(on.db, &keys, before).await?, taken)?;
    same("in time", claim(on.other, &keys, late).await?, Claim::Ours)?;
    let others = on.name("other keys");
    same(
        "of other keys",
        claim(on.db, &others, late).await?,
        Claim::Ours,
    )
}

pub async fn a_clock_set_back_does_not_hold_it(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    let keys = on.name("keys");
    claim(on.db, &keys, NOW).await?;
    // Somebody who read the clock a moment before the first.
    let earlier = claim(on.other, &keys, NOW.minus(TICK)).await?;
    same("a moment before", earlier, Claim::Anothers { at: NOW })?;
    let long_ago = NOW.minus(EVERY).minus(TICK);
    same(
        "set back",
        claim(on.db, &keys, long_ago).await?,
        Claim::Ours,
    )
}

pub async fn is_nobodys_while_the_store_fails(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    let keys = on.name("keys");
    let failing = interposed::Failing::at(on.db, 1);
    same("failing", claim(&failing, &keys, NOW).await.is_err(), true)?;
    same("then", claim(on.db, &keys, NOW).await?, Claim::Ours)
}
