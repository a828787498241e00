//! The revocation index.

use scaigate_types::{Database, Kv};

use super::Stores;
use super::fixtures::NOW;
use super::verdict::{Verdict, same};
use crate::revocation::{self, Revocation, read};

pub async fn sees_what_was_revoked(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    let sid = on.sid("session")?;
    same("before", read(on.kv, &sid).await?, None)?;
    revocation::revoke(on.kv, &sid, NOW).await?;
    same("after", read(on.kv, &sid).await?, Some(Revocation::Ended))
}

pub async fn revokes_one_session_only(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    revocation::revoke(on.kv, &on.sid("one")?, NOW).await?;
    for other in ["two", "one-and-more", "on"] {
        same(other, read(on.kv, &on.sid(other)?).await?, None)?;
    }
    Ok(())
}

pub async fn revokes_twice(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    let sid = on.sid("session")?;
    revocation::revoke(on.kv, &sid, NOW).await?;
    revocation::revoke(on.kv, &sid, NOW).await?;
    same("after", read(on.kv, &sid).await?, Some(Revocation::Ended))
}

pub async fn forgets(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    let sid = on.sid("session")?;
    revocation::revoke(on.kv, &sid, NOW).await?;
    revocation::forget(on.kv, &sid).await?;
    same("after", read(on.kv, &sid).await?, None)?;
    revocation::forget(on.kv, &sid).await?;
    Ok(())
}
