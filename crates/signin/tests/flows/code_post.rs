//! The app brings the code, or the password.

use scaigate_jose::pkce_challenge;
use scaigate_problem::{Code, Problem};
use scaigate_scaikey::TokenResponse;
use scaigate_signin::code_post::{self, CodePost};
use scaigate_types::{OutboundError, Secret};
use serde_json::json;

use crate::world::scaikey::{Endpoint, refusal, reply};
use crate::world::{APP, VERIFIER, World, code, detail};

fn post(world: &World, text: &str) -> Result<TokenResponse, Problem> {
    post_to(world, text, Some(VERIFIER), APP)
}

fn post_to(
    world: &World,
    text: &str,
    code_verifier: Option<&str>,
    redirect_uri: &str,
) -> Result<TokenResponse, Problem> {
    let code = Secret::new(text.to_owned());
    let post = CodePost {
        code: &code,
        code_verifier,
        redirect_uri,
    };
    world.run(code_post::exchange(world, &world.settings, &post))
}

fn issued(world: &World) -> String {
    world
        .scaikey
        .issue_code(APP, Some(&pkce_challenge(VERIFIER)), None)
}

#[test]
fn a_code_becomes_scaikeys_tokens_and_a_person() {
    let world = World::new();
    let tokens = post(&world, &issued(&world)).unwrap();
    assert!(tokens.refresh_token.is_some() && tokens.id_token.is_some());
    assert_eq!(tokens.expires_in.as_secs(), 3600);
    assert_eq!(world.number("SELECT count(*) FROM person"), 1);
    assert_eq!(world.number("SELECT count(*) FROM upstream_grant"), 1);
    let calls = world.scaikey.calls.borrow();
    let call = calls
        .iter()
        .find(|call| call.endpoint == Endpoint::Token)
        .unwrap();
    assert_eq!(call.form.get("redirect_uri"), Some(APP));
    assert_eq!(call.form.get("code_verifier"), Some(VERIFIER));
}

#[test]
fn s_03_the_second_exchange_of_a_code_never_reaches_scaikey() {
    let world = World::new();
    let issued = issued(&world);
    assert!(post(&world, &issued).is_ok());
    let again = post(&world, &issued);
    assert_eq!(code(&again), Some(Code::CodeAlreadyUsed));
    let body = again.err().unwrap().body("/v1/auth/exchange", "req_1");
    assert_eq!(body["status"], 400);
    assert_eq!(body["detail"], "invalid_grant: code already used");
    assert_eq!(
        body["error_description"],
        "invalid_grant: code already used"
    );
    assert_eq!(world.scaikey.count(Endpoint::Token), 1);
    assert_eq!(world.scaikey.replays.get(), 0);
}

#[test]
fn s_03_a_code_is_used_once_whichever_door_it_comes_to() {
    let world = World::new();
    let returning = world.returning(&Default::default());
    world.complete(&returning).unwrap();
    let used = scaigate_scaikey::form::parse(returning.query.as_bytes(), 8).unwrap();
    let again = post(&world, used.get("code").unwrap());
    assert_eq!(code(&again), Some(Code::CodeAlreadyUsed));
    assert_eq!(world.scaikey.replays.get(), 0);
}

#[test]
fn refuses_what_no_app_of_ours_would_bring() {
    let long = "a".repeat(2049);
    let invalid = Code::InvalidRequest;
    let uri = Code::RedirectUriNotAllowed;
    let table = [
        ("no code", "", Some(VERIFIER), APP, invalid, "code"),
        ("a long code", &long, Some(VERIFIER), APP, invalid, "code"),
        (
            "a space in the code",
            "a b",
            Some(VERIFIER),
            APP,
            invalid,
            "code",
        ),
        (
            "a line in the code",
            "a\r\nb",
            Some(VERIFIER),
            APP,
            invalid,
            "code",
        ),
        (
            "a short verifier",
            "a",
            Some("short"),
            APP,
            invalid,
            "code_verifier",
        ),
        (
            "a long verifier",
            "a",
            Some(&long[..129]),
            APP,
            invalid,
            "code_verifier",
        ),
        ("no redirect URI", "a", None, "", uri, "redirect_uri"),
        ("a path", "a", None, "/done", uri, "redirect_uri"),
        (
            "N-036 a suffix",
            "a",
            None,
            "https://evilapp.example/done",
            uri,
            "redirect_uri",
        ),
        (
            "N-035 user information",
            "a",
            None,
            "https://app.example@evil.example/",
            uri,
            "redirect_uri",
        ),
        (
            "another port",
            "a",
            None,
            "https://app.example:8443/done",
            uri,
            "redirect_uri",
        ),
        (
            "http",
            "a",
            None,
            "http://app.example/done",
            uri,
            "redirect_uri",
        ),
    ];
    for (name, code_text, verifier, redirect_uri, expected, field) in table {
        let world = World::new();
        let result = post_to(&world, code_text, verifier, redirect_uri);
        assert_eq!(code(&result), Some(expected), "{name}");
        assert_eq!(detail(&result, "field"), field, "{name}");
        assert!(world.scaikey.calls.borrow().is_empty(), "{name}");
    }
}

#[test]
fn the_longest_code_is_scaikeys_to_know() {
    let world = World::new();
    let refused = post(&world, &"a".repeat(2048));
    assert_eq!(code(&refused), Some(Code::InvalidGrant));
    assert_eq!(world.scaikey.count(Endpoint::Token), 1);
}

