//! Subjects of ScaiKey whose tokens are revoked.

use scaigate_types::{Database, Kv, Timestamp};

use super::Stores;
use super::fixtures::{NOW, TICK};
use super::verdict::{Verdict, same};
use crate::keys;
use crate::revocation::{revoke_subject, subject_revoked_before as seen};

pub async fn is_seen_for_one_subject(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    let subject = on.name("subject");
    same("before", seen(on.kv, &subject).await?, None)?;
    revoke_subject(on.kv, &subject, NOW).await?;
    same("after", seen(on.kv, &subject).await?, Some(NOW))?;
    for other in ["subject2", "subjec", "other"] {
        same(other, seen(on.kv, &on.name(other)).await?, None)?;
    }
    Ok(())
}

pub async fn the_latest_time_is_kept(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    let subject = on.name("subject");
    for (before, expected) in [
        (Timestamp::default(), Timestamp::default()),
        (NOW, NOW),
        (NOW.minus(TICK), NOW),
        (NOW, NOW),
        (NOW.plus(TICK), NOW.plus(TICK)),
        (Timestamp::MAX, Timestamp::MAX),
        (NOW, Timestamp::MAX),
    ] {
        revoke_subject(on.kv, &subject, before).await?;
        same("kept", seen(on.kv, &subject).await?, Some(expected))?;
    }
    Ok(())
}

pub async fn what_can_not_be_read_revokes_everything(
    on: &Stores<'_, impl Kv, impl Database>,
) -> Verdict {
    let subject = on.name("subject");
    let too_large = "9".repeat(30);
    let records: [&[u8]; 7] = [
        b"",
        b"never",
        b"-1",
        b"+1",
        b"1 ",
        b"\xff",
        too_large.as_bytes(),
    ];
    for record in records {
        on.kv
            .set(&keys::subject_revocation(&subject), record)
            .await?;
        let what = String::from_utf8_lossy(record);
        same(&what, seen(on.kv, &subject).await?, Some(Timestamp::MAX))?;
        revoke_subject(on.kv, &subject, NOW).await?;
        same(&what, seen(on.kv, &subject).await?, Some(Timestamp::MAX))?;
    }
    Ok(())
}
