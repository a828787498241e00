//! Authorization, code, refresh, and what ends them.

mod support;

use scaikey_emulator::{Behaviour, Endpoint, PlatformIssuer, SigningAlg, seed};
use serde_json::json;
use support::{Bench, REDIRECT, START, VERIFIER, claims, header, location, param, text};

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
        assert_eq!(
            access["scope"],
            "openid profile email offline_access scaicore:view"
        );
        bench.emulator.stop().await;
    }
}

#[tokio::test]
async fn tenant_flow_carries_the_tenant_issuer_and_admits_its_own_people_only() {
    let bench = Bench::start().await;
    let path = |email: &str| {
        let platform =
            bench.authorize_path(&[("client_id", seed::TENANT_CLIENT_ID), ("login_hint", email)]);
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
    assert_eq!(
        claims(&bench.service_token().await)["iss"],
        bench.emulator.base_url()
    );
}

#[tokio::test]
async fn login_page_signs_in_with_the_right_password_only() {
    let bench = Bench::with(|b| b.auto_login = false).await;
    let authorize = bench.url(&bench.authorize_path(&[]));
    let to = bench
        .emulator
        .sign_in(&authorize, "bob@acme.example")
        .await
        .unwrap();
    assert!(to.contains("code=code_"), "{to}");
    if let Some(user) = bench.emulator.directory().user_mut("usr_bob_acme") {
        user.status = "SUSPENDED".to_owned();
    }
    assert!(
        bench
            .emulator
            .sign_in(&authorize, "bob@acme.example")
            .await
            .is_err()
    );
    let page =
        String::from_utf8(bench.get(&bench.authorize_path(&[])).await.body().to_vec()).unwrap();
    let flow = page
        .split("name=\"flow\" value=\"")
        .nth(1)
        .and_then(|s| s.split('"').next())
        .unwrap();
    let wrong = [
        ("flow", flow),
        ("email", "carol@acme.example"),
        ("password", "wrong"),
    ];
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
    let cookie = signed_in.headers()["set-cookie"]
        .to_str()
        .unwrap()
        .split(';')
        .next()
        .unwrap()
        .to_owned();
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
        (
            &[("response_type", "token")][..],
            "unsupported_response_type",
        ),
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
            &[
                ("client_id", seed::SPA_CLIENT_ID),
                ("code_challenge", ""),
                ("code_challenge_method", ""),
            ],
            "invalid_request",
        ),
    ] {
        let callback = bench.callback(changes).await;
        assert_eq!(
            param(&callback, "error").as_deref(),
            Some(error),
            "{changes:?}"
        );
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
    assert_eq!(
        second,
        json!({"error": "invalid_grant", "error_description": "code already used"})
    );
    assert!(!bench.emulator.is_live(&text(&first["access_token"])));
    assert_eq!(bench.refresh(&text(&first["refresh_token"])).await.0, 400);
}

#[tokio::test]
async fn code_is_bound_to_what_it_was_made_for() {
    let bench = Bench::start().await;
    for (case, name, value) in [
        (
            "other verifier",
            "code_verifier",
            "another-verifier-of-at-least-forty-three-chars-0",
        ),
        ("short verifier", "code_verifier", "short"),
        ("other address", "redirect_uri", "http://127.0.0.1:9/other"),
        ("other client", "client_id", seed::SERVICE_CLIENT_ID),
        ("unknown code", "code", "code_made_up"),
    ] {
        let code = bench.code().await;
        let secret = if case == "other client" {
            seed::SERVICE_CLIENT_SECRET
        } else {
            seed::CLIENT_SECRET
        };
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
async fn discovery_has_three_places_and_one_is_off() {
    let bench = Bench::start().await;
    let platform = support::json(
        &bench
            .get("/api/v1/platform/oauth/.well-known/openid-configuration")
            .await,
    );
    assert_eq!(platform["issuer"], bench.emulator.base_url());
    assert_eq!(
        platform["jwks_uri"],
        bench.url("/api/v1/platform/.well-known/jwks.json")
    );
    assert_eq!(
        platform["authorization_response_iss_parameter_supported"],
        true
    );
    let tenant = "/api/v1/auth/tenants/umbra/.well-known/openid-configuration";
    let tenant = support::json(&bench.get(tenant).await);
    assert_eq!(tenant["issuer"], bench.emulator.issuer(Some(seed::UMBRA)));
    assert_eq!(
        bench
            .get("/api/v1/auth/tenants/none/.well-known/openid-configuration")
            .await
            .status(),
        404
    );
    assert_eq!(
        bench
            .get("/.well-known/openid-configuration")
            .await
            .status(),
        404
    );
    bench.emulator.switches().change(|b| {
        *b = Behaviour {
            plain_discovery: true,
            ..b.clone()
        }
    });
    assert_eq!(
        bench
            .get("/.well-known/openid-configuration")
            .await
            .status(),
        200
    );
    assert_eq!(bench.emulator.recorder().count(Endpoint::Discovery), 5);
}
