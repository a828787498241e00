//! ScaiKey's refresh tokens, for the apps that hold them.

use std::time::Duration;

use scaigate_problem::{Code, Problem};
use scaigate_signin::begin::BeginRequest;
use scaigate_signin::upstream_refresh::{self, Refreshed};
use scaigate_types::{Clock as _, OutboundError, Secret};
use serde_json::{Value, json};

use crate::world::scaikey::{Endpoint, Reply, refusal, reply};
use crate::world::{BASE, World, code, detail};

fn refresh(world: &World, token: &Secret<String>) -> Result<Refreshed, Problem> {
    world.run(upstream_refresh::refresh(
        &world.instance(),
        &world.settings,
        token,
    ))
}

fn next(refreshed: &Refreshed) -> Secret<String> {
    Secret::new(refreshed.refresh_token.clone().unwrap())
}

#[test]
fn a_token_is_exchanged_for_its_successor() {
    let world = World::new();
    let first = world.scaikey_refresh_token();
    let second = refresh(&world, &first).ok().unwrap();
    assert_ne!(next(&second).expose(), first.expose());
    assert_eq!(second.scope.as_deref(), Some("openid profile email"));
    assert_eq!(second.expires_at.since(world.clock.now()).as_secs(), 3600);
    assert!(refresh(&world, &next(&second)).is_ok());
    assert_eq!(world.scaikey.count(Endpoint::Token), 3);
}

#[test]
fn n_051_n_052_a_repeated_request_within_thirty_seconds_gets_the_same_answer() {
    for (seconds, same) in [(0, true), (29, true), (30, false)] {
        let world = World::new();
        let token = world.scaikey_refresh_token();
        let first = refresh(&world, &token).ok().unwrap();
        world.clock.advance(Duration::from_secs(seconds));
        let second = refresh(&world, &token);
        if same {
            let second = second.ok().unwrap();
            assert_eq!(second.access_token, first.access_token);
            assert_eq!(
                second.expires_at, first.expires_at,
                "the life is not lengthened"
            );
            assert_eq!(world.scaikey.replays.get(), 0, "{seconds}");
        } else {
            assert_eq!(code(&second), Some(Code::InvalidGrant));
        }
    }
}

#[test]
fn a_scaikey_that_does_not_rotate_is_asked_with_the_same_token_again() {
    let world = World::new();
    let token = world.scaikey_refresh_token();
    world
        .scaikey
        .answer
        .replace(json!({"refresh_token": null, "id_token": null}));
    let refreshed = refresh(&world, &token).ok().unwrap();
    assert!(refreshed.refresh_token.is_none() && refreshed.id_token.is_none());
}

#[test]
fn what_is_no_refresh_token_is_not_sent_anywhere() {
    let world = World::new();
    for bad in ["", "a b", "a\n", "ä", &"a".repeat(4097)] {
        let result = refresh(&world, &Secret::new(bad.to_owned()));
        assert_eq!(code(&result), Some(Code::RefreshTokenInvalid), "{bad:.20}");
    }
    assert!(world.scaikey.calls.borrow().is_empty());
    // The longest that ScaiKey may know, and what OAuth calls its answer, also where it is told again.
    for _ in 0..2 {
        let unknown = refresh(&world, &Secret::new("a".repeat(4096)));
        assert_eq!(code(&unknown), Some(Code::InvalidGrant));
        assert_eq!(detail(&unknown, "oauth_error"), "invalid_grant");
        assert_eq!(world.scaikey.count(Endpoint::Token), 1);
    }
}

#[test]
fn n_031_what_we_issued_is_not_sent_to_scaikey() {
    let world = World::new();
    // Our refresh tokens go another way before this one begins.
    let ours = [
        Secret::new(world.session_code(&BeginRequest::default())),
        world.session().access_token,
    ];
    let before = world.scaikey.calls.borrow().len();
    for token in ours {
        let result = refresh(&world, &token);
        assert_eq!(code(&result), Some(Code::RefreshTokenInvalid));
    }
    assert_eq!(world.scaikey.calls.borrow().len(), before);
}

#[test]
fn n_049_n_050_a_refreshed_id_token_must_be_of_the_same_sign_in() {
    let now = crate::world::clock::START.secs();
    let invalid = Some(Code::IdTokenInvalid);
    let table = [
        (
            "N-049 another issuer",
            json!({"iss": format!("{BASE}/tenants/tnt_acme")}),
            invalid,
        ),
        (
            "N-049 a foreign issuer",
            json!({"iss": "https://evil.example"}),
            invalid,
        ),
        ("N-049 another subject", json!({"sub": "usr_eve"}), invalid),
        (
            "N-050 another audience",
            json!({"aud": "other"}),
            Some(Code::AudienceMismatch),
        ),
        ("N-050 from the future", json!({"iat": now + 61}), invalid),
        (
            "N-050 another auth_time",
            json!({"auth_time": now}),
            invalid,
        ),
        ("expired", json!({"exp": now - 61}), invalid),
        ("no auth_time", json!({"auth_time": null}), None),
        ("the same", json!({}), None),
    ];
    for (name, claims, expected) in table {
        let world = World::new();
        let token = world.scaikey_refresh_token();
        world.scaikey.id_claims.replace(claims);
        assert_eq!(code(&refresh(&world, &token)), expected, "{name}");
        // Nobody else gets the tokens either.
        assert_eq!(code(&refresh(&world, &token)), expected, "{name}, again");
        assert_eq!(world.scaikey.count(Endpoint::Token), 2, "{name}");
    }
}

