//! Two tenants of one ScaiKey whose people, keys and sessions are called the same: nothing of one
//! reaches the other (G6, N-080, N-088).

use http::Request;
use scaigate_e2e::emulator::seed;
use scaigate_e2e::{Answer, Setup, World};
use serde_json::{Value, json};

const ALICE: &str = "alice@acme.example";
const SYBIL: &str = "sybil@umbra.example";
const SAME: &str = "usr_same";

async fn send(world: &World, method: &str, path: &str, token: &str, body: &str) -> Answer {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("authorization", format!("Bearer {token}"))
        .header("content-type", "application/json")
        .body(body.to_owned().into())
        .expect("a request");
    world.client.send(request).await
}

/// The token of the one person's namesake in `tenant`, by the tenant's own issuer.
fn namesake(world: &World, tenant: &str) -> String {
    let iss = format!("{}/tenants/{tenant}", world.scaikey.base_url());
    world.minted(json!({
        "iss": iss, "tenant_id": tenant, "sub": SAME, "email": "same@both.example",
    }))
}

/// Everything that a token shows.
async fn shown(world: &World, token: &str) -> Vec<Value> {
    let mut shown = Vec::new();
    for path in [
        "/v1/me",
        "/v1/auth/whoami",
        "/v1/me/workspaces",
        "/v1/workspace",
    ] {
        shown.push(send(world, "GET", path, token, "").await.json());
    }
    shown
}

