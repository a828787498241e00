//! Who calls, plainly: a person with an access token, registering, the workspace, and ScaiKey's word
//! that somebody has signed out.

use bytes::Bytes;
use http::{Method, Request, header};
use scaigate_e2e::emulator::{LogoutToken, seed};
use scaigate_e2e::{Answer, World};
use serde_json::{Value, json};

const ALICE: &str = "alice@acme.example";
const BOB: &str = "bob@acme.example";

async fn send(world: &World, method: Method, path: &str, token: &Value, body: &Value) -> Answer {
    let token = token.as_str().expect("a token");
    let mut request = Request::builder()
        .method(method)
        .uri(path)
        .header(header::AUTHORIZATION, format!("Bearer {token}"));
    let mut bytes = Bytes::new();
    if !body.is_null() {
        request = request.header(header::CONTENT_TYPE, "application/json");
        bytes = Bytes::from(body.to_string());
    }
    world
        .client
        .send(request.body(bytes).expect("a request"))
        .await
}

async fn get(world: &World, path: &str, token: &Value) -> Answer {
    send(world, Method::GET, path, token, &Value::Null).await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_access_token_of_scaikey_is_a_credential_here() {
    let world = World::start().await;
    let session = world.sign_in(ALICE).await;
    let tokens = world.tokens_of(ALICE).await;
    let me = get(&world, "/v1/me", &tokens["access_token"]).await;
    assert_eq!(me.status, 200, "{}", me.text());
    let me = me.json();
    assert_eq!(me["sub"], "usr_alice_acme");
    assert_eq!(me["person_id"], session["user"]["id"]);
    assert_eq!(me["email"], ALICE);
    assert_eq!(me["credential"], "access_token");
    let whoami = get(&world, "/v1/auth/whoami", &tokens["access_token"])
        .await
        .json();
    assert_eq!(whoami["identity_type"], "user");
    assert_eq!(whoami["credential"], "access_token");
    let list = get(&world, "/v1/me/workspaces", &tokens["access_token"])
        .await
        .json();
    assert_eq!(list["workspaces"], json!([session["workspace"]]));
    let refused = get(&world, "/v1/me", &tokens["id_token"]).await;
    refused.assert_problem(401, "token_invalid");
}

#[tokio::test(flavor = "multi_thread")]
async fn registering_makes_a_participant_with_a_workspace_of_their_own_once() {
    let world = World::start().await;
    world.sign_in(ALICE).await;
    let tokens = world.tokens_of(BOB).await;
    let token = &tokens["access_token"];
    get(&world, "/v1/workspace", token)
        .await
        .assert_problem(404, "workspace_not_found");
    let first = send(&world, Method::POST, "/v1/auth/register", token, &json!({})).await;
    assert_eq!(first.status, 200, "{}", first.text());
    let first = first.json();
    assert_eq!(
        (&first["created"], &first["tenant_id"]),
        (&json!(true), &json!(seed::ACME))
    );
    let again = send(&world, Method::POST, "/v1/auth/register", token, &json!({}))
        .await
        .json();
    assert_eq!(again["created"], false);
    for id in ["participant_id", "personal_workspace_id"] {
        assert_eq!(again[id], first[id]);
    }
    // A sign-in by the browser is the same person, with one workspace more.
    let browser = world.browser();
    let code = world.session_code(&browser, &json!({}), BOB).await;
    let choice = world.redeem(&code).await.json();
    assert_eq!(choice["requires_selection"], true, "{choice}");
    let own = &first["personal_workspace_id"];
    let offered = choice["workspaces"].as_array().expect("a list");
    assert!(
        offered.iter().any(|offer| offer["workspace_id"] == *own),
        "{choice}"
    );
    let body = json!({ "session_code": code, "workspace_id": own });
    let session = world.client.post("/v1/auth/token", &body).await.json();
    assert_eq!(session["user"]["id"], first["participant_id"]);
    assert_eq!(session["workspace"]["role"], "admin");
    let me = get(&world, "/v1/me", &session["access_token"]).await.json();
    assert_eq!(me["personal_workspace_id"], *own);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_workspace_is_read_and_changed_by_its_admin() {
    let world = World::start().await;
    let alice = world.sign_in(ALICE).await;
    let bob = world.sign_in(BOB).await;
    let path = "/v1/workspace";
    let workspace = get(&world, path, &alice["access_token"]).await.json();
    assert_eq!(
        workspace["workspace_id"],
        alice["workspace"]["workspace_id"]
    );
    assert_eq!(
        (&workspace["name"], &workspace["description"]),
        (&json!("Default"), &Value::Null)
    );
    assert_eq!(
        (&workspace["role"], &workspace["member_count"]),
        (&json!("admin"), &json!(2))
    );
    let change = json!({ "name": "Zebra", "description": "Stripes" });
    let token = &alice["access_token"];
    let changed = send(&world, Method::PATCH, path, token, &change).await;
    assert_eq!(changed.status, 200, "{}", changed.text());
    assert_eq!(
        (&changed.json()["name"], &changed.json()["description"]),
        (&json!("Zebra"), &json!("Stripes"))
    );
    let cleared = send(
        &world,
        Method::PATCH,
        path,
        token,
        &json!({ "description": null }),
    )
    .await;
    assert_eq!(
        cleared.json()["description"],
        Value::Null,
        "{}",
        cleared.text()
    );
    let seen = get(&world, path, &bob["access_token"]).await.json();
    assert_eq!(
        (&seen["name"], &seen["role"]),
        (&json!("Zebra"), &json!("viewer"))
    );
    let refused = send(&world, Method::PATCH, path, &bob["access_token"], &change).await;
    refused.assert_problem(403, "workspace_forbidden");
    for body in [
        json!({}),
        json!({ "name": "" }),
        json!({ "name": "x".repeat(101) }),
        json!({ "role": "admin" }),
    ] {
        let refused = send(&world, Method::PATCH, path, token, &body).await;
        refused.assert_problem(400, "invalid_request");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_logout_at_scaikey_ends_the_sessions_here() {
    let world = World::start().await;
    let alice = world.sign_in(ALICE).await;
    let bob = world.sign_in(BOB).await;
    let logout = world.scaikey.logout_token(&LogoutToken {
        client_id: seed::CLIENT_ID.to_owned(),
        tenant_id: None,
        sub: Some("usr_alice_acme".to_owned()),
        sid: None,
    });
    let fields = [("logout_token", logout.as_str())];
    let path = "/v1/auth/backchannel-logout";
    let out = world.client.post_form(path, &fields).await;
    assert_eq!(out.status, 200, "{}", out.text());
    assert_eq!(
        out.json(),
        json!({ "logged_out": true, "sessions_ended": 1 })
    );
    // No instance has seen the session alive, so none waits for its two seconds to end.
    get(&world, "/v1/me", &alice["access_token"])
        .await
        .assert_problem(401, "token_revoked");
    let body = json!({ "refresh_token": alice["refresh_token"] });
    let refused = world.client.post("/v1/auth/refresh", &body).await;
    refused.assert_problem(400, "session_ended");
    assert_eq!(
        get(&world, "/v1/me", &bob["access_token"]).await.status,
        200
    );
    let again = world.client.post_form(path, &fields).await;
    again.assert_problem(400, "logout_token_replayed");
}
