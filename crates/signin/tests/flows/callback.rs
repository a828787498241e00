//! Finishing a sign-in.

use std::time::Duration;

use scaigate_problem::{Code, Problem};
use scaigate_scaikey::form;
use scaigate_signin::begin::BeginRequest;
use scaigate_signin::callback::{self, CallbackFailure, Completed};
use scaigate_types::OutboundError;
use serde_json::{Value, json};

use crate::world::scaikey::{Endpoint, json_reply, refusal, reply};
use crate::world::{APP, BASE, Returning, World, redeem_request, session_of};

fn code_of(outcome: &Result<Completed, CallbackFailure>) -> Option<Code> {
    outcome.as_ref().err().map(|failure| failure.problem.code())
}

fn details(problem: &Problem) -> Value {
    problem.body("/", "req_1")["error"]["details"].clone()
}

/// The query of `returning` with changes: `None` takes a parameter out.
fn changed(returning: &Returning, changes: &[(&str, Option<&str>)]) -> Returning {
    let old = form::parse(returning.query.as_bytes(), 32).unwrap();
    let kept = old
        .iter()
        .filter(|(name, _)| !changes.iter().any(|(other, _)| other == name));
    let new = changes
        .iter()
        .filter_map(|(name, value)| Some((*name, (*value)?)));
    let fields: Vec<(&str, &str)> = kept.chain(new).collect();
    Returning {
        query: form::encode(&fields),
        ..returning.clone()
    }
}

#[test]
fn ends_in_a_one_shot_code_for_the_app_that_began() {
    let world = World::new();
    let returning = world.returning(&BeginRequest {
        return_to: Some("https://other.example/back?x=1"),
        ..BeginRequest::default()
    });
    let completed = world.complete(&returning).unwrap();
    assert_eq!(
        completed.return_to.as_str(),
        "https://other.example/back?x=1"
    );
    assert_eq!(completed.state, returning.state);
    let session = session_of(world.redeem(&redeem_request(completed.session_code.expose())));
    assert_eq!(session.person.subject.as_str(), "usr_ada");
    assert_eq!(session.person.tenant_id.as_str(), "tnt_acme");
    assert_eq!(session.person.email.as_deref(), Some("ada@acme.example"));
    assert_eq!(world.scaikey.count(Endpoint::Token), 1);
}

#[test]
fn without_a_return_address_the_first_app_gets_the_browser() {
    let world = World::new();
    let completed = world
        .complete(&world.returning(&BeginRequest::default()))
        .unwrap();
    assert_eq!(completed.return_to.as_str(), APP);
}

#[test]
fn s_01_n_001_n_002_n_003_n_004_n_010_n_014_a_state_that_is_not_good_changes_nothing() {
    let world = World::new();
    let good = world.returning(&BeginRequest::default());
    let other = world.returning(&BeginRequest::default());
    let browserless = |query: &str| {
        world
            .run(callback::complete(&world, &world.settings, query, None))
            .map_err(|f| f.problem.code())
    };
    let foreign_state = Some(other.state.as_str());
    let table = [
        (
            "N-001 no state",
            changed(&good, &[("state", None)]),
            Code::StateMissing,
        ),
        (
            "N-001 an empty state",
            changed(&good, &[("state", Some(""))]),
            Code::StateMissing,
        ),
        (
            "N-002 a made-up state",
            changed(&good, &[("state", Some("x"))]),
            Code::StateUnknown,
        ),
        (
            "N-002 the digest for the state",
            changed(
                &good,
                &[(
                    "state",
                    Some(&scaigate_jose::token_hash("state", &good.state)),
                )],
            ),
            Code::StateUnknown,
        ),
        (
            "N-003 N-010 another browser",
            Returning {
                browser: other.browser.clone(),
                ..good.clone()
            },
            Code::StateOtherBrowser,
        ),
        (
            "N-003 a made-up browser",
            Returning {
                browser: "x".to_owned(),
                ..good.clone()
            },
            Code::StateOtherBrowser,
        ),
        (
            "N-018 another's login in this browser",
            changed(&good, &[("state", foreign_state)]),
            Code::StateOtherBrowser,
        ),
    ];
    for (name, returning, expected) in table {
        let outcome = world.complete(&returning);
        assert_eq!(code_of(&outcome), Some(expected), "{name}");
        assert!(
            outcome.err().unwrap().return_to.is_none(),
            "{name}: nobody to tell"
        );
    }
    assert_eq!(
        browserless(&good.query).err(),
        Some(Code::StateOtherBrowser)
    );
    let refusal = form::encode(&[("error", "access_denied"), ("state", "made-up")]);
    assert_eq!(browserless(&refusal).err(), Some(Code::StateUnknown));
    assert_eq!(world.scaikey.count(Endpoint::Token), 0);
    // N-014: the good one is still good.
    assert!(world.complete(&good).is_ok());
}

