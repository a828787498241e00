//! The generations of a session's refresh token.

use std::time::Duration;

use scaigate_types::{Database, Kv};

use super::Stores;
use super::fixtures::{NOW, SESSION_LIFETIME, TICK, redeemed, rotates, unredeemed};
use super::interposed::Interposed;
use super::verdict::{Verdict, same};
use crate::session::{ROTATION_WINDOW, Rotation, end, find, rotate};

pub async fn replaces_the_current_generation(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    let sid = redeemed(on, "session").await?;
    for generation in 0..4 {
        let session = rotates(on.db, &sid, generation, NOW, generation + 1).await?;
        same(
            "workspace",
            session.workspace_id,
            Some(on.workspace("home")?),
        )?;
        same("tokens", session.scaikey_tokens, Some(b"sealed".to_vec()))?;
        same("expiry", session.expires_at, NOW.plus(SESSION_LIFETIME))?;
    }
    Ok(())
}

pub async fn gives_parallel_requests_the_same_generation(
    on: &Stores<'_, impl Kv, impl Database>,
) -> Verdict {
    let sid = redeemed(on, "session").await?;
    for after in [Duration::ZERO, TICK, ROTATION_WINDOW] {
        rotates(on.db, &sid, 0, NOW.plus(after), 1).await?;
    }
    rotates(on.other, &sid, 1, NOW.plus(ROTATION_WINDOW), 2)
        .await
        .map(|_| ())
}

pub async fn a_late_replay_voids_the_generation_never_received(
    on: &Stores<'_, impl Kv, impl Database>,
) -> Verdict {
    let sid = redeemed(on, "session").await?;
    rotates(on.db, &sid, 0, NOW, 1).await?;
    let late = NOW.plus(ROTATION_WINDOW + TICK);
    rotates(on.db, &sid, 0, late, 2).await?;
    // It opens a window of its own for requests parallel to it.
    rotates(on.db, &sid, 0, late.plus(ROTATION_WINDOW), 2).await?;
    rotates(on.db, &sid, 2, late.plus(ROTATION_WINDOW), 3)
        .await
        .map(|_| ())
}

pub async fn a_void_generation_ends_the_session(
    on: &Stores<'_, impl Kv, impl Database>,
) -> Verdict {
    let sid = redeemed(on, "session").await?;
    rotates(on.db, &sid, 0, NOW, 1).await?;
    let late = NOW.plus(ROTATION_WINDOW + TICK);
    rotates(on.db, &sid, 0, late, 2).await?;
    same(
        "void",
        rotate(on.db, &sid, 1, late).await?,
        Rotation::Reused(sid.clone()),
    )?;
    same(
        "current",
        rotate(on.db, &sid, 2, late).await?,
        Rotation::Ended,
    )?;
    let tokens = find(on.db, &sid).await?.map(|found| found.scaikey_tokens);
    same("ScaiKey's tokens", tokens, Some(None))
}

pub async fn an_older_generation_ends_the_session(
    on: &Stores<'_, impl Kv, impl Database>,
) -> Verdict {
    let sid = redeemed(on, "session").await?;
    rotates(on.db, &sid, 0, NOW, 1).await?;
    rotates(on.db, &sid, 1, NOW, 2).await?;
    same(
        "older",
        rotate(on.db, &sid, 0, NOW).await?,
        Rotation::Reused(sid.clone()),
    )?;
    for generation in 0..4 {
        let outcome = rotate(on.db, &sid, generation, NOW).await?;
        same("afterwards", outcome, Rotation::Ended)?;
    }
    Ok(())
}

pub async fn a_generation_never_issued_ends_the_session(
    on: &Stores<'_, impl Kv, impl Database>,
) -> Verdict {
    let sid = redeemed(on, "session").await?;
    let outcome = rotate(on.db, &sid, u32::MAX, NOW).await?;
    same("outcome", outcome, Rotation::Reused(sid.clone()))?;
    same(
        "afterwards",
        rotate(on.db, &sid, 0, NOW).await?,
        Rotation::Ended,
    )
}

pub async fn refuses_an_ended_session(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    let sid = redeemed(on, "session").await?;
    end(on.db, &sid, "logout", NOW).await?;
    for generation in [0, 1, 7] {
        same(
            "outcome",
            rotate(on.db, &sid, generation, NOW).await?,
            Rotation::Ended,
        )?;
    }
    Ok(())
}

pub async fn refuses_an_expired_session(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    let sid = redeemed(on, "session").await?;
    let expiry = NOW.plus(SESSION_LIFETIME);
    for generation in [0, 1, 7] {
        same(
            "at its end",
            rotate(on.db, &sid, generation, expiry).await?,
            Rotation::Ended,
        )?;
    }
    rotates(on.db, &sid, 0, expiry.minus(TICK), 1)
        .await
        .map(|_| ())
}

pub async fn does_not_know_an_unredeemed_session(
    on: &Stores<'_, impl Kv, impl Database>,
) -> Verdict {
    let sid = unredeemed(on, "session").await?;
    same(
        "outcome",
        rotate(on.db, &sid, 0, NOW).await?,
        Rotation::Unknown,
    )?;
    // And leaves it to be redeemed.
    let code = super::fixtures::code_of(on, "session");
    let redeemed = crate::session::redeem(on.db, &code, &on.workspace("home")?, NOW).await?;
    same("redeeming", redeemed, true)
}

pub async fn does_not_know_a_stranger(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    same(
        "outcome",
        rotate(on.db, &on.sid("stranger")?, 0, NOW).await?,
        Rotation::Unknown,
    )
}

/// A request that comes with the generation just replaced is answered by what it found. That the
/// successor is replaced in turn before it has its answer makes a thief of nobody.
pub async fn a_rotation_in_between_is_no_theft(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    let sid = redeemed(on, "session").await?;
    rotates(on.db, &sid, 0, NOW, 1).await?;
    let between = Interposed::after_first(on.db, async {
        rotate(on.other, &sid, 1, NOW).await.map(|_| ())
    });
    rotates(&between, &sid, 0, NOW, 1).await?;
    // The one in between succeeded, and its generation is good.
    rotates(on.db, &sid, 2, NOW, 3).await.map(|_| ())
}
