//! Two hundred requests at once for what can be had once.

use std::collections::BTreeMap;

use futures_util::future::join_all;
use scaigate_host::{Faults, Host, ReuseOptions};

use crate::client::ok;
use crate::setup::{host, reusing};

const REQUESTS: usize = 200;

/// What the requests got, and how many of them.
async fn race(host: &Host, subject: &str, id: &str) -> BTreeMap<String, usize> {
    let targets: Vec<String> = (0..REQUESTS)
        .map(|number| format!("/race/{subject}?id={id}&request=r{number}"))
        .collect();
    let mut got = BTreeMap::new();
    for answer in join_all(targets.iter().map(|target| ok(host, target))).await {
        let word = answer
            .get("got")
            .and_then(|got| got.as_str())
            .expect("a word")
            .to_owned();
        *got.entry(word).or_default() += 1;
    }
    got
}

async fn every_race_is_fair(reuse: ReuseOptions) {
    let host = host(reuse, Faults::none()).await;
    let one = |winner: &str, loser: &str| {
        BTreeMap::from([(winner.to_owned(), 1), (loser.to_owned(), REQUESTS - 1)])
    };
    for (subject, prepared, expected) in [
        // First, as it also races for the schema.
        ("authorization-code", false, one("won", "lost")),
        ("pending-login", true, one("won", "lost")),
        ("session-code", true, one("won", "lost")),
        ("upstream-refresh", false, one("won", "lost")),
        (
            "rotation",
            true,
            BTreeMap::from([("1".to_owned(), REQUESTS)]),
        ),
        ("arrival", false, one("admin", "viewer")),
        (
            "rate-bucket",
            false,
            BTreeMap::from([("won".to_owned(), 50), ("lost".to_owned(), REQUESTS - 50)]),
        ),
    ] {
        for round in 0..2 {
            let id = format!("{subject}-{round}");
            if prepared {
                ok(&host, &format!("/prepare/{subject}?id={id}")).await;
            }
            assert_eq!(race(&host, subject, &id).await, expected, "{id}");
        }
    }
}

#[tokio::test]
async fn one_wins_among_requests_that_share_instances() {
    every_race_is_fair(reusing()).await;
}

#[tokio::test]
async fn one_wins_among_instances() {
    every_race_is_fair(ReuseOptions::never()).await;
}