#[test]
fn n_004_rejects_state_used_twice() {
    let world = World::new();
    let returning = world.returning(&BeginRequest::default());
    assert!(world.complete(&returning).is_ok());
    assert_eq!(
        code_of(&world.complete(&returning)),
        Some(Code::StateAlreadyUsed)
    );
    assert_eq!(world.scaikey.count(Endpoint::Token), 1);
    assert_eq!(world.number("SELECT count(*) FROM session"), 1);
}

#[test]
fn n_004_a_login_lasts_ten_minutes() {
    for (seconds, expected) in [
        (599, None),
        (600, Some(Code::StateExpired)),
        (601, Some(Code::StateExpired)),
    ] {
        let world = World::new();
        let returning = world.returning(&BeginRequest::default());
        world.clock.advance(Duration::from_secs(seconds));
        assert_eq!(code_of(&world.complete(&returning)), expected, "{seconds}");
    }
}

#[test]
fn n_012_n_016_rejects_an_answer_that_oauth_does_not_allow() {
    let long = "a".repeat(2049);
    let table = [
        (
            "N-012 code and error",
            vec![("error", Some("access_denied"))],
        ),
        ("N-012 an empty code", vec![("code", Some(""))]),
        ("N-012 neither", vec![("code", None)]),
        ("N-012 a long code", vec![("code", Some(long.as_str()))]),
        ("N-012 not ASCII", vec![("code", Some("ä"))]),
        ("N-016 a token", vec![("access_token", Some("t"))]),
        ("N-016 an ID token", vec![("id_token", Some("t"))]),
        ("N-016 JARM", vec![("response", Some("t"))]),
    ];
    for (name, changes) in table {
        let world = World::new();
        let good = world.returning(&BeginRequest::default());
        assert_eq!(
            code_of(&world.complete(&changed(&good, &changes))),
            Some(Code::CallbackMalformed),
            "{name}"
        );
        assert!(
            world.complete(&good).is_ok(),
            "{name}: the login is still good"
        );
    }
    let world = World::new();
    let good = world.returning(&BeginRequest::default());
    let twice = Returning {
        query: format!("{}&state=x", good.query),
        ..good.clone()
    };
    assert_eq!(
        code_of(&world.complete(&twice)),
        Some(Code::CallbackMalformed)
    );
}

#[test]
fn n_007_n_008_n_009_the_issuer_is_checked_before_anything_is_called() {
    let tenant = format!("{BASE}/tenants/tnt_acme");
    let slash = format!("{BASE}/");
    let table = [
        (
            "N-007 absent though declared",
            None,
            Some(Code::IssuerMismatch),
        ),
        (
            "N-008 another",
            Some("https://evil.example"),
            Some(Code::IssuerMismatch),
        ),
        (
            "N-008 almost",
            Some(slash.as_str()),
            Some(Code::IssuerMismatch),
        ),
        (
            "N-009 below",
            Some("https://scaikey.example/other"),
            Some(Code::IssuerMismatch),
        ),
        ("empty", Some(""), Some(Code::IssuerMismatch)),
        ("the tenant's own", Some(tenant.as_str()), None),
        ("the one", Some(BASE), None),
    ];
    for (name, iss, expected) in table {
        let world = World::new();
        let returning = changed(&world.returning(&BeginRequest::default()), &[("iss", iss)]);
        let outcome = world.complete(&returning);
        assert_eq!(code_of(&outcome), expected, "{name}");
        if let Err(failure) = outcome {
            assert_eq!(world.scaikey.count(Endpoint::Token), 0, "{name}");
            assert_eq!(
                failure
                    .return_to
                    .map(|(to, _)| to.as_str().to_owned())
                    .as_deref(),
                Some(APP)
            );
        }
    }
}

#[test]
fn n_009_an_answer_of_one_tenant_is_nothing_to_a_person_of_another() {
    let other = format!("{BASE}/tenants/tnt_other");
    let world = World::new();
    let returning = world.returning(&BeginRequest::default());
    let outcome = world.complete(&changed(&returning, &[("iss", Some(&other))]));
    assert_eq!(code_of(&outcome), Some(Code::IssuerMismatch));
    assert_eq!(world.number("SELECT count(*) FROM person"), 0);
}

