//! Section 5.2: tokens of one purpose, and the hand-off to the app.

use scaigate_e2e::World;
use scaigate_e2e::address::{parameter, with_parameter};
use serde_json::{Value, json};

const ALICE: &str = "alice@acme.example";
const BOB: &str = "bob@acme.example";
const VERIFIER: &str = "a-verifier-of-the-app-that-is-long-enough-0002";

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name]
        .as_str()
        .unwrap_or_else(|| panic!("{name} in {value}"))
}

/// ScaiKey's own tokens, as an app gets them through the exchange.
async fn scaikey_tokens(world: &World, email: &str) -> Value {
    let code = world.app_code(email, Some(VERIFIER)).await;
    let body =
        json!({ "code": code, "code_verifier": VERIFIER, "redirect_uri": World::APP_REDIRECT_URI });
    let answer = world.client.post("/v1/auth/exchange", &body).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

#[tokio::test(flavor = "multi_thread")]
async fn n_030_what_is_kept_of_a_login_can_be_neither_moved_nor_changed() {
    let world = World::start().await;
    let browser = world.browser();
    // Whoever writes to the database moves one login's record under another's state …
    let first = world
        .authorize(
            &browser,
            &json!({ "return_to": "https://app.example/a" }),
            ALICE,
        )
        .await;
    let _ = world
        .authorize(
            &browser,
            &json!({ "return_to": "https://app.example/b" }),
            BOB,
        )
        .await;
    let moved = "UPDATE pending_login SET sealed = (SELECT sealed FROM pending_login WHERE rowid = 2) WHERE rowid = 1";
    assert_eq!(world.sql(moved, &[]), 1);
    browser
        .fetch(&first)
        .await
        .assert_problem(400, "state_unknown");
    // … or writes one of their own.
    for sealed in ["x''", "zeroblob(300)", "randomblob(300)", "x'01'"] {
        let back = world.authorize(&browser, &json!({}), ALICE).await;
        let forged =
            format!("UPDATE pending_login SET sealed = {sealed} WHERE consumed_at IS NULL");
        assert!(world.sql(&forged, &[]) > 0);
        browser
            .fetch(&back)
            .await
            .assert_problem(400, "state_unknown");
    }
    assert_eq!(
        world.scaikey.recorder().count_grant("authorization_code"),
        0
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn n_030_scaikey_s_tokens_moved_to_another_session_are_not_used() {
    let world = World::start().await;
    let victim = world.sign_in(ALICE).await;
    let attacker = world.sign_in(BOB).await;
    let stolen = "UPDATE session SET scaikey_tokens = (SELECT scaikey_tokens FROM session WHERE rowid = 1) WHERE rowid = 2";
    assert_eq!(world.sql(stolen, &[]), 1);
    let out = world
        .client
        .post(
            "/v1/auth/logout",
            &json!({ "refresh_token": attacker["refresh_token"] }),
        )
        .await;
    assert_eq!(out.status, 200, "{}", out.text());
    assert_eq!(out.json()["scaikey_revoked"], false);
    assert!(!text(&out.json(), "end_session_url").contains("id_token_hint"));
    let out = world
        .client
        .post(
            "/v1/auth/logout",
            &json!({ "refresh_token": victim["refresh_token"] }),
        )
        .await;
    assert_eq!(out.json()["scaikey_revoked"], true, "{}", out.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn n_031_a_token_of_one_purpose_is_none_of_another() {
    let world = World::start().await;
    let browser = world.browser();
    let session = world.sign_in(ALICE).await;
    let scaikey = scaikey_tokens(&world, BOB).await;
    let pending = world.authorize(&browser, &json!({}), ALICE).await;
    let state = parameter(&pending, "state");
    let session_code = world
        .session_code(&world.browser(), &json!({}), ALICE)
        .await;
    let cookie = browser.cookie("scaigate_login").expect("a cookie");
    let ours = [
        ("session token", text(&session, "access_token")),
        ("refresh token", text(&session, "refresh_token")),
        ("session code", session_code.as_str()),
        ("state", state.as_str()),
        ("cookie", cookie.as_str()),
    ];
    let theirs = [
        ("ScaiKey's access token", text(&scaikey, "access_token")),
        ("ScaiKey's ID token", text(&scaikey, "id_token")),
        ("ScaiKey's refresh token", text(&scaikey, "refresh_token")),
    ];
    let all = || ours.iter().chain(&theirs);
    for (what, token) in all().filter(|(what, _)| *what != "session token") {
        for path in ["/v1/me", "/v1/me/workspaces", "/v1/auth/whoami"] {
            let answer = world.client.get(path, Some(token)).await;
            if *what == "ScaiKey's access token" {
                // A credential by its purpose: of the person, who has not been here before.
                assert_eq!(answer.status, 200, "{}", answer.text());
                continue;
            }
            assert_eq!(
                answer.code(),
                "token_invalid",
                "{what} as a bearer of {path}"
            );
            assert_eq!(answer.status, 401);
        }
        let logout = http::Request::post("/v1/auth/logout")
            .header("authorization", format!("Bearer {token}"))
            .body(Default::default())
            .expect("a request");
        let answer = world.client.send(logout).await;
        assert_eq!(
            (answer.status.as_u16(), answer.code().as_str()),
            (401, "token_invalid"),
            "{what} as a bearer of logout"
        );
    }
    for (what, token) in all().filter(|(what, _)| *what != "session code") {
        let answer = world.redeem(token).await;
        assert_eq!(
            (answer.status.as_u16(), answer.code().as_str()),
            (400, "session_code_unknown"),
            "{what} as a session code"
        );
    }
    for (what, token) in all().filter(|(what, _)| *what != "refresh token") {
        let answer = world
            .client
            .post("/v1/auth/logout", &json!({ "refresh_token": token }))
            .await;
        assert_eq!(
            (answer.status.as_u16(), answer.code().as_str()),
            (400, "refresh_token_invalid"),
            "{what} to sign out"
        );
    }
    for (what, token) in all().filter(|(what, _)| *what != "state") {
        let answer = browser
            .fetch(&with_parameter(&pending, "state", &[token]))
            .await;
        assert_eq!(
            (answer.status.as_u16(), answer.code().as_str()),
            (400, "state_unknown"),
            "{what} as a state"
        );
    }
    for (what, token) in all().filter(|(what, _)| *what != "cookie") {
        let thief = world.browser();
        thief.set_cookie("scaigate_login", token);
        let answer = thief.fetch(&pending).await;
        assert_eq!(
            (answer.status.as_u16(), answer.code().as_str()),
            (400, "state_other_browser"),
            "{what} as a cookie"
        );
    }
    // All of it is still good for what it is.
    assert_eq!(browser.get(&pending).await.status, 303);
    assert_eq!(world.redeem(&session_code).await.status, 200);
    assert_eq!(
        world
            .client
            .get("/v1/me", session["access_token"].as_str())
            .await
            .status,
        200
    );
    for token in [&session["refresh_token"], &scaikey["refresh_token"]] {
        let answer = world
            .client
            .post("/v1/auth/refresh", &json!({ "refresh_token": token }))
            .await;
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn n_031_what_we_issue_never_leaves_for_scaikey() {
    let world = World::start().await;
    let session = world.sign_in(ALICE).await;
    let session_code = world
        .session_code(&world.browser(), &json!({}), ALICE)
        .await;
    let mut broken = text(&session, "refresh_token").to_owned();
    broken.push('A');
    let before = world.scaikey.recorder().count_grant("refresh_token");
    for token in [
        text(&session, "access_token"),
        session_code.as_str(),
        broken.as_str(),
    ] {
        let body = json!({ "refresh_token": token });
        world
            .client
            .post("/v1/auth/refresh", &body)
            .await
            .assert_problem(400, "refresh_token_invalid");
    }
    assert_eq!(
        world.scaikey.recorder().count_grant("refresh_token"),
        before
    );
    assert_eq!(world.redeem(&session_code).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn n_033_a_session_code_is_good_once() {
    let world = World::start().await;
    let code = world
        .session_code(&world.browser(), &json!({}), ALICE)
        .await;
    let first = world.redeem(&code).await.json();
    for _ in 0..3 {
        world
            .redeem(&code)
            .await
            .assert_problem(400, "session_code_already_used");
    }
    assert_eq!(
        world
            .client
            .get("/v1/me", first["access_token"].as_str())
            .await
            .status,
        200
    );
    let body = json!({ "refresh_token": first["refresh_token"] });
    assert_eq!(
        world.client.post("/v1/auth/refresh", &body).await.status,
        200
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn n_033_a_session_code_lives_a_minute() {
    let world = World::start().await;
    let early = world
        .session_code(&world.browser(), &json!({}), ALICE)
        .await;
    world.advance(50);
    assert_eq!(world.redeem(&early).await.status, 200);
    let late = world
        .session_code(&world.browser(), &json!({}), ALICE)
        .await;
    world.advance(61);
    world
        .redeem(&late)
        .await
        .assert_problem(400, "session_code_expired");
    world
        .redeem(&late)
        .await
        .assert_problem(400, "session_code_expired");
}

#[tokio::test(flavor = "multi_thread")]
async fn n_033_a_session_code_does_not_lead_into_another_tenant() {
    let world = World::start().await;
    let other = world.sign_in("sybil@umbra.example").await;
    let code = world
        .session_code(&world.browser(), &json!({}), ALICE)
        .await;
    for workspace_id in [
        text(&other["workspace"], "workspace_id"),
        "ws_0000000000000000000000",
    ] {
        let body = json!({ "session_code": code, "workspace_id": workspace_id });
        world
            .client
            .post("/v1/auth/token", &body)
            .await
            .assert_problem(403, "workspace_forbidden");
    }
    let body = json!({ "session_code": code, "workspace_id": "' OR 1=1 --" });
    world
        .client
        .post("/v1/auth/token", &body)
        .await
        .assert_problem(400, "invalid_request");
    let session = world.redeem(&code).await.json();
    assert_eq!(session["tenant_id"], "tnt_acme0001");
    // Nor does a session switch over there.
    let body = json!({ "refresh_token": session["refresh_token"], "workspace_id": other["workspace"]["workspace_id"] });
    world
        .client
        .post("/v1/auth/refresh", &body)
        .await
        .assert_problem(403, "workspace_forbidden");
    let body = json!({ "refresh_token": session["refresh_token"] });
    assert_eq!(
        world.client.post("/v1/auth/refresh", &body).await.status,
        200,
        "a refusal costs no token"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn n_033_a_session_code_is_not_guessed_or_taken_from_elsewhere() {
    let world = World::start().await;
    let code = world
        .session_code(&world.browser(), &json!({}), ALICE)
        .await;
    let other = if code.ends_with('A') { "B" } else { "A" };
    let near = [
        format!("{}{other}", &code[..code.len() - 1]),
        code[..code.len() - 1].to_owned(),
        format!("{code}A"),
        format!(" {code}"),
        code.trim_start_matches("sgc_").to_owned(),
        code.to_ascii_lowercase(),
        code.to_ascii_uppercase(),
        "sgc_".to_owned(),
        "*".to_owned(),
        "%".to_owned(),
        "x".repeat(60_000),
    ];
    for guess in &near {
        world
            .redeem(guess)
            .await
            .assert_problem(400, "session_code_unknown");
    }
    for guess in [
        json!({ "session_code": [code] }),
        json!({ "session_code": null }),
        json!({ "session_code": "" }),
        json!({}),
    ] {
        world
            .client
            .post("/v1/auth/token", &guess)
            .await
            .assert_problem(400, "invalid_request");
    }
    // Addresses are written down in too many places to carry it.
    let query = format!("/v1/auth/token?session_code={code}");
    world
        .client
        .post(&query, &json!({}))
        .await
        .assert_problem(400, "invalid_request");
    let answer = world.client.get(&query, None).await;
    answer.assert_problem(405, "method_not_allowed");
    assert_eq!(world.redeem(&code).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn n_033_a_session_code_of_somebody_suspended_meanwhile_is_not_redeemed() {
    let world = World::start().await;
    let code = world
        .session_code(&world.browser(), &json!({}), ALICE)
        .await;
    assert_eq!(
        world.sql(
            "UPDATE person SET status = 'suspended' WHERE email = ?1",
            &[ALICE]
        ),
        1
    );
    world
        .redeem(&code)
        .await
        .assert_problem(403, "person_suspended");
    let answer = world.browser();
    let back = world.authorize(&answer, &json!({}), ALICE).await;
    assert_eq!(
        answer.get(&back).await.location_parameter("error"),
        "person_suspended"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn n_034_codes_and_tokens_are_in_no_log_referer_or_store() {
    let world = World::start().await;
    let browser = world.browser();
    let back = world.authorize(&browser, &json!({}), ALICE).await;
    let to_app = browser.get(&back).await;
    assert_eq!(to_app.header("referrer-policy"), "no-referrer");
    let session_code = to_app.location_parameter("session_code");
    let answer = world.redeem(&session_code).await;
    assert!(!answer.text().contains(&session_code));
    let session = answer.json();
    let scaikey = scaikey_tokens(&world, BOB).await;
    let refreshed = world
        .client
        .post(
            "/v1/auth/refresh",
            &json!({ "refresh_token": scaikey["refresh_token"] }),
        )
        .await
        .json();
    let kept = world.stored_bytes();
    let code = parameter(&back, "code");
    let mut secrets = vec![session_code.as_str(), code.as_str()];
    secrets.extend(["access_token", "refresh_token"].map(|name| text(&session, name)));
    for tokens in [&scaikey, &refreshed] {
        secrets
            .extend(["access_token", "refresh_token", "id_token"].map(|name| text(tokens, name)));
    }
    let lines = world.logs.lines();
    assert!(!lines.is_empty(), "what was done is logged");
    for secret in secrets {
        assert!(
            !kept
                .windows(secret.len())
                .any(|window| window == secret.as_bytes()),
            "{}… is stored in the clear",
            &secret[..8]
        );
        assert!(
            !lines.iter().any(|line| line.line.contains(secret)),
            "{}… is logged",
            &secret[..8]
        );
    }
}
