//! Many sessions that end, or are narrowed, in one transaction.

use std::time::Duration;

use scaigate_types::{Database, Issuer, Kv, SessionId, StoreError, Timestamp, Transaction};

use super::Stores;
use super::fixtures::{NOW, SESSION_LIFETIME, Somebody, TICK, code_of, redeemed, rotates};
use super::verdict::{Failure, Verdict, holds, same};
use crate::people::Person;
use crate::session::{self, NewSession, Rotation, Whose, end, end_all, generations};
use crate::{purge, revocation};

const DAY: Duration = Duration::from_secs(24 * 3600);

fn issuer(text: &str) -> Result<Issuer, Failure> {
    Issuer::parse(text).map_err(|_| Failure::new("no issuer"))
}

/// A session of `person` that began with the session `scaikey_sid` at ScaiKey.
async fn begun<K, D: Database>(
    on: &Stores<'_, K, D>,
    tag: &str,
    person: &Person,
    scaikey_sid: &str,
) -> Result<SessionId, Failure> {
    let sid = on.sid(tag)?;
    let new = NewSession {
        sid: &sid,
        person_id: &person.person_id,
        tenant_id: &person.tenant_id,
        expires_at: NOW.plus(SESSION_LIFETIME),
        code_hash: &code_of(on, tag),
        code_challenge: None,
        scaikey_sid: Some(scaikey_sid),
        scaikey_tokens: b"sealed",
    };
    session::insert(on.db, &new, NOW).await?;
    let home = on.workspace("home")?;
    session::redeem(on.db, &code_of(on, tag), &home, NOW).await?;
    Ok(sid)
}

/// Ends them and commits; the ended ones, sorted.
async fn ends(
    db: &impl Database,
    whose: Whose<'_>,
    now: Timestamp,
) -> Result<Vec<SessionId>, Failure> {
    let tx = db.begin().await?;
    let mut ended = end_all(&tx, whose, "scaikey_logout", now).await?;
    tx.commit().await?;
    ended.sort();
    Ok(ended)
}

/// Whether the session still refreshes.
async fn is_live(db: &impl Database, sid: &SessionId) -> Result<bool, StoreError> {
    let outcome = session::rotate(db, sid, 0, NOW).await?;
    Ok(matches!(outcome, Rotation::Current(_)))
}

pub async fn all_of_a_person(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    let person = Somebody::new(on, "person", "tenant")?.arrive(on.db).await?;
    let other = Somebody::new(on, "other", "tenant")?.arrive(on.db).await?;
    let at = on.name("scaikey");
    let one = begun(on, "one", &person, &at).await?;
    let two = begun(on, "two", &person, &on.name("scaikey-2")).await?;
    let theirs = begun(on, "theirs", &other, &at).await?;
    let whose = Whose::Person(&person.person_id);
    same(
        "ended",
        ends(on.db, whose, NOW).await?,
        vec![one.clone(), two],
    )?;
    same("again", ends(on.other, whose, NOW).await?, vec![])?;
    same("one", is_live(on.db, &one).await?, false)?;
    let kept = session::find(on.db, &one)
        .await?
        .map(|found| found.scaikey_tokens);
    same("what ScaiKey gave", kept, Some(None))?;
    same("another person's", is_live(on.db, &theirs).await?, true)
}

pub async fn neither_ended_nor_expired_ones(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    let person = Somebody::new(on, "person", "tenant")?.arrive(on.db).await?;
    let at = on.name("scaikey");
    let live = begun(on, "live", &person, &at).await?;
    let ended = begun(on, "ended", &person, &at).await?;
    let tx = on.db.begin().await?;
    end(&tx, &ended, "logout", NOW).await?;
    tx.commit().await?;
    let whose = Whose::Person(&person.person_id);
    let expiry = NOW.plus(SESSION_LIFETIME);
    same("expired", ends(on.db, whose, expiry).await?, vec![])?;
    let last = expiry.minus(TICK);
    same("live", ends(on.db, whose, last).await?, vec![live])?;
    let sql = "SELECT end_reason FROM session WHERE sid = ?1";
    let rows = on.db.query(sql, &[ended.as_str().into()]).await?;
    let reason = rows.first().ok_or(StoreError::Corrupt)?.text(0)?;
    same("why the other ended", reason, "logout")
}

