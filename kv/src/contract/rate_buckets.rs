//! How many requests somebody may still make.

use std::time::Duration;

use scaigate_types::{Database, Kv, Query, Timestamp};

use super::fixtures::{NOW, TICK};
use super::verdict::{Failure, Verdict, holds, same};
use super::{Stores, interposed};
use crate::rate_bucket::{Bucket, LEASE, Name, Taken, purge, take};

/// One token a second.
const BUCKET: Bucket = Bucket {
    capacity: 60,
    refill_per_minute: 60,
};
const SECOND: Duration = Duration::from_secs(1);

/// Takes single tokens until there is none: how many there were, and the answer that says so.
async fn drain(db: &impl Query, principal: &str, now: Timestamp) -> Result<(u32, Taken), Failure> {
    let name = of(principal);
    for number in 0..1000 {
        let taken = take(db, name, BUCKET, 1, now).await?;
        if taken.granted == 0 {
            return Ok((number, taken));
        }
        same("granted", taken.granted, 1)?;
    }
    Err(Failure::new("a bucket without a bottom"))
}

fn of(principal: &str) -> Name<'_> {
    Name {
        principal,
        category: "category",
    }
}

pub async fn gives_what_it_holds_and_no_more(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    let name = on.name("principal");
    let first = take(on.db, of(&name), BUCKET, 1, NOW).await?;
    let expected = Taken {
        granted: 1,
        lease_until: NOW.plus(LEASE),
        remaining: 59,
        reset_at: NOW.plus(SECOND),
        retry_after: Duration::ZERO,
    };
    same("first", first, expected)?;
    let (number, last) = drain(on.other, &name, NOW).await?;
    same("others", number, 59)?;
    let expected = Taken {
        granted: 0,
        lease_until: NOW.plus(LEASE),
        remaining: 0,
        reset_at: NOW.plus(Duration::from_secs(60)),
        retry_after: SECOND,
    };
    same("empty", last, expected)
}

pub async fn fills_up_to_the_millisecond(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    let name = on.name("principal");
    drain(on.db, &name, NOW).await?;
    let later = NOW.plus(SECOND);
    let early = take(on.db, of(&name), BUCKET, 1, later.minus(TICK)).await?;
    same(
        "a little early",
        (early.granted, early.retry_after),
        (0, TICK),
    )?;
    same("in time", drain(on.other, &name, later).await?.0, 1)?;
    // Parts of a token are kept: three times a third of a second is a second.
    let mut now = later;
    for third in 1..=3 {
        now = now.plus(Duration::from_millis(333 + u64::from(third == 3)));
        let taken = take(on.db, of(&name), BUCKET, 1, now).await?;
        same("a third more", taken.granted, u32::from(third == 3))?;
    }
    Ok(())
}

pub async fn is_never_more_than_full(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    let name = on.name("principal");
    take(on.db, of(&name), BUCKET, 1, NOW).await?;
    let next_year = NOW.plus(Duration::from_secs(365 * 24 * 3600));
    same("full", drain(on.db, &name, next_year).await?.0, 60)
}

pub async fn principals_and_categories_have_their_own(
    on: &Stores<'_, impl Kv, impl Database>,
) -> Verdict {
    let (name, other) = (on.name("principal"), on.name("other"));
    drain(on.db, &name, NOW).await?;
    for name in [
        of(&other),
        Name {
            category: "other",
            ..of(&name)
        },
    ] {
        let taken = take(on.db, name, BUCKET, 1, NOW).await?;
        same("another's", (taken.granted, taken.remaining), (1, 59))?;
    }
    Ok(())
}

pub async fn a_clock_set_back_neither_makes_nor_takes_tokens(
    on: &Stores<'_, impl Kv, impl Database>,
) -> Verdict {
    for (tag, back) in [("moment", SECOND), ("day", Duration::from_secs(86_400))] {
        let name = on.name(tag);
        same("at first", drain(on.db, &name, NOW).await?.0, 60)?;
        let then = NOW.plus(10 * SECOND);
        let taken = take(on.db, of(&name), BUCKET, 1, then).await?;
        same("ten seconds later", taken.remaining, 9)?;
        // Two clocks, in turn: the difference fills nothing.
        for turn in 0..4 {
            let now = if turn % 2 == 0 {
                then.minus(back)
            } else {
                then
            };
            if turn == 0 || back == SECOND {
                let taken = take(on.db, of(&name), BUCKET, 1, now).await?;
                same("in turn", taken.remaining, 8 - turn)?;
            }
        }
        let left = if back == SECOND { 5 } else { 8 };
        same("left", drain(on.db, &name, then.minus(back)).await?.0, left)?;
    }
    Ok(())
}

