//! Beginning a sign-in.

use std::collections::HashSet;

use scaigate_jose::pkce_challenge;
use scaigate_problem::Code;
use scaigate_scaikey::form::{self, Form};
use scaigate_signin::begin::BeginRequest;
use scaigate_types::{OutboundError, StoreError};
use serde_json::json;

use crate::world::scaikey::{Endpoint, json_reply, reply};
use crate::world::stores::StoreFault;
use crate::world::{APP, BASE, VERIFIER, World, code, detail};

fn asked(authorize_url: &str) -> Form {
    let (address, query) = authorize_url.split_once('?').unwrap();
    assert_eq!(address, format!("{BASE}/api/v1/platform/oauth/authorize"));
    form::parse(query.as_bytes(), 32).unwrap()
}

#[test]
fn sends_the_browser_to_scaikey_with_everything_that_ties_the_answer_to_it() {
    let world = World::new();
    let begun = world
        .begin(&BeginRequest {
            login_hint: Some("ada@acme.example"),
            prompt: Some("login"),
            ..BeginRequest::default()
        })
        .ok()
        .unwrap();
    let asked = asked(&begun.authorize_url);
    for (name, value) in [
        ("response_type", "code"),
        ("client_id", "app_gate"),
        ("redirect_uri", "https://gate.example/v1/auth/callback"),
        ("scope", "openid profile email"),
        ("state", &begun.state),
        ("code_challenge_method", "S256"),
        ("login_hint", "ada@acme.example"),
        ("prompt", "login"),
    ] {
        assert_eq!(asked.get(name), Some(value), "{name}");
    }
    assert_eq!(asked.get("nonce").map(str::len), Some(43));
    assert_eq!(asked.get("code_challenge").map(str::len), Some(43));
    assert_eq!(begun.expires_in.as_secs(), 600);
    assert_eq!(begun.browser.len(), 43);
}

#[test]
fn n_005_n_006_every_login_has_its_own_unguessable_values() {
    let world = World::new();
    let mut seen = HashSet::new();
    for _ in 0..50 {
        let begun = world.begin(&BeginRequest::default()).ok().unwrap();
        let asked = asked(&begun.authorize_url);
        for name in ["state", "nonce", "code_challenge"] {
            assert!(
                seen.insert(asked.get(name).unwrap().to_owned()),
                "{name} twice"
            );
        }
        assert!(seen.insert(begun.browser.clone()), "a browser twice");
        // The verifier is neither the state nor the cookie, and does not leave.
        let challenge = asked.get("code_challenge").unwrap();
        for visible in [&begun.state, &begun.browser, asked.get("nonce").unwrap()] {
            assert_ne!(pkce_challenge(visible), challenge);
        }
    }
}

#[test]
fn what_is_stored_is_of_no_use_to_a_reader() {
    let world = World::new();
    let begun = world.begin(&BeginRequest::default()).ok().unwrap();
    let asked = asked(&begun.authorize_url);
    for secret in [&begun.state, &begun.browser, asked.get("nonce").unwrap()] {
        let found = world.number(&format!(
            "SELECT count(*) FROM pending_login WHERE state_hash = '{secret}'
             OR browser_hash = '{secret}' OR instr(sealed, CAST('{secret}' AS BLOB)) > 0"
        ));
        assert_eq!(found, 0);
    }
}

