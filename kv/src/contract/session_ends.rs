//! Sessions that end, and what is kept of them.

use std::time::Duration;

use scaigate_types::{Database, Kv, SessionId, StoreError, Timestamp};

use super::Stores;
use super::fixtures::{NOW, SESSION_LIFETIME, TICK, code_of, redeemed, unredeemed};
use super::verdict::{Verdict, holds, same};
use crate::session::{
    self, CODE_LIFETIME, Code, end, find, peek_code, purge, revocation_forgotten,
    revocations_to_forget, switch_workspace,
};
use crate::{purge as everything, revocation};

const DAY: Duration = Duration::from_secs(24 * 3600);

async fn exists(db: &impl Database, sid: &SessionId) -> Result<bool, StoreError> {
    Ok(find(db, sid).await?.is_some())
}

async fn is_to_forget(
    db: &impl Database,
    sid: &SessionId,
    now: Timestamp,
) -> Result<bool, StoreError> {
    Ok(revocations_to_forget(db, now, 10_000).await?.contains(sid))
}

pub async fn drops_what_scaikey_gave(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    let sid = redeemed(on, "session").await?;
    end(on.db, &sid, "logout", NOW).await?;
    let left = find(on.db, &sid).await?.map(|found| found.scaikey_tokens);
    same("tokens", left, Some(None))
}

pub async fn ending_again_changes_nothing(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    let sid = redeemed(on, "session").await?;
    end(on.db, &sid, "refresh_token_reused", NOW).await?;
    end(on.other, &sid, "logout", NOW.plus(DAY)).await?;
    end(on.db, &on.sid("stranger")?, "logout", NOW).await?;
    let sql = "SELECT end_reason, ended_at FROM session WHERE sid = ?1";
    let rows = on.db.query(sql, &[sid.as_str().into()]).await?;
    let row = rows.first().ok_or(StoreError::Corrupt)?;
    same("reason", row.text(0)?, "refresh_token_reused")?;
    same("time", row.time(1)?, NOW)
}

pub async fn switches_the_workspace_of_a_live_session_only(
    on: &Stores<'_, impl Kv, impl Database>,
) -> Verdict {
    let sid = redeemed(on, "session").await?;
    let (one, two) = (on.workspace("one")?, on.workspace("two")?);
    switch_workspace(on.db, &sid, &one).await?;
    let seen = find(on.db, &sid)
        .await?
        .and_then(|found| found.workspace_id);
    same("live", seen, Some(one.clone()))?;
    end(on.db, &sid, "logout", NOW).await?;
    switch_workspace(on.db, &sid, &two).await?;
    let seen = find(on.db, &sid)
        .await?
        .and_then(|found| found.workspace_id);
    same("ended", seen, Some(one))
}

pub async fn revocations_are_forgotten_a_day_later(
    on: &Stores<'_, impl Kv, impl Database>,
) -> Verdict {
    let sid = redeemed(on, "ended").await?;
    let live = redeemed(on, "live").await?;
    end(on.db, &sid, "logout", NOW).await?;
    same(
        "within a day",
        is_to_forget(on.db, &sid, NOW.plus(DAY)).await?,
        false,
    )?;
    same(
        "after it",
        is_to_forget(on.db, &sid, NOW.plus(DAY + TICK)).await?,
        true,
    )?;
    same(
        "a live one",
        is_to_forget(on.db, &live, NOW.plus(10 * DAY)).await?,
        false,
    )?;
    let few = revocations_to_forget(on.db, NOW.plus(10 * DAY), 1).await?;
    same("no more than asked", few.len(), 1)?;
    revocation_forgotten(on.db, &sid).await?;
    same(
        "once forgotten",
        is_to_forget(on.db, &sid, NOW.plus(10 * DAY)).await?,
        false,
    )
}

pub async fn is_purged_a_day_after_it_expired(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    let sid = redeemed(on, "session").await?;
    let end = NOW.plus(SESSION_LIFETIME + DAY);
    purge(on.db, end, 10_000).await?;
    same("within a day", exists(on.db, &sid).await?, true)?;
    purge(on.db, end.plus(TICK), 10_000).await?;
    same("after it", exists(on.db, &sid).await?, false)
}

pub async fn is_purged_only_when_its_revocation_is_forgotten(
    on: &Stores<'_, impl Kv, impl Database>,
) -> Verdict {
    let sid = redeemed(on, "session").await?;
    end(on.db, &sid, "logout", NOW).await?;
    let late = NOW.plus(SESSION_LIFETIME + 2 * DAY);
    purge(on.db, late, 10_000).await?;
    same("before", exists(on.db, &sid).await?, true)?;
    revocation_forgotten(on.db, &sid).await?;
    // Until then its refresh tokens are told that it has ended.
    purge(on.db, NOW.plus(SESSION_LIFETIME), 10_000).await?;
    same("while it would live", exists(on.db, &sid).await?, true)?;
    purge(on.db, late, 10_000).await?;
    same("after", exists(on.db, &sid).await?, false)
}

pub async fn is_purged_when_never_redeemed(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    let sid = unredeemed(on, "unredeemed").await?;
    let kept = redeemed(on, "redeemed").await?;
    let end = NOW.plus(CODE_LIFETIME + DAY);
    purge(on.db, end, 10_000).await?;
    same("within a day", exists(on.db, &sid).await?, true)?;
    let code = code_of(on, "unredeemed");
    same(
        "its code",
        peek_code(on.db, &code, end).await?,
        Code::Expired,
    )?;
    purge(on.db, end.plus(TICK), 10_000).await?;
    same("after it", exists(on.db, &sid).await?, false)?;
    same(
        "its code",
        peek_code(on.db, &code, end).await?,
        Code::Unknown,
    )?;
    same("a redeemed one", exists(on.db, &kept).await?, true)
}

pub async fn everything_is_purged_in_one_go(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    let sid = redeemed(on, "session").await?;
    end(on.db, &sid, "logout", NOW).await?;
    revocation::revoke(on.kv, &sid, NOW).await?;
    everything::purge(on.db, on.kv, NOW.plus(DAY)).await?;
    same(
        "within a day",
        revocation::read(on.kv, &sid).await?,
        Some(revocation::Revocation::Ended),
    )?;
    everything::purge(on.db, on.kv, NOW.plus(DAY + TICK)).await?;
    same("after it", revocation::read(on.kv, &sid).await?, None)?;
    holds("the row is kept", exists(on.db, &sid).await?)?;
    let late = NOW.plus(SESSION_LIFETIME + DAY + TICK);
    everything::purge(on.db, on.kv, late).await?;
    let left = session::find(on.db, &sid).await?;
    same("at last", left, None)
}
