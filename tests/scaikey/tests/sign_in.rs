//! Authorization, code, refresh, and what ends them.

mod support;

use scaikey_emulator::{Behaviour, Endpoint, PlatformIssuer, Rotation, SigningAlg, seed};
use serde_json::{Value, json};
use support::{Bench, REDIRECT, VERIFIER, START, claims, header, location, param, text};

#[tokio::test]
async fn code_flow_yields_verifiable_tokens() {
    for alg in [SigningAlg::Rs256, SigningAlg::Es256] {
        let bench = Bench::with(|b| b.signing_alg = alg).await;
        let callback = bench.callback(&[]).await;
        assert!(callback.as_str().starts_with(REDIRECT));
        assert_eq!(param(&callback, "state").as_deref(), Some("state-1"));
        assert_eq!(param(&callback, "iss"), Some(bench.emulator.base_url()));
        let (status, answer) = bench.redeem(&param(&callback, "code").unwrap()).await;
        assert_eq!(status, 200, "{answer}");
        assert_eq!(answer["token_type"], "Bearer");
        assert_eq!(answer["expires_in"], 3_600);
        let (id, access) = (text(&answer["id_token"]), text(&answer["access_token"]));
        assert!(bench.verifies(&id).await);
        assert!(bench.verifies(&access).await);
        assert_eq!(header(&id)["alg"], alg.name());
        let id = claims(&id);
        for (claim, value) in [
            ("iss", json!(bench.emulator.base_url())),
            ("aud", json!(seed::CLIENT_ID)),
            ("sub", json!("usr_alice_acme")),
            ("nonce", json!("nonce-1")),
            ("email", json!("alice@acme.example")),
            ("email_verified", json!(true)),
            ("name", json!("Alice Ahrens")),
            ("groups", json!(["platform-admins", "staff"])),
            ("tenant_id", json!(seed::ACME)),
            ("iat", json!(START)),
            ("exp", json!(START + 3_600)),
            ("auth_time", json!(START)),
        ] {
            assert_eq!(id[claim], value, "{claim}");
        }
        assert!(id["sid"].is_string() && id["at_hash"].is_string());
        let access = claims(&access);
        assert_eq!(access["app_scope"], "GLOBAL");
        assert_eq!(access["role"], "tenant_admin");
        assert_eq!(access["scope"], "openid profile email offline_access scaicore:view");
        bench.emulator.stop().await;
    }
}

#[tokio::test]
async fn tenant_flow_carries_the_tenant_issuer_and_admits_its_own_people_only() {
    let bench = Bench::start().await;
    let path = |email: &str| {
        let platform = bench.authorize_path(&[("client_id", seed::TENANT_CLIENT_ID), ("login_hint", email)]);
        platform.replace("/api/v1/platform/", "/api/v1/auth/tenants/acme/")
    };
    let refused = bench.get(&path("sybil@umbra.example")).await;
    assert_eq!(refused.status(), 200, "a login page, no code");
    let callback = location(&bench.get(&path("bob@acme.example")).await);
    let issuer = format!("{}/tenants/{}", bench.emulator.base_url(), seed::ACME);
    assert_eq!(param(&callback, "iss"), Some(issuer.clone()));
    let code = param(&callback, "code").unwrap();
    let answer = bench
        .form(
            "/api/v1/auth/tenants/acme/oauth/token",
            &[
                ("grant_type", "authorization_code"),
                ("client_id", seed::TENANT_CLIENT_ID),
                ("client_secret", seed::TENANT_CLIENT_SECRET),
                ("code", &code),
                ("redirect_uri", REDIRECT),
                ("code_verifier", VERIFIER),
            ],
        )
        .await;
    let answer = support::json(&answer);
    assert_eq!(claims(&text(&answer["id_token"]))["iss"], issuer);
}

