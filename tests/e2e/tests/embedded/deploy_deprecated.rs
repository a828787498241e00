//! `POST /v1/dev/deploy`: with the deployment's own token and key, and no way to guess the token
//! (`contract/scaiflow.md` 2.9, C-21).

use http::Method;
use scaigate_e2e::grid::seed::ACME_KEY;
use scaigate_e2e::grid::{Endpoint, Fault};
use scaigate_e2e::{Answer, Effect, MANIFEST, Setup, Target, When, World};
use serde_json::{Value, json};

const ALICE: &str = "alice@acme.example";
const DEV_TOKEN: &str = "dev-token-of-the-tests-0001";
const PATH: &str = "/v1/dev/deploy";

fn setup() -> Setup {
    Setup::default()
        .variable("scaiflow_api_token", DEV_TOKEN)
        .variable("scaigrid_api_key", ACME_KEY)
}

async fn world(setup: Setup) -> World {
    let world = World::with(setup.scaigrid()).await;
    world.canaries.add(DEV_TOKEN);
    world
}

/// Deploys this content.
async fn deploy(world: &World, token: &str, content: &str) -> Answer {
    let body = format!("{{\"content\":{content}}}");
    world.call_raw(Method::POST, PATH, token, body).await
}

#[tokio::test(flavor = "multi_thread")]
async fn it_deploys_with_the_deployments_key_and_keeps_nothing() {
    let world = world(setup()).await;
    for path in [PATH, "/api/v1/dev/deploy"] {
        let body = format!("{{\"content\":{MANIFEST},\"publish_as_model\":false}}");
        let answer = world.call_raw(Method::POST, path, DEV_TOKEN, body).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let done = answer.json();
        assert!(done["core_id"].is_string(), "{done}");
        assert_eq!(
            done,
            json!({ "core_id": done["core_id"], "published_slug": null })
        );
        assert_eq!(answer.header("deprecation"), "@1779062400");
    }
    for seen in world.grid().recorder().requests() {
        assert_eq!(seen.credential.expect("one").secret(), ACME_KEY);
    }
    for table in ["flow", "flow_version", "flow_deployment"] {
        let sql = format!("SELECT CAST(count(*) AS TEXT) FROM {table}");
        assert_eq!(world.sql_text(&sql, &[]).as_deref(), Some("0"), "{table}");
    }
    for (content, code) in [
        ("{}", "compile_error"),
        (r#""manifest: {}""#, "compile_error"),
        ("null", "invalid_request"),
    ] {
        let answer = deploy(&world, DEV_TOKEN, content).await;
        answer.assert_problem(400, code);
    }
    let answer = world
        .call(Method::POST, PATH, DEV_TOKEN, Some(&json!({})))
        .await;
    answer.assert_problem(400, "invalid_request");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_token_or_key_it_says_what_to_set() {
    let unset = world(setup().variable("scaiflow_api_token", "")).await;
    for token in [DEV_TOKEN, "x"] {
        let answer = deploy(&unset, token, MANIFEST).await;
        answer.assert_problem(503, "dev_deploy_not_configured");
    }
    let no_key = world(setup().variable("scaigrid_api_key", "")).await;
    let answer = deploy(&no_key, DEV_TOKEN, MANIFEST).await;
    answer.assert_problem(412, "missing_scaigrid_credentials");
    let detail = answer.json()["detail"].clone();
    assert_eq!(
        detail["message"],
        "no ScaiGrid credentials for this deployment"
    );
    let fix = detail["fix"].as_str().expect("a fix");
    assert!(fix.contains("SCAIGRID_API_KEY"), "{fix}");
    // A tenant's key is nobody's here.
    let admin = no_key
        .signed_in_as(ALICE, "admin", Some("tenant_admin"))
        .await;
    no_key.set_key(&admin, ACME_KEY).await;
    let answer = deploy(&no_key, DEV_TOKEN, MANIFEST).await;
    answer.assert_problem(412, "missing_scaigrid_credentials");
    assert_eq!(no_key.grid().recorder().total(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scaigrid_that_is_down_is_502() {
    let world = world(setup()).await;
    let target = Target::Outbound(world.grid().address().to_string());
    world.faults.set(target, When::Always, Effect::Refuse);
    let answer = deploy(&world, DEV_TOKEN, MANIFEST).await;
    answer.assert_problem(502, "scaicore_create_failed");
    assert_eq!(
        answer.json()["error"]["details"]["cause"],
        "scaigrid_unreachable"
    );
    world.faults.clear();
    let refused = Fault::Status {
        code: 401,
        retry_after: None,
    };
    let switches = world.grid().switches();
    switches.fail_next(Endpoint::CreateCore, refused, 1);
    let answer = deploy(&world, DEV_TOKEN, MANIFEST).await;
    answer.assert_problem(502, "scaicore_create_failed");
    let details = answer.json()["error"]["details"].clone();
    assert_eq!(details["cause"], "scaigrid_key_refused");
    assert_eq!(details["source"], "deployment_key");
}

#[tokio::test(flavor = "multi_thread")]
async fn s_22_wrong_tokens_are_counted_before_they_are_compared() {
    for (limits, limit) in [("deploy=3", 3), ("off", 30)] {
        let world = world(setup().variable("rate_limits", limits)).await;
        world.clock.freeze();
        let alice = world.signed_in_as(ALICE, "author", None).await;
        let flow = world.save_flow(&alice, "n", MANIFEST).await;
        // Whoever presents nothing guesses nothing.
        for _ in 0..=limit {
            let answer = world.client.post(PATH, &json!({})).await;
            answer.assert_problem(401, "authentication_required");
        }
        for number in 0..limit {
            let answer = deploy(&world, &format!("guess-{number}"), MANIFEST).await;
            answer.assert_problem(401, "token_invalid");
            let left = (limit - 1 - number).to_string();
            assert_eq!(answer.header("x-ratelimit-remaining"), left);
        }
        // What is right is not told either, or guessing would go on.
        for token in ["guess", DEV_TOKEN] {
            let answer = deploy(&world, token, MANIFEST).await;
            answer.assert_problem(429, "rate_limited");
            assert_ne!(answer.header("retry-after"), "");
            let details = answer.json()["error"]["details"].clone();
            assert_eq!(
                (&details["category"], &details["limit"]),
                (&json!("deploy"), &json!(limit))
            );
        }
        assert_eq!(world.grid().recorder().total(), 0);
        // Nobody else pays for it.
        let path = format!("/v1/flows/{}/deploy", flow["id"].as_str().expect("an id"));
        let answer = world.call(Method::POST, &path, &alice, None).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        world.advance(60);
        let answer = deploy(&world, DEV_TOKEN, MANIFEST).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn n_144_without_the_database_nobody_may_guess() {
    let world = world(setup()).await;
    for token in [DEV_TOKEN, "guess"] {
        // An instance that has no slice of the limit yet.
        world.advance(60);
        let always = (Target::sqlite(), When::Always, Effect::Refuse);
        world.faults.set(always.0, always.1, always.2);
        let answer = deploy(&world, token, MANIFEST).await;
        answer.assert_problem(503, "store_unavailable");
        world.faults.clear();
    }
    assert_eq!(world.grid().recorder().total(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_token_opens_no_other_door_and_no_other_door_tells_it_from_a_wrong_one() {
    let world = world(setup()).await;
    for (method, path) in [
        (Method::GET, "/v1/flows"),
        (Method::POST, "/v1/flows"),
        (Method::POST, "/v1/flows/flow_1/deploy"),
        (Method::GET, "/v1/catalog"),
        (Method::GET, "/v1/scaigrid/models"),
        (Method::GET, "/v1/me"),
    ] {
        let answers = [DEV_TOKEN, "guess-that-is-as-long-as-it"].map(async |token| {
            let mut answer = world.call(method.clone(), path, token, None).await.json();
            answer["error"]["request_id"] = Value::Null;
            answer
        });
        let [right, wrong] = answers;
        let right = right.await;
        assert_eq!(right, wrong.await, "{method} {path}");
        assert_eq!(right["error"]["code"], "token_invalid", "{method} {path}");
    }
    // And nobody's session opens this one.
    let alice = world
        .signed_in_as(ALICE, "admin", Some("super_admin"))
        .await;
    let answer = deploy(&world, &alice, MANIFEST).await;
    answer.assert_problem(401, "token_invalid");
}
