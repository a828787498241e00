//! The audit log: that every effect leaves a row, in its own transaction, and what can't be done to it.

use std::time::Duration;

use scaigate_types::{Actor, Database, Kv, Query, TenantId, Timestamp, Trail, Transaction};

use super::Stores;
use super::fixtures::{NOW, Somebody, redeemed};
use super::mirrored::{Place, at};
use super::super_admins::{give, person_of};
use super::verdict::{Failure, Verdict, holds, same};
use super::webhook_deliveries::claims;
use crate::audit::sealing::{self, Seal};
use crate::audit::{Filter, Order, Row, attribute, list, newest, note_read, note_refusals};
use crate::directory::webhook_delivery::{self, Outcome};
use crate::session;
use crate::tenant_credential::{self, Stored};

fn of_tenant(tenant_id: &TenantId) -> Filter<'_> {
    Filter {
        tenant_id: Some(tenant_id),
        ..Filter::default()
    }
}

async fn rows(on: &impl Query, filter: &Filter<'_>) -> Result<Vec<Row>, Failure> {
    Ok(list(on, filter, Order::OldestFirst, None, 1000).await?)
}

/// `action outcome` of the rows of a tenant, in order.
async fn told(on: &impl Query, tenant_id: &TenantId) -> Result<Vec<String>, Failure> {
    let rows = rows(on, &of_tenant(tenant_id)).await?;
    let words = |row: Row| format!("{} {}", row.entry.action, row.entry.outcome);
    Ok(rows.into_iter().map(words).collect())
}

fn trail(request_id: &str, name: &str) -> Trail {
    let trail = Trail::new(request_id.to_owned(), Some("192.0.2.7:4711"));
    let name = name.to_owned();
    trail.prove(|| Actor {
        name,
        tenant_id: None,
    });
    trail
}

/// Gives every row without a hash one: what it is, does not matter here.
async fn seal_all(db: &impl Database) -> Verdict {
    let tx = db.begin().await?;
    let unsealed = sealing::unsealed(&tx, 100_000).await?;
    let hashes: Vec<_> = unsealed
        .iter()
        .map(|row| serde_json::json!([row.entry.seq, "hash"]))
        .collect();
    let seal = Seal {
        seq: unsealed.last().map_or(0, |row| row.entry.seq),
        hash: "hash".to_owned(),
        from: 1,
        at: NOW,
        tag: "tag".to_owned(),
    };
    sealing::seal(&tx, &serde_json::Value::from(hashes).to_string(), &seal).await?;
    Ok(tx.commit().await?)
}

