//! Many requests at once: within one instance they share a connection, between instances they
//! don't. Half of the calls of each case go to either of the two.

use std::time::Duration;

use futures_util::future::join_all;
use scaigate_types::{Database, Kv, Query, Transaction, Value, WorkspaceRole};

use super::fixtures::{NOW, Somebody, code_of, redeemed, rotates, unredeemed};
use super::interposed::GivingWay;
use super::verdict::{Failure, Verdict, holds, same};
use super::{Stores, logout_tokens, mirrored, webhook_deliveries};
use crate::directory::sync_run::{self, Begun, StartedBy};
use crate::directory::webhook_delivery;
use crate::key_search::{self, Claim};
use crate::pending_login::{self, Consumed, MAX_PER_BROWSER};
use crate::people::{self, FreshIds};
use crate::rate_bucket::{self, Bucket, Name};
use crate::session::Whose;
use crate::upstream_refresh::{LEASE, Turn, turn};
use crate::{redeemed_code, session};

/// Requests at once: as many as Spin gives one instance.
const REQUESTS: u32 = 16;

/// One of the two databases, in turn.
const fn alternating<'a, K, D>(on: &Stores<'a, K, D>, number: u32) -> &'a D {
    if number.is_multiple_of(2) {
        on.db
    } else {
        on.other
    }
}

/// How many of the outcomes are `wanted`; an error is a failure of the case.
fn count<T: PartialEq, E: Into<Failure>>(
    outcomes: Vec<Result<T, E>>,
    wanted: &T,
) -> Result<u32, Failure> {
    let mut count = 0;
    for outcome in outcomes {
        count += u32::from(outcome.map_err(Into::into)? == *wanted);
    }
    Ok(count)
}

pub async fn one_consumes_a_sign_in(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    let (state, browser) = (on.name("state"), on.name("browser"));
    pending_login::insert(on.db, &state, &browser, b"sealed", NOW).await?;
    let all = (0..REQUESTS)
        .map(|number| pending_login::consume(alternating(on, number), &state, Some(&browser), NOW));
    let outcomes = join_all(all).await;
    same(
        "winners",
        count(outcomes.clone(), &Consumed::Now(b"sealed".to_vec()))?,
        1,
    )?;
    same(
        "others",
        count(outcomes, &Consumed::AlreadyUsed)?,
        REQUESTS - 1,
    )
}

pub async fn one_redeems_a_session_code(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    let sid = unredeemed(on, "session").await?;
    let code = code_of(on, "session");
    let homes = (0..REQUESTS)
        .map(|number| on.workspace(&format!("home-{number}")))
        .collect::<Result<Vec<_>, _>>()?;
    let all = (0..)
        .zip(&homes)
        .map(|(number, home)| session::redeem(alternating(on, number), &code, home, NOW));
    let outcomes = join_all(all).await;
    let winner = outcomes
        .iter()
        .zip(&homes)
        .find(|(outcome, _)| **outcome == Ok(true));
    let home = winner.map(|(_, home)| home.clone());
    same("winners", count(outcomes, &true)?, 1)?;
    let found = session::find(on.db, &sid)
        .await?
        .and_then(|found| found.workspace_id);
    same("the winner's workspace", found, home)
}

pub async fn one_claims_a_code(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    let code = on.name("code");
    let all = (0..REQUESTS).map(|number| redeemed_code::claim(alternating(on, number), &code, NOW));
    same("winners", count(join_all(all).await, &true)?, 1)
}

pub async fn one_leads_an_upstream_refresh(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    one_leads(on, Duration::ZERO).await
}

pub async fn one_takes_over_from_a_lost_leader(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    same(
        "first",
        turn(on.db, &on.name("token"), "lost", NOW).await?,
        Turn::Lead,
    )?;
    one_leads(on, LEASE).await
}

async fn one_leads(on: &Stores<'_, impl Kv, impl Database>, after: Duration) -> Verdict {
    let token = on.name("token");
    let owners: Vec<String> = (0..REQUESTS).map(|number| number.to_string()).collect();
    let all = (0..)
        .zip(&owners)
        .map(|(number, owner)| turn(alternating(on, number), &token, owner, NOW.plus(after)));
    let outcomes = join_all(all).await;
    same("leaders", count(outcomes.clone(), &Turn::Lead)?, 1)?;
    same("waiting", count(outcomes, &Turn::Wait)?, REQUESTS - 1)
}

pub async fn one_rotation_for_all(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    let sid = redeemed(on, "session").await?;
    for generation in 0..3 {
        let all = (0..REQUESTS).map(|number| {
            rotates(
                alternating(on, number),
                &sid,
                generation,
                NOW,
                generation + 1,
            )
        });
        for outcome in join_all(all).await {
            outcome?;
        }
    }
    Ok(())
}

