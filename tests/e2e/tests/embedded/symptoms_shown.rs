//! The troubleshooting guide that runs: each documented failure is produced, named where it happens, told
//! by health and by `scaigate doctor` with one fix, and gone from both when that fix is done.

use http::{Method, Request};
use scaigate_e2e::emulator::{Deviation, DirectoryLie, Endpoint, Fault, Rotation, seed};
use scaigate_e2e::grid::seed::ACME_KEY;
use scaigate_e2e::{Answer, Setup, WEBHOOK_SECRET, World, set_scopes};
use serde_json::{Value, json};

const ALICE: &str = "alice@acme.example";
const BOB: &str = "bob@acme.example";

/// The token of a super admin whose session needs nothing of ScaiKey's.
async fn admin(world: &World) -> String {
    world
        .signed_in_as(ALICE, "admin", Some("super_admin"))
        .await
}

async fn me(world: &World, token: &str) -> Answer {
    world.client.get("/v1/me", Some(token)).await
}

#[track_caller]
fn fix_says(finding: &Value, words: &str) {
    let fix = finding["fix"].as_str().expect("a fix");
    assert!(fix.contains(words), "{words:?} in {finding}");
}

#[tokio::test(flavor = "multi_thread")]
async fn s_01_two_spellings_of_one_machine_are_shown_until_there_is_one() {
    let app = ("app_url", "http://localhost:5173/auth/done");
    let mut world = World::with(Setup::default().variable(app.0, app.1)).await;
    let found = world.diagnosed("origin_mismatch").await;
    assert_eq!(found["evidence"]["app_url"], "http://localhost:5173");
    fix_says(&found, "localhost and 127.0.0.1 are two");
    let host = world.url.replace("http://127.0.0.1", "localhost");
    world
        .crash(&[("app_url", "http://127.0.0.1:5173/auth/done")])
        .await;
    world.cured("origin_mismatch").await;
    // The address in the browser is the other one.
    let token = world.operator_token("admin:read");
    let request = Request::get("/v1/health/detailed")
        .header("host", &host)
        .header("authorization", format!("Bearer {token}"));
    let request = request.body(Default::default()).expect("a request");
    let report = world.client.send(request).await.json();
    let found = report["findings"].to_string();
    assert!(
        found.contains("origin_mismatch") && found.contains(&host),
        "{found}"
    );
    let outside = world
        .scaigate(
            &token,
            &["doctor", "--json", "--url", &format!("http://{host}")],
        )
        .await;
    assert!(outside.stdout.contains("origin_mismatch"), "{outside:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn s_02_what_is_missing_is_shown_until_it_is_set() {
    let mut world = World::start().await;
    let token = admin(&world).await;
    for (name, value) in [
        ("scaikey_base_url", world.scaikey.base_url()),
        ("scaiflow_scaikey_client_id", seed::CLIENT_ID.to_owned()),
        (
            "scaiflow_scaikey_client_secret",
            seed::CLIENT_SECRET.to_owned(),
        ),
    ] {
        world.crash(&[(name, "")]).await;
        let answer = world.client.post("/v1/auth/login", &json!({})).await;
        answer.assert_problem(503, "oidc_not_configured");
        let found = world.diagnosed_by(&token, "oidc_not_configured").await;
        assert_eq!(found["evidence"]["missing"], json!([name.to_uppercase()]));
        assert_eq!(found["severity"], "error");
        world.crash(&[(name, &value)]).await;
        let answer = world.client.post("/v1/auth/login", &json!({})).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        world.cured_by(&token, "oidc_not_configured").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn s_04_another_audience_is_shown_until_it_is_unset() {
    let mut world = World::with(Setup::default().variable("scaikey_audience", "another-api")).await;
    let token = admin(&world).await;
    me(&world, &world.minted(json!({})))
        .await
        .assert_problem(401, "audience_mismatch");
    let found = world.diagnosed_by(&token, "audience_mismatch").await;
    assert_eq!(found["evidence"]["issued"], seed::CLIENT_ID);
    fix_says(&found, "leave SCAIKEY_AUDIENCE unset");
    world.crash(&[("scaikey_audience", "")]).await;
    assert_eq!(me(&world, &world.minted(json!({}))).await.status, 200);
    world.cured_by(&token, "audience_mismatch").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn s_05_s_07_s_28_a_mode_without_proof_is_shown_until_it_is_off() {
    let mut world = World::with(Setup::default().variable("scaiwave_auth_mode", "hybrid")).await;
    let flow = json!({ "name": "n", "content": {} });
    let answer = world
        .call(Method::POST, "/v1/flows", "mock-dev-token", Some(&flow))
        .await;
    answer.assert_problem(403, "scaikey_login_required");
    let found = world.diagnosed("dev_auth_enabled").await;
    assert_eq!(found["severity"], "warning");
    fix_says(&found, "scaiwave_auth_mode=scaikey");
    world
        .crash(&[("scaiwave_auth_mode", "scaikey"), ("env", "prod")])
        .await;
    // Plain http on a loopback host is for development alone, and that is told, too.
    let ready = world.client.get("/v1/health/ready", None).await;
    ready.assert_problem(503, "configuration_invalid");
    assert!(ready.text().contains("is not https"), "{}", ready.text());
    world.crash(&[("public_url", "https://gate.example")]).await;
    world.cured("dev_auth_enabled").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn s_28_a_public_deployment_without_proof_is_refused_and_an_exception_is_an_error() {
    let setup = Setup::default()
        .variable("public_url", "https://gate.example")
        .variable("app_url", "https://app.example/done");
    let mut world = World::with(setup).await;
    let answer = world.client.get("/v1/health/ready", None).await;
    answer.assert_problem(503, "configuration_invalid");
    let outside = world.scaigate("", &["doctor", "--json"]).await;
    assert_eq!(outside.code, 1, "{outside:?}");
    let text = outside.json()["findings"].to_string();
    assert!(
        text.contains("\"setting_invalid\"") && text.contains("Set env=prod"),
        "{text}"
    );
    let lifted = "i-understand-anyone-can-sign-in";
    world.crash(&[("dangerous_allow_dev_auth", lifted)]).await;
    let found = world.diagnosed("dev_auth_enabled").await;
    assert_eq!(found["severity"], "error");
    fix_says(&found, "env=prod");
    world
        .crash(&[("env", "prod"), ("dangerous_allow_dev_auth", "")])
        .await;
    world.cured("dev_auth_enabled").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn s_06_a_tenant_without_a_key_is_shown_until_it_has_one() {
    let setup = Setup::default().variable("scaiflow_deploy_auth", "api_key");
    let world = World::with(setup.scaigrid()).await;
    let token = admin(&world).await;
    let answer = world.client.get("/v1/scaigrid/models", Some(&token)).await;
    answer.assert_problem(412, "missing_credentials");
    let found = world.diagnosed_by(&token, "missing_credentials").await;
    fix_says(&found, "POST /v1/tenants/me/scaigrid_credentials");
    let report = world.health_by(&token).await;
    assert!(report.to_string().contains(seed::ACME), "{report:#}");
    world.set_key(&token, ACME_KEY).await;
    let answer = world.client.get("/v1/scaigrid/models", Some(&token)).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    world.cured_by(&token, "missing_credentials").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn s_08_a_member_walk_is_shown_until_the_scope_is_there() {
    let world = World::start().await;
    set_scopes(&mut world.scaikey.directory(), "openid groups:read");
    assert_eq!(world.sync().await["users_method"], "member_walk");
    let found = world.diagnosed("member_walk").await;
    fix_says(&found, "scaigate scaikey-register");
    let scopes = "openid admin:read admin:write groups:read";
    set_scopes(&mut world.scaikey.directory(), scopes);
    world.advance(5);
    assert_eq!(world.sync().await["users_method"], "effective_users");
    world.cured("member_walk").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn s_09_why_there_are_no_groups_is_shown_until_there_are() {
    let world = World::start().await;
    let lie = Deviation::Directory(DirectoryLie::GroupsForbidden);
    world.scaikey.switches().set(lie);
    assert_eq!(world.sync().await["groups_seen"], 0);
    fix_says(
        &world.diagnosed("groups_scope_missing").await,
        "groups:read",
    );
    world.scaikey.switches().clear_all();
    world.advance(5);
    assert_eq!(world.sync().await["groups_seen"], 6);
    world.cured("groups_scope_missing").await;
    // A sync that failed is told by its code.
    world.scaikey.switches().fail_always(
        Endpoint::EffectiveUsers,
        Fault::Status {
            code: 500,
            retry_after: None,
        },
    );
    world.advance(5);
    world
        .try_sync(false)
        .await
        .assert_problem(502, "scaikey_unavailable");
    world.diagnosed("scaikey_unavailable").await;
    world.scaikey.switches().heal(Endpoint::EffectiveUsers);
    world.advance(5);
    world.sync().await;
    world.cured("scaikey_unavailable").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn s_10_no_super_admin_is_shown_until_the_printed_command_has_run() {
    let world = World::start().await;
    world.diagnosed("never_synced").await;
    world.sync().await;
    world.cured("never_synced").await;
    let found = world.diagnosed("no_super_admin").await;
    fix_says(&found, "scaigate admin grant <email> --role super_admin");
    let operator = world.operator_token("admin:write");
    let command = ["admin", "grant", ALICE, "--role", "super_admin"];
    let granted = world.scaigate(&operator, &command).await;
    assert_eq!(granted.code, 0, "{granted:?}");
    world.cured("no_super_admin").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn s_11_webhooks_that_do_not_hold_are_shown_until_one_does() {
    let setting = "scaiflow_scaikey_webhook_secret";
    let mut world = World::with(Setup::default().variable(setting, "")).await;
    world.sync().await;
    let found = world.diagnosed("webhook_not_configured").await;
    fix_says(&found, "SCAIFLOW_SCAIKEY_WEBHOOK_SECRET");
    world
        .crash(&[(setting, "a-secret-that-is-another-1")])
        .await;
    world.cured("webhook_not_configured").await;
    let found = world.diagnosed("webhook_never_received").await;
    let url = format!("{}{}", world.url, World::WEBHOOK);
    assert_eq!(found["evidence"]["url"], url);
    let event = world.scaikey.changes().suspend_user("usr_bob_acme");
    let event = event.expect("a change");
    world
        .event(&event)
        .await
        .assert_problem(400, "webhook_signature_mismatch");
    world.advance(11);
    let found = world.diagnosed("webhook_signature_mismatch").await;
    assert_eq!(found["evidence"]["count"], 1, "{found}");
    assert!(found["evidence"]["last_refused_at"].is_string(), "{found}");
    world.crash(&[(setting, WEBHOOK_SECRET)]).await;
    assert_eq!(world.event(&event).await.status, 200);
    world.cured("webhook_signature_mismatch").await;
    world.cured("webhook_never_received").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn s_14_a_clock_that_is_wrong_is_shown_until_it_is_right() {
    let world = World::start().await;
    let token = admin(&world).await;
    let skew = |seconds| {
        let switches = world.scaikey.switches();
        switches.change(|behaviour| behaviour.date_skew_seconds = seconds);
    };
    skew(-120);
    let now = world.clock.wall().as_secs();
    let early = world.minted(json!({ "iat": now + 120, "nbf": now + 120, "exp": now + 3600 }));
    me(&world, &early)
        .await
        .assert_problem(401, "token_invalid");
    let found = world.diagnosed_by(&token, "clock_skew").await;
    assert_eq!(found["severity"], "error");
    let seconds = found["evidence"]["seconds_ahead"]
        .as_i64()
        .expect("a number");
    assert!((-122..=-118).contains(&seconds), "{found}");
    fix_says(&found, "NTP");
    skew(0);
    assert_eq!(me(&world, &world.minted(json!({}))).await.status, 200);
    world.cured_by(&token, "clock_skew").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn s_15_a_rotation_is_no_finding_and_keys_that_can_not_be_read_are() {
    let world = World::start().await;
    let token = admin(&world).await;
    world
        .scaikey
        .rotate_keys(Rotation::DropOld)
        .expect("new keys");
    assert_eq!(me(&world, &world.minted(json!({}))).await.status, 200);
    world.cured_by(&token, "jwks_unavailable").await;
    world.scaikey.switches().fail_always(
        Endpoint::Jwks,
        Fault::Status {
            code: 500,
            retry_after: None,
        },
    );
    world.advance(11);
    world.diagnosed_by(&token, "jwks_unavailable").await;
    world.scaikey.switches().heal(Endpoint::Jwks);
    world.cured_by(&token, "jwks_unavailable").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn s_21_a_slow_dependency_is_shown_with_its_latency() {
    let world = World::start().await;
    let token = admin(&world).await;
    let slow = Fault::SlowHeaders { ms: 1_200 };
    world.scaikey.switches().fail_always(Endpoint::Jwks, slow);
    let answer = world.detailed(&token).await;
    let timing = answer.header("server-timing");
    assert!(timing.contains("scaikey_keys;dur=1"), "{timing}");
    let found = world.diagnosed_by(&token, "dependency_slow").await;
    assert_eq!(found["evidence"]["dependency"], "scaikey_keys");
    assert!(
        found["evidence"]["latency_ms"].as_u64() >= Some(1_000),
        "{found}"
    );
    world.scaikey.switches().heal(Endpoint::Jwks);
    world.cured_by(&token, "dependency_slow").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn s_22_limits_that_are_off_are_shown_until_they_are_on() {
    let mut world = World::start().await;
    let token = world.operator_token("admin:read");
    assert_eq!(world.detailed(&token).await.header("x-ratelimit-limit"), "");
    fix_says(&world.diagnosed("rate_limits_off").await, "rate_limits");
    world.crash(&[("rate_limits", "")]).await;
    assert_eq!(
        world.detailed(&token).await.header("x-ratelimit-limit"),
        "300"
    );
    world.cured("rate_limits_off").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn s_23_ready_and_a_real_request_that_fails_are_told_apart() {
    let setup = Setup::default().variable("scaiflow_deploy_auth", "api_key");
    let world = World::with(setup.scaigrid()).await;
    let token = admin(&world).await;
    world.set_key(&token, ACME_KEY).await;
    assert_eq!(
        world
            .client
            .get("/v1/scaigrid/models", Some(&token))
            .await
            .status,
        200
    );
    let keys = std::mem::take(&mut world.grid().grid().keys);
    let ready = world.client.get("/v1/health/ready", None).await;
    assert_eq!(ready.status, 200, "{}", ready.text());
    let answer = world.client.get("/v1/scaigrid/models", Some(&token)).await;
    let code = answer.code();
    assert!(code.starts_with("scaigrid_"), "{}", answer.text());
    let found = world.diagnosed_by(&token, &code).await;
    assert_eq!(found["check"], "request_scaigrid");
    assert!(found["evidence"]["request_id"].is_string(), "{found}");
    world.grid().grid().keys = keys;
    world.cured_by(&token, &code).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn s_25_a_database_of_a_newer_version_is_shown_until_that_version_serves_it() {
    let world = World::start().await;
    let token = admin(&world).await;
    let version = world.sql_text("SELECT CAST(version AS TEXT) FROM schema_version", &[]);
    world.sql("UPDATE schema_version SET version = 99", &[]);
    world.host().kill_instances();
    let ready = world.client.get("/v1/health/ready", None).await;
    ready.assert_problem(503, "schema_newer");
    let found = world.diagnosed_by(&token, "schema_newer").await;
    fix_says(&found, "Deploy that version or a later one");
    let version = version.expect("a version");
    world.sql(
        "UPDATE schema_version SET version = CAST(?1 AS INTEGER)",
        &[&version],
    );
    world.host().kill_instances();
    let ready = world.client.get("/v1/health/ready", None).await;
    assert_eq!(ready.status, 200, "{}", ready.text());
    world.cured_by(&token, "schema_newer").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn s_26_a_bootstrap_that_waits_is_shown_until_the_printed_command_has_run() {
    let mut world = World::start().await;
    world.sync().await;
    let setting = format!("user:{BOB}");
    world.crash(&[("bootstrap_super_admin", &setting)]).await;
    let found = world.diagnosed("bootstrap_super_admin_waits").await;
    assert_eq!(found["evidence"]["reason"], "the next sync or sign-in");
    fix_says(&found, "scaigate sync");
    let operator = world.operator_token("admin:read");
    world.advance(5);
    let synced = world.scaigate(&operator, &["sync"]).await;
    assert_eq!(synced.code, 0, "{synced:?}");
    world.cured("bootstrap_super_admin_waits").await;
    world.cured("no_super_admin").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn s_27_a_bundle_holds_the_report_and_no_secret() {
    let world = World::with(Setup::default().scaigrid()).await;
    let token = admin(&world).await;
    world.set_key(&token, ACME_KEY).await;
    let refused = me(&world, "garbage").await;
    let request_id = refused.header("x-request-id").to_owned();
    let port = world.url.rsplit(':').next().expect("a port");
    let path = std::env::temp_dir().join(format!(
        "scaigate-bundle-{}-{port}.json",
        std::process::id()
    ));
    let name = path.to_str().expect("a name");
    let line = ["doctor", "--bundle", name, "--request-id", &request_id];
    let ran = world.scaigate(&token, &line).await;
    let text = std::fs::read_to_string(&path).unwrap_or_else(|_| panic!("{ran:?}"));
    std::fs::remove_file(&path).expect("the bundle");
    world.canaries.check("the bundle", &text);
    let bundle: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(bundle["request_id"], request_id);
    assert!(
        bundle["report"]["checks"]
            .as_array()
            .is_some_and(|checks| checks.len() > 10)
    );
    assert_eq!(bundle["settings"]["SCAIGATE_TOKEN"], "set");
    assert!(
        text.contains("no_super_admin") || text.contains("never_synced"),
        "{text}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn s_29_a_password_grant_that_is_off_is_shown_until_it_is_on() {
    let mut world = World::start().await;
    let body = json!({ "grant_type": "password", "username": BOB, "password": seed::PASSWORD });
    let answer = world.client.post("/v1/auth/token", &body).await;
    answer.assert_problem(400, "unsupported_grant_type");
    let found = world.diagnosed("password_grant_off").await;
    assert_eq!(found["severity"], "info");
    fix_says(&found, "password_grant_enabled");
    world.scaikey.switches().change(|b| b.password_grant = true);
    world.crash(&[("password_grant_enabled", "true")]).await;
    let answer = world.client.post("/v1/auth/token", &body).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    world.cured("password_grant_off").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn s_31_a_service_token_without_subject_is_told_by_the_doctor_that_uses_it() {
    let world = World::start().await;
    let now = world.clock.wall().as_secs();
    let claims = |subject: Value| {
        world.minted(json!({
            "sub": subject, "client_id": seed::CLIENT_ID, "token_type": "client_credentials",
            "tenant_id": null, "platform_token": true, "app_scope": "GLOBAL",
            "scope": "admin:read", "iat": now, "exp": now + 3600,
        }))
    };
    let bare = claims(Value::Null);
    world
        .detailed(&bare)
        .await
        .assert_problem(401, "service_token_without_subject");
    let ran = world.scaigate(&bare, &["doctor", "--json"]).await;
    assert_eq!(ran.code, 1, "{ran:?}");
    let found = ran.json()["findings"][0].clone();
    assert_eq!(found["code"], "service_token_without_subject");
    fix_says(&found, "since 2026-05-16");
    // A token of a ScaiKey that sets it.
    world
        .cured_by(
            &claims(seed::CLIENT_ID.into()),
            "service_token_without_subject",
        )
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn s_32_a_callback_that_is_not_registered_is_shown_until_it_is() {
    let world = World::start().await;
    let redirect_uri = format!("{}/v1/auth/callback", world.url);
    let change = |registered: bool| {
        let mut directory = world.scaikey.directory();
        let ours = directory.client_mut(seed::CLIENT_ID).expect("our client");
        ours.redirect_uris.retain(|uri| *uri != redirect_uri);
        if registered {
            ours.redirect_uris.push(redirect_uri.clone());
        }
    };
    change(false);
    let login = world.client.post("/v1/auth/login", &json!({})).await.json();
    let url = login["authorize_url"].as_str().expect("a URL");
    assert!(world.scaikey.sign_in(url, ALICE).await.is_err());
    let found = world.diagnosed("redirect_uri_mismatch").await;
    assert_eq!(found["evidence"]["redirect_uri"], redirect_uri);
    fix_says(&found, &redirect_uri);
    change(true);
    world.cured("redirect_uri_mismatch").await;
    world.sign_in(ALICE).await;
    // A client id that ScaiKey does not know is another thing.
    let mut world = world;
    let token = admin(&world).await;
    world
        .crash(&[("scaiflow_scaikey_client_id", "app_of_somebody_else")])
        .await;
    fix_says(
        &world.diagnosed_by(&token, "client_unknown").await,
        "SCAIFLOW_SCAIKEY_CLIENT_ID",
    );
    world
        .crash(&[("scaiflow_scaikey_client_id", seed::CLIENT_ID)])
        .await;
    world.cured_by(&token, "client_unknown").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn s_33_dev_headers_in_production_are_counted_and_shown() {
    let setup = Setup::default()
        .variable("public_url", "https://gate.example")
        .variable("env", "prod")
        .variable("app_url", "https://app.example/done");
    let world = World::with(setup).await;
    world.cured("dev_headers_ignored").await;
    for _ in 0..3 {
        let request = Request::get("/v1/me")
            .header("x-dev-subject", "usr_alice_acme")
            .body(Default::default());
        let answer = world.client.send(request.expect("a request")).await;
        answer.assert_problem(401, "authentication_required");
        world.advance(2);
    }
    world.advance(11);
    let found = world.diagnosed("dev_headers_ignored").await;
    assert_eq!(found["evidence"]["count"], 3, "{found}");
    assert!(found["evidence"]["last_at"].is_string(), "{found}");
    fix_says(&found, "POST /v1/auth/login");
}