#[test]
fn n_050_a_refreshed_id_token_has_the_nonce_of_its_sign_in_or_none() {
    for (first, refreshed, is_same) in [
        (Some("one"), json!("one"), true),
        (Some("one"), json!("another"), false),
        (Some("one"), json!(null), true),
        (None, json!("one"), false),
        (None, json!(null), true),
    ] {
        let world = World::new();
        world.scaikey.id_claims.replace(json!({"nonce": first}));
        let token = world.scaikey_refresh_token();
        world.scaikey.id_claims.replace(json!({"nonce": refreshed}));
        let expected = (!is_same).then_some(Code::IdTokenInvalid);
        let outcome = code(&refresh(&world, &token));
        assert_eq!(outcome, expected, "{first:?}, {refreshed}");
    }
}

#[test]
fn n_049_the_successors_successor_is_held_against_the_same_person() {
    let world = World::new();
    let second = refresh(&world, &world.scaikey_refresh_token())
        .ok()
        .unwrap();
    let third = refresh(&world, &next(&second)).ok().unwrap();
    world.scaikey.id_claims.replace(json!({"sub": "usr_eve"}));
    assert_eq!(
        code(&refresh(&world, &next(&third))),
        Some(Code::IdTokenInvalid)
    );
}

#[test]
fn n_048_only_scaikeys_own_refusal_is_final() {
    let instead = |status, body: &Value| Ok(reply(status, "application/json", &body.to_string()));
    let table: [(&str, Reply, Code, bool); 11] = [
        (
            "invalid_grant",
            Ok(refusal(400, "invalid_grant", "revoked")),
            Code::InvalidGrant,
            true,
        ),
        (
            "invalid_client",
            Ok(refusal(401, "invalid_client", "")),
            Code::ClientRefused,
            true,
        ),
        (
            "refused",
            Err(OutboundError::Refused),
            Code::ScaikeyUnreachable,
            false,
        ),
        (
            "denied",
            Err(OutboundError::Denied),
            Code::ScaikeyUnreachable,
            false,
        ),
        (
            "timeout",
            Err(OutboundError::Timeout),
            Code::ScaikeyTimeout,
            false,
        ),
        (
            "interrupted",
            Err(OutboundError::Interrupted),
            Code::ScaikeyInvalidResponse,
            false,
        ),
        (
            "too large",
            Err(OutboundError::TooLarge),
            Code::ScaikeyInvalidResponse,
            false,
        ),
        (
            "502",
            Ok(reply(502, "text/html", "")),
            Code::ScaikeyUnavailable,
            false,
        ),
        (
            "429",
            Ok(reply(429, "text/html", "")),
            Code::ScaikeyRateLimited,
            false,
        ),
        (
            "redirect",
            Ok(reply(302, "text/html", "")),
            Code::ScaikeyInvalidResponse,
            false,
        ),
        (
            "no token",
            instead(200, &json!({})),
            Code::ScaikeyInvalidResponse,
            false,
        ),
    ];
    for (name, answer, expected, is_final) in table {
        let world = World::new();
        let token = world.scaikey_refresh_token();
        world.scaikey.always(Endpoint::Token, answer);
        assert_eq!(code(&refresh(&world, &token)), Some(expected), "{name}");
        world.scaikey.heal(Endpoint::Token);
        let again = code(&refresh(&world, &token));
        assert_eq!(again, is_final.then_some(expected), "{name}, again");
    }
}

#[test]
fn n_048_a_scaikey_that_stays_down_is_called_twice_and_then_left_alone_for_two_seconds() {
    let world = World::new();
    let token = world.scaikey_refresh_token();
    world
        .scaikey
        .always(Endpoint::Token, Err(OutboundError::Refused));
    for _ in 0..10 {
        assert_eq!(
            code(&refresh(&world, &token)),
            Some(Code::ScaikeyUnreachable)
        );
    }
    assert_eq!(world.scaikey.count(Endpoint::Token), 1 + 2);
    world.scaikey.heal(Endpoint::Token);
    world.clock.advance(Duration::from_secs(2));
    assert_eq!(
        code(&refresh(&world, &token)),
        None,
        "the token is still good"
    );
}

#[test]
fn n_048_a_token_is_not_spent_while_its_answer_could_not_be_checked() {
    let world = World::new();
    let token = world.scaikey_refresh_token();
    world.forget_documents();
    world
        .scaikey
        .always(Endpoint::Keys, Err(OutboundError::Refused));
    assert_eq!(code(&refresh(&world, &token)), Some(Code::JwksUnavailable));
    assert_eq!(world.scaikey.count(Endpoint::Token), 1);
    world.scaikey.heal(Endpoint::Keys);
    assert_eq!(code(&refresh(&world, &token)), None);
}

#[test]
fn n_055_the_answer_is_kept_sealed() {
    let world = World::new();
    let token = world.scaikey_refresh_token();
    let refreshed = refresh(&world, &token).ok().unwrap();
    for secret in [
        token.expose(),
        &refreshed.access_token,
        refreshed.refresh_token.as_ref().unwrap(),
    ] {
        let found = world.number(&format!(
            "SELECT count(*) FROM upstream_refresh
              WHERE token_hash = '{secret}' OR instr(outcome, CAST('{secret}' AS BLOB)) > 0"
        ));
        assert_eq!(found, 0);
    }
}

#[test]
fn an_answer_sealed_with_a_removed_secret_is_not_handed_out() {
    let world = World::new();
    let token = world.scaikey_refresh_token();
    refresh(&world, &token).ok().unwrap();
    let settings = World::with(&[(
        "session_secret",
        "//79/Pv6+fj39vX08/Lx8O/u7ezr6uno5+bl5OPi4eA=",
    )])
    .settings;
    let result = world.run(upstream_refresh::refresh(&world, &settings, &token));
    assert_eq!(code(&result), Some(Code::RefreshBusy));
    assert_eq!(world.scaikey.replays.get(), 0);
}
