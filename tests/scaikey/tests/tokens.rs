//! Tokens after sign-in: client authentication, refresh, revocation, rotation, exchange.

mod support;

use scaikey_emulator::{Rotation, seed};
use serde_json::{Value, json};
use support::{Bench, claims, header, location, text};

#[tokio::test]
async fn client_authentication_is_checked() {
    let bench = Bench::start().await;
    let path = "/api/v1/platform/oauth/token";
    for (id, secret) in [
        (seed::CLIENT_ID, "wrong"),
        ("nobody", "x"),
        (seed::SPA_CLIENT_ID, "x"),
    ] {
        let fields = [
            ("grant_type", "client_credentials"),
            ("client_id", id),
            ("client_secret", secret),
        ];
        let response = bench.form(path, &fields).await;
        assert_eq!(response.status(), 401, "{id}");
        assert_eq!(support::json(&response)["error"], "invalid_client");
    }
    let basic = base64::Engine::encode(
        &base64::engine::general_purpose::STANDARD,
        format!("{}:{}", seed::CLIENT_ID, seed::CLIENT_SECRET),
    );
    let request = http::Request::post(bench.url(path))
        .header("authorization", format!("Basic {basic}"))
        .header("content-type", "application/x-www-form-urlencoded")
        .body(bytes::Bytes::from_static(b"grant_type=client_credentials"))
        .unwrap();
    let response = scaikey_emulator::plain_http::send(request).await.unwrap();
    let token = claims(&text(&support::json(&response)["access_token"]));
    assert_eq!(token["sub"], seed::CLIENT_ID);
    assert_eq!(token["platform_token"], true);
    assert_eq!(token["token_type"], "client_credentials");
    assert_eq!(token["tenant_id"], Value::Null);
}

#[tokio::test]
async fn refresh_token_is_single_use_and_replay_ends_the_family() {
    for (revokes, successor_lives) in [(true, false), (false, true)] {
        let bench = Bench::with(|b| b.refresh_reuse_revokes_family = revokes).await;
        let first = text(&bench.sign_in().await["refresh_token"]);
        let (status, second) = bench.refresh(&first).await;
        assert_eq!(status, 200);
        assert_eq!(claims(&text(&second["id_token"]))["nonce"], Value::Null);
        let (status, replay) = bench.refresh(&first).await;
        assert_eq!(
            (status, text(&replay["error"])),
            (400, "invalid_grant".to_owned())
        );
        assert_eq!(
            bench.refresh(&text(&second["refresh_token"])).await.0 == 200,
            successor_lives
        );
    }
}

#[tokio::test]
async fn refresh_ends_with_the_person_and_with_time() {
    let bench = Bench::start().await;
    let token = text(&bench.sign_in().await["refresh_token"]);
    bench
        .emulator
        .directory()
        .set_user_status("usr_alice_acme", "SUSPENDED");
    assert_eq!(bench.refresh(&token).await.0, 400);
    bench
        .emulator
        .directory()
        .set_user_status("usr_alice_acme", "ACTIVE");
    let token = text(&bench.sign_in().await["refresh_token"]);
    bench.advance(30 * 86_400);
    assert_eq!(bench.refresh(&token).await.0, 400);
}

#[tokio::test]
async fn revocation_of_a_refresh_token_takes_the_family() {
    let bench = Bench::start().await;
    let answer = bench.sign_in().await;
    let revoke = |token: String| {
        let bench = &bench;
        async move {
            let fields = [
                ("client_id", seed::CLIENT_ID),
                ("client_secret", seed::CLIENT_SECRET),
                ("token", &token),
            ];
            bench
                .form("/api/v1/platform/oauth/revoke", &fields)
                .await
                .status()
                .as_u16()
        }
    };
    assert_eq!(revoke("made-up".to_owned()).await, 200);
    assert!(bench.emulator.is_live(&text(&answer["access_token"])));
    assert_eq!(revoke(text(&answer["refresh_token"])).await, 200);
    assert!(!bench.emulator.is_live(&text(&answer["access_token"])));
    assert!(
        !bench
            .emulator
            .is_refresh_live(&text(&answer["refresh_token"]))
    );
}

#[tokio::test]
async fn end_session_returns_to_registered_addresses_only() {
    let bench = Bench::start().await;
    let id_token = text(&bench.sign_in().await["id_token"]);
    let path = |back: &str| {
        let query = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs([
                ("id_token_hint", id_token.as_str()),
                ("post_logout_redirect_uri", back),
                ("state", "s"),
            ])
            .finish();
        format!("/oauth/logout?{query}")
    };
    let back = location(&bench.get(&path("http://127.0.0.1:9/bye")).await);
    assert_eq!(back.as_str(), "http://127.0.0.1:9/bye?state=s");
    assert_eq!(bench.get(&path("http://evil.example/")).await.status(), 400);
    assert_eq!(bench.get("/oauth/logout").await.status(), 200);
}