#[tokio::test]
async fn platform_tokens_may_carry_the_tenant_issuer() {
    let bench = Bench::with(|b| b.platform_issuer = PlatformIssuer::Tenant).await;
    let answer = bench.sign_in().await;
    let issuer = bench.emulator.issuer(Some(seed::ACME));
    assert_eq!(claims(&text(&answer["id_token"]))["iss"], issuer);
    assert_eq!(claims(&text(&answer["access_token"]))["iss"], issuer);
    assert_eq!(claims(&bench.service_token().await)["iss"], bench.emulator.base_url());
}

#[tokio::test]
async fn login_page_signs_in_with_the_right_password_only() {
    let bench = Bench::with(|b| b.auto_login = false).await;
    let authorize = bench.url(&bench.authorize_path(&[]));
    let to = bench.emulator.sign_in(&authorize, "bob@acme.example").await.unwrap();
    assert!(to.contains("code=code_"), "{to}");
    if let Some(user) = bench.emulator.directory().user_mut("usr_bob_acme") {
        user.status = "SUSPENDED".to_owned();
    }
    assert!(bench.emulator.sign_in(&authorize, "bob@acme.example").await.is_err());
    let page = String::from_utf8(bench.get(&bench.authorize_path(&[])).await.body().to_vec()).unwrap();
    let flow = page.split("name=\"flow\" value=\"").nth(1).and_then(|s| s.split('"').next()).unwrap();
    let wrong = [("flow", flow), ("email", "carol@acme.example"), ("password", "wrong")];
    let again = bench.form("/login", &wrong).await;
    assert!(String::from_utf8_lossy(again.body()).contains("role=\"alert\""));
    let denied = location(&bench.form("/login", &[("flow", flow), ("deny", "1")]).await);
    assert_eq!(param(&denied, "error").as_deref(), Some("access_denied"));
}

#[tokio::test]
async fn browser_session_answers_prompt_none() {
    let bench = Bench::start().await;
    let first = bench.callback(&[("prompt", "none")]).await;
    assert_eq!(param(&first, "error").as_deref(), Some("login_required"));
    let signed_in = bench.get(&bench.authorize_path(&[])).await;
    let cookie = signed_in.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    let request = http::Request::get(bench.url(&bench.authorize_path(&[("prompt", "none")])))
        .header("cookie", cookie)
        .body(bytes::Bytes::new())
        .unwrap();
    let silent = location(&scaikey_emulator::plain_http::send(request).await.unwrap());
    assert!(param(&silent, "code").is_some());
}

#[tokio::test]
async fn authorize_shows_a_page_when_it_must_not_redirect() {
    let bench = Bench::start().await;
    for (name, value) in [
        ("client_id", "nobody"),
        ("client_id", ""),
        ("client_id", seed::TENANT_CLIENT_ID),
        ("redirect_uri", "http://127.0.0.1:9/v1/auth/callback/"),
        ("redirect_uri", "http://127.0.0.1:9/v1/auth/callback?x=1"),
        ("redirect_uri", ""),
    ] {
        let response = bench.get(&bench.authorize_path(&[(name, value)])).await;
        assert_eq!(response.status(), 400, "{name}={value}");
    }
}

#[tokio::test]
async fn authorize_redirects_with_an_error() {
    let bench = Bench::start().await;
    for (changes, error) in [
        (&[("response_type", "token")][..], "unsupported_response_type"),
        (&[("response_type", "")], "invalid_request"),
        (&[("response_mode", "form_post")], "invalid_request"),
        (&[("code_challenge_method", "plain")], "invalid_request"),
        (&[("code_challenge_method", "")], "invalid_request"),
        (&[("code_challenge", "short")], "invalid_request"),
        (&[("scope", "")], "invalid_scope"),
        (&[("scope", "unheard:of")], "invalid_scope"),
        (&[("prompt", "none login")], "invalid_request"),
        (&[("extra", "1"), ("extra", "2")], "invalid_request"),
        (
            &[("client_id", seed::SPA_CLIENT_ID), ("code_challenge", ""), ("code_challenge_method", "")],
            "invalid_request",
        ),
    ] {
        let callback = bench.callback(changes).await;
        assert_eq!(param(&callback, "error").as_deref(), Some(error), "{changes:?}");
        assert_eq!(param(&callback, "state").as_deref(), Some("state-1"));
    }
}

