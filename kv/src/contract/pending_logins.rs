//! Begun sign-ins.

use std::time::Duration;

use scaigate_types::{Database, Kv, StoreError};

use super::Stores;
use super::fixtures::{NOW, TICK};
use super::verdict::{Verdict, holds, same};
use crate::pending_login::{Consumed, LIFETIME, MAX_PER_BROWSER, consume, insert, purge};

const REMEMBERED: Duration = Duration::from_secs(3600);

fn sealed() -> Consumed {
    Consumed::Now(b"sealed".to_vec())
}

/// Begins the sign-in `state` in the browser `browser`.
async fn begin(
    on: &Stores<'_, impl Kv, impl Database>,
    state: &str,
    browser: &str,
    after: Duration,
) -> Result<(), StoreError> {
    insert(
        on.db,
        &on.name(state),
        &on.name(browser),
        b"sealed",
        NOW.plus(after),
    )
    .await
}

/// Consumes the sign-in `state` for the browser `browser`.
async fn finish(
    on: &Stores<'_, impl Kv, impl Database>,
    state: &str,
    browser: &str,
    after: Duration,
) -> Result<Consumed, StoreError> {
    consume(
        on.db,
        &on.name(state),
        Some(&on.name(browser)),
        NOW.plus(after),
    )
    .await
}

pub async fn is_consumed_with_what_was_sealed(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    for (state, sealed) in [
        ("text", b"text".to_vec()),
        ("bytes", vec![0, 0xff, 0]),
        ("none", vec![]),
    ] {
        insert(on.db, &on.name(state), &on.name("browser"), &sealed, NOW).await?;
        let consumed = finish(on, state, "browser", TICK).await?;
        same(state, consumed, Consumed::Now(sealed))?;
    }
    Ok(())
}

pub async fn is_consumed_once(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    begin(on, "state", "browser", Duration::ZERO).await?;
    same(
        "first",
        finish(on, "state", "browser", TICK).await?,
        sealed(),
    )?;
    for after in [TICK, LIFETIME, LIFETIME + REMEMBERED] {
        same(
            "again",
            finish(on, "state", "browser", after).await?,
            Consumed::AlreadyUsed,
        )?;
    }
    let elsewhere = consume(on.other, &on.name("state"), Some(&on.name("browser")), NOW).await?;
    same("elsewhere", elsewhere, Consumed::AlreadyUsed)
}

pub async fn another_browser_does_not_burn_it(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    begin(on, "state", "browser", Duration::ZERO).await?;
    same(
        "other",
        finish(on, "state", "other", TICK).await?,
        Consumed::OtherBrowser,
    )?;
    same("own", finish(on, "state", "browser", TICK).await?, sealed())?;
    // And it learns nothing about what became of it.
    same(
        "other",
        finish(on, "state", "other", TICK).await?,
        Consumed::OtherBrowser,
    )?;
    same(
        "other",
        finish(on, "state", "other", LIFETIME).await?,
        Consumed::OtherBrowser,
    )
}

pub async fn no_browser_does_not_burn_it(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    begin(on, "state", "browser", Duration::ZERO).await?;
    let without = consume(on.db, &on.name("state"), None, NOW).await?;
    same("without a cookie", without, Consumed::OtherBrowser)?;
    let unknown = consume(on.db, &on.name("unknown"), None, NOW).await?;
    same("without a cookie, unknown", unknown, Consumed::Unknown)?;
    same("own", finish(on, "state", "browser", TICK).await?, sealed())
}

pub async fn ends_exactly_at_its_lifetime(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    begin(on, "at", "browser", Duration::ZERO).await?;
    begin(on, "before", "browser", Duration::ZERO).await?;
    same(
        "at",
        finish(on, "at", "browser", LIFETIME).await?,
        Consumed::Expired,
    )?;
    same(
        "before",
        finish(on, "before", "browser", LIFETIME - TICK).await?,
        sealed(),
    )
}

pub async fn is_unknown_when_never_issued(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    begin(on, "state", "browser", Duration::ZERO).await?;
    for state in ["unknown", "stat", "state-", "STATE", ""] {
        same(
            state,
            finish(on, state, "browser", TICK).await?,
            Consumed::Unknown,
        )?;
    }
    Ok(())
}

