//! Section 5.3 of the negative cases: the token endpoint and refresh.

use scaigate_e2e::emulator::{
    Deviation, DiscoveryLie, Endpoint, Fault, Rotation, TokenAnswerLie, TokenLie,
};
use scaigate_e2e::{Answer, Effect, Setup, Target, When, World, together};
use serde_json::{Value, json};

/// The verifier of the app that brings codes.
pub const VERIFIER: &str = "a-verifier-of-the-app-that-is-long-enough-000";

const ALICE: &str = "alice@acme.example";

/// Exchanges a code as ScaiFlow's canvas does.
pub async fn exchange(world: &World, code: &str) -> Answer {
    let body = json!({
        "code": code,
        "code_verifier": VERIFIER,
        "redirect_uri": World::APP_REDIRECT_URI,
    });
    world.client.post("/v1/auth/exchange", &body).await
}

/// Signs in up to ScaiKey's own tokens.
pub async fn scaikey_tokens(world: &World, email: &str) -> Value {
    let code = world.app_code(email, Some(VERIFIER)).await;
    let answer = exchange(world, &code).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

/// Refreshes with any refresh token.
pub async fn refresh(world: &World, token: &Value) -> Answer {
    world
        .client
        .post("/v1/auth/refresh", &json!({ "refresh_token": token }))
        .await
}

/// Finishes a sign-in up to the redirect to the app: `error`, empty when it worked.
pub async fn callback(world: &World) -> String {
    let browser = world.browser();
    let back = world.authorize(&browser, &json!({}), ALICE).await;
    let answer = browser.get(&back).await;
    assert_eq!(answer.status, 303, "{}", answer.text());
    let (error, code) = (
        answer.location_parameter("error"),
        answer.location_parameter("session_code"),
    );
    assert_ne!(
        error.is_empty(),
        code.is_empty(),
        "one or the other: {}",
        answer.location()
    );
    assert_eq!(
        error.is_empty(),
        answer.location_parameter("error_description").is_empty()
    );
    error
}

/// Tells `lie` through both doors: in the redirect's `error`, and in the exchange's answer.
async fn tell(world: &World, lie: TokenAnswerLie) -> (String, Answer) {
    world.scaikey.switches().set(Deviation::TokenAnswer(lie));
    let error = callback(world).await;
    let code = world.app_code(ALICE, Some(VERIFIER)).await;
    let answer = exchange(world, &code).await;
    world.scaikey.switches().clear(Deviation::TokenAnswer(lie));
    (error, answer)
}

/// A lie that must be refused at both doors, with nothing left behind.
async fn refused(world: &World, lie: TokenAnswerLie, status: u16, code: &str) {
    let before = world.sessions();
    let (error, answer) = tell(world, lie).await;
    assert_eq!(error, code, "{lie:?}");
    answer.assert_problem(status, code);
    assert_eq!(world.sessions(), before, "{lie:?} made a session");
    world.sign_in(ALICE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn n_041_token_types_other_than_bearer_are_refused_whatever_the_case_of_bearer() {
    let world = World::start().await;
    for lie in [
        TokenAnswerLie::TokenTypeMac,
        TokenAnswerLie::TokenTypeDpop,
        TokenAnswerLie::TokenTypeMissing,
    ] {
        refused(&world, lie, 502, "scaikey_invalid_response").await;
    }
    for lie in [
        TokenAnswerLie::TokenTypeLowercaseValid,
        TokenAnswerLie::TokenTypeUppercaseValid,
    ] {
        let (error, answer) = tell(&world, lie).await;
        assert_eq!(
            (error.as_str(), answer.status.as_u16()),
            ("", 200),
            "{lie:?}"
        );
        assert_eq!(answer.json()["token_type"], "Bearer");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn n_042_without_expires_in_an_hour_is_stated() {
    let world = World::start().await;
    let (error, answer) = tell(&world, TokenAnswerLie::NoExpiresInValid).await;
    assert_eq!(error, "");
    assert_eq!(answer.json()["expires_in"], 3600, "{}", answer.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn n_043_strange_lifetimes_saturate_or_are_refused() {
    let world = World::start().await;
    for (lie, seconds) in [
        (TokenAnswerLie::ExpiresInZero, 0),
        (TokenAnswerLie::ExpiresInFloat, 3599),
        (TokenAnswerLie::ExpiresInHuge, 30 * 86_400),
        (TokenAnswerLie::ExpiresInMax, 30 * 86_400),
    ] {
        let (error, answer) = tell(&world, lie).await;
        assert_eq!(error, "", "{lie:?}");
        assert_eq!(answer.json()["expires_in"], seconds, "{lie:?}");
    }
    for lie in [
        TokenAnswerLie::ExpiresInNegative,
        TokenAnswerLie::ExpiresInString,
    ] {
        refused(&world, lie, 502, "scaikey_invalid_response").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn n_045_redirects_and_foreign_content_types_of_the_token_endpoint_are_not_followed() {
    let world = World::start().await;
    // An address that the grant for outbound calls would let pass.
    let to = format!(
        "{}/api/v1/platform/oauth/userinfo",
        world.scaikey.base_url()
    );
    for fault in [
        Fault::Redirect { to: to.clone() },
        Fault::RedirectKeepingMethod { to },
        Fault::WrongContentType,
    ] {
        world
            .scaikey
            .switches()
            .fail_always(Endpoint::Token, fault.clone());
        assert_eq!(
            callback(&world).await,
            "scaikey_invalid_response",
            "{fault:?}"
        );
        let code = world.app_code(ALICE, Some(VERIFIER)).await;
        exchange(&world, &code)
            .await
            .assert_problem(502, "scaikey_invalid_response");
        world.scaikey.switches().heal(Endpoint::Token);
        assert_eq!(
            world.scaikey.recorder().count(Endpoint::Userinfo),
            0,
            "{fault:?} was followed"
        );
    }
    world.sign_in(ALICE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn n_045_scaikey_without_tls_is_a_setting_that_is_refused() {
    let setup = Setup::default()
        .variable("env", "prod")
        .variable("public_url", "https://gate.example")
        .variable("scaikey_base_url", "http://scaikey.example");
    let world = World::with(setup).await;
    let answer = world.client.post("/v1/auth/login", &json!({})).await;
    answer.assert_problem(503, "configuration_invalid");
    let faults = &answer.json()["error"]["details"]["faults"];
    assert_eq!(faults[0]["setting"], "scaikey_base_url", "{faults}");
}

#[tokio::test(flavor = "multi_thread")]
async fn n_046_an_answer_without_id_token_signs_nobody_in() {
    let world = World::start().await;
    refused(&world, TokenAnswerLie::NoIdToken, 502, "id_token_invalid").await;
    refused(
        &world,
        TokenAnswerLie::EmptyIdToken,
        502,
        "scaikey_invalid_response",
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn token_answers_that_are_no_token_answers_are_refused() {
    let world = World::start().await;
    for (lie, status, code) in [
        (
            TokenAnswerLie::NoAccessToken,
            502,
            "scaikey_invalid_response",
        ),
        (
            TokenAnswerLie::EmptyRefreshToken,
            502,
            "scaikey_invalid_response",
        ),
        (
            TokenAnswerLie::TopLevelArray,
            502,
            "scaikey_invalid_response",
        ),
        (TokenAnswerLie::Huge, 502, "scaikey_invalid_response"),
        (
            TokenAnswerLie::ErrorWith200,
            502,
            "scaikey_invalid_response",
        ),
        (TokenAnswerLie::InvalidGrant, 400, "invalid_grant"),
        (TokenAnswerLie::InvalidClient, 502, "client_refused"),
    ] {
        refused(&world, lie, status, code).await;
    }
    for lie in [
        TokenAnswerLie::NoRefreshToken,
        TokenAnswerLie::ScopeNarrower,
        TokenAnswerLie::ScopeMissing,
        TokenAnswerLie::IssuedTokenTypeOther,
    ] {
        let (error, answer) = tell(&world, lie).await;
        assert_eq!(
            (error.as_str(), answer.status.as_u16()),
            ("", 200),
            "{lie:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn n_047_parallel_refreshes_of_a_session_are_one_rotation_and_no_call_to_scaikey() {
    let world = World::start().await;
    let session = world.sign_in(ALICE).await;
    let calls = world.scaikey.recorder().total();
    let token = session["refresh_token"].clone();
    let answers = together(24, |_| {
        let (client, body) = (world.client.clone(), json!({ "refresh_token": token }));
        async move { client.post("/v1/auth/refresh", &body).await }
    })
    .await;
    for answer in &answers {
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!(
            answer.json()["refresh_token"],
            answers[0].json()["refresh_token"]
        );
    }
    assert_eq!(world.scaikey.recorder().total(), calls);
    assert_eq!(
        refresh(&world, &answers[0].json()["refresh_token"])
            .await
            .status,
        200
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn n_048_a_refused_refresh_is_over_and_a_failed_one_is_not() {
    let world = World::start().await;
    let scaikey = &world.scaikey;
    let tokens = scaikey_tokens(&world, ALICE).await;
    // The network fails: the token is kept, and good for the next try at once.
    for fault in [
        Fault::Reset,
        Fault::Status {
            code: 503,
            retry_after: None,
        },
    ] {
        scaikey.switches().fail_next(Endpoint::Token, fault, 1);
        let failed = refresh(&world, &tokens["refresh_token"]).await;
        assert!(failed.status.is_server_error(), "{}", failed.text());
        assert!(failed.code().starts_with("scaikey_"), "{}", failed.text());
        world.advance(3);
    }
    let again = refresh(&world, &tokens["refresh_token"]).await;
    assert_eq!(again.status, 200, "{}", again.text());
    // ScaiKey says no: over, and said so to whoever asks.
    scaikey.revoke_user("usr_alice_acme");
    world.advance(31);
    let calls = scaikey.recorder().count_grant("refresh_token");
    let next = again.json()["refresh_token"].clone();
    for _ in 0..3 {
        let refused = refresh(&world, &next).await;
        refused.assert_problem(400, "invalid_grant");
        assert!(
            !refused.json()["error_description"].is_null(),
            "{}",
            refused.text()
        );
    }
    assert_eq!(scaikey.recorder().count_grant("refresh_token"), calls + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn n_049_a_refreshed_id_token_of_another_issuer_or_person_is_refused() {
    for lie in [
        TokenLie::WrongIss,
        TokenLie::IssTrailingSlash,
        TokenLie::MissingIss,
        TokenLie::WrongSub,
        TokenLie::MissingSub,
    ] {
        refreshed_token_refused(lie, "id_token_invalid").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn n_050_a_refreshed_id_token_of_another_audience_time_or_nonce_is_refused() {
    refreshed_token_refused(TokenLie::WrongAud, "audience_mismatch").await;
    for lie in [
        TokenLie::IatFuture,
        TokenLie::AuthTimeChanged,
        TokenLie::NonceWrong,
    ] {
        refreshed_token_refused(lie, "id_token_invalid").await;
    }
}

/// Refreshes with `lie` told in the ID token: refused with `code`, and nothing handed out, to later
/// callers neither.
async fn refreshed_token_refused(lie: TokenLie, code: &str) {
    let world = World::start().await;
    let tokens = scaikey_tokens(&world, ALICE).await;
    world
        .scaikey
        .switches()
        .set(Deviation::RefreshedIdToken(lie));
    for _ in 0..2 {
        let answer = refresh(&world, &tokens["refresh_token"]).await;
        assert_eq!(answer.code(), code, "{lie:?}: {}", answer.text());
        assert!(answer.json()["access_token"].is_null());
    }
    assert_eq!(
        world.scaikey.recorder().count_grant("refresh_token"),
        1,
        "{lie:?}"
    );
    world.scaikey.switches().clear_all();
    world.sign_in(ALICE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn n_049_a_refresh_without_id_token_keeps_the_binding_to_the_person() {
    let world = World::start().await;
    let tokens = scaikey_tokens(&world, ALICE).await;
    world
        .scaikey
        .switches()
        .change(|b| b.refresh_id_token = false);
    let once = refresh(&world, &tokens["refresh_token"]).await;
    assert_eq!(once.status, 200, "{}", once.text());
    assert!(once.json()["id_token"].is_null());
    // The binding to the person goes over to the successor, whoever told it.
    world
        .scaikey
        .switches()
        .change(|b| b.refresh_id_token = true);
    world
        .scaikey
        .switches()
        .set(Deviation::RefreshedIdToken(TokenLie::WrongSub));
    refresh(&world, &once.json()["refresh_token"])
        .await
        .assert_problem(502, "id_token_invalid");
}

#[tokio::test(flavor = "multi_thread")]
async fn n_051_late_callers_with_a_replaced_token_adopt_the_winners_result() {
    let world = World::start().await;
    let session = world.sign_in(ALICE).await;
    let first = refresh(&world, &session["refresh_token"]).await.json();
    world.advance(5);
    let late = refresh(&world, &session["refresh_token"]).await;
    assert_eq!(
        late.json()["refresh_token"],
        first["refresh_token"],
        "{}",
        late.text()
    );
    // ScaiKey's own, likewise, and without asking ScaiKey: it would take that for theft.
    let tokens = scaikey_tokens(&world, ALICE).await;
    let first = refresh(&world, &tokens["refresh_token"]).await.json();
    world.advance(20);
    let late = refresh(&world, &tokens["refresh_token"]).await;
    assert_eq!(
        late.json()["access_token"],
        first["access_token"],
        "{}",
        late.text()
    );
    assert_eq!(late.json()["refresh_token"], first["refresh_token"]);
    assert_eq!(world.scaikey.recorder().count_grant("refresh_token"), 1);
    assert!(
        world
            .scaikey
            .is_refresh_live(first["refresh_token"].as_str().expect("a token"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn n_051_a_token_two_generations_old_ends_the_session() {
    let world = World::start().await;
    let stolen = world.sign_in(ALICE).await["refresh_token"].clone();
    let second = refresh(&world, &stolen).await.json();
    world.advance(11);
    let third = refresh(&world, &second["refresh_token"]).await.json();
    world.advance(11);
    refresh(&world, &stolen)
        .await
        .assert_problem(400, "refresh_token_reused");
    refresh(&world, &third["refresh_token"])
        .await
        .assert_problem(400, "session_ended");
    world.advance(2);
    let token = third["access_token"].as_str();
    world
        .client
        .get("/v1/me", token)
        .await
        .assert_problem(401, "token_revoked");
    world.sign_in(ALICE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn n_052_a_crash_between_rotation_and_answer_does_not_look_like_theft() {
    let world = World::start().await;
    for later in [0, 15] {
        let session = world.sign_in(ALICE).await;
        world.faults.reset_calls();
        let token =
            refresh(&world, &session["refresh_token"]).await.json()["refresh_token"].clone();
        let statements = world.faults.count(&Target::sqlite());
        assert!(statements > 0);
        let mut token = token;
        for k in 1..=statements {
            world
                .faults
                .set(Target::sqlite(), When::Nth(k), Effect::LoseAnswer);
            let lost = refresh(&world, &token).await;
            world.faults.clear();
            if lost.status != 200 {
                lost.assert_problem(503, "store_unavailable");
            }
            world.advance(later);
            let again = refresh(&world, &token).await;
            assert_eq!(
                again.status,
                200,
                "statement {k}, {later} s later: {}",
                again.text()
            );
            token = again.json()["refresh_token"].clone();
            world.advance(11);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn n_053_the_client_proves_itself_to_its_own_token_endpoint_only_and_never_in_an_address() {
    let world = World::start().await;
    world.sign_in(ALICE).await;
    for request in world.scaikey.recorder().requests() {
        let basic = request
            .header("authorization")
            .is_some_and(|value| value.starts_with("Basic "));
        let to_token = matches!(request.endpoint, Endpoint::Token | Endpoint::Revoke);
        assert_eq!(basic, to_token, "{:?}", request.endpoint);
        assert!(
            request.query("client_secret").is_none() && request.form("client_secret").is_none()
        );
        assert!(request.form("client_assertion").is_none());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn n_054_credentials_stay_with_the_scaikey_they_are_registered_at() {
    let world = World::start().await;
    for lie in [
        DiscoveryLie::TokenOnOtherOrigin,
        DiscoveryLie::IssuerOtherHost,
    ] {
        world.forget_documents();
        world.scaikey.switches().set(Deviation::Discovery(lie));
        let answer = world.client.post("/v1/auth/login", &json!({})).await;
        answer.assert_problem(502, "discovery_invalid");
        world.scaikey.switches().clear_all();
    }
    // A login begun at an honest ScaiKey is finished there, whatever discovery says meanwhile.
    let browser = world.browser();
    let back = world.authorize(&browser, &json!({}), ALICE).await;
    world.forget_documents();
    world
        .scaikey
        .switches()
        .set(Deviation::Discovery(DiscoveryLie::TokenOnOtherOrigin));
    let answer = browser.get(&back).await;
    assert!(
        !answer.location_parameter("session_code").is_empty(),
        "{}",
        answer.location()
    );
    let refused = world
        .logs
        .lines()
        .iter()
        .any(|line| line.line.contains("outbound request refused"));
    assert!(!refused, "something was sent elsewhere");
}

#[tokio::test(flavor = "multi_thread")]
async fn n_055_no_secret_in_answers_or_logs_whatever_fails() {
    let world = World::start().await;
    // The clients check every error answer, and the world every log line, for what was secret.
    let tokens = scaikey_tokens(&world, ALICE).await;
    let session = world.sign_in(ALICE).await;
    for fault in [
        Fault::Answer {
            code: 400,
            body: json!({ "error": "invalid_grant", "error_description": tokens["refresh_token"] })
                .to_string(),
        },
        Fault::Answer {
            code: 401,
            body: json!({ "error": "invalid_client", "error_description": "scaigate-dev-secret" })
                .to_string(),
        },
        Fault::Garbage,
        Fault::Status {
            code: 500,
            retry_after: None,
        },
    ] {
        world
            .scaikey
            .switches()
            .fail_always(Endpoint::Token, fault.clone());
        if !matches!(fault, Fault::Answer { .. }) {
            refresh(&world, &tokens["refresh_token"]).await;
        }
        callback(&world).await;
        world.scaikey.switches().heal(Endpoint::Token);
        world.advance(3);
    }
    for effect in [Effect::Refuse, Effect::LoseAnswer] {
        for target in [Target::sqlite(), Target::key_value()] {
            let rule = world.faults.set(target, When::Always, effect);
            refresh(&world, &session["refresh_token"]).await;
            world
                .client
                .get("/v1/me", session["access_token"].as_str())
                .await;
            world
                .client
                .post(
                    "/v1/auth/logout",
                    &json!({ "refresh_token": session["refresh_token"] }),
                )
                .await;
            world.faults.remove(rule);
        }
    }
    world
        .scaikey
        .rotate_keys(Rotation::DropOld)
        .expect("new keys");
    world.advance(31);
    world.sign_in(ALICE).await;
    assert!(world.logs.lines().len() > 10, "the failures were logged");
    for line in world.logs.lines() {
        world.canaries.check("a log line", &line.line);
        assert!(
            !line.line.contains("alice"),
            "personal data in the log: {}",
            line.line
        );
    }
}