pub async fn one_not_redeemed_yet(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    let sid = super::fixtures::unredeemed(on, "session").await?;
    let owner = on.person("owner")?;
    let ended = ends(on.db, Whose::Person(&owner), NOW).await?;
    same("ended", ended, vec![sid])?;
    let home = on.workspace("home")?;
    let redeemed = session::redeem(on.db, &code_of(on, "session"), &home, NOW).await?;
    same("redeeming", redeemed, false)
}

pub async fn what_a_logout_token_names(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    let somebody = Somebody::new(on, "person", "tenant")?;
    let other = Somebody::new(on, "other", "tenant")?;
    let (person, another) = (somebody.arrive(on.db).await?, other.arrive(on.db).await?);
    let (issuer, subject) = (&somebody.issuer, &somebody.subject);
    let (here, there) = (on.name("scaikey-here"), on.name("scaikey-there"));
    let here_sid = here.as_str();
    let cases = [
        (
            "subject",
            Whose::Subject { issuer, subject },
            [true, true, false],
        ),
        (
            "session",
            Whose::ScaikeySession {
                issuer,
                sid: here_sid,
            },
            [true, false, true],
        ),
        (
            "both",
            Whose::SubjectAndSession {
                issuer,
                subject,
                sid: here_sid,
            },
            [true, false, false],
        ),
    ];
    for (what, whose, expected) in cases {
        let sids = [
            begun(on, &format!("{what}-1"), &person, &here).await?,
            begun(on, &format!("{what}-2"), &person, &there).await?,
            begun(on, &format!("{what}-3"), &another, &here).await?,
        ];
        let ended = ends(on.db, whose, NOW).await?;
        let found = sids.each_ref().map(|sid| ended.contains(sid));
        same(what, found, expected)?;
        // What is left must not stand in the way of the next one.
        for person in [&person, &another] {
            ends(on.db, Whose::Person(&person.person_id), NOW).await?;
        }
    }
    Ok(())
}

/// A platform's issuer speaks for its tenants' people too; a tenant's for nobody but its own.
pub async fn n_088_none_of_another_issuer_or_tenant(
    on: &Stores<'_, impl Kv, impl Database>,
) -> Verdict {
    let platform = "https://scaikey.test";
    let (tenant, elsewhere) = (on.tenant("tenant")?, on.tenant("elsewhere")?);
    let of = |tenant: &scaigate_types::TenantId| format!("{platform}/tenants/{tenant}");
    let subject = on.subject("subject")?;
    let at = on.name("scaikey");
    let (own, foreign) = (of(&tenant), of(&elsewhere));
    // Who is whom: all of the same subject and with the same session at ScaiKey.
    let people = [
        (platform, "tenant"),
        (own.as_str(), "tenant"),
        (foreign.as_str(), "elsewhere"),
        ("https://another.test", "tenant"),
        // An issuer and a tenant that don't belong together.
        (own.as_str(), "mismatch"),
    ];
    let cases = [
        ("platform", platform, [true, true, true, false, false]),
        ("tenant", own.as_str(), [false, true, false, false, true]),
        (
            "the other",
            foreign.as_str(),
            [false, false, true, false, false],
        ),
        ("with a slash", "https://scaikey.test/", [false; 5]),
        ("a beginning", "https://scaikey.tes", [false; 5]),
        ("a pattern", "https://scaikey.tes_", [false; 5]),
        ("stranger", "https://stranger.test", [false; 5]),
    ];
    let mut everybody = Vec::new();
    for (n, (issued_by, lives_in)) in people.into_iter().enumerate() {
        // The last one would be the second otherwise.
        let subject = if lives_in == "mismatch" {
            on.subject("mismatch")?
        } else {
            subject.clone()
        };
        let somebody = Somebody {
            issuer: issuer(issued_by)?,
            subject,
            ..Somebody::new(on, &format!("person-{n}"), lives_in)?
        };
        everybody.push(somebody.arrive(on.db).await?);
    }
    for (n, (what, speaker, expected)) in cases.into_iter().enumerate() {
        let speaker = issuer(speaker)?;
        let (issuer, sid, subject) = (&speaker, at.as_str(), &subject);
        let by_subject = Whose::Subject { issuer, subject };
        let by_session = Whose::ScaikeySession { issuer, sid };
        let by_both = Whose::SubjectAndSession {
            issuer,
            subject,
            sid,
        };
        for (m, whose) in [by_subject, by_session, by_both].into_iter().enumerate() {
            let mut sids = Vec::new();
            for (k, person) in everybody.iter().enumerate() {
                sids.push(begun(on, &format!("s-{n}-{m}-{k}"), person, &at).await?);
            }
            let ended = ends(on.db, whose, NOW).await?;
            let mut expected = expected;
            if whose != by_session {
                // Another subject.
                expected[4] = false;
            }
            let found: Vec<bool> = sids.iter().map(|sid| ended.contains(sid)).collect();
            same(&format!("{what}, {whose:?}"), found, expected.to_vec())?;
            for sid in sids {
                end(on.db, &sid, "logout", NOW).await?;
            }
        }
    }
    Ok(())
}