#[test]
fn refuses_what_it_will_not_pass_on() {
    let verifier_digest = pkce_challenge(VERIFIER);
    let long = "a".repeat(321);
    let default = BeginRequest::default();
    let table = [
        (
            "N-015 plain",
            BeginRequest {
                code_challenge_method: Some("plain"),
                ..default
            },
            "code_challenge_method",
        ),
        (
            "N-015 plain beside a challenge",
            BeginRequest {
                code_challenge: Some(&verifier_digest),
                code_challenge_method: Some("plain"),
                ..default
            },
            "code_challenge_method",
        ),
        (
            "no digest",
            BeginRequest {
                code_challenge: Some("short"),
                ..default
            },
            "code_challenge",
        ),
        (
            "empty",
            BeginRequest {
                code_challenge: Some(""),
                ..default
            },
            "code_challenge",
        ),
        (
            "a verifier",
            BeginRequest {
                code_challenge: Some(VERIFIER),
                ..default
            },
            "code_challenge",
        ),
        (
            "long hint",
            BeginRequest {
                login_hint: Some(&long),
                ..default
            },
            "login_hint",
        ),
        (
            "hint with a line",
            BeginRequest {
                login_hint: Some("a\r\nb"),
                ..default
            },
            "login_hint",
        ),
        (
            "hint beyond ASCII",
            BeginRequest {
                login_hint: Some("ä@b"),
                ..default
            },
            "login_hint",
        ),
        (
            "unknown prompt",
            BeginRequest {
                prompt: Some("create"),
                ..default
            },
            "prompt",
        ),
        (
            "two prompts",
            BeginRequest {
                prompt: Some("login consent"),
                ..default
            },
            "prompt",
        ),
    ];
    for (name, request, field) in table {
        let world = World::new();
        let result = world.begin(&request);
        assert_eq!(code(&result), Some(Code::InvalidRequest), "{name}");
        assert_eq!(detail(&result, "field"), field, "{name}");
        assert_eq!(
            world.number("SELECT count(*) FROM pending_login"),
            0,
            "{name}"
        );
        assert!(world.scaikey.calls.borrow().is_empty(), "{name}");
    }
}

#[test]
fn the_longest_hint_is_passed_on() {
    let world = World::new();
    for (length, expected) in [(320, None), (321, Some(Code::InvalidRequest))] {
        let hint = "a".repeat(length);
        let begun = world.begin(&BeginRequest {
            login_hint: Some(&hint),
            ..BeginRequest::default()
        });
        assert_eq!(code(&begun), expected, "{length}");
        if let Ok(begun) = begun {
            assert_eq!(asked(&begun.authorize_url).get("login_hint"), Some(&*hint));
        }
    }
}

#[test]
fn n_035_n_036_a_foreign_return_address_is_refused() {
    let world = World::new();
    let long = format!("/{}", "a".repeat(3000));
    for bad in [
        "",
        "//evil.example",
        "/\\evil.example",
        "\\/evil.example",
        "/%09/evil.example",
        "/%2f%2fevil.example",
        "/%5cevil.example",
        "https:evil.example",
        "https:///evil.example",
        "https://app.example@evil.example",
        "https://evil.example",
        "https://app.example.evil.example",
        "https://evilapp.example",
        "http://app.example/",
        "https://app.example:444/",
        "https://app.example\r\nSet-Cookie: a=b",
        "https://app。example/",
        "ht\ttps://app.example/",
        "javascript:alert(1)",
        "data:text/html,x",
        "app.example/done",
        " https://app.example/",
        &long,
    ] {
        let result = world.begin(&BeginRequest {
            return_to: Some(bad),
            ..BeginRequest::default()
        });
        assert_eq!(code(&result), Some(Code::ReturnToNotAllowed), "{bad:?}");
        assert_eq!(detail(&result, "field"), "return_to");
    }
    for good in [
        APP,
        "https://other.example/x?y=1",
        "/inside",
        "/",
        "https://gate.example/",
    ] {
        let result = world.begin(&BeginRequest {
            return_to: Some(good),
            ..BeginRequest::default()
        });
        assert_eq!(code(&result), None, "{good:?}");
    }
}

#[test]
fn a_browser_keeps_its_cookie_and_a_made_up_one_is_replaced() {
    let world = World::new();
    let first = world.begin(&BeginRequest::default()).ok().unwrap().browser;
    let second = BeginRequest {
        browser: Some(&first),
        ..BeginRequest::default()
    };
    assert_eq!(world.begin(&second).ok().unwrap().browser, first);
    for strange in ["", "x", "a'; --", &"a".repeat(44), &"ä".repeat(22)] {
        let request = BeginRequest {
            browser: Some(strange),
            ..BeginRequest::default()
        };
        let begun = world.begin(&request).ok().unwrap();
        assert_ne!(begun.browser, *strange);
        assert_eq!(begun.browser.len(), 43);
    }
}