#[test]
fn n_009_the_answer_is_held_against_the_scaikey_that_was_asked() {
    // Discovery changed between: the code still goes to the endpoint of the login's beginning, and
    // `iss` is judged by what that ScaiKey declared.
    let world = World::new();
    let returning = changed(&world.returning(&BeginRequest::default()), &[("iss", None)]);
    world
        .scaikey
        .discovery
        .replace(json!({"authorization_response_iss_parameter_supported": false}));
    world.forget_documents();
    let outcome = world.run(callback::complete(
        &world.instance(),
        &world.settings,
        &returning.query,
        Some(&returning.browser),
    ));
    assert_eq!(code_of(&outcome), Some(Code::IssuerMismatch));
}

#[test]
fn a_refusal_at_scaikey_reaches_the_app_with_scaikeys_reason() {
    for (error, shown) in [
        ("access_denied", "access_denied"),
        ("login_required", "login_required"),
        ("<b>", "other"),
    ] {
        let world = World::new();
        let returning = changed(
            &world.returning(&BeginRequest::default()),
            &[
                ("code", None),
                ("error", Some(error)),
                ("error_description", Some("not today")),
            ],
        );
        let failure = world.complete(&returning).err().unwrap();
        assert_eq!(failure.problem.code(), Code::AuthorizationRefused);
        assert_eq!(details(&failure.problem)["error"], shown);
        assert_eq!(details(&failure.problem)["error_description"], "not today");
        let (to, state) = failure.return_to.unwrap();
        assert_eq!((to.as_str(), state), (APP, returning.state));
        assert_eq!(world.scaikey.count(Endpoint::Token), 0);
    }
}

#[test]
fn s_32_a_callback_unknown_to_scaikey_is_named_with_the_value_to_register() {
    let world = World::new();
    let returning = world.returning(&BeginRequest::default());
    let answer = refusal(400, "invalid_grant", "redirect_uri is not registered");
    world.scaikey.always(Endpoint::Token, Ok(answer));
    let problem = world.complete(&returning).err().unwrap().problem;
    assert_eq!(problem.code(), Code::RedirectUriMismatch);
    assert_eq!(
        details(&problem)["redirect_uri"],
        "https://gate.example/v1/auth/callback"
    );
}

#[test]
fn n_041_n_043_n_045_n_046_says_why_the_token_endpoint_gave_nothing() {
    let json = |body: Value| Ok(json_reply(200, &body));
    let bearer = |expires_in: Value| {
        json(json!({"access_token": "a", "token_type": "Bearer", "expires_in": expires_in}))
    };
    let table = [
        (
            "refused",
            Err(OutboundError::Refused),
            Code::ScaikeyUnreachable,
        ),
        (
            "denied",
            Err(OutboundError::Denied),
            Code::ScaikeyUnreachable,
        ),
        (
            "N-143 timeout",
            Err(OutboundError::Timeout),
            Code::ScaikeyTimeout,
        ),
        (
            "interrupted",
            Err(OutboundError::Interrupted),
            Code::ScaikeyInvalidResponse,
        ),
        (
            "too large",
            Err(OutboundError::TooLarge),
            Code::ScaikeyInvalidResponse,
        ),
        (
            "500",
            Ok(reply(500, "text/html", "")),
            Code::ScaikeyUnavailable,
        ),
        (
            "404",
            Ok(reply(404, "text/html", "")),
            Code::ScaikeyUnavailable,
        ),
        (
            "N-143 429",
            Ok(reply(429, "text/html", "")),
            Code::ScaikeyRateLimited,
        ),
        (
            "N-045 redirect",
            Ok(reply(307, "text/html", "")),
            Code::ScaikeyInvalidResponse,
        ),
        (
            "N-045 page",
            Ok(reply(200, "text/html", "{}")),
            Code::ScaikeyInvalidResponse,
        ),
        (
            "no JSON",
            Ok(reply(200, "application/json", "no")),
            Code::ScaikeyInvalidResponse,
        ),
        (
            "no token",
            json(json!({"token_type": "Bearer"})),
            Code::ScaikeyInvalidResponse,
        ),
        (
            "N-041 type",
            json(json!({"access_token": "a", "token_type": "mac"})),
            Code::ScaikeyInvalidResponse,
        ),
        (
            "N-041 no type",
            json(json!({"access_token": "a"})),
            Code::ScaikeyInvalidResponse,
        ),
        (
            "N-043 negative",
            bearer(json!(-1)),
            Code::ScaikeyInvalidResponse,
        ),
        (
            "N-043 text",
            bearer(json!("3600")),
            Code::ScaikeyInvalidResponse,
        ),
        (
            "N-046 no ID token",
            bearer(json!(3600)),
            Code::IdTokenInvalid,
        ),
        (
            "grant",
            Ok(refusal(400, "invalid_grant", "expired")),
            Code::InvalidGrant,
        ),
        (
            "request",
            Ok(refusal(400, "invalid_request", "")),
            Code::InvalidGrant,
        ),
        (
            "scope of a code",
            Ok(refusal(400, "invalid_scope", "")),
            Code::InvalidGrant,
        ),
        (
            "target of a code",
            Ok(refusal(400, "invalid_target", "")),
            Code::InvalidGrant,
        ),
        (
            "unknown error",
            Ok(refusal(400, "hungry", "")),
            Code::InvalidGrant,
        ),
        (
            "client",
            Ok(refusal(401, "invalid_client", "")),
            Code::ClientRefused,
        ),
        (
            "not this client",
            Ok(refusal(400, "unauthorized_client", "")),
            Code::ClientRefused,
        ),
        (
            "not this grant",
            Ok(refusal(400, "unsupported_grant_type", "")),
            Code::UnsupportedGrantType,
        ),
    ];
    for (name, answer, expected) in table {
        let world = World::new();
        let returning = world.returning(&BeginRequest::default());
        world.scaikey.always(Endpoint::Token, answer);
        let failure = world.complete(&returning).err().unwrap();
        assert_eq!(failure.problem.code(), expected, "{name}");
        assert!(failure.return_to.is_some(), "{name}: the app is told");
        assert_eq!(
            world.scaikey.count(Endpoint::Token),
            1,
            "{name}: never asked again"
        );
        assert_eq!(world.number("SELECT count(*) FROM session"), 0, "{name}");
    }
}