pub async fn one_workspace_and_one_admin_for_a_new_tenant(
    on: &Stores<'_, impl Kv, impl Database>,
) -> Verdict {
    let everybody = (0..REQUESTS)
        .map(|number| Somebody::new(on, &format!("person-{number}"), "tenant"))
        .collect::<Result<Vec<_>, _>>()?;
    let all = (0..)
        .zip(&everybody)
        .map(|(number, somebody)| somebody.arrive(alternating(on, number)));
    let (mut admins, mut workspaces) = (0, Vec::new());
    for person in join_all(all).await {
        let person = person?;
        let own = people::workspaces(on.db, &person.person_id, &person.tenant_id).await?;
        same("workspaces of each", own.len(), 1)?;
        for membership in own {
            admins += u32::from(membership.role == WorkspaceRole::Admin);
            workspaces.push(membership.workspace_id);
        }
    }
    workspaces.dedup();
    same("workspaces", workspaces.len(), 1)?;
    same("administrators", admins, 1)
}

pub async fn one_person_however_often(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    let somebody = Somebody::new(on, "person", "tenant")?;
    let often = (0..REQUESTS)
        .map(|number| {
            let fresh = FreshIds {
                person_id: on.person(&format!("person-{number}"))?,
                workspace_id: on.workspace(&format!("ws-{number}"))?,
            };
            Ok(Somebody {
                fresh,
                ..somebody.clone()
            })
        })
        .collect::<Result<Vec<_>, Failure>>()?;
    let all = (0..)
        .zip(&often)
        .map(|(number, somebody)| somebody.arrive(alternating(on, number)));
    let mut found = Vec::new();
    for person in join_all(all).await {
        found.push(person?);
    }
    found.dedup();
    same("people", found.len(), 1)?;
    for person in found {
        let own = people::workspaces(on.db, &person.person_id, &person.tenant_id).await?;
        let roles: Vec<_> = own.into_iter().map(|membership| membership.role).collect();
        same("roles", roles, vec![WorkspaceRole::Admin])?;
    }
    Ok(())
}

pub async fn the_limit_of_sign_ins_holds(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    let browser = on.name("browser");
    let states: Vec<String> = (0..2 * REQUESTS)
        .map(|n| on.name(&format!("state-{n}")))
        .collect();
    let all = (0..).zip(&states).map(|(number, state)| {
        pending_login::insert(alternating(on, number), state, &browser, b"sealed", NOW)
    });
    for outcome in join_all(all).await {
        outcome?;
    }
    let mut left = 0;
    for state in &states {
        let consumed = pending_login::consume(on.db, state, Some(&browser), NOW).await?;
        left += i64::from(matches!(consumed, Consumed::Now(_)));
    }
    same("pending", left, MAX_PER_BROWSER)
}

pub async fn one_personal_workspace_however_often(
    on: &Stores<'_, impl Kv, impl Database>,
) -> Verdict {
    let somebody = Somebody::new(on, "person", "tenant")?;
    let often = (0..100)
        .map(|number| {
            let fresh = FreshIds {
                person_id: on.person(&format!("person-{number}"))?,
                workspace_id: on.workspace(&format!("ws-{number}"))?,
            };
            let somebody = Somebody {
                fresh,
                ..somebody.clone()
            };
            Ok((somebody, on.workspace(&format!("own-{number}"))?))
        })
        .collect::<Result<Vec<_>, Failure>>()?;
    let all = (0..).zip(&often).map(|(number, (somebody, own))| {
        let db = GivingWay(alternating(on, number));
        async move { somebody.register(&db, own).await }
    });
    let (mut created, mut found) = (0, Vec::new());
    for registration in join_all(all).await {
        let registration = registration?.ok_or_else(|| Failure::new("a registration refused"))?;
        created += u32::from(registration.created);
        found.push((registration.person, registration.personal_workspace_id));
    }
    found.dedup();
    same("made", created, 1)?;
    same("people and their workspaces", found.len(), 1)?;
    for (person, own) in found {
        let count = "SELECT count(*) FROM workspace WHERE created_by = ?1 AND kind = 'personal'";
        let rows = on
            .db
            .query(count, &[person.person_id.as_str().into()])
            .await?;
        let count = rows.first().map(|row| row.integer(0)).transpose()?;
        same("personal workspaces", count, Some(1))?;
        let all = people::workspaces(on.db, &person.person_id, &person.tenant_id).await?;
        let roles: Vec<_> = all
            .into_iter()
            .filter(|membership| membership.workspace_id == own)
            .map(|membership| membership.role)
            .collect();
        same("role in it", roles, vec![WorkspaceRole::Admin])?;
    }
    Ok(())
}

