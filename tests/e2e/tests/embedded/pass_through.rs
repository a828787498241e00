//! What passes through as it is: reads, and the calls that the configuration allows.

use bytes::Bytes;
use http::{Method, Request};
use scaigate_e2e::grid::seed::{ACME_CORE, ACME_KEY};
use scaigate_e2e::grid::{Endpoint, Fault};
use scaigate_e2e::{Setup, World};
use serde_json::{Value, json};

const ALICE: &str = "alice@acme.example";
const BOB: &str = "bob@acme.example";

async fn world() -> (World, String) {
    let setup = Setup::default().variable(
        "scaigrid_allowed_posts",
        "inference,core_invoke,checkpoint_resolve",
    );
    let world = World::with(setup.scaigrid()).await;
    let token = world.signed_in_as(ALICE, "author", None).await;
    (world, token)
}

#[tokio::test(flavor = "multi_thread")]
async fn reads_pass_through_to_the_matching_address() {
    let (world, token) = world().await;
    for (ours, theirs) in [
        (
            "/v1/scaicore/events?core_id=core_acme_support&limit=5",
            "/v1/modules/scaicore/events?core_id=core_acme_support&limit=5",
        ),
        (
            "/api/v1/scaicore/checkpoints?status=pending",
            "/v1/modules/scaicore/checkpoints?status=pending",
        ),
        (
            "/v1/scaigrid/models/openai/gpt-4o",
            "/v1/models/openai%2Fgpt-4o",
        ),
        ("/v1/scaigrid/modules", "/v1/modules"),
        (
            "/v1/scaiqueue/scopes/sc_acme_support",
            "/v1/modules/scaiqueue/scopes/sc_acme_support",
        ),
        (
            "/v1/scaibunker/bunkers/bnk_acme_000",
            "/v1/modules/scaibunker/bunkers/bnk_acme_000",
        ),
    ] {
        world.grid().recorder().clear();
        let answer = world.client.get(ours, Some(&token)).await;
        assert_eq!(answer.status, 200, "{ours}: {}", answer.text());
        assert_eq!(answer.header("content-type"), "application/json");
        assert_eq!(answer.header("cache-control"), "no-store");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert!(answer.json().is_object(), "{ours}");
        let seen = world.grid().recorder().requests();
        assert_eq!(seen.len(), 1, "{ours}");
        assert_eq!(seen[0].target(), theirs);
        // A read has no body, and says so.
        assert!(seen[0].fields.iter().all(|f| !f.is("transfer-encoding")));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_pass_through_with_their_bodies() {
    let (world, token) = world().await;
    let chat = json!({
        "model": "openai/gpt-4o", "messages": [{ "role": "user", "content": "hello" }],
    });
    let answer = world.chat(&token, &chat).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert!(answer.json()["data"]["choices"].is_array());
    let seen = world.grid().recorder().last(Endpoint::Chat).expect("one");
    assert_eq!(
        serde_json::from_slice::<Value>(&seen.body).expect("JSON"),
        chat
    );
    let resolve = "/v1/scaicore/checkpoints/chk_acme_00/resolve";
    let body = json!({ "decision": "approve" });
    let answer = world.call(Method::POST, resolve, &token, Some(&body)).await;
    assert!(answer.status.is_success(), "{}", answer.text());
    let invoke = format!("/v1/scaicore/cores/{ACME_CORE}/invoke");
    let body = json!({ "input": {} });
    let answer = world.call(Method::POST, &invoke, &token, Some(&body)).await;
    assert!(answer.status.is_success(), "{}", answer.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_need_the_permission_and_the_configuration() {
    let (world, _) = world().await;
    let viewer = world.signed_in_as(BOB, "viewer", None).await;
    let chat = json!({ "model": "openai/gpt-4o", "messages": [{ "role": "user" }] });
    let answer = world.chat(&viewer, &chat).await;
    answer.assert_problem(403, "insufficient_scope");
    let details = &answer.json()["error"]["details"];
    assert_eq!(details["required"], json!(["scaicore:manage"]));
    assert_eq!(details["present"], json!(["scaicore:view"]));
    let closed = World::with(Setup::default().scaigrid()).await;
    let author = closed.signed_in_as(ALICE, "author", None).await;
    let answer = closed.chat(&author, &chat).await;
    answer.assert_problem(403, "scaigrid_call_not_enabled");
    for world in [&world, &closed] {
        assert_eq!(world.grid().recorder().count(Endpoint::Chat), 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_failure_has_its_code() {
    let (world, token) = world().await;
    let status = |code| Fault::Status {
        code,
        retry_after: None,
    };
    let redirect = |code| Fault::Redirect {
        code,
        to: "https://evil.example/{key}".to_owned(),
    };
    for (fault, expected, code) in [
        (status(400), 400, "scaigrid_rejected"),
        (status(401), 502, "scaigrid_token_refused"),
        (status(403), 403, "scaigrid_forbidden"),
        (status(404), 404, "scaigrid_not_found"),
        (status(409), 409, "scaigrid_conflict"),
        (status(422), 400, "scaigrid_rejected"),
        (status(429), 429, "scaigrid_rate_limited"),
        (status(500), 502, "scaigrid_unavailable"),
        (status(502), 502, "model_backend_failed"),
        (status(503), 503, "scaigrid_capacity_unavailable"),
        (status(504), 504, "model_backend_timeout"),
        (redirect(302), 502, "scaigrid_invalid_response"),
        (redirect(307), 502, "scaigrid_invalid_response"),
        (Fault::NotHttp, 502, "scaigrid_invalid_response"),
        (Fault::LengthTwice, 502, "scaigrid_invalid_response"),
        (Fault::SwitchingProtocols, 502, "scaigrid_invalid_response"),
    ] {
        let switches = world.grid().switches();
        switches.clear_all();
        switches.fail_always(Endpoint::Modules, fault.clone());
        let answer = world.client.get("/v1/scaigrid/modules", Some(&token)).await;
        assert_eq!(
            (answer.status.as_u16(), answer.code().as_str()),
            (expected, code),
            "{fault:?}: {}",
            answer.text()
        );
        assert_eq!(answer.location(), "");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scaigrid_that_is_not_there_is_named() {
    let setup = Setup::default().variable("scaigrid_base_url", "http://127.0.0.1:9");
    let world = World::with(setup.scaigrid()).await;
    let token = world.signed_in_as(ALICE, "author", None).await;
    for path in ["/v1/scaigrid/models", "/v1/scaigrid/modules"] {
        let answer = world.client.get(path, Some(&token)).await;
        answer.assert_problem(502, "scaigrid_unreachable");
    }
    let world = World::start().await;
    let token = world.signed_in_as(ALICE, "author", None).await;
    let answer = world.client.get("/v1/scaigrid/models", Some(&token)).await;
    answer.assert_problem(503, "scaigrid_not_configured");
    let answer = world.client.get(World::TENANT_KEY, Some(&token)).await;
    answer.assert_problem(503, "scaigrid_not_configured");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_scaigrid_is_waited_for_so_long_and_no_longer() {
    let (world, token) = world().await;
    for (path, seconds) in [("/v1/scaigrid/models", 10), ("/v1/scaigrid/modules", 30)] {
        let endpoint = match path {
            "/v1/scaigrid/models" => Endpoint::Models,
            _ => Endpoint::Modules,
        };
        world.grid().switches().fail_always(endpoint, Fault::Hang);
        let asking = world.client.get(path, Some(&token));
        let waiting = async {
            world.grid().recorder().arrived(endpoint, 1).await;
            world.advance(seconds);
        };
        let (answer, ()) = tokio::join!(asking, waiting);
        answer.assert_problem(504, "scaigrid_timeout");
        world.grid().recorder().left(endpoint, 1).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_of_scaikey_is_forwarded_and_a_session_token_never() {
    let (world, session) = world().await;
    world
        .client
        .get("/v1/scaigrid/modules", Some(&session))
        .await;
    let tokens = world.tokens_of(ALICE).await;
    let own = tokens["access_token"].as_str().expect("a token");
    let answer = world.client.get("/v1/scaigrid/modules", Some(own)).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let seen = world.grid().recorder().requests_to(Endpoint::Modules);
    assert_eq!(seen[1].credential.as_ref().expect("one").secret(), own);
    assert!(world.grid().recorder().mentions(&session).is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn g7_where_exchange_is_on_the_login_token_never_leaves() {
    let setup = Setup::default()
        .variable("scaigrid_exchange_audience", World::GRID_AUDIENCE)
        .variable("scaigrid_allowed_posts", "inference");
    let world = World::with(setup.scaigrid()).await;
    let session = world.signed_in_as(ALICE, "author", None).await;
    let tokens = world.tokens_of(BOB).await;
    let own = tokens["access_token"].as_str().expect("a token");
    for token in [session.as_str(), own] {
        for path in ["/v1/scaigrid/models", "/v1/scaigrid/modules"] {
            let answer = world.client.get(path, Some(token)).await;
            assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        }
    }
    for request in world.grid().recorder().requests() {
        let claims = request.credential.expect("a credential").claims();
        assert_eq!(claims.expect("a token")["aud"], World::GRID_AUDIENCE);
    }
    for token in [session.as_str(), own] {
        assert!(world.grid().recorder().mentions(token).is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_whose_scaikey_token_has_expired_is_served_with_a_new_one() {
    let (world, _) = world().await;
    let session = world.sign_in(ALICE).await;
    world.advance(3_500);
    let body = json!({ "refresh_token": session["refresh_token"] });
    let session = world.client.post("/v1/auth/refresh", &body).await.json();
    world.advance(200);
    let token = session["access_token"].as_str().expect("a token");
    let answer = world.client.get("/v1/scaigrid/models", Some(token)).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn preflights_and_foreign_pages() {
    let (world, token) = world().await;
    let admin = world
        .signed_in_as(ALICE, "admin", Some("tenant_admin"))
        .await;
    world.set_key(&admin, ACME_KEY).await;
    let request = |method: Method, origin: &str| {
        Request::builder()
            .method(method)
            .uri("/v1/scaigrid/inference/chat")
            .header("origin", origin)
            .header("content-type", "application/json")
            .header("authorization", format!("Bearer {token}"))
            .body(Bytes::from_static(b"{}"))
            .expect("a request")
    };
    let answer = world
        .client
        .send(request(Method::OPTIONS, "https://app.example"))
        .await;
    assert_eq!(answer.status, 204);
    assert_eq!(
        answer.header("access-control-allow-origin"),
        "https://app.example"
    );
    let answer = world
        .client
        .send(request(Method::POST, "https://evil.example"))
        .await;
    answer.assert_problem(403, "origin_not_allowed");
    assert_eq!(world.grid().recorder().count(Endpoint::Chat), 0);
}