#[tokio::test(flavor = "multi_thread")]
async fn g6_namesakes_of_two_tenants_share_nothing() {
    for setup in [Setup::default(), Setup::default().without_reuse()] {
        let world = World::with(setup).await;
        // The tenants are known by somebody else.
        world.sign_in(ALICE).await;
        world.sign_in(SYBIL).await;
        let tenants = [seed::ACME, seed::UMBRA];
        let tokens = tenants.map(|tenant| namesake(&world, tenant));
        let header = |token: &str| token.split('.').next().map(str::to_owned);
        assert_eq!(header(&tokens[0]), header(&tokens[1]), "one key");
        let mut registered = Vec::new();
        for (token, tenant) in tokens.iter().zip(tenants) {
            let me = send(&world, "GET", "/v1/me", token, "").await.json();
            let iss = format!("{}/tenants/{tenant}", world.scaikey.base_url());
            assert_eq!((&me["iss"], &me["sub"]), (&json!(iss), &json!(SAME)));
            assert_eq!(
                (&me["tenant_id"], &me["person_id"]),
                (&json!(tenant), &Value::Null)
            );
            let whoami = send(&world, "GET", "/v1/auth/whoami", token, "")
                .await
                .json();
            assert_eq!(
                (&whoami["tenant_id"], &whoami["iss"]),
                (&json!(tenant), &json!(iss))
            );
            let made = send(&world, "POST", "/v1/auth/register", token, "{}").await;
            assert_eq!(made.status, 200, "{}", made.text());
            let made = made.json();
            assert_eq!(
                (&made["created"], &made["tenant_id"]),
                (&json!(true), &json!(tenant))
            );
            registered.push(made);
            world.advance(2);
        }
        let [acme, umbra] = [&registered[0], &registered[1]];
        assert_ne!(acme["participant_id"], umbra["participant_id"]);
        assert_ne!(
            acme["personal_workspace_id"],
            umbra["personal_workspace_id"]
        );
        // Renamed by one, seen by that one.
        let renamed = r#"{"name":"Of acme alone"}"#;
        let answer = send(&world, "PATCH", "/v1/workspace", &tokens[0], renamed).await;
        let others = shown(&world, &tokens[1]).await;
        assert!(
            [200, 403].contains(&answer.status.as_u16()),
            "{}",
            answer.text()
        );
        for (i, token) in tokens.iter().enumerate() {
            let (own, other) = (&registered[i], &registered[1 - i]);
            for answer in shown(&world, token).await {
                let text = answer.to_string();
                for id in ["participant_id", "personal_workspace_id", "tenant_id"] {
                    let foreign = other[id].as_str().expect("an id");
                    assert!(!text.contains(foreign), "{foreign} in {text}");
                }
                assert!(
                    text.contains(own["tenant_id"].as_str().expect("an id"))
                        || text.contains("ws_")
                );
            }
        }
        for answer in others {
            assert!(!answer.to_string().contains("Of acme alone"), "{answer}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn g6_a_tenant_s_issuer_vouches_for_that_tenant_alone() {
    let world = World::start().await;
    world.sign_in(ALICE).await;
    world.sign_in(SYBIL).await;
    let base = world.scaikey.base_url();
    for (iss, tenant, status, code) in [
        (
            format!("{base}/tenants/{}", seed::ACME),
            json!(seed::UMBRA),
            401,
            "token_invalid",
        ),
        (
            format!("{base}/tenants/{}", seed::UMBRA),
            json!(seed::ACME),
            401,
            "token_invalid",
        ),
        (
            format!("{base}/tenants/{}", seed::ACME),
            json!("tnt_acme0001/"),
            401,
            "token_invalid",
        ),
        (
            format!("{base}/tenants/{}/", seed::ACME),
            json!(seed::ACME),
            401,
            "token_invalid",
        ),
        (
            format!("{base}/tenants/{}", seed::ACME),
            Value::Null,
            200,
            "",
        ),
        (base.clone(), json!(seed::UMBRA), 200, ""),
        (base.clone(), json!("tnt_nobody"), 404, "tenant_not_found"),
    ] {
        let token = world.minted(json!({ "iss": iss, "tenant_id": tenant, "sub": SAME }));
        for path in ["/v1/me", "/v1/auth/whoami"] {
            let answer = send(&world, "GET", path, &token, "").await;
            let got = (answer.status.as_u16(), answer.code());
            assert_eq!((got.0, got.1.as_str()), (status, code), "{iss} {tenant}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn s_14_the_first_sign_in_of_a_tenant_makes_its_access_tokens_good() {
    let world = World::start().await;
    world.sign_in(ALICE).await;
    let token = namesake(&world, seed::UMBRA);
    let answer = send(&world, "GET", "/v1/me", &token, "").await;
    answer.assert_problem(404, "tenant_not_found");
    assert_eq!(answer.json()["error"]["details"]["tenant_id"], seed::UMBRA);
    let answer = send(&world, "POST", "/v1/auth/register", &token, "{}").await;
    answer.assert_problem(404, "tenant_not_found");
    world.sign_in(SYBIL).await;
    world.advance(2);
    assert_eq!(send(&world, "GET", "/v1/me", &token, "").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn n_088_a_logout_of_one_namesake_leaves_the_other_s_tokens() {
    let world = World::start().await;
    world.sign_in(ALICE).await;
    world.sign_in(SYBIL).await;
    let tokens = [seed::ACME, seed::UMBRA].map(|tenant| namesake(&world, tenant));
    for token in &tokens {
        assert_eq!(send(&world, "GET", "/v1/me", token, "").await.status, 200);
    }
    let logout = world
        .scaikey
        .logout_token(&scaigate_e2e::emulator::LogoutToken {
            client_id: seed::CLIENT_ID.to_owned(),
            tenant_id: Some(seed::ACME.to_owned()),
            sub: Some(SAME.to_owned()),
            sid: None,
        });
    let fields = [("logout_token", logout.as_str())];
    let out = world
        .client
        .post_form("/v1/auth/backchannel-logout", &fields)
        .await;
    assert_eq!(out.status, 200, "{}", out.text());
    world.advance(2);
    let answer = send(&world, "GET", "/v1/me", &tokens[0], "").await;
    answer.assert_problem(401, "token_revoked");
    assert_eq!(
        send(&world, "GET", "/v1/me", &tokens[1], "").await.status,
        200
    );
}