#[test]
fn n_019_the_oldest_of_more_than_twenty_pending_logins_is_dropped() {
    let world = World::new();
    let first = world.returning(&BeginRequest::default());
    let same = BeginRequest {
        browser: Some(&first.browser),
        ..BeginRequest::default()
    };
    let second = world.returning(&same);
    let other_browser = world.returning(&BeginRequest::default());
    for _ in 0..19 {
        world.begin(&same).ok().unwrap();
    }
    assert_eq!(world.number("SELECT count(*) FROM pending_login"), 21);
    let dropped = world.complete(&first).err().unwrap();
    assert_eq!(dropped.problem.code(), Code::StateUnknown);
    assert!(world.complete(&second).is_ok());
    assert!(world.complete(&other_browser).is_ok());
}

#[test]
fn says_why_scaikey_can_not_be_asked() {
    let html = || Ok(reply(200, "text/html", "<html>"));
    let discovery = |changes| {
        let world = World::new();
        world.scaikey.discovery.replace(changes);
        Ok(json_reply(200, &world.scaikey.discovery_document()))
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
        ("timeout", Err(OutboundError::Timeout), Code::ScaikeyTimeout),
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
            Ok(reply(500, "text/plain", "")),
            Code::ScaikeyUnavailable,
        ),
        (
            "503",
            Ok(reply(503, "application/json", "{}")),
            Code::ScaikeyUnavailable,
        ),
        (
            "429",
            Ok(reply(429, "text/plain", "")),
            Code::ScaikeyRateLimited,
        ),
        (
            "403",
            Ok(reply(403, "text/plain", "")),
            Code::DiscoveryInvalid,
        ),
        (
            "N-045 a redirect",
            Ok(reply(302, "text/plain", "")),
            Code::DiscoveryInvalid,
        ),
        ("a page", html(), Code::DiscoveryInvalid),
        (
            "not found anywhere",
            Ok(reply(404, "text/plain", "")),
            Code::DiscoveryInvalid,
        ),
        (
            "no object",
            Ok(reply(200, "application/json", "[]")),
            Code::DiscoveryInvalid,
        ),
        (
            "another issuer",
            discovery(json!({"issuer": "https://evil.example"})),
            Code::DiscoveryInvalid,
        ),
        (
            "N-074 a slash",
            discovery(json!({"issuer": format!("{BASE}/")})),
            Code::DiscoveryInvalid,
        ),
        (
            "N-054 a foreign token endpoint",
            discovery(json!({"token_endpoint": "https://evil.example/token"})),
            Code::DiscoveryInvalid,
        ),
        (
            "N-015 no S256",
            discovery(json!({"code_challenge_methods_supported": ["plain"]})),
            Code::DiscoveryInvalid,
        ),
    ];
    for (name, answer, expected) in table {
        let world = World::new();
        world.scaikey.always(Endpoint::Discovery, answer);
        let result = world.begin(&BeginRequest::default());
        assert_eq!(code(&result), Some(expected), "{name}");
        assert_eq!(
            world.number("SELECT count(*) FROM pending_login"),
            0,
            "{name}"
        );
        world.scaikey.heal(Endpoint::Discovery);
        assert_eq!(
            code(&world.begin(&BeginRequest::default())),
            None,
            "{name}, healed"
        );
    }
}

#[test]
fn says_what_is_wrong_with_the_database() {
    let unavailable = Code::StoreUnavailable;
    for (error, expected) in [
        (StoreError::Unavailable, unavailable),
        (StoreError::Busy, unavailable),
        (StoreError::Full, unavailable),
        (StoreError::Denied, unavailable),
        (StoreError::Corrupt, unavailable),
        (StoreError::SchemaNewer, Code::SchemaNewer),
    ] {
        let world = World::new();
        world.db.plan.fail_at(1, StoreFault::Lost(error));
        let result = world.begin(&BeginRequest::default());
        assert_eq!(code(&result), Some(expected));
        if expected == unavailable {
            assert_eq!(detail(&result, "store"), "sqlite");
            assert_eq!(detail(&result, "reason"), error.to_string());
        }
    }
}

#[test]
fn a_scaikey_without_the_platform_flavour_is_read_in_the_standard_place() {
    let world = World::new();
    world
        .scaikey
        .always(Endpoint::Discovery, Ok(reply(404, "text/plain", "")));
    let document = world.scaikey.discovery_document();
    world
        .scaikey
        .always(Endpoint::StandardDiscovery, Ok(json_reply(200, &document)));
    assert_eq!(code(&world.begin(&BeginRequest::default())), None);
}