#[tokio::test]
async fn code_is_good_once_and_its_reuse_ends_the_first_login() {
    let bench = Bench::start().await;
    let code = bench.code().await;
    let (_, first) = bench.redeem(&code).await;
    assert!(bench.emulator.is_live(&text(&first["access_token"])));
    let (status, second) = bench.redeem(&code).await;
    assert_eq!(status, 400);
    assert_eq!(second, json!({"error": "invalid_grant", "error_description": "code already used"}));
    assert!(!bench.emulator.is_live(&text(&first["access_token"])));
    assert_eq!(bench.refresh(&text(&first["refresh_token"])).await.0, 400);
}

#[tokio::test]
async fn code_is_bound_to_what_it_was_made_for() {
    let bench = Bench::start().await;
    for (case, name, value) in [
        ("other verifier", "code_verifier", "another-verifier-of-at-least-forty-three-chars-0"),
        ("short verifier", "code_verifier", "short"),
        ("other address", "redirect_uri", "http://127.0.0.1:9/other"),
        ("other client", "client_id", seed::SERVICE_CLIENT_ID),
        ("unknown code", "code", "code_made_up"),
    ] {
        let code = bench.code().await;
        let secret =
            if case == "other client" { seed::SERVICE_CLIENT_SECRET } else { seed::CLIENT_SECRET };
        let mut fields = vec![
            ("grant_type", "authorization_code"),
            ("client_id", seed::CLIENT_ID),
            ("client_secret", secret),
            ("code", &code),
            ("redirect_uri", REDIRECT),
            ("code_verifier", VERIFIER),
        ];
        for field in fields.iter_mut().filter(|(key, _)| *key == name) {
            field.1 = value;
        }
        let response = bench.form("/api/v1/platform/oauth/token", &fields).await;
        assert_eq!(response.status(), 400, "{case}");
        assert_eq!(support::json(&response)["error"], "invalid_grant", "{case}");
    }
    let code = bench.code().await;
    bench.advance(60);
    assert_eq!(bench.redeem(&code).await.0, 400, "expired");
}

#[tokio::test]
async fn client_authentication_is_checked() {
    let bench = Bench::start().await;
    let path = "/api/v1/platform/oauth/token";
    for (id, secret) in [(seed::CLIENT_ID, "wrong"), ("nobody", "x"), (seed::SPA_CLIENT_ID, "x")] {
        let fields = [("grant_type", "client_credentials"), ("client_id", id), ("client_secret", secret)];
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
        assert_eq!((status, text(&replay["error"])), (400, "invalid_grant".to_owned()));
        assert_eq!(bench.refresh(&text(&second["refresh_token"])).await.0 == 200, successor_lives);
    }
}

#[tokio::test]
async fn refresh_ends_with_the_person_and_with_time() {
    let bench = Bench::start().await;
    let token = text(&bench.sign_in().await["refresh_token"]);
    bench.emulator.directory().set_user_status("usr_alice_acme", "SUSPENDED");
    assert_eq!(bench.refresh(&token).await.0, 400);
    bench.emulator.directory().set_user_status("usr_alice_acme", "ACTIVE");
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
            let fields =
                [("client_id", seed::CLIENT_ID), ("client_secret", seed::CLIENT_SECRET), ("token", &token)];
            bench.form("/api/v1/platform/oauth/revoke", &fields).await.status().as_u16()
        }
    };
    assert_eq!(revoke("made-up".to_owned()).await, 200);
    assert!(bench.emulator.is_live(&text(&answer["access_token"])));
    assert_eq!(revoke(text(&answer["refresh_token"])).await, 200);
    assert!(!bench.emulator.is_live(&text(&answer["access_token"])));
    assert!(!bench.emulator.is_refresh_live(&text(&answer["refresh_token"])));
}

