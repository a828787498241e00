//! The troubleshooting guide's failures that a caller with a token meets: each is produced, named
//! with its fix, and gone when the fix is done.

use http::Request;
use scaigate_e2e::emulator::{Deviation, Rotation, TokenLie, seed};
use scaigate_e2e::{Answer, Setup, World};
use serde_json::{Value, json};

const ALICE: &str = "alice@acme.example";
const PUBLIC: &str = "https://gate.example";
const OVERRIDE: &str = "i-understand-anyone-can-sign-in";

fn production() -> Setup {
    Setup::default()
        .variable("public_url", PUBLIC)
        .variable("env", "prod")
        .variable("app_url", "https://app.example/done")
}

async fn me(world: &World, token: &str) -> Answer {
    world.client.get("/v1/me", Some(token)).await
}

fn details(answer: &Answer) -> Value {
    answer.json()["error"]["details"].clone()
}

#[track_caller]
fn assert_fix(answer: &Answer, words: &str) {
    let problem = answer.json();
    let fix = problem["error"]["fix"].as_str().expect("a fix");
    assert!(fix.contains(words), "{words:?} in {fix:?}");
}

/// Makes the tenant known, without a session.
async fn known_tenant(world: &World) {
    let person = "INSERT INTO tenant (tenant_id, created_at) VALUES (?1, 0)";
    // The schema is made by the first request.
    world
        .client
        .get("/v1/me", Some(&world.minted(json!({}))))
        .await;
    world.sql(person, &[seed::ACME]);
    world.advance(2);
}

