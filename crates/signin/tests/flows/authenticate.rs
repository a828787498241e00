//! Who is calling.

use std::time::Duration;

use http::{HeaderMap, HeaderValue};
use scaigate_kv::revocation;
use scaigate_problem::Code;
use scaigate_signin::{Ports, authenticate};
use scaigate_types::{Clock as _, StoreError};

use crate::world::stores::StoreFault;
use crate::world::{PUBLIC_URL, World, caller, caller_with, code, detail};

fn outcome(world: &World, ports: &impl Ports, token: &str) -> Option<Code> {
    code(&caller(world, ports, token))
}

fn headers(values: &[&[u8]]) -> HeaderMap {
    let value = |bytes: &&[u8]| HeaderValue::from_bytes(bytes).unwrap();
    let pairs = values
        .iter()
        .map(|bytes| (http::header::AUTHORIZATION, value(bytes)));
    let mut map = HeaderMap::new();
    for (name, value) in pairs {
        map.append(name, value);
    }
    map
}

#[test]
fn takes_a_token_from_one_bearer_header_only() {
    let none = Some(Code::AuthenticationRequired);
    let bad = Some(Code::TokenInvalid);
    let table: [(&[&[u8]], Option<Code>); 12] = [
        (&[], none),
        (&[b"Bearer abc"], None),
        (&[b"bearer abc"], None),
        (&[b"BEARER   abc"], None),
        (&[b"Bearer abc", b"Bearer abc"], bad),
        (&[b"Bearer abc", b"Bearer def"], bad),
        (&[b"Bearer"], bad),
        (&[b"Bearer "], bad),
        (&[b"Bearer a b"], bad),
        (&[b"Basic abc"], bad),
        (&[b"Bearer \xe4"], bad),
        (&[b"abc"], bad),
    ];
    for (values, expected) in table {
        let map = headers(values);
        let bearer = authenticate::bearer(&map);
        assert_eq!(code(&bearer), expected, "{values:?}");
        if expected.is_none() {
            assert_eq!(bearer.ok(), Some("abc"));
        }
    }
}

#[test]
fn one_that_was_found_good_is_taken_from_one_bearer_header_only_too() {
    let world = World::new();
    let session = world.session();
    let instance = world.instance();
    let token = session.access_token.expose();
    assert_eq!(outcome(&world, &instance, token), None);
    let header = |scheme: &str| format!("{scheme}{token}").into_bytes();
    let (good, other) = (header("Bearer "), b"Bearer other".to_vec());
    for values in [
        vec![&good, &good],
        vec![&good, &other],
        vec![&other, &good],
        vec![&header("Basics ")],
        vec![&header("Bearer_")],
    ] {
        let values: Vec<&[u8]> = values.into_iter().map(Vec::as_slice).collect();
        let result = caller_with(&world, &instance, &headers(&values));
        assert_eq!(code(&result), Some(Code::TokenInvalid), "{values:?}");
    }
}

#[test]
fn one_that_was_found_good_vouches_for_no_other() {
    let world = World::new();
    let session = world.session();
    let instance = world.instance();
    let token = session.access_token.expose();
    assert_eq!(outcome(&world, &instance, token), None);
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let (head, payload) = signed.split_once('.').unwrap();
    for other in [
        // Another payload, a longer and a shorter one, under the same signature.
        format!("{head}.{}.{signature}", payload.replacen('J', "K", 1)),
        format!("{head}.{payload}A.{signature}"),
        format!("{}.{signature}", &signed[..signed.len() - 1]),
    ] {
        assert_eq!(
            outcome(&world, &instance, &other),
            Some(Code::TokenInvalid),
            "{other}"
        );
    }
    assert_eq!(outcome(&world, &instance, token), None);
}

#[test]
fn several_that_were_found_good_are_known_at_a_time() {
    let world = World::new();
    let sessions = [world.session(), world.session()];
    let instance = world.instance();
    world.kv.plan.heal();
    for _ in 0..3 {
        for session in &sessions {
            let token = session.access_token.expose();
            assert_eq!(outcome(&world, &instance, token), None);
        }
    }
    let calls = world.kv.plan.heal();
    assert_eq!(calls.len(), sessions.len(), "{calls:?}");
}

#[test]
fn a_session_token_says_who_calls_until_it_expires() {
    for (seconds, expected) in [
        (0, None),
        (900, None),
        (905, None),
        (906, Some(Code::TokenExpired)),
    ] {
        let world = World::new();
        let session = world.session();
        world.clock.advance(Duration::from_secs(seconds));
        assert_eq!(
            outcome(&world, &world.instance(), session.access_token.expose()),
            expected,
            "{seconds}"
        );
    }
}

#[test]
fn s_14_a_token_of_another_environment_is_told_apart() {
    let world = World::new();
    let other_secret = [(
        "session_secret",
        "//79/Pv6+fj39vX08/Lx8O/u7ezr6uno5+bl5OPi4eA=",
    )];
    let other_url = [("public_url", "https://staging.example")];
    for (changes, reason) in [
        (&other_secret, "signed with a key that is not configured"),
        (&other_url, "made for another deployment"),
    ] {
        let foreign = World::with(changes).session();
        let token = foreign.access_token.expose();
        let result = caller(&world, &world, token);
        assert_eq!(code(&result), Some(Code::TokenInvalid));
        assert_eq!(detail(&result, "reason"), reason);
        assert_eq!(detail(&result, "sw_code"), "SW_AUTH_INVALID_TOKEN");
    }
}

#[test]
fn n_031_no_other_token_is_a_session_token() {
    let world = World::new();
    let session = world.session();
    let tokens = world.scaikey_refresh_token();
    for token in ["", "a.b.c", session.refresh_token.expose(), tokens.expose()] {
        assert_eq!(
            outcome(&world, &world.instance(), token),
            Some(Code::TokenInvalid)
        );
    }
    assert_eq!(
        world
            .kv
            .plan
            .heal()
            .iter()
            .filter(|call| *call == "get revocation")
            .count(),
        0
    );
}

#[test]
fn a_store_that_does_not_answer_is_neither_yes_nor_no() {
    for error in [
        StoreError::Unavailable,
        StoreError::Busy,
        StoreError::Denied,
        StoreError::Corrupt,
    ] {
        let world = World::new();
        let session = world.session();
        world.kv.plan.fail_at(1, StoreFault::Lost(error));
        let token = session.access_token.expose();
        assert_eq!(
            outcome(&world, &world.instance(), token),
            Some(Code::StoreUnavailable),
            "{error:?}"
        );
        assert_eq!(
            outcome(&world, &world.instance(), token),
            None,
            "{error:?}, healed"
        );
    }
}

#[test]
fn an_ended_session_is_believed_for_two_seconds_at_the_most() {
    let world = World::new();
    let session = world.session();
    let token = session.access_token.expose();
    let cache = world.instance();
    assert_eq!(outcome(&world, &cache, token), None);
    let claims = world
        .settings
        .sessions
        .signer
        .verify(token, PUBLIC_URL, world.clock.now())
        .unwrap();
    world
        .run(revocation::revoke(
            &world.kv.inner,
            &claims.sid,
            world.clock.now(),
        ))
        .unwrap();
    world.clock.advance(Duration::from_millis(1999));
    assert_eq!(outcome(&world, &cache, token), None);
    world.clock.advance(Duration::from_millis(1));
    assert_eq!(outcome(&world, &cache, token), Some(Code::TokenRevoked));
    // Another instance, and one that has seen the truth, know at once.
    assert_eq!(
        outcome(&world, &world.instance(), token),
        Some(Code::TokenRevoked)
    );
}
