//! The one-shot code that redeems a session.

use std::time::Duration;

use scaigate_types::{Database, Kv};

use super::Stores;
use super::fixtures::{NOW, SESSION_LIFETIME, TICK, code_of, redeemed, unredeemed};
use super::verdict::{Failure, Verdict, holds, same};
use crate::session::{self, CODE_LIFETIME, Code, Session, peek_code, redeem};

pub async fn shows_what_it_redeems(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    let sid = unredeemed(on, "session").await?;
    let expected = Session {
        sid,
        person_id: on.person("owner")?,
        tenant_id: on.tenant("tenant")?,
        workspace_id: None,
        expires_at: NOW.plus(SESSION_LIFETIME),
        generation: 0,
        scaikey_tokens: Some(b"sealed".to_vec()),
    };
    // Twice: looking does not use it up.
    for _ in 0..2 {
        match peek_code(on.db, &code_of(on, "session"), NOW).await? {
            Code::Pending(pending) => {
                same("session", &pending.session, &expected)?;
                same(
                    "challenge",
                    pending.code_challenge.as_deref(),
                    Some("challenge"),
                )?;
            }
            other => return Err(Failure::new(format!("{other:?} instead of a pending code"))),
        }
    }
    Ok(())
}

pub async fn is_redeemed_once(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    unredeemed(on, "session").await?;
    let (code, home) = (code_of(on, "session"), on.workspace("home")?);
    same("first", redeem(on.db, &code, &home, NOW).await?, true)?;
    same("second", redeem(on.db, &code, &home, NOW).await?, false)?;
    same(
        "elsewhere",
        redeem(on.other, &code, &home, NOW).await?,
        false,
    )?;
    for after in [Duration::ZERO, CODE_LIFETIME] {
        let seen = peek_code(on.db, &code, NOW.plus(after)).await?;
        same("looking", seen, Code::AlreadyUsed)?;
    }
    Ok(())
}

pub async fn ends_exactly_at_its_lifetime(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    unredeemed(on, "session").await?;
    let (code, home) = (code_of(on, "session"), on.workspace("home")?);
    let end = NOW.plus(CODE_LIFETIME);
    same(
        "looking",
        peek_code(on.db, &code, end).await?,
        Code::Expired,
    )?;
    same("redeeming", redeem(on.db, &code, &home, end).await?, false)?;
    let before = end.minus(TICK);
    let pending = peek_code(on.db, &code, before).await?;
    holds("pending before", matches!(pending, Code::Pending(_)))?;
    same(
        "redeeming before",
        redeem(on.db, &code, &home, before).await?,
        true,
    )
}

pub async fn is_unknown_when_never_issued(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    let (code, home) = (on.name("unknown"), on.workspace("home")?);
    same(
        "looking",
        peek_code(on.db, &code, NOW).await?,
        Code::Unknown,
    )?;
    same("redeeming", redeem(on.db, &code, &home, NOW).await?, false)
}

pub async fn a_lost_redemption_does_not_change_the_workspace(
    on: &Stores<'_, impl Kv, impl Database>,
) -> Verdict {
    let sid = redeemed(on, "session").await?;
    let other = on.workspace("other")?;
    let again = redeem(on.db, &code_of(on, "session"), &other, NOW).await?;
    same("again", again, false)?;
    let workspace = session::find(on.db, &sid)
        .await?
        .and_then(|found| found.workspace_id);
    same("workspace", workspace, Some(on.workspace("home")?))
}

pub async fn is_refused_after_the_session_has_ended(
    on: &Stores<'_, impl Kv, impl Database>,
) -> Verdict {
    let sid = unredeemed(on, "session").await?;
    session::end(on.db, &sid, "logout", NOW).await?;
    let redeemed = redeem(on.db, &code_of(on, "session"), &on.workspace("home")?, NOW).await?;
    same("redeeming", redeemed, false)
}

pub async fn is_not_issued_twice(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    let sid = unredeemed(on, "session").await?;
    holds(
        "the same session is refused",
        unredeemed(on, "session").await.is_err(),
    )?;
    let (person_id, tenant_id) = (on.person("thief")?, on.tenant("tenant")?);
    let copy = session::NewSession {
        sid: &on.sid("copy")?,
        person_id: &person_id,
        tenant_id: &tenant_id,
        expires_at: NOW.plus(SESSION_LIFETIME),
        code_hash: &code_of(on, "session"),
        code_challenge: None,
        scaikey_sid: None,
        scaikey_tokens: b"",
    };
    let outcome = session::insert(on.db, &copy, NOW).await;
    holds(
        "the same code for another session is refused",
        outcome.is_err(),
    )?;
    let owner = session::find(on.db, &sid)
        .await?
        .map(|found| found.person_id);
    same("owner", owner, Some(on.person("owner")?))
}