#[tokio::test(flavor = "multi_thread")]
async fn s_04_an_audience_that_does_not_fit_is_named_with_both_and_gone_with_the_setting() {
    let world = World::with(Setup::default().variable("scaikey_audience", "another-api")).await;
    let token = world.minted(json!({}));
    for path in ["/v1/me", "/v1/auth/whoami", "/v1/workspace"] {
        let answer = world.client.get(path, Some(&token)).await;
        answer.assert_problem(401, "audience_mismatch");
        assert_eq!(
            answer.json()["detail"],
            "invalid token: Audience doesn't match"
        );
        let details = details(&answer);
        assert_eq!(details["expected"], json!(["another-api"]));
        assert_eq!(details["received"], json!([seed::CLIENT_ID]));
        assert_fix(&answer, "SCAIKEY_AUDIENCE unset");
    }
    // Shown before anybody tries.
    let config = world.client.get("/v1/auth/config", None).await.json();
    assert_eq!(config["audience"], "another-api");
    assert_ne!(config["audience"], config["client_id"]);
    // Unset, or the client id among others.
    for audience in ["", seed::CLIENT_ID, "another-api,scaigate-dev-client"] {
        let world = World::with(Setup::default().variable("scaikey_audience", audience)).await;
        world.sign_in(ALICE).await;
        let answer = me(&world, &world.minted(json!({}))).await;
        assert_eq!(answer.status, 200, "{audience}: {}", answer.text());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn s_14_every_401_of_an_access_token_says_which_and_a_new_sign_in_helps() {
    let world = World::start().await;
    let session = world.sign_in(ALICE).await;
    let now = world.clock.wall().as_secs();
    let lying = async |lie| {
        world.scaikey.switches().set(Deviation::AccessToken(lie));
        let tokens = world.tokens_of(ALICE).await;
        world.scaikey.switches().clear_all();
        tokens["access_token"].as_str().expect("a token").to_owned()
    };
    let staging = world.minted(json!({ "iss": "https://staging.example" }));
    let (forged, unknown) = (
        lying(TokenLie::BadSignature).await,
        lying(TokenLie::KidUnknown).await,
    );
    let late = world.minted(json!({ "iat": now - 4000, "exp": now - 400 }));
    let skewed = world.minted(json!({ "iat": now + 300, "exp": now + 4000 }));
    let ended = session["access_token"]
        .as_str()
        .expect("a token")
        .to_owned();
    let body = json!({ "refresh_token": session["refresh_token"] });
    world.client.post("/v1/auth/logout", &body).await;
    world.advance(2);
    for (token, code, reason, fix) in [
        (None, "authentication_required", "", "POST /v1/auth/token"),
        (Some(&late), "token_expired", "", "POST /v1/auth/refresh"),
        (
            Some(&staging),
            "token_invalid",
            "issued by another issuer",
            "another environment",
        ),
        (
            Some(&forged),
            "token_invalid",
            "the signature could not be verified: the signature does not match",
            "another environment",
        ),
        (
            Some(&unknown),
            "token_invalid",
            "the signature could not be verified: no key for this token",
            "another environment",
        ),
        (
            Some(&skewed),
            "token_invalid",
            "the access token is not valid yet",
            "details.reason",
        ),
        (Some(&ended), "token_revoked", "", "Sign in again"),
    ] {
        for path in ["/v1/me", "/v1/auth/whoami"] {
            let answer = world.client.get(path, token.map(String::as_str)).await;
            answer.assert_problem(401, code);
            let details = details(&answer);
            assert_eq!(
                details["reason"].as_str().unwrap_or_default(),
                reason,
                "{code}"
            );
            assert_fix(&answer, fix);
            if reason.contains("issuer") {
                assert_eq!(details["expected"], world.scaikey.base_url());
                assert_eq!(details["received"], "https://staging.example");
            }
        }
    }
    let again = world.sign_in(ALICE).await;
    let access = world.tokens_of(ALICE).await;
    for (token, credential) in [(&again, "session"), (&access, "access_token")] {
        let whoami = world
            .client
            .get("/v1/auth/whoami", token["access_token"].as_str())
            .await;
        let whoami = whoami.json();
        assert_eq!(
            (&whoami["sub"], &whoami["credential"]),
            (&json!("usr_alice_acme"), &json!(credential))
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn s_15_after_a_rotation_nobody_waits_and_nothing_is_restarted() {
    let world = World::start().await;
    world.sign_in(ALICE).await;
    assert_eq!(me(&world, &world.minted(json!({}))).await.status, 200);
    for rotation in [Rotation::KeepOld, Rotation::DropOld] {
        world.scaikey.rotate_keys(rotation).expect("new keys");
        let answer = me(
            &world,
            &world.minted(json!({ "jti": format!("{rotation:?}") })),
        )
        .await;
        assert_eq!(answer.status, 200, "{rotation:?}: {}", answer.text());
        // A second rotation within half a minute is the exception that N-072 asks for.
        world.advance(31);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn s_28_modes_without_proof_do_not_start_in_public() {
    for (mode, env, setting, fix) in [
        (
            "mock",
            "prod",
            "scaiwave_auth_mode",
            "Set scaiwave_auth_mode=scaikey.",
        ),
        (
            "hybrid",
            "prod",
            "scaiwave_auth_mode",
            "Set scaiwave_auth_mode=scaikey.",
        ),
        ("scaikey", "dev", "env", "Set env=prod."),
    ] {
        let wrong = || {
            production()
                .variable("scaiwave_auth_mode", mode)
                .variable("env", env)
        };
        for almost in ["", "true", "yes", "I-understand-anyone-can-sign-in"] {
            let world = World::with(wrong().variable("dangerous_allow_dev_auth", almost)).await;
            for path in [
                "/v1/me",
                "/v1/auth/whoami",
                "/v1/workspace",
                "/v1/me/workspaces",
            ] {
                let request = Request::get(path)
                    .header("x-dev-subject", "usr_dev")
                    .body(Default::default())
                    .expect("a request");
                for answer in [
                    world.client.get(path, Some("anything")).await,
                    world.client.send(request).await,
                ] {
                    refused(&answer, setting, fix);
                }
            }
            refused(
                &world.client.post("/v1/auth/register", &json!({})).await,
                setting,
                fix,
            );
            for path in ["/v1/auth/login", "/v1/auth/token", "/v1/auth/refresh"] {
                refused(&world.client.post(path, &json!({})).await, setting, fix);
            }
            // What needs no credential says why nobody can.
            let config = world.client.get("/v1/auth/config", None).await.json();
            assert_eq!(config["redirect_uri"], Value::Null);
            assert_eq!(config["configuration"]["code"], "configuration_invalid");
            let shown = config["configuration"]["faults"].to_string();
            assert!(shown.contains(&setting.to_uppercase()), "{shown}");
        }
        // Whoever insists is served,
        let world = World::with(wrong().variable("dangerous_allow_dev_auth", OVERRIDE)).await;
        let request = Request::get("/v1/me")
            .header("x-dev-subject", "usr_dev")
            .body(Default::default())
            .expect("a request");
        let answer = match mode {
            "scaikey" => world.client.send(request).await,
            _ => me(&world, "anything").await,
        };
        assert_eq!(answer.status, 200, "{mode} {env}: {}", answer.text());
        // and with the fix done nobody passes without proof.
        let world = World::with(production()).await;
        me(&world, "anything")
            .await
            .assert_problem(401, "token_invalid");
        world
            .client
            .get("/v1/me", None)
            .await
            .assert_problem(401, "authentication_required");
        assert_eq!(world.client.get("/v1/auth/config", None).await.status, 200);
    }
    // On a laptop they serve.
    for mode in ["mock", "hybrid"] {
        let world = World::with(Setup::default().variable("scaiwave_auth_mode", mode)).await;
        let answer = me(&world, "anything").await;
        assert_eq!(answer.status, 200, "{mode}: {}", answer.text());
        assert_eq!(answer.json()["credential"], "mock");
    }
}

#[track_caller]
fn refused(answer: &Answer, setting: &str, fix: &str) {
    answer.assert_problem(503, "configuration_invalid");
    let details = details(answer);
    let faults = details["faults"].as_array().expect("a list");
    let fault = faults
        .iter()
        .find(|fault| fault["setting"] == setting)
        .unwrap_or_else(|| panic!("{setting} in {details}"));
    let told = fault["fix"].as_str().expect("a fix");
    assert!(
        told.starts_with(fix) && told.contains("dangerous_allow_dev_auth"),
        "{told}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn s_28_in_hybrid_what_looks_like_a_token_is_checked_and_a_failure_is_final() {
    let world = World::with(Setup::default().variable("scaiwave_auth_mode", "hybrid")).await;
    let session = world.sign_in(ALICE).await;
    let session = session["access_token"].as_str().expect("a token");
    let access = world.minted(json!({}));
    for (token, status, credential) in [
        ("anything", 200, "mock"),
        ("two.parts", 200, "mock"),
        ("a.b.c.d", 200, "mock"),
        (session, 200, "session"),
        (&access, 200, "access_token"),
        ("a.b.c", 401, ""),
        (&access[..access.len() - 8], 401, ""),
        (&session[..session.len() - 8], 401, ""),
    ] {
        let answer = me(&world, token).await;
        assert_eq!(answer.status, status, "{}", answer.text());
        if status == 200 {
            assert_eq!(answer.json()["credential"], credential);
        } else {
            answer.assert_problem(401, "token_invalid");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn s_29_a_password_grant_is_refused_with_the_setting_and_works_once_it_is_set() {
    let grant = json!({ "grant_type": "password", "username": ALICE, "password": seed::PASSWORD });
    let behaviour = || Setup::default().behaviour(|b| b.password_grant = true);
    let world = World::with(behaviour()).await;
    let answer = world.client.post("/v1/auth/token", &grant).await;
    answer.assert_problem(400, "unsupported_grant_type");
    assert_fix(&answer, "`password_grant_enabled` to true");
    let world = World::with(behaviour().variable("password_grant_enabled", "true")).await;
    let answer = world.client.post("/v1/auth/token", &grant).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn s_31_a_service_token_without_subject_is_named_with_the_version_that_has_one() {
    let both = format!("{},{}", seed::CLIENT_ID, seed::SERVICE_CLIENT_ID);
    let world = World::with(Setup::default().variable("scaikey_audience", &both)).await;
    for sub in [None, Some("")] {
        let old = world.minted(json!({
            "sub": sub, "tenant_id": null, "aud": seed::SERVICE_CLIENT_ID,
            "client_id": seed::SERVICE_CLIENT_ID, "token_type": "client_credentials",
        }));
        for path in ["/v1/auth/whoami", "/v1/me"] {
            let answer = world.client.get(path, Some(&old)).await;
            answer.assert_problem(401, "service_token_without_subject");
            assert_fix(&answer, "2026-05-16");
            assert_fix(&answer, "sub = client_id");
        }
    }
    let new = world.service_token().await;
    let whoami = world.client.get("/v1/auth/whoami", Some(&new)).await;
    assert_eq!(whoami.status, 200, "{}", whoami.text());
    assert_eq!(whoami.json()["sub"], seed::SERVICE_CLIENT_ID);
}

#[tokio::test(flavor = "multi_thread")]
async fn s_33_dev_headers_in_production_are_ignored_and_logged() {
    let world = World::with(production()).await;
    known_tenant(&world).await;
    let token = world.minted(json!({}));
    let send = async |token: Option<&str>, path: &str, dev: bool| {
        let mut request = Request::get(path);
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        if dev {
            request = request
                .header("x-dev-subject", "usr_alice_acme")
                .header("x-dev-role", "super_admin")
                .header("x-dev-workspace-id", "ws_any");
        }
        world
            .client
            .send(request.body(Default::default()).expect("a request"))
            .await
    };
    let paths = [
        "/v1/me",
        "/v1/me/workspaces",
        "/v1/auth/whoami",
        "/v1/workspace",
    ];
    for path in paths {
        for dev in [true, false] {
            let answer = send(None, path, dev).await;
            answer.assert_problem(401, "authentication_required");
        }
        // With a token they change nothing.
        let (with, without) = (
            send(Some(&token), path, true).await,
            send(Some(&token), path, false).await,
        );
        assert_eq!(with.status, without.status, "{path}");
        if with.status == 200 {
            assert_eq!(with.json(), without.json(), "{path}");
        }
    }
    let me = send(Some(&token), "/v1/me", true).await.json();
    assert_eq!(
        (&me["sub"], &me["admin_role"]),
        (&json!("usr_bob_acme"), &Value::Null)
    );
    // Where the component that signs people in meets them, too.
    let request = Request::post("/v1/auth/logout")
        .header("x-dev-subject", "usr_alice_acme")
        .body(Default::default())
        .expect("a request");
    world
        .client
        .send(request)
        .await
        .assert_problem(401, "authentication_required");
    let lines: Vec<Value> = world
        .logs
        .lines()
        .iter()
        .filter_map(|line| serde_json::from_str(&line.line).ok())
        .collect();
    for path in paths.iter().chain(&["/v1/auth/logout"]) {
        let with: Vec<&Value> = lines
            .iter()
            .filter(|line| line["path"] == *path && line["dev_headers"] == true)
            .collect();
        assert!(!with.is_empty(), "{path} in {lines:#?}");
        for line in with {
            assert!(!line.to_string().contains("usr_alice_acme"), "{line}");
        }
    }
    assert!(
        lines
            .iter()
            .any(|line| line["path"] == "/v1/me" && line["dev_headers"] == false)
    );
    // Under `env=dev` they are somebody, and shown as nobody of ScaiKey's.
    let world = World::start().await;
    let request = Request::get("/v1/me")
        .header("x-dev-subject", "usr_dev")
        .body(Default::default())
        .expect("a request");
    let me = world.client.send(request).await.json();
    assert_eq!(
        (&me["sub"], &me["credential"]),
        (&json!("usr_dev"), &json!("dev_headers"))
    );
}
