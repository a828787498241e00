//! What arrived at the webhook.

use std::time::Duration;

use scaigate_types::{Database, Kv, StoreError, Timestamp, Transaction};
use serde_json::{Value, json};

use super::Stores;
use super::mirrored::at;
use super::verdict::{Failure, Verdict, same};
use crate::directory::webhook_delivery::{
    Claim, Delivery, Listed, Outcome, claim, list, purge, refused, repeated, set_outcome,
};

/// After everything that other cases have received.
const LATE: u64 = 10_000_000;

fn delivery<'a>(event_id: &'a str, body_digest: &'a str) -> Delivery<'a> {
    Delivery {
        event_id,
        event_type: "user.updated",
        tenant_id: Some("tnt_1"),
        body_digest,
    }
}

fn parsed(listed: &Listed) -> Result<Vec<Value>, Failure> {
    serde_json::from_str(&listed.rows).map_err(|_| Failure::new("no JSON array"))
}

/// Claims in a transaction of its own.
pub(super) async fn claims(
    db: &impl Database,
    event_id: &str,
    digest: &str,
    now: Timestamp,
) -> Result<Claim, StoreError> {
    let tx = db.begin().await?;
    let claimed = claim(&tx, delivery(event_id, digest), Outcome::Applied, now).await?;
    tx.commit().await?;
    Ok(claimed)
}

pub async fn are_claimed_once(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    let (one, two) = (on.name("one"), on.name("two"));
    same(
        "the first",
        claims(on.db, &one, "digest", at(0)).await?,
        Claim::New,
    )?;
    same(
        "again",
        claims(on.other, &one, "digest", at(1)).await?,
        Claim::Duplicate,
    )?;
    same(
        "with another body",
        claims(on.db, &one, "other", at(2)).await?,
        Claim::Conflict,
    )?;
    same(
        "another",
        claims(on.db, &two, "digest", at(3)).await?,
        Claim::New,
    )?;
    // Whatever has become of it.
    for outcome in [Outcome::Stale, Outcome::Ignored] {
        set_outcome(on.db, &one, outcome).await?;
        same(
            outcome.as_str(),
            claims(on.db, &one, "digest", at(4)).await?,
            Claim::Duplicate,
        )?;
    }
    // A repetition that is recorded is not in the way of that.
    repeated(on.db, delivery(&one, "digest"), at(5)).await?;
    same(
        "again",
        claims(on.db, &one, "digest", at(6)).await?,
        Claim::Duplicate,
    )
}

pub async fn a_claim_is_undone_with_its_effect(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    let event = on.name("event");
    let tx = on.db.begin().await?;
    let claimed = claim(&tx, delivery(&event, "digest"), Outcome::Applied, at(0)).await?;
    same("claimed", claimed, Claim::New)?;
    drop(tx);
    same(
        "once more",
        claims(on.other, &event, "digest", at(1)).await?,
        Claim::New,
    )
}

pub async fn are_listed_the_latest_first(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    let sql = "DELETE FROM webhook_delivery WHERE received_at >= ?1";
    on.db.query(sql, &[at(LATE).into()]).await?;
    let before = list(on.db, None, 1, 1).await?.total;
    let (one, two) = (on.name("one"), on.name("two"));
    claims(on.db, &one, "digest", at(LATE)).await?;
    claims(on.db, &two, "digest", at(LATE + 1)).await?;
    set_outcome(on.db, &two, Outcome::Stale).await?;
    // The first repetition makes a row, the others count it up and bring it to the top.
    for n in 2..5 {
        repeated(on.db, delivery(&one, "digest"), at(LATE + n)).await?;
    }
    refused(on.db, "webhook_signature_mismatch", 7, at(LATE + 4)).await?;
    repeated(on.db, delivery(&two, "digest"), at(LATE + 5)).await?;
    let listed = list(on.other, None, 1, 5).await?;
    same("in all", listed.total - before, 5)?;
    let row = |n, id: Option<&str>, outcome: &str, code: Option<&str>, count: u32| {
        let known = id.map(|_| "user.updated");
        json!({ "received_at": at(LATE + n).rfc3339(), "event_id": id, "event_type": known,
                "tenant_id": id.map(|_| "tnt_1"), "outcome": outcome, "code": code, "count": count })
    };
    let (one, two) = (Some(one.as_str()), Some(two.as_str()));
    let expected = vec![
        row(5, two, "duplicate", None, 1),
        row(4, None, "refused", Some("webhook_signature_mismatch"), 7),
        row(4, one, "duplicate", None, 3),
        row(1, two, "stale", None, 1),
        row(0, one, "applied", None, 1),
    ];
    same("deliveries", parsed(&listed)?, expected.clone())?;
    same("received", listed.last_received_at, Some(at(LATE + 5)))?;
    same("refused", listed.last_refused_at, Some(at(LATE + 4)))?;
    // Page by page, and of one outcome.
    let second = list(on.db, None, 2, 2).await?;
    same(
        "the second page",
        parsed(&second)?,
        expected.get(2..4).unwrap_or_default().to_vec(),
    )?;
    let some = list(on.db, Some("duplicate"), 1, 2).await?;
    let outcomes: Vec<_> = parsed(&some)?
        .into_iter()
        .filter_map(|row| row.get("outcome").cloned())
        .collect();
    same(
        "of one outcome",
        outcomes,
        vec![json!("duplicate"), json!("duplicate")],
    )?;
    same(
        "the last time is of all",
        some.last_refused_at,
        Some(at(LATE + 4)),
    )?;
    let none = list(on.db, Some("unheard-of"), 1, 2).await?;
    same("of none", (none.rows.as_str(), none.total), ("[]", 0))?;
    let beyond = list(on.db, None, u32::MAX, u32::MAX).await?;
    same(
        "beyond the last",
        (beyond.rows.as_str(), beyond.total),
        ("[]", listed.total),
    )
}

pub async fn are_forgotten_a_month_later(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    const MONTH: Duration = Duration::from_secs(30 * 24 * 3600);
    let (old, young) = (on.name("old"), on.name("young"));
    claims(on.db, &old, "digest", at(LATE)).await?;
    claims(on.db, &young, "digest", at(LATE + 10)).await?;
    let now = at(LATE + 5).plus(MONTH);
    purge(on.db, now, 0).await?;
    same(
        "none at a time",
        claims(on.db, &old, "digest", now).await?,
        Claim::Duplicate,
    )?;
    purge(on.db, now, 1_000_000).await?;
    same(
        "the old one",
        claims(on.db, &old, "digest", now).await?,
        Claim::New,
    )?;
    same(
        "the young one",
        claims(on.db, &young, "digest", now).await?,
        Claim::Duplicate,
    )?;
    let sql = "SELECT count(*) FROM webhook_delivery WHERE received_at < ?1";
    let rows = on.db.query(sql, &[at(LATE + 5).into()]).await?;
    let left = rows.first().map(|row| row.integer(0)).transpose()?;
    same("older ones", left, Some(0))
}