#[test]
fn n_041_n_042_n_043_takes_what_scaikey_may_leave_open() {
    for changes in [
        json!({"token_type": "bearer"}),
        json!({"token_type": "BEARER"}),
        json!({"expires_in": null}),
        json!({"expires_in": 1e300}),
        json!({"expires_in": 3600.5}),
        json!({"expires_in": u64::MAX}),
        json!({"refresh_token": null, "scope": null}),
    ] {
        let world = World::new();
        world.scaikey.answer.replace(changes.clone());
        assert!(
            world
                .complete(&world.returning(&BeginRequest::default()))
                .is_ok(),
            "{changes}"
        );
    }
}

#[test]
fn an_app_that_is_no_longer_served_does_not_get_the_browser() {
    let world = World::new();
    let returning = world.returning(&BeginRequest {
        return_to: Some("https://other.example/"),
        ..BeginRequest::default()
    });
    let settings = World::with(&[("app_url", APP)]).settings;
    let outcome = world.run(callback::complete(
        &world,
        &settings,
        &returning.query,
        Some(&returning.browser),
    ));
    assert_eq!(code_of(&outcome), Some(Code::ReturnToNotAllowed));
    assert!(outcome.err().unwrap().return_to.is_none());
}

#[test]
fn a_login_sealed_with_a_removed_secret_is_unknown() {
    let world = World::new();
    let returning = world.returning(&BeginRequest::default());
    let settings = World::with(&[(
        "session_secret",
        "//79/Pv6+fj39vX08/Lx8O/u7ezr6uno5+bl5OPi4eA=",
    )])
    .settings;
    let outcome = world.run(callback::complete(
        &world,
        &settings,
        &returning.query,
        Some(&returning.browser),
    ));
    assert_eq!(code_of(&outcome), Some(Code::StateUnknown));
}

#[test]
fn n_055_neither_failures_nor_debug_output_hold_a_code_or_token() {
    let world = World::new();
    let returning = world.returning(&BeginRequest::default());
    const CODE: &str = "SplxlOBeZQQYbYSWxSbIA";
    let echo = refusal(400, "invalid_grant", &format!("{CODE} was used"));
    world.scaikey.always(Endpoint::Token, Ok(echo));
    let failure = world.complete(&returning).err().unwrap();
    assert!(!format!("{failure:?}").contains(CODE));
    world.scaikey.heal(Endpoint::Token);
    let completed = world
        .complete(&world.returning(&BeginRequest::default()))
        .unwrap();
    let shown = format!("{completed:?}");
    assert!(!shown.contains(completed.session_code.expose()), "{shown}");
    assert_eq!(
        world.number("SELECT count(*) FROM session WHERE instr(scaikey_tokens, 'canary') > 0"),
        0
    );
}