#[tokio::test]
async fn end_session_returns_to_registered_addresses_only() {
    let bench = Bench::start().await;
    let id_token = text(&bench.sign_in().await["id_token"]);
    let path = |back: &str| {
        let query = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs([("id_token_hint", id_token.as_str()), ("post_logout_redirect_uri", back), ("state", "s")])
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
async fn discovery_has_three_places_and_one_is_off() {
    let bench = Bench::start().await;
    let platform = support::json(&bench.get("/api/v1/platform/oauth/.well-known/openid-configuration").await);
    assert_eq!(platform["issuer"], bench.emulator.base_url());
    assert_eq!(platform["jwks_uri"], bench.url("/api/v1/platform/.well-known/jwks.json"));
    assert_eq!(platform["authorization_response_iss_parameter_supported"], true);
    let tenant = "/api/v1/auth/tenants/umbra/.well-known/openid-configuration";
    let tenant = support::json(&bench.get(tenant).await);
    assert_eq!(tenant["issuer"], bench.emulator.issuer(Some(seed::UMBRA)));
    assert_eq!(bench.get("/api/v1/auth/tenants/none/.well-known/openid-configuration").await.status(), 404);
    assert_eq!(bench.get("/.well-known/openid-configuration").await.status(), 404);
    bench.emulator.switches().change(|b| *b = Behaviour { plain_discovery: true, ..b.clone() });
    assert_eq!(bench.get("/.well-known/openid-configuration").await.status(), 200);
    assert_eq!(bench.emulator.recorder().count(Endpoint::Discovery), 5);
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
                ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
                ("subject_token", token.as_str()),
                ("subject_token_type", "urn:ietf:params:oauth:token-type:access_token"),
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
    assert_eq!(answer["issued_token_type"], "urn:ietf:params:oauth:token-type:access_token");
    assert_eq!(answer["expires_in"], 3_000, "never past the subject");
    assert_eq!(answer["refresh_token"], Value::Null);
    let token = claims(&text(&answer["access_token"]));
    assert_eq!(token["aud"], "scaigrid-dev");
    assert_eq!(token["sub"], "usr_alice_acme");
    assert_eq!(token["scope"], "scaicore:view");
    assert_eq!(token["act"], json!({"sub": seed::CLIENT_ID}));
    let (_, again) = exchange(text(&answer["access_token"]), vec![]).await;
    let token = claims(&text(&again["access_token"]));
    assert_eq!(token["act"], json!({"sub": seed::CLIENT_ID, "act": {"sub": seed::CLIENT_ID}}));
    for (changes, error) in [
        (vec![("audience", "elsewhere")], "invalid_target"),
        (vec![("scope", "scaicore:view admin:write")], "invalid_scope"),
        (vec![("subject_token_type", "urn:ietf:params:oauth:token-type:id_token")], "invalid_request"),
        (vec![("subject_token", "made-up")], "invalid_request"),
        (vec![("actor_token", "made-up")], "invalid_request"),
        (vec![("requested_token_type", "urn:ietf:params:oauth:token-type:refresh_token")], "invalid_request"),
    ] {
        let (status, answer) = exchange(subject.clone(), changes.clone()).await;
        assert_eq!((status, text(&answer["error"])), (400, error.to_owned()), "{changes:?}");
    }
    let service = bench.service_token().await;
    assert_eq!(exchange(service, vec![]).await.0, 400, "a token of another client");
    bench.advance(3_600);
    assert_eq!(exchange(subject, vec![]).await.0, 400, "an expired subject");
}

#[tokio::test]
async fn password_grant_is_off_until_switched_on() {
    let bench = Bench::start().await;
    let fields = [("grant_type", "password"), ("username", "bob@acme.example"), ("password", seed::PASSWORD)];
    assert_eq!(bench.token(&fields).await.1["error"], "unsupported_grant_type");
    bench.emulator.switches().change(|b| b.password_grant = true);
    let (status, answer) = bench.token(&fields).await;
    assert_eq!(status, 200);
    assert_eq!(claims(&text(&answer["id_token"]))["email"], "bob@acme.example");
    let wrong = [("grant_type", "password"), ("username", "bob@acme.example"), ("password", "no")];
    assert_eq!(bench.token(&wrong).await.1["error"], "invalid_grant");
}