pub async fn nothing_when_the_transaction_is_undone(
    on: &Stores<'_, impl Kv, impl Database>,
) -> Verdict {
    let sid = redeemed(on, "session").await?;
    let owner = on.person("owner")?;
    let tx = on.db.begin().await?;
    let ended = end_all(&tx, Whose::Person(&owner), "logout", NOW).await?;
    same("ended", ended, vec![sid.clone()])?;
    drop(tx);
    same("undone", is_live(on.db, &sid).await?, true)
}

pub async fn tells_the_generations_of_live_ones(
    on: &Stores<'_, impl Kv, impl Database>,
) -> Verdict {
    let fresh = redeemed(on, "a-fresh").await?;
    let rotated = redeemed(on, "b-rotated").await?;
    let ended = redeemed(on, "c-ended").await?;
    rotates(on.db, &rotated, 0, NOW, 1).await?;
    rotates(on.db, &rotated, 1, NOW, 2).await?;
    end(on.db, &ended, "logout", NOW).await?;
    let stranger = Somebody::new(on, "stranger", "tenant")?
        .arrive(on.db)
        .await?;
    begun(on, "d-strange", &stranger, &on.name("scaikey")).await?;
    let owner = on.person("owner")?;
    for (what, now, expected) in [
        ("live", NOW, vec![(fresh, 0), (rotated, 2)]),
        ("expired", NOW.plus(SESSION_LIFETIME), vec![]),
    ] {
        let tx = on.db.begin().await?;
        let mut found = generations(&tx, &owner, now).await?;
        tx.commit().await?;
        found.sort();
        same(what, found, expected)?;
    }
    Ok(())
}

pub async fn a_narrowed_one_is_purged_with_its_record(
    on: &Stores<'_, impl Kv, impl Database>,
) -> Verdict {
    let sid = redeemed(on, "session").await?;
    let owner = on.person("owner")?;
    let tx = on.db.begin().await?;
    for (sid, generation) in generations(&tx, &owner, NOW).await? {
        revocation::narrow(on.kv, &sid, generation, NOW).await?;
    }
    tx.commit().await?;
    holds("it lives on", is_live(on.db, &sid).await?)?;
    let end = NOW.plus(SESSION_LIFETIME + DAY);
    let narrowed = Some(revocation::Revocation::Narrowed { generation: 0 });
    session::purge(on.db, end.plus(TICK), 10_000).await?;
    purge::purge(on.db, on.kv, end).await?;
    same(
        "within a day",
        revocation::read(on.kv, &sid).await?,
        narrowed,
    )?;
    holds("its row", session::find(on.db, &sid).await?.is_some())?;
    purge::purge(on.db, on.kv, end.plus(TICK)).await?;
    same("after it", revocation::read(on.kv, &sid).await?, None)?;
    same("its row", session::find(on.db, &sid).await?, None)
}
