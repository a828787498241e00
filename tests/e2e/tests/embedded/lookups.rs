//! The four documented lookups, from the emulated ScaiGrid through the wasm that ships.

use scaigate_e2e::grid::seed::{ACME_KEY, ACME_SCOPE};
use scaigate_e2e::grid::{Endpoint, Fault, ModelsForm};
use scaigate_e2e::{Setup, World};
use serde_json::Value;

const ALICE: &str = "alice@acme.example";
const BOB: &str = "bob@acme.example";

async fn rows(world: &World, path: &str, token: &str) -> Vec<Value> {
    let answer = world.client.get(path, Some(token)).await;
    assert_eq!(answer.status, 200, "{path}: {}", answer.text());
    assert_eq!(answer.header("content-type"), "application/json");
    assert_eq!(answer.header("cache-control"), "no-store");
    answer.json()["data"].as_array().expect("rows").clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_four_lists_come_in_their_documented_form() {
    let world = World::with(Setup::default().scaigrid()).await;
    let token = world.signed_in_as(ALICE, "viewer", None).await;
    for prefix in ["/v1", "/api/v1"] {
        let models = rows(&world, &format!("{prefix}/scaigrid/models"), &token).await;
        let first = models.iter().find(|m| m["slug"] == "openai/gpt-4o");
        let first = first.expect("a model");
        assert_eq!(first["modality"], "chat");
        assert_eq!(first["context_window"], 128_000);
        let scopes = rows(&world, &format!("{prefix}/scaiqueue/scopes"), &token).await;
        assert!(scopes.iter().any(|s| s["id"] == ACME_SCOPE), "{scopes:?}");
        let path = format!("{prefix}/scaiqueue/scopes/{ACME_SCOPE}/queues");
        let queues = rows(&world, &path, &token).await;
        assert_eq!(queues.len(), 2, "{queues:?}");
        assert_eq!(queues[0]["scope_id"], ACME_SCOPE);
        let bunkers = rows(&world, &format!("{prefix}/scaibunker/bunkers"), &token).await;
        assert!(
            bunkers.iter().all(|row| row["image_ref"].is_string()),
            "{bunkers:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_form_of_the_models_is_read() {
    let world = World::with(Setup::default().scaigrid()).await;
    let token = world.signed_in_as(ALICE, "viewer", None).await;
    let mut seen = Vec::new();
    for form in [ModelsForm::Items, ModelsForm::Data, ModelsForm::OpenAi] {
        world.grid().switches().change(|b| b.models_form = form);
        let models = rows(&world, "/v1/scaigrid/models", &token).await;
        let slugs: Vec<String> = models.iter().map(|m| m["slug"].to_string()).collect();
        seen.push(slugs);
    }
    assert_eq!(seen[0], seen[1]);
    assert_eq!(seen[0], seen[2]);
}

#[tokio::test(flavor = "multi_thread")]
async fn all_pages_are_read_unless_one_is_asked_for() {
    let world = World::with(Setup::default().scaigrid()).await;
    let token = world.signed_in_as(ALICE, "viewer", None).await;
    world.grid().switches().change(|b| b.default_limit = 7);
    let all = rows(&world, "/v1/scaibunker/bunkers", &token).await;
    let requests = world.grid().recorder().count(Endpoint::Bunkers);
    assert!(requests > 2, "{requests}");
    let answer = world
        .client
        .get("/v1/scaibunker/bunkers?limit=5", Some(&token))
        .await
        .json();
    assert!(answer["data"].as_array().expect("rows").len() <= 5);
    assert!(answer["next_cursor"].is_string(), "{answer}");
    assert!(all.len() > 5);
    assert_eq!(
        world.grid().recorder().count(Endpoint::Bunkers),
        requests + 1
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_callers_own_token_goes_first_and_the_tenants_key_after_a_denial() {
    let world = World::with(Setup::default().scaigrid()).await;
    let admin = world
        .signed_in_as(ALICE, "admin", Some("tenant_admin"))
        .await;
    world.set_key(&admin, ACME_KEY).await;
    // A viewer of ScaiGrid may not list bunkers with a token of their own.
    let token = world.signed_in_as(BOB, "viewer", None).await;
    rows(&world, "/v1/scaigrid/models", &token).await;
    let models = world.grid().recorder().last(Endpoint::Models).expect("one");
    let credential = models.credential.expect("a credential");
    assert_eq!(credential.claims().expect("a token")["sub"], "usr_bob_acme");
    rows(&world, "/v1/scaibunker/bunkers", &token).await;
    let asked = world.grid().recorder().requests_to(Endpoint::Bunkers);
    let secrets: Vec<bool> = asked
        .iter()
        .map(|r| {
            r.credential
                .as_ref()
                .is_some_and(|c| c.secret() == ACME_KEY)
        })
        .collect();
    assert_eq!(secrets.first(), Some(&false));
    assert!(secrets[1..].iter().all(|is_key| *is_key), "{secrets:?}");
    // What is no lookup is not asked for again with another's rights.
    let answer = world
        .client
        .get("/v1/scaibunker/bunkers/bnk_acme_000", Some(&token))
        .await;
    answer.assert_problem(403, "scaigrid_forbidden");
    assert_eq!(answer.json()["error"]["details"]["source"], "caller_token");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_fails_is_tried_once_more() {
    let world = World::with(Setup::default().scaigrid()).await;
    let token = world.signed_in_as(ALICE, "viewer", None).await;
    let grid = world.grid();
    for (fault, times, status) in [
        (Fault::Reset, 1, 200),
        (Fault::Close, 1, 200),
        (Fault::Reset, 2, 502),
        (
            Fault::Status {
                code: 500,
                retry_after: None,
            },
            1,
            502,
        ),
    ] {
        grid.switches().clear_all();
        grid.recorder().clear();
        grid.switches()
            .fail_next(Endpoint::Models, fault.clone(), times);
        let answer = world.client.get("/v1/scaigrid/models", Some(&token)).await;
        assert_eq!(answer.status, status, "{fault:?}: {}", answer.text());
        assert!(grid.recorder().count(Endpoint::Models) <= 2, "{fault:?}");
    }
}