pub async fn a_sign_in_a_session_and_its_end_leave_rows(
    on: &Stores<'_, impl Kv, impl Database>,
) -> Verdict {
    let sid = redeemed(on, "session").await?;
    session::end(on.db, &sid, "logout", NOW).await?;
    session::end(on.db, &sid, "logout", NOW).await?;
    let target = format!("session:{sid}");
    let filter = Filter {
        target: Some(&target),
        ..Filter::default()
    };
    let rows = rows(on.other, &filter).await?;
    let actions: Vec<&str> = rows.iter().map(|row| row.entry.action.as_str()).collect();
    same("actions", actions, vec!["session.started", "session.ended"])?;
    let ended = rows.last().ok_or_else(|| Failure::new("no row"))?;
    holds("why", ended.entry.detail.contains(r#""reason":"logout""#))
}

pub async fn arriving_leaves_one_row_each_time(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    let somebody = Somebody::new(on, "somebody", "tenant")?;
    let first = somebody.arrive(on.db).await?;
    somebody.arrive(on.other).await?;
    let expected = [
        "sign_in success",
        "membership.changed success",
        "sign_in success",
    ];
    same(
        "rows",
        told(on.db, &somebody.tenant_id).await?,
        words(&expected),
    )?;
    let rows = rows(on.db, &of_tenant(&somebody.tenant_id)).await?;
    let actor = rows.first().and_then(|row| row.entry.actor.clone());
    same("who", actor, Some(format!("person:{}", first.person_id)))
}

fn words(expected: &[&str]) -> Vec<String> {
    expected.iter().map(|word| (*word).to_owned()).collect()
}

pub async fn a_role_given_and_taken_leaves_rows(
    on: &Stores<'_, impl Kv, impl Database>,
) -> Verdict {
    let place = Place::new(on, "a").await?;
    let user_id = place.has_user(on.db, "user", 1).await?;
    let person_id = person_of(on.db, &place, &user_id).await?;
    for role in [Some(("super_admin", "manual")), None] {
        give(on.db, &person_id, role).await?;
        // What changes nothing, tells nothing.
        give(on.db, &person_id, role).await?;
    }
    let filter = Filter {
        action: Some("role"),
        ..of_tenant(&place.tenant_id)
    };
    let details: Vec<String> = rows(on.db, &filter)
        .await?
        .into_iter()
        .map(|row| row.entry.detail)
        .collect();
    let expected = [
        r#"{"from":null,"to":"super_admin","by":"manual"}"#,
        r#"{"from":"super_admin","to":null,"by":"manual"}"#,
    ];
    same("roles", details, words(&expected))
}

pub async fn a_credential_set_replaced_and_removed_leaves_rows(
    on: &Stores<'_, impl Kv, impl Database>,
) -> Verdict {
    let tenant_id = on.tenant("a")?;
    let stored = |sealed: &[u8], set_at: Timestamp| Stored {
        sealed: sealed.to_vec(),
        set_by: "somebody".to_owned(),
        set_at,
    };
    tenant_credential::put(on.db, &tenant_id, &stored(b"one", NOW)).await?;
    tenant_credential::put(on.db, &tenant_id, &stored(b"two", at(1))).await?;
    tenant_credential::seal_anew(on.db, &tenant_id, b"two", b"two again").await?;
    tenant_credential::remove(on.db, &tenant_id).await?;
    tenant_credential::remove(on.db, &tenant_id).await?;
    let expected = [
        "credential.set success",
        "credential.set success",
        "credential.sealed_anew success",
        "credential.removed success",
    ];
    same("rows", told(on.db, &tenant_id).await?, words(&expected))
}

pub async fn an_event_leaves_one_row_with_its_last_outcome(
    on: &Stores<'_, impl Kv, impl Database>,
) -> Verdict {
    let event_id = on.name("event");
    claims(on.db, &event_id, "digest", NOW).await?;
    claims(on.db, &event_id, "digest", NOW).await?;
    webhook_delivery::set_outcome(on.db, &event_id, Outcome::Stale).await?;
    let target = format!("event:{event_id}");
    let filter = Filter {
        target: Some(&target),
        ..Filter::default()
    };
    let outcomes: Vec<String> = rows(on.db, &filter)
        .await?
        .into_iter()
        .map(|row| row.entry.outcome)
        .collect();
    same("outcomes", outcomes, words(&["stale"]))
}

pub async fn a_transaction_says_by_which_request_its_own_rows_were_written(
    on: &Stores<'_, impl Kv, impl Database>,
) -> Verdict {
    let (tenant_id, other) = (on.tenant("a")?, on.tenant("b")?);
    let stored = Stored {
        sealed: b"sealed".to_vec(),
        set_by: "somebody".to_owned(),
        set_at: NOW,
    };
    tenant_credential::put(on.db, &other, &stored).await?;
    let tx = on.db.begin().await?;
    let since = newest(&tx).await?;
    tenant_credential::put(&tx, &tenant_id, &stored).await?;
    attribute(&tx, since, &trail("req_own_request", "person:own")).await?;
    tx.commit().await?;
    let seen = |row: &Row| {
        let entry = &row.entry;
        [&entry.request_id, &entry.source, &entry.actor]
            .map(|text| text.clone().unwrap_or_default())
    };
    let own = rows(on.db, &of_tenant(&tenant_id)).await?;
    let expected = ["req_own_request", "192.0.2.7", "person:own"].map(str::to_owned);
    same("own", own.iter().map(seen).collect(), vec![expected])?;
    let others = rows(on.db, &of_tenant(&other)).await?;
    let nothing = [String::new(), String::new(), String::new()];
    same(
        "another's",
        others.iter().map(seen).collect(),
        vec![nothing],
    )
}

pub async fn what_is_undone_leaves_no_row_and_no_gap(
    on: &Stores<'_, impl Kv, impl Database>,
) -> Verdict {
    let tenant_id = on.tenant("a")?;
    let before = newest(on.db).await?;
    let stored = Stored {
        sealed: b"sealed".to_vec(),
        set_by: "somebody".to_owned(),
        set_at: NOW,
    };
    let tx = on.db.begin().await?;
    tenant_credential::put(&tx, &tenant_id, &stored).await?;
    drop(tx);
    same("rows", told(on.db, &tenant_id).await?, Vec::new())?;
    tenant_credential::put(on.db, &tenant_id, &stored).await?;
    same("number", newest(on.db).await?, before + 1)
}

pub async fn a_sealed_row_is_neither_changed_nor_removed(
    on: &Stores<'_, impl Kv, impl Database>,
) -> Verdict {
    let what = on.name("what");
    note_read(on.db, &what, &trail("req_reader", "person:reader"), NOW).await?;
    seal_all(on.db).await?;
    for sql in [
        "UPDATE audit_log SET actor = NULL WHERE target = ?1",
        "UPDATE audit_log SET hash = NULL WHERE target = ?1",
        "UPDATE audit_log SET seq = seq + 1000000 WHERE target = ?1",
        "DELETE FROM audit_log WHERE target = ?1",
    ] {
        let outcome = on.db.query(sql, &[what.as_str().into()]).await;
        holds(sql, outcome.is_err())?;
    }
    let filter = Filter {
        target: Some(&what),
        ..Filter::default()
    };
    let kept = rows(on.db, &filter).await?;
    let kept: Vec<_> = kept.iter().map(|row| row.entry.actor.as_deref()).collect();
    same("kept", kept, vec![Some("person:reader")])
}

pub async fn refusals_of_a_minute_are_one_row_until_it_is_sealed(
    on: &Stores<'_, impl Kv, impl Database>,
) -> Verdict {
    let (route, actor) = (on.name("/v1/route"), on.name("person:refused"));
    let filter = Filter {
        target: Some(&route),
        ..Filter::default()
    };
    let refuse = async |count, now| {
        let trail = trail("req_refused", &actor);
        note_refusals(on.db, &route, "token_expired", count, &trail, now).await
    };
    refuse(1, NOW).await?;
    refuse(3, NOW.plus(Duration::from_secs(59))).await?;
    let counts = async || -> Result<Vec<i64>, Failure> {
        let rows = rows(on.db, &filter).await?;
        Ok(rows.iter().map(|row| row.entry.count).collect())
    };
    same("a minute", counts().await?, vec![4])?;
    refuse(1, NOW.plus(Duration::from_secs(60))).await?;
    same("the next", counts().await?, vec![4, 1])?;
    seal_all(on.db).await?;
    refuse(1, NOW.plus(Duration::from_secs(61))).await?;
    same("after a seal", counts().await?, vec![4, 1, 1])
}

pub async fn is_filtered_and_read_in_pages_in_both_directions(
    on: &Stores<'_, impl Kv, impl Database>,
) -> Verdict {
    let (what, reader) = (on.name("what"), on.name("person:reader"));
    for number in 0..5 {
        let trail = trail(&on.name(&format!("req-{number}")), &reader);
        note_read(on.db, &what, &trail, at(number)).await?;
    }
    let filter = Filter {
        actor: Some(&reader),
        action: Some("admin"),
        ..Filter::default()
    };
    for (order, expected) in [
        (Order::OldestFirst, [0, 1, 2, 3, 4]),
        (Order::NewestFirst, [4, 3, 2, 1, 0]),
    ] {
        let (mut seen, mut cursor) = (Vec::new(), None);
        loop {
            let page = list(on.db, &filter, order, cursor, 2).await?;
            let Some(last) = page.last() else { break };
            cursor = Some(last.entry.seq);
            seen.extend(page.into_iter().map(|row| row.entry.at()));
        }
        same("pages", seen, expected.map(at).to_vec())?;
    }
    let request_id = on.name("req-3");
    for (filter, count) in [
        (
            Filter {
                action: Some("admin.read"),
                ..filter
            },
            5,
        ),
        (
            Filter {
                action: Some("admin.re"),
                ..filter
            },
            0,
        ),
        (
            Filter {
                outcome: Some("refused"),
                ..filter
            },
            0,
        ),
        (
            Filter {
                request_id: Some(&request_id),
                ..filter
            },
            1,
        ),
        (
            Filter {
                since: Some(at(1)),
                until: Some(at(3)),
                ..filter
            },
            2,
        ),
    ] {
        same("filtered", rows(on.db, &filter).await?.len(), count)?;
    }
    Ok(())
}
