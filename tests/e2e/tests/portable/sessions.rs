//! A session from its first token to its end.

use bytes::Bytes;
use http::{Request, header};
use scaigate_e2e::emulator::{Endpoint, plain_http};
use scaigate_e2e::{Answer, World};
use serde_json::{Value, json};

async fn refresh(world: &World, token: &Value) -> Answer {
    world
        .client
        .post("/v1/auth/refresh", &json!({ "refresh_token": token }))
        .await
}

fn text(value: &Value) -> &str {
    value.as_str().expect("a text")
}

#[tokio::test(flavor = "multi_thread")]
async fn me_workspaces_and_whoami_show_who_the_token_stands_for() {
    let world = World::start().await;
    let session = world.sign_in("alice@acme.example").await;
    let token = Some(text(&session["access_token"]));
    let me = world.client.get("/v1/me", token).await;
    assert_eq!(me.header("cache-control"), "no-store");
    let me = me.json();
    let mut bare = me.clone();
    let data = bare
        .as_object_mut()
        .expect("an object")
        .remove("data")
        .expect("a twin");
    assert_eq!(bare, data);
    assert_eq!(
        bare,
        json!({
            "sub": "usr_alice_acme",
            "iss": format!("{}/tenants/tnt_acme0001", world.scaikey.base_url()),
            "person_id": session["user"]["id"],
            "participant_id": session["user"]["id"],
            "local_id": "usr_alice_acme",
            "fqid": format!("@usr_alice_acme:{}", world.url.trim_start_matches("http://")),
            "tenant_id": "tnt_acme0001",
            "tenant": { "id": "tnt_acme0001", "slug": null, "name": null, "features": {} },
            "email": "alice@acme.example",
            "name": "Alice Ahrens",
            "display_name": "Alice Ahrens",
            "avatar_url": null,
            "bio": null,
            "presence": "online",
            "personal_workspace_id": null,
            "admin_role": null,
            "roles": [],
            "groups": [],
            "workspace": { "workspace_id": session["workspace"]["workspace_id"], "role": "admin" },
            "session": me["session"],
            "credential": "session",
        })
    );
    assert!(text(&me["session"]["sid"]).starts_with("ses_"));
    let workspaces = world.client.get("/v1/me/workspaces", token).await.json();
    assert_eq!(workspaces["workspaces"], json!([session["workspace"]]));
    assert_eq!(
        workspaces["current_workspace_id"],
        session["workspace"]["workspace_id"]
    );
    assert_eq!(workspaces["data"]["workspaces"], workspaces["workspaces"]);
    let whoami = world.client.get("/v1/auth/whoami", token).await.json();
    assert_eq!(
        whoami,
        json!({
            "identity_id": "user:alice@acme.example",
            "identity_type": "user",
            "display_name": "Alice Ahrens",
            "tenant_id": "tnt_acme0001",
            "partner_id": null,
            "scopes": [],
            "groups": [],
            "roles": [],
            "mfa_verified_at": null,
            "token_expires_at": whoami["token_expires_at"],
            "permissions": [],
            "sub": "usr_alice_acme",
            "iss": format!("{}/tenants/tnt_acme0001", world.scaikey.base_url()),
            "registered": true,
            "credential": "session",
            "workspace_id": session["workspace"]["workspace_id"],
            "workspace_role": "admin",
        })
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn s_14_a_401_says_why_and_what_to_do() {
    let world = World::start().await;
    let session = world.sign_in("alice@acme.example").await;
    let good = format!("Bearer {}", text(&session["access_token"]));
    let worse = format!("{good}.{}", "x".repeat(5));
    let lower = good.replace("Bearer", "bearer");
    for path in ["/v1/me", "/v1/me/workspaces", "/v1/auth/whoami"] {
        for (values, code) in [
            (vec![], "authentication_required"),
            (vec!["Basic YWxpY2U6cGFzc3dvcmQ="], "token_invalid"),
            (vec!["Bearer"], "token_invalid"),
            (vec!["Bearer not-a-token"], "token_invalid"),
            (vec![worse.as_str()], "token_invalid"),
            (vec![good.as_str(), good.as_str()], "token_invalid"),
        ] {
            let mut request = Request::get(path);
            for value in &values {
                request = request.header(header::AUTHORIZATION, *value);
            }
            let answer = world
                .client
                .send(request.body(Bytes::new()).expect("a request"))
                .await;
            answer.assert_problem(401, code);
            let challenge = answer.header("www-authenticate");
            assert!(
                challenge.starts_with("Bearer realm=\"scaigate\""),
                "{challenge}"
            );
            assert_eq!(
                challenge.contains("invalid_token"),
                !values.is_empty(),
                "{challenge}"
            );
        }
        // The scheme is read without regard to case (RFC 9110 §11.1).
        for value in [&good, &lower] {
            let request = Request::get(path).header(header::AUTHORIZATION, value);
            let answer = world
                .client
                .send(request.body(Bytes::new()).expect("a request"))
                .await;
            assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_taken_from_the_header_alone() {
    let world = World::start().await;
    let session = world.sign_in("alice@acme.example").await;
    let token = text(&session["access_token"]);
    let query = world
        .client
        .get(&format!("/v1/me?access_token={token}"), None)
        .await;
    query.assert_problem(401, "authentication_required");
    let request = Request::get("/v1/me").header(header::COOKIE, format!("access_token={token}"));
    let cookie = world
        .client
        .send(request.body(Bytes::new()).expect("a request"))
        .await;
    cookie.assert_problem(401, "authentication_required");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_goes_on_from_refresh_to_refresh() {
    let world = World::start().await;
    let mut session = world.sign_in("alice@acme.example").await;
    for _ in 0..5 {
        let answer = refresh(&world, &session["refresh_token"]).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let next = answer.json();
        assert_ne!(next["refresh_token"], session["refresh_token"]);
        assert_ne!(next["access_token"], session["access_token"]);
        assert_eq!(next["user"], session["user"]);
        assert_eq!(next["workspace"], session["workspace"]);
        let me = world
            .client
            .get("/v1/me", next["access_token"].as_str())
            .await;
        assert_eq!(me.status, 200, "{}", me.text());
        session = next;
    }
    let token = text(&session["refresh_token"]);
    let form = world
        .client
        .post_form("/v1/auth/refresh", &[("refresh_token", token)])
        .await;
    assert_eq!(form.status, 200, "{}", form.text());
    // ScaiKey has nothing to do with it.
    assert_eq!(world.scaikey.recorder().count(Endpoint::Token), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_token_that_is_none_is_refused() {
    let world = World::start().await;
    let session = world.sign_in("alice@acme.example").await;
    let good = text(&session["refresh_token"]);
    let mut tampered = good.to_owned();
    let last = tampered.pop().expect("a character");
    tampered.push(if last == 'A' { 'B' } else { 'A' });
    let missing = world.client.post("/v1/auth/refresh", &json!({})).await;
    missing.assert_problem(400, "invalid_request");
    for (token, code) in [
        (tampered.as_str(), "refresh_token_invalid"),
        (&format!("{good}x"), "refresh_token_invalid"),
        ("with space", "refresh_token_invalid"),
        (&"x".repeat(4097), "refresh_token_invalid"),
        // Not ours by its form, so ScaiKey is asked.
        ("skr_of-nobody", "invalid_grant"),
    ] {
        let answer = refresh(&world, &json!(token)).await;
        answer.assert_problem(400, code);
        assert_eq!(
            answer.json()["error"]["details"]["oauth_error"],
            "invalid_grant"
        );
    }
    assert_eq!(refresh(&world, &session["refresh_token"]).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn logout_by_refresh_token_ends_the_session_here_and_at_scaikey() {
    let world = World::start().await;
    let session = world.sign_in("alice@acme.example").await;
    let other = world.sign_in("alice@acme.example").await;
    world.scaikey.recorder().hold(Endpoint::Revoke);
    let client = world.client.clone();
    let body = json!({
        "refresh_token": session["refresh_token"],
        "post_logout_redirect_uri": "http://127.0.0.1:5173/",
    });
    let logout = tokio::spawn(async move { client.post("/v1/auth/logout", &body).await });
    world.scaikey.recorder().arrived(Endpoint::Revoke, 1).await;
    // Ended here before ScaiKey has answered.
    let me = world
        .client
        .get("/v1/me", session["access_token"].as_str())
        .await;
    me.assert_problem(401, "token_revoked");
    let revoke = world.scaikey.recorder().requests_to(Endpoint::Revoke);
    let revoked = revoke[0].form("token").expect("a token").to_owned();
    assert!(world.scaikey.is_refresh_live(&revoked));
    world.scaikey.recorder().release(Endpoint::Revoke);
    let out = logout.await.expect("an answer");
    assert_eq!(out.status, 200, "{}", out.text());
    assert_eq!(out.json()["logged_out"], true);
    assert_eq!(out.json()["scaikey_revoked"], true);
    assert!(!world.scaikey.is_refresh_live(&revoked));
    refresh(&world, &session["refresh_token"])
        .await
        .assert_problem(400, "session_ended");
    // The other session of the same person is another sign-in.
    let me = world
        .client
        .get("/v1/me", other["access_token"].as_str())
        .await;
    assert_eq!(me.status, 200, "{}", me.text());
    // Again: nothing is left to revoke, and nothing fails.
    let again = json!({ "refresh_token": session["refresh_token"] });
    let again = world.client.post("/v1/auth/logout", &again).await;
    assert_eq!(again.json()["logged_out"], true, "{}", again.text());
    assert_eq!(again.json()["scaikey_revoked"], false);
    assert_eq!(world.scaikey.recorder().count(Endpoint::Revoke), 1);
    // Where the browser goes to sign out at ScaiKey too.
    let body = out.json();
    let address = text(&body["end_session_url"]);
    assert!(
        address.starts_with(&format!("{}/oauth/logout?", world.scaikey.base_url())),
        "{address}"
    );
    assert!(
        address.contains("client_id=scaigate-dev-client&id_token_hint="),
        "{address}"
    );
    let request = Request::get(address).body(Bytes::new()).expect("a request");
    let left = plain_http::send(request).await.expect("an answer");
    assert_eq!(left.headers()["location"], "http://127.0.0.1:5173/");
}

#[tokio::test(flavor = "multi_thread")]
async fn logout_by_session_token_ends_the_session_too() {
    let world = World::start().await;
    let session = world.sign_in("bob@acme.example").await;
    let bearer = format!("Bearer {}", text(&session["access_token"]));
    let logout = |bearer: &str| {
        let request = Request::post("/v1/auth/logout").header(header::AUTHORIZATION, bearer);
        world
            .client
            .send(request.body(Bytes::new()).expect("a request"))
    };
    let out = logout(&bearer).await;
    assert_eq!(out.status, 200, "{}", out.text());
    assert_eq!(out.json()["scaikey_revoked"], true);
    let me = world
        .client
        .get("/v1/me", session["access_token"].as_str())
        .await;
    me.assert_problem(401, "token_revoked");
    refresh(&world, &session["refresh_token"])
        .await
        .assert_problem(400, "session_ended");
    logout("Bearer nonsense")
        .await
        .assert_problem(401, "token_invalid");
    let nobody = world.client.post("/v1/auth/logout", &json!({})).await;
    nobody.assert_problem(401, "authentication_required");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_logout_that_asks_for_a_foreign_address_changes_nothing() {
    let world = World::start().await;
    let session = world.sign_in("alice@acme.example").await;
    let body = json!({
        "refresh_token": session["refresh_token"],
        "post_logout_redirect_uri": "https://evil.example/",
    });
    let answer = world.client.post("/v1/auth/logout", &body).await;
    answer.assert_problem(400, "return_to_not_allowed");
    let me = world
        .client
        .get("/v1/me", session["access_token"].as_str())
        .await;
    assert_eq!(me.status, 200, "{}", me.text());
    assert_eq!(world.scaikey.recorder().count(Endpoint::Revoke), 0);
}
