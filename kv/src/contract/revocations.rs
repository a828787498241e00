//! The revocation index.

use scaigate_types::{Database, Kv};

use super::Stores;
use super::fixtures::NOW;
use super::verdict::{Verdict, same};
use crate::keys;
use crate::revocation::{self, Revocation, narrow, read};

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

pub async fn narrows_to_later_generations(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    let sid = on.sid("session")?;
    for generation in [0, 3, u32::MAX] {
        narrow(on.kv, &sid, generation, NOW).await?;
        let expected = Some(Revocation::Narrowed { generation });
        same("narrowed", read(on.kv, &sid).await?, expected)?;
    }
    same("another", read(on.kv, &on.sid("other")?).await?, None)?;
    revocation::forget(on.kv, &sid).await?;
    same("forgotten", read(on.kv, &sid).await?, None)
}

pub async fn narrowing_never_gives_back(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    let sid = on.sid("session")?;
    narrow(on.kv, &sid, 7, NOW).await?;
    narrow(on.kv, &sid, 6, NOW).await?;
    let expected = Some(Revocation::Narrowed { generation: 7 });
    same("an earlier one", read(on.kv, &sid).await?, expected)?;
    revocation::revoke(on.kv, &sid, NOW).await?;
    narrow(on.kv, &sid, 8, NOW).await?;
    same("ended", read(on.kv, &sid).await?, Some(Revocation::Ended))
}

pub async fn ending_a_narrowed_one_ends_it(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    let sid = on.sid("session")?;
    narrow(on.kv, &sid, 7, NOW).await?;
    revocation::revoke(on.kv, &sid, NOW).await?;
    same("after", read(on.kv, &sid).await?, Some(Revocation::Ended))
}

pub async fn what_can_not_be_read_is_ended(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    let sid = on.sid("session")?;
    let too_long = format!("narrowed:1:{}", "9".repeat(30));
    let records: [&[u8]; 16] = [
        b"1800000000000",
        b"",
        b"ended",
        b"ended:",
        b"narrowed",
        b"narrowed:",
        b"narrowed:1",
        b"narrowed:1:",
        b"narrowed::1",
        b"narrowed:+1:1",
        b"narrowed:-1:1",
        b"narrowed:1:1:1",
        b"narrowed: 1:1",
        b"narrowed:4294967296:1",
        b"\xff\xfe",
        too_long.as_bytes(),
    ];
    for record in records {
        on.kv.set(&keys::revocation(&sid), record).await?;
        let what = String::from_utf8_lossy(record);
        same(&what, read(on.kv, &sid).await?, Some(Revocation::Ended))?;
        narrow(on.kv, &sid, 1, NOW).await?;
        same(&what, read(on.kv, &sid).await?, Some(Revocation::Ended))?;
    }
    Ok(())
}
