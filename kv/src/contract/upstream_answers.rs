//! One refresh at ScaiKey for all who come with the same token.

use std::time::Duration;

use scaigate_types::{Database, Kv, StoreError};

use super::Stores;
use super::fixtures::{NOW, TICK};
use super::verdict::{Verdict, same};
use crate::upstream_refresh::{
    ANSWER_KEPT, FAILURE_KEPT, LEASE, Turn, finish, purge, release, turn,
};

/// Asks for the turn on the case's token.
async fn ask(
    on: &Stores<'_, impl Kv, impl Database>,
    owner: &str,
    after: Duration,
) -> Result<Turn, StoreError> {
    turn(on.db, &on.name("token"), owner, NOW.plus(after)).await
}

/// Records an answer for the case's token.
async fn answer(
    on: &Stores<'_, impl Kv, impl Database>,
    outcome: &[u8],
    after: Duration,
    kept: Duration,
) -> Result<(), StoreError> {
    finish(on.db, &on.name("token"), outcome, NOW.plus(after), kept).await
}

fn answered(outcome: &[u8]) -> Turn {
    Turn::Answer(outcome.to_vec())
}

pub async fn one_leads_and_the_others_wait(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    same("first", ask(on, "one", Duration::ZERO).await?, Turn::Lead)?;
    for (owner, after) in [
        ("two", Duration::ZERO),
        ("one", TICK),
        ("three", LEASE - TICK),
    ] {
        same(owner, ask(on, owner, after).await?, Turn::Wait)?;
    }
    let other = turn(on.other, &on.name("another-token"), "two", NOW).await?;
    same("another token", other, Turn::Lead)
}

pub async fn the_answer_is_handed_out_until_it_expires(
    on: &Stores<'_, impl Kv, impl Database>,
) -> Verdict {
    ask(on, "one", Duration::ZERO).await?;
    answer(on, b"\x00answer\xff", TICK, ANSWER_KEPT).await?;
    for after in [TICK, LEASE, TICK + ANSWER_KEPT - TICK] {
        same(
            "kept",
            ask(on, "two", after).await?,
            answered(b"\x00answer\xff"),
        )?;
    }
    same(
        "expired",
        ask(on, "two", TICK + ANSWER_KEPT).await?,
        Turn::Lead,
    )?;
    same(
        "a new round",
        ask(on, "three", TICK + ANSWER_KEPT).await?,
        Turn::Wait,
    )
}

pub async fn a_lost_leader_is_replaced_once(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    same("first", ask(on, "one", Duration::ZERO).await?, Turn::Lead)?;
    same("second", ask(on, "two", LEASE).await?, Turn::Lead)?;
    same("parallel", ask(on, "three", LEASE).await?, Turn::Wait)?;
    for after in [2 * LEASE, 3 * LEASE, LEASE + ANSWER_KEPT - TICK] {
        same("third", ask(on, "three", after).await?, Turn::Wait)?;
    }
    same(
        "a new round",
        ask(on, "three", LEASE + ANSWER_KEPT).await?,
        Turn::Lead,
    )
}

pub async fn a_replaced_leader_may_still_finish(
    on: &Stores<'_, impl Kv, impl Database>,
) -> Verdict {
    ask(on, "one", Duration::ZERO).await?;
    same("second", ask(on, "two", LEASE).await?, Turn::Lead)?;
    answer(on, b"of the first", LEASE + TICK, ANSWER_KEPT).await?;
    same(
        "waiting",
        ask(on, "three", LEASE + TICK).await?,
        answered(b"of the first"),
    )
}

pub async fn the_first_answer_stays(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    ask(on, "one", Duration::ZERO).await?;
    answer(on, b"success", TICK, ANSWER_KEPT).await?;
    answer(on, b"failure", TICK, FAILURE_KEPT).await?;
    same(
        "waiting",
        ask(on, "two", ANSWER_KEPT).await?,
        answered(b"success"),
    )?;
    // Without a turn there is no row to record anything in.
    finish(on.db, &on.name("no-turn"), b"answer", NOW, ANSWER_KEPT).await?;
    same(
        "no turn",
        turn(on.db, &on.name("no-turn"), "one", NOW).await?,
        Turn::Lead,
    )
}

pub async fn a_failure_is_kept_for_a_short_time(
    on: &Stores<'_, impl Kv, impl Database>,
) -> Verdict {
    ask(on, "one", Duration::ZERO).await?;
    answer(on, b"failure", TICK, FAILURE_KEPT).await?;
    same(
        "waiting",
        ask(on, "two", FAILURE_KEPT).await?,
        answered(b"failure"),
    )?;
    same(
        "later",
        ask(on, "two", TICK + FAILURE_KEPT).await?,
        Turn::Lead,
    )
}

pub async fn a_released_turn_goes_to_the_next(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    ask(on, "one", Duration::ZERO).await?;
    same(
        "released",
        release(on.db, &on.name("token"), "one").await?,
        true,
    )?;
    same("next", ask(on, "two", TICK).await?, Turn::Lead)?;
    same("after it", ask(on, "three", TICK).await?, Turn::Wait)
}

pub async fn a_turn_is_not_released_twice(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    ask(on, "one", Duration::ZERO).await?;
    release(on.db, &on.name("token"), "one").await?;
    ask(on, "two", TICK).await?;
    // Two calls were made: there is no third.
    same(
        "second",
        release(on.db, &on.name("token"), "two").await?,
        false,
    )?;
    same("next", ask(on, "three", TICK).await?, Turn::Wait)
}

pub async fn a_replaced_leader_releases_nothing(
    on: &Stores<'_, impl Kv, impl Database>,
) -> Verdict {
    ask(on, "one", Duration::ZERO).await?;
    for owner in ["two", ""] {
        same(
            owner,
            release(on.db, &on.name("token"), owner).await?,
            false,
        )?;
    }
    same("waiting", ask(on, "three", TICK).await?, Turn::Wait)?;
    ask(on, "two", LEASE).await?;
    same(
        "replaced",
        release(on.db, &on.name("token"), "one").await?,
        false,
    )?;
    answer(on, b"answer", LEASE, ANSWER_KEPT).await?;
    same(
        "finished",
        release(on.db, &on.name("token"), "two").await?,
        false,
    )?;
    same(
        "answer",
        ask(on, "three", LEASE).await?,
        answered(b"answer"),
    )
}

pub async fn an_expired_answer_is_purged(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    ask(on, "one", Duration::ZERO).await?;
    answer(on, b"answer", Duration::ZERO, ANSWER_KEPT).await?;
    purge(on.db, NOW.plus(ANSWER_KEPT - TICK), 10_000).await?;
    same("kept", ask(on, "two", TICK).await?, answered(b"answer"))?;
    purge(on.db, NOW.plus(ANSWER_KEPT), 10_000).await?;
    // As if nobody had ever come.
    same("purged", ask(on, "two", TICK).await?, Turn::Lead)
}