#[test]
fn a_code_that_certainly_did_not_reach_scaikey_stays_good() {
    for error in [OutboundError::Refused, OutboundError::Denied] {
        let world = World::new();
        let issued = issued(&world);
        world.scaikey.always(Endpoint::Token, Err(error));
        assert_eq!(code(&post(&world, &issued)), Some(Code::ScaikeyUnreachable));
        world.scaikey.heal(Endpoint::Token);
        assert_eq!(code(&post(&world, &issued)), None, "{error:?}");
    }
}

#[test]
fn n_143_a_code_that_may_have_reached_scaikey_is_never_sent_again() {
    let table = [
        (Err(OutboundError::Timeout), Code::ScaikeyTimeout),
        (
            Err(OutboundError::Interrupted),
            Code::ScaikeyInvalidResponse,
        ),
        (Err(OutboundError::TooLarge), Code::ScaikeyInvalidResponse),
        (Ok(reply(502, "text/html", "")), Code::ScaikeyUnavailable),
        (Ok(reply(429, "text/html", "")), Code::ScaikeyRateLimited),
        (
            Ok(reply(302, "text/html", "")),
            Code::ScaikeyInvalidResponse,
        ),
        (
            Ok(refusal(400, "invalid_grant", "PKCE verification failed")),
            Code::InvalidGrant,
        ),
        (Ok(refusal(401, "invalid_client", "")), Code::ClientRefused),
        (
            Ok(refusal(400, "invalid_grant", "redirect_uri mismatch")),
            Code::RedirectUriMismatch,
        ),
    ];
    for (answer, expected) in table {
        let world = World::new();
        let issued = issued(&world);
        world.scaikey.always(Endpoint::Token, answer);
        assert_eq!(code(&post(&world, &issued)), Some(expected));
        world.scaikey.heal(Endpoint::Token);
        assert_eq!(
            code(&post(&world, &issued)),
            Some(Code::CodeAlreadyUsed),
            "{expected:?}"
        );
        assert_eq!(world.scaikey.count(Endpoint::Token), 1, "{expected:?}");
    }
}

#[test]
fn a_code_waits_while_scaikeys_keys_can_not_be_read() {
    let world = World::new();
    let issued = issued(&world);
    world
        .scaikey
        .always(Endpoint::Keys, Err(OutboundError::Refused));
    assert_eq!(code(&post(&world, &issued)), Some(Code::JwksUnavailable));
    assert_eq!(world.scaikey.count(Endpoint::Token), 0);
    world.scaikey.heal(Endpoint::Keys);
    assert_eq!(code(&post(&world, &issued)), None);
}

#[test]
fn n_015_the_app_s_verifier_is_scaikeys_to_check() {
    for verifier in [
        None,
        Some("another-verifier-of-at-least-forty-three-characters"),
    ] {
        let world = World::new();
        let issued = issued(&world);
        assert_eq!(
            code(&post_to(&world, &issued, verifier, APP)),
            Some(Code::InvalidGrant)
        );
    }
}

#[test]
fn tokens_that_prove_nobody_are_not_handed_out() {
    let table = [
        (json!({"iss": "https://evil.example"}), Code::IdTokenInvalid),
        (json!({"aud": "other"}), Code::AudienceMismatch),
        (json!({"exp": 1}), Code::IdTokenInvalid),
    ];
    for (claims, expected) in table {
        let world = World::new();
        world.scaikey.id_claims.replace(claims.clone());
        assert_eq!(
            code(&post(&world, &issued(&world))),
            Some(expected),
            "{claims}"
        );
        assert_eq!(world.number("SELECT count(*) FROM person"), 0);
    }
    let world = World::new();
    world.scaikey.answer.replace(json!({"id_token": null}));
    assert_eq!(
        code(&post(&world, &issued(&world))),
        Some(Code::IdTokenInvalid),
        "N-046"
    );
}

#[test]
fn a_suspended_person_gets_no_tokens() {
    let world = World::new();
    post(&world, &issued(&world)).unwrap();
    world.sql("UPDATE person SET status = 'deleted'", &[]);
    assert_eq!(
        code(&post(&world, &issued(&world))),
        Some(Code::PersonSuspended)
    );
}

fn password(world: &World, username: &str, password: &str) -> Result<TokenResponse, Problem> {
    let password = Secret::new(password.to_owned());
    world.run(code_post::password(
        world,
        &world.settings,
        username,
        &password,
    ))
}

#[test]
fn s_29_a_password_is_passed_on_only_where_that_is_enabled() {
    for (setting, expected) in [
        ("", Some(Code::UnsupportedGrantType)),
        ("false", Some(Code::UnsupportedGrantType)),
        ("yes", Some(Code::UnsupportedGrantType)),
        ("true", None),
    ] {
        let world = World::with(&[("password_grant_enabled", setting)]);
        assert_eq!(
            code(&password(&world, "ada", "correct horse")),
            expected,
            "{setting:?}"
        );
        if expected.is_some() {
            assert!(world.scaikey.calls.borrow().is_empty());
        }
    }
}

#[test]
fn a_wrong_or_unreasonable_password_gets_nothing() {
    let long = "a".repeat(1025);
    let table = [
        ("ada", "wrong", Code::InvalidGrant),
        (&long[..320], "wrong", Code::InvalidGrant),
        ("ada", &long[..1024], Code::InvalidGrant),
        ("", "correct horse", Code::InvalidRequest),
        (&long[..321], "correct horse", Code::InvalidRequest),
        ("ada", &long, Code::InvalidRequest),
    ];
    for (username, secret, expected) in table {
        let world = World::with(&[("password_grant_enabled", "true")]);
        assert_eq!(code(&password(&world, username, secret)), Some(expected));
        assert_eq!(world.number("SELECT count(*) FROM person"), 0);
    }
}