pub async fn is_not_issued_twice(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    begin(on, "state", "browser", Duration::ZERO).await?;
    let again = begin(on, "state", "other", Duration::ZERO).await;
    holds(
        "the same state for another browser is refused",
        again.is_err(),
    )?;
    same("own", finish(on, "state", "browser", TICK).await?, sealed())
}

pub async fn beyond_the_limit_drops_the_oldest(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    // All in the same millisecond: then the order in which they came decides.
    for step in [Duration::ZERO, TICK] {
        let state = |number: i64| format!("{}-{number}", step.as_millis());
        let browser = format!("browser-{}", step.as_millis());
        for number in 0..=MAX_PER_BROWSER {
            let after = step * u32::try_from(number).unwrap_or_default();
            begin(on, &state(number), &browser, after).await?;
        }
        for number in 0..=MAX_PER_BROWSER {
            let expected = if number == 0 {
                Consumed::Unknown
            } else {
                sealed()
            };
            let found = finish(on, &state(number), &browser, Duration::from_secs(1)).await?;
            same(&state(number), found, expected)?;
        }
    }
    Ok(())
}

pub async fn consumed_ones_do_not_count(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    begin(on, "oldest", "browser", Duration::ZERO).await?;
    for number in 0..MAX_PER_BROWSER {
        let state = format!("consumed-{number}");
        begin(on, &state, "browser", TICK).await?;
        same(&state, finish(on, &state, "browser", TICK).await?, sealed())?;
    }
    same(
        "oldest",
        finish(on, "oldest", "browser", TICK).await?,
        sealed(),
    )?;
    // Nor are they dropped: a second use is still told from an unknown state.
    let again = finish(on, "consumed-0", "browser", TICK).await?;
    same("consumed", again, Consumed::AlreadyUsed)
}

pub async fn two_browsers_do_not_disturb_each_other(
    on: &Stores<'_, impl Kv, impl Database>,
) -> Verdict {
    begin(on, "mine", "browser", Duration::ZERO).await?;
    for number in 0..=MAX_PER_BROWSER {
        begin(on, &format!("theirs-{number}"), "other", TICK).await?;
    }
    same("mine", finish(on, "mine", "browser", TICK).await?, sealed())
}

pub async fn is_remembered_for_a_while_then_purged(
    on: &Stores<'_, impl Kv, impl Database>,
) -> Verdict {
    begin(on, "used", "browser", Duration::ZERO).await?;
    begin(on, "unused", "browser", Duration::ZERO).await?;
    begin(on, "young", "browser", TICK).await?;
    finish(on, "used", "browser", TICK).await?;
    purge(on.db, NOW.plus(LIFETIME + REMEMBERED), 10_000).await?;
    same(
        "used",
        finish(on, "used", "browser", LIFETIME).await?,
        Consumed::AlreadyUsed,
    )?;
    same(
        "unused",
        finish(on, "unused", "browser", LIFETIME).await?,
        Consumed::Expired,
    )?;
    purge(on.db, NOW.plus(LIFETIME + REMEMBERED + TICK), 10_000).await?;
    for state in ["used", "unused"] {
        same(
            state,
            finish(on, state, "browser", LIFETIME).await?,
            Consumed::Unknown,
        )?;
    }
    same(
        "young",
        finish(on, "young", "browser", LIFETIME).await?,
        sealed(),
    )
}

pub async fn purges_no_more_than_asked(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    let late = NOW.plus(2 * (LIFETIME + REMEMBERED));
    // What other cases left would be counted too.
    purge(on.db, late, 10_000).await?;
    for number in 0..5 {
        begin(on, &format!("state-{number}"), "browser", Duration::ZERO).await?;
    }
    purge(on.db, late, 3).await?;
    let mut left = 0;
    for number in 0..5 {
        let found = finish(on, &format!("state-{number}"), "browser", LIFETIME).await?;
        left += i32::from(found == Consumed::Expired);
    }
    same("left", left, 2)
}
