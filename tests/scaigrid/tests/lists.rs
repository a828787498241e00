//! The lies in lists: each shows, once, wherever there is a list.

mod support;

use scaigrid_emulator::seed::ACME_SCOPE;
use scaigrid_emulator::{Deviation, Endpoint, ListLie};
use serde_json::Value;
use support::{ACME_KEY, BUNKERS, Bench, CHECKPOINTS, CORES, EVENTS, MODELS, SCOPES, json};

#[tokio::test]
async fn each_lie_in_a_list_shows_wherever_there_is_one() {
    let bench = Bench::start().await;
    let queues = format!("{SCOPES}/{ACME_SCOPE}/queues");
    for (endpoint, path, id) in [
        (Endpoint::Scopes, SCOPES, "id"),
        (Endpoint::Queues, &queues, "id"),
        (Endpoint::Bunkers, BUNKERS, "bunker_id"),
    ] {
        let honest = json(&bench.get(path, ACME_KEY).await);
        let rows = |answer: &Value| answer["data"].as_array().unwrap().len();
        let honest_rows = rows(&honest);
        for lie in [
            ListLie::Empty,
            ListLie::EndlessPages,
            ListLie::SameCursor,
            ListLie::MoreWithoutCursor,
            ListLie::HostileCursor,
            ListLie::HugeCursor,
            ListLie::MoreIsText,
            ListLie::DoubleRows,
            ListLie::NullRow,
            ListLie::NumberRow,
            ListLie::NoId,
            ListLie::NumberId,
            ListLie::PathId,
            ListLie::ForeignRow,
            ListLie::ManyRows,
            ListLie::MoreMembersValid,
        ] {
            bench.switches().set_next(Deviation::List(endpoint, lie), 1);
            let answer = json(&bench.get(path, ACME_KEY).await);
            let first = &answer["data"][0];
            let cursor = answer["next_cursor"].as_str().unwrap_or_default();
            let more = answer["has_more"] == true;
            let holds = match lie {
                ListLie::Empty => rows(&answer) == 0,
                ListLie::EndlessPages => more && cursor.starts_with("cur_0_"),
                ListLie::SameCursor => more && cursor == "cur_0",
                ListLie::MoreWithoutCursor => more && answer["next_cursor"].is_null(),
                ListLie::HostileCursor => more && cursor.contains("\r\n") && cursor.contains('&'),
                ListLie::HugeCursor => more && cursor.len() == 64 << 10,
                ListLie::MoreIsText => answer["has_more"] == "false",
                ListLie::DoubleRows => rows(&answer) == 2 * honest_rows,
                ListLie::NullRow => first.is_null(),
                ListLie::NumberRow => *first == 42,
                ListLie::NoId => first.is_object() && first.get(id).is_none(),
                ListLie::NumberId => first[id] == 42,
                ListLie::PathId => first[id] == "../../v1/api-keys",
                ListLie::ForeignRow => {
                    let row = &answer["data"][honest_rows];
                    row.is_object() && !honest["data"].as_array().unwrap().contains(row)
                }
                ListLie::ManyRows => rows(&answer) == 50_000,
                ListLie::MoreMembersValid => first["x_new"].is_object(),
            };
            assert!(holds, "{endpoint:?} {lie:?}");
            let after = json(&bench.get(path, ACME_KEY).await);
            assert_eq!(after, honest, "{lie:?} ends after one answer");
        }
    }
}

#[tokio::test]
async fn every_list_can_be_empty_or_hold_a_foreign_row() {
    let bench = Bench::start().await;
    for (endpoint, path, rows) in [
        (Endpoint::Models, MODELS, "/data/items"),
        (Endpoint::OpenAiModels, "/oai/v1/models", "/data"),
        (Endpoint::Scopes, SCOPES, "/data"),
        (Endpoint::Bunkers, BUNKERS, "/data"),
        (Endpoint::Cores, CORES, "/data"),
        (Endpoint::Events, EVENTS, "/data/events"),
        (Endpoint::Checkpoints, CHECKPOINTS, "/data"),
        (Endpoint::ApiKeys, "/v1/api-keys", "/data"),
    ] {
        let count = async || {
            let answer = json(&bench.get(path, ACME_KEY).await);
            answer.pointer(rows).unwrap().as_array().unwrap().len()
        };
        let honest = count().await;
        assert!(honest > 0, "{endpoint:?}");
        bench
            .switches()
            .set_next(Deviation::List(endpoint, ListLie::Empty), 1);
        assert_eq!(count().await, 0, "{endpoint:?}");
        bench
            .switches()
            .set_next(Deviation::List(endpoint, ListLie::ForeignRow), 1);
        assert_eq!(count().await, honest + 1, "{endpoint:?}");
    }
}

#[tokio::test]
async fn pages_that_never_end_accept_their_own_cursors() {
    let bench = Bench::start().await;
    bench
        .switches()
        .set(Deviation::List(Endpoint::Bunkers, ListLie::EndlessPages));
    let mut path = BUNKERS.to_owned();
    let mut cursors = Vec::new();
    for _ in 0..5 {
        let page = json(&bench.get(&path, ACME_KEY).await);
        let cursor = page["next_cursor"].as_str().unwrap().to_owned();
        path = format!("{BUNKERS}?cursor={cursor}");
        cursors.push(cursor);
    }
    cursors.sort();
    cursors.dedup();
    assert_eq!(cursors.len(), 5, "each cursor is new");
}