pub async fn a_clock_set_back_does_not_stop_the_refill(
    on: &Stores<'_, impl Kv, impl Database>,
) -> Verdict {
    let name = on.name("principal");
    drain(on.db, &name, NOW).await?;
    let long_ago = NOW.minus(Duration::from_secs(86_400));
    same("set back", drain(on.db, &name, long_ago).await?.0, 0)?;
    let later = long_ago.plus(5 * SECOND);
    same("five seconds on", drain(on.db, &name, later).await?.0, 5)
}

pub async fn whoever_is_refused_writes_nothing(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    let name = on.name("principal");
    drain(on.db, &name, NOW).await?;
    let sql = "SELECT tokens, updated_at, full_at FROM rate_bucket WHERE principal = ?1";
    let row = async || on.db.query(sql, &[name.as_str().into()]).await;
    let before = row().await?;
    let later = NOW.plus(Duration::from_millis(999));
    let taken = take(on.other, of(&name), BUCKET, 1, later).await?;
    same("refused", (taken.granted, taken.retry_after), (0, TICK))?;
    same("row", row().await?, before)
}

pub async fn a_slice_is_at_most_a_tenth_of_what_is_there(
    on: &Stores<'_, impl Kv, impl Database>,
) -> Verdict {
    let name = on.name("principal");
    let mut left = 60;
    while left > 0 {
        let taken = take(on.db, of(&name), BUCKET, 100, NOW).await?;
        holds("at least one", taken.granted >= 1)?;
        holds("at most a tenth", taken.granted <= (left / 10).max(1))?;
        left -= taken.granted;
        same("left", taken.remaining, left)?;
    }
    let few = take(on.db, of(&on.name("modest")), BUCKET, 3, NOW).await?;
    same("as few as are wanted", few.granted, 3)
}

pub async fn what_is_out_on_lease_does_not_come_back_meanwhile(
    on: &Stores<'_, impl Kv, impl Database>,
) -> Verdict {
    let name = on.name("principal");
    let slice = take(on.db, of(&name), BUCKET, 6, NOW).await?;
    same("slice", slice.granted, 6)?;
    let end = slice.lease_until;
    // Five may still be spent: with those in the bucket they are sixty, not more.
    same(
        "meanwhile",
        drain(on.other, &name, end.minus(TICK)).await?.0,
        55,
    )?;
    let next = on.name("next");
    take(on.db, of(&next), BUCKET, 6, NOW).await?;
    same("afterwards", drain(on.other, &next, end).await?.0, 60)
}

pub async fn half_of_it_is_the_most_that_is_out_on_lease(
    on: &Stores<'_, impl Kv, impl Database>,
) -> Verdict {
    let (name, large) = (
        on.name("principal"),
        Bucket {
            capacity: 100,
            refill_per_minute: 60_000,
        },
    );
    let mut leased = 0;
    // It is full again each time, but for what is out.
    for number in 0..100 {
        let now = NOW.plus(Duration::from_millis(50 * number));
        leased += take(on.db, of(&name), large, 10, now).await?.granted - 1;
    }
    same("out on lease", leased, 50)
}

pub async fn is_forgotten_when_it_is_full(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    let name = on.name("principal");
    let empty = drain(on.db, &name, NOW).await?.1;
    let count = "SELECT count(*) FROM rate_bucket WHERE principal = ?1";
    let minute = Duration::from_secs(60);
    for (now, rows) in [
        (empty.reset_at.plus(minute), 1),
        (empty.reset_at.plus(minute).plus(TICK), 0),
    ] {
        purge(on.db, now, 10_000).await?;
        let found = on.db.query(count, &[name.as_str().into()]).await?;
        let found = found.first().map(|row| row.integer(0)).transpose()?;
        same("rows", found, Some(rows))?;
    }
    Ok(())
}

pub async fn gives_nothing_while_the_store_fails(
    on: &Stores<'_, impl Kv, impl Database>,
) -> Verdict {
    let name = on.name("principal");
    let failing = interposed::Failing::at(on.db, 1);
    let taken = take(&failing, of(&name), BUCKET, 1, NOW).await;
    same("failing", taken.is_err(), true)?;
    same("then", drain(on.db, &name, NOW).await?.0, 60)
}