/// In groups: each claim is a transaction, and those wait for one another.
pub async fn one_acts_on_a_logout_token(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    let token = on.name("token");
    let mut winners = 0;
    for group in 0..25 {
        let all = (0..8).map(|number| {
            let db = alternating(on, group + number);
            logout_tokens::claim(db, &token, NOW)
        });
        winners += count(join_all(all).await, &true)?;
    }
    same("winners", winners, 1)
}

pub async fn one_searches_for_a_key(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    let keys = on.name("keys");
    let all = (0..100).map(|number| {
        let (db, keys) = (alternating(on, number), &keys);
        async move { Ok::<_, Failure>(key_search::claim(db, keys, NOW).await? == Claim::Ours) }
    });
    same("winners", count(join_all(all).await, &true)?, 1)
}

pub async fn fifty_take_from_a_bucket_of_fifty(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    let (principal, bucket) = (
        on.name("principal"),
        Bucket {
            capacity: 50,
            refill_per_minute: 50,
        },
    );
    let name = Name {
        principal: &principal,
        category: "category",
    };
    let all = (0..200).map(|number| async move {
        let db = GivingWay(alternating(on, number));
        Ok::<_, Failure>(rate_bucket::take(&db, name, bucket, 1, NOW).await?.granted)
    });
    same("tokens", count(join_all(all).await, &1)?, 50)
}

/// Each ends all sessions of a person: every session is told to one of them.
pub async fn one_ends_a_session(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    let mut expected = Vec::new();
    for number in 0..4 {
        expected.push(redeemed(on, &format!("session-{number}")).await?);
    }
    let owner = on.person("owner")?;
    let all = (0..8).map(|number| {
        let (db, owner) = (alternating(on, number), &owner);
        async move {
            let tx = db.begin().await?;
            let ended = session::end_all(&tx, Whose::Person(owner), "logout", NOW).await?;
            tx.commit().await?;
            Ok::<_, Failure>(ended)
        }
    });
    let mut ended = Vec::new();
    for outcome in join_all(all).await {
        ended.extend(outcome?);
    }
    ended.sort();
    same("ended", ended, expected)
}

/// Each reads a number and writes it back one larger: none may be lost.
pub async fn transactions_take_turns(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    let key: Value = on.name("counter").into();
    let insert = "INSERT INTO redeemed_code (code_hash, expires_at) VALUES (?1, 0)";
    on.db.query(insert, std::slice::from_ref(&key)).await?;
    let all = (0..4).map(|number| {
        let (db, key) = (alternating(on, number), key.clone());
        async move {
            let tx = db.begin().await?;
            let read = "SELECT expires_at FROM redeemed_code WHERE code_hash = ?1";
            let rows = tx.query(read, std::slice::from_ref(&key)).await?;
            let found = rows
                .first()
                .ok_or_else(|| Failure::new("no row"))?
                .integer(0)?;
            let write = "UPDATE redeemed_code SET expires_at = ?2 WHERE code_hash = ?1";
            tx.query(write, &[key, (found + 1).into()]).await?;
            tx.commit().await?;
            Ok::<_, Failure>(())
        }
    });
    for outcome in join_all(all).await {
        outcome?;
    }
    let read = "SELECT expires_at FROM redeemed_code WHERE code_hash = ?1";
    let rows = on.db.query(read, &[key]).await?;
    let found = rows.first().map(|row| row.integer(0)).transpose()?;
    holds("every one counted", found == Some(4))
}

pub async fn one_begins_a_sync(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    mirrored::nothing_is_known(on.db).await?;
    let all = (0..100).map(|number| {
        let db = GivingWay(alternating(on, number));
        async move { sync_run::begin(&db, StartedBy::Due, NOW).await }
    });
    let (mut winners, mut running) = (Vec::new(), Vec::new());
    for outcome in join_all(all).await {
        match outcome? {
            Begun::Run(sync_id) => winners.push(sync_id),
            Begun::Running { sync_id, .. } => running.push(sync_id),
        }
    }
    same("winners", winners.len(), 1)?;
    running.dedup();
    same("what the others see", running, winners)?;
    mirrored::nothing_is_known(on.db).await.map_err(Into::into)
}

/// In groups: each claim is a transaction, and those wait for one another.
pub async fn one_claims_an_event(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    let event = on.name("event");
    let (mut winners, mut others) = (0, 0);
    for group in 0..25 {
        let all = (0..4).map(|number| {
            let (db, event) = (alternating(on, group + number), &event);
            async move { webhook_deliveries::claims(db, event, "digest", NOW).await }
        });
        let outcomes = join_all(all).await;
        winners += count(outcomes.clone(), &webhook_delivery::Claim::New)?;
        others += count(outcomes, &webhook_delivery::Claim::Duplicate)?;
    }
    same("winners and others", (winners, others), (1, 99))
}