#[tokio::test]
async fn rotation_changes_the_signing_key_and_may_drop_the_old() {
    let bench = Bench::start().await;
    let before = text(&bench.sign_in().await["id_token"]);
    bench.emulator.rotate_keys(Rotation::KeepOld).unwrap();
    let after = text(&bench.sign_in().await["id_token"]);
    assert_ne!(header(&before)["kid"], header(&after)["kid"]);
    assert!(bench.verifies(&before).await && bench.verifies(&after).await);
    bench.emulator.rotate_keys(Rotation::DropOld).unwrap();
    assert!(!bench.verifies(&after).await);
    bench.emulator.rotate_keys(Rotation::DropOld).unwrap();
    assert!(bench.emulator.rotate_keys(Rotation::DropOld).is_err());
}

#[tokio::test]
async fn token_exchange_narrows_and_names_the_actor() {
    let bench = Bench::start().await;
    let subject = text(&bench.sign_in().await["access_token"]);
    bench.advance(600);
    let exchange = |token: String, changes: Vec<(&'static str, &'static str)>| {
        let bench = &bench;
        async move {
            let mut fields = vec![
                (
                    "grant_type",
                    "urn:ietf:params:oauth:grant-type:token-exchange",
                ),
                ("subject_token", token.as_str()),
                (
                    "subject_token_type",
                    "urn:ietf:params:oauth:token-type:access_token",
                ),
                ("audience", "scaigrid-dev"),
                ("scope", "scaicore:view"),
            ];
            fields.retain(|(key, _)| !changes.iter().any(|(changed, _)| changed == key));
            fields.extend(changes.into_iter().filter(|(_, value)| !value.is_empty()));
            bench.token(&fields).await
        }
    };
    let (status, answer) = exchange(subject.clone(), vec![]).await;
    assert_eq!(status, 200, "{answer}");
    assert_eq!(
        answer["issued_token_type"],
        "urn:ietf:params:oauth:token-type:access_token"
    );
    assert_eq!(answer["expires_in"], 3_000, "never past the subject");
    assert_eq!(answer["refresh_token"], Value::Null);
    let token = claims(&text(&answer["access_token"]));
    assert_eq!(token["aud"], "scaigrid-dev");
    assert_eq!(token["sub"], "usr_alice_acme");
    assert_eq!(token["scope"], "scaicore:view");
    assert_eq!(token["act"], json!({"sub": seed::CLIENT_ID}));
    let (_, again) = exchange(text(&answer["access_token"]), vec![]).await;
    let token = claims(&text(&again["access_token"]));
    assert_eq!(
        token["act"],
        json!({"sub": seed::CLIENT_ID, "act": {"sub": seed::CLIENT_ID}})
    );
    for (changes, error) in [
        (vec![("audience", "elsewhere")], "invalid_target"),
        (
            vec![("scope", "scaicore:view admin:write")],
            "invalid_scope",
        ),
        (
            vec![(
                "subject_token_type",
                "urn:ietf:params:oauth:token-type:id_token",
            )],
            "invalid_request",
        ),
        (vec![("subject_token", "made-up")], "invalid_request"),
        (vec![("actor_token", "made-up")], "invalid_request"),
        (
            vec![(
                "requested_token_type",
                "urn:ietf:params:oauth:token-type:refresh_token",
            )],
            "invalid_request",
        ),
    ] {
        let (status, answer) = exchange(subject.clone(), changes.clone()).await;
        assert_eq!(
            (status, text(&answer["error"])),
            (400, error.to_owned()),
            "{changes:?}"
        );
    }
    let service = bench.service_token().await;
    assert_eq!(
        exchange(service, vec![]).await.0,
        400,
        "a token of another client"
    );
    bench.advance(3_600);
    assert_eq!(exchange(subject, vec![]).await.0, 400, "an expired subject");
}

#[tokio::test]
async fn password_grant_is_off_until_switched_on() {
    let bench = Bench::start().await;
    let fields = [
        ("grant_type", "password"),
        ("username", "bob@acme.example"),
        ("password", seed::PASSWORD),
    ];
    assert_eq!(
        bench.token(&fields).await.1["error"],
        "unsupported_grant_type"
    );
    bench
        .emulator
        .switches()
        .change(|b| b.password_grant = true);
    let (status, answer) = bench.token(&fields).await;
    assert_eq!(status, 200);
    assert_eq!(
        claims(&text(&answer["id_token"]))["email"],
        "bob@acme.example"
    );
    let wrong = [
        ("grant_type", "password"),
        ("username", "bob@acme.example"),
        ("password", "no"),
    ];
    assert_eq!(bench.token(&wrong).await.1["error"], "invalid_grant");
}
