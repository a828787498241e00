//! ScaiKey's word that somebody has signed out there.

use std::collections::BTreeMap;
use std::time::Duration;

use futures::future::join_all;
use scaigate_problem::{Code, Problem};
use scaigate_signin::{SessionAnswer, backchannel_logout, refresh};
use serde_json::{Value, json};

use crate::world::{BASE, CLIENT_ID, Signer, TENANT, World, caller, code, detail, says};

fn logout(world: &World, token: &str) -> Result<usize, Problem> {
    let provider = &world.settings.scaikey.provider;
    world.run(backchannel_logout::backchannel_logout(
        &world.instance(),
        provider,
        token,
    ))
}

fn log_out(world: &World, changes: &Value) -> Result<usize, Problem> {
    logout(world, &world.scaikey.logout_token(changes))
}

/// A sign-in with these claims in its ID token.
fn session_of(world: &World, claims: Value) -> SessionAnswer {
    world.scaikey.id_claims.replace(claims);
    world.session()
}

fn is_ended(world: &World, session: &SessionAnswer) -> bool {
    match code(&caller(
        world,
        &world.instance(),
        session.access_token.expose(),
    )) {
        None => false,
        Some(Code::TokenRevoked) => true,
        Some(other) => unreachable!("{}", other.as_str()),
    }
}

fn refreshed(world: &World, session: &SessionAnswer) -> Option<Code> {
    let token = session.refresh_token.expose();
    code(&world.run(refresh::refresh(
        &world.instance(),
        &world.settings,
        token,
        None,
    )))
}

#[test]
fn n_088_ends_what_it_names_and_nothing_else() {
    let of_tenant = |tenant_id: &str| format!("{BASE}/tenants/{tenant_id}");
    let people = [
        json!({"sid": "one"}),
        json!({"sid": "two"}),
        json!({"sub": "usr_bob", "sid": "three"}),
        json!({"tenant_id": "tnt_beta", "sid": "one"}),
    ];
    let beta = of_tenant("tnt_beta");
    // Claims of the logout token, and which of the four it ends.
    let table: [(Value, [bool; 4]); 14] = [
        (
            json!({"iss": of_tenant(TENANT)}),
            [true, true, false, false],
        ),
        (json!({"tenant_id": TENANT}), [true, true, false, false]),
        (
            json!({"tenant_id": "tnt_beta"}),
            [false, false, false, true],
        ),
        (json!({"iss": beta}), [false, false, false, true]),
        // The platform names no tenant: it is whoever has that subject.
        (json!({}), [true, true, false, true]),
        (
            json!({"sub": null, "sid": "two"}),
            [false, true, false, false],
        ),
        (
            json!({"sub": null, "sid": "one"}),
            [true, false, false, true],
        ),
        (
            json!({"sub": null, "sid": "one", "iss": beta}),
            [false, false, false, true],
        ),
        (
            json!({"sub": null, "sid": "one", "tenant_id": TENANT}),
            [true, false, false, false],
        ),
        (json!({"sid": "two"}), [false, true, false, false]),
        (json!({"sid": "three"}), [false; 4]),
        (json!({"sid": "two", "iss": beta}), [false; 4]),
        (json!({"sub": "usr_nobody"}), [false; 4]),
        (json!({"sub": null, "sid": "four"}), [false; 4]),
    ];
    for (claims, expected) in table {
        let world = World::new();
        let sessions = people.clone().map(|claims| session_of(&world, claims));
        let ended = log_out(&world, &claims);
        assert_eq!(
            sessions.each_ref().map(|session| is_ended(&world, session)),
            expected,
            "{claims}"
        );
        let count = expected.iter().filter(|ended| **ended).count();
        assert_eq!(ended.ok(), Some(count), "{claims}");
        for (session, ended) in sessions.iter().zip(expected) {
            let expected = ended.then_some(Code::SessionEnded);
            assert_eq!(refreshed(&world, session), expected, "{claims}");
        }
    }
}

#[test]
fn is_believed_within_two_seconds() {
    let world = World::new();
    let session = world.session();
    let token = session.access_token.expose();
    let own = world.instance();
    assert_eq!(code(&caller(&world, &own, token)), None);
    assert_eq!(log_out(&world, &json!({})).ok(), Some(1));
    world.clock.advance(Duration::from_secs(2));
    assert_eq!(code(&caller(&world, &own, token)), Some(Code::TokenRevoked));
    assert_eq!(refreshed(&world, &session), Some(Code::SessionEnded));
    // A new sign-in is nothing to it.
    assert!(!is_ended(&world, &world.session()));
}

#[test]
fn n_086_works_once() {
    let world = World::new();
    world.session();
    let token = world.scaikey.logout_token(&json!({"jti": "one"}));
    assert_eq!(logout(&world, &token).ok(), Some(1));
    let session = world.session();
    for seconds in [0, 1, 300] {
        world.clock.advance(Duration::from_secs(seconds));
        let again = logout(&world, &token);
        if seconds < 300 {
            assert_eq!(code(&again), Some(Code::LogoutTokenReplayed), "{seconds}");
            assert_eq!(detail(&again, "oauth_error"), "invalid_request");
        } else {
            assert_eq!(code(&again), Some(Code::LogoutTokenInvalid), "{seconds}");
        }
    }
    assert_eq!(refreshed(&world, &session), None);
    // Another token with its `jti` is the same order; one of another issuer is not.
    let world = World::new();
    assert!(log_out(&world, &json!({"jti": "one"})).is_ok());
    let again = log_out(&world, &json!({"jti": "one", "sub": "usr_bob"}));
    assert_eq!(code(&again), Some(Code::LogoutTokenReplayed));
    let other = json!({"jti": "one", "iss": format!("{BASE}/tenants/{TENANT}")});
    assert!(log_out(&world, &other).is_ok());
}

#[test]
fn n_086_of_fifty_at_once_one_succeeds() {
    for seed in 0..5 {
        let world = World::new();
        world.shuffle(seed);
        let sessions = [world.session(), world.session()];
        let token = world.scaikey.logout_token(&json!({}));
        let instances: Vec<_> = (0..50).map(|_| world.instance()).collect();
        let provider = &world.settings.scaikey.provider;
        let all = instances
            .iter()
            .map(|own| backchannel_logout::backchannel_logout(own, provider, &token));
        let mut tally = BTreeMap::new();
        for outcome in world.run(join_all(all)) {
            let name = code(&outcome).map_or("ok", Code::as_str);
            *tally.entry(name).or_insert(0) += 1;
        }
        let expected = BTreeMap::from([("ok", 1), ("logout_token_replayed", 49)]);
        assert_eq!(tally, expected);
        assert!(sessions.iter().all(|session| is_ended(&world, session)));
    }
}

#[test]
fn n_084_n_085_n_087_what_does_not_hold_ends_nothing_and_says_why() {
    let event = "the event is not a logout";
    let claim = "a claim is not usable";
    let now = crate::world::clock::START.secs();
    let logout_event = "http://schemas.openid.net/event/backchannel-logout";
    let table: [(Value, &str); 20] = [
        (
            json!({"iss": "https://evil.example"}),
            "issued by another issuer",
        ),
        (
            json!({"iss": format!("{BASE}/tenants/tnt_beta"), "tenant_id": TENANT}),
            "issued by another issuer",
        ),
        (json!({"iss": null}), claim),
        (json!({"aud": "other"}), "issued for another audience"),
        (
            json!({"aud": [CLIENT_ID, "other"]}),
            "issued for another audience",
        ),
        (json!({"aud": null}), claim),
        (json!({"events": null}), event),
        (json!({"events": {}}), event),
        (
            json!({"events": {"https://schemas.example/other": {}}}),
            event,
        ),
        (json!({"events": {logout_event: true}}), event),
        (json!({"events": [logout_event]}), event),
        (json!({"nonce": "n"}), "a logout token has no nonce"),
        (
            json!({"sub": null}),
            "neither a subject nor a session is named",
        ),
        (json!({"sub": ""}), claim),
        (json!({"jti": null}), claim),
        (json!({"iat": null}), claim),
        (json!({"iat": now - 361}), "the logout token is too old"),
        (
            json!({"iat": now + 100}),
            "the logout token is not valid yet",
        ),
        (json!({"exp": now - 100}), "the logout token has expired"),
        (json!({"sid": 5}), claim),
    ];
    for (changes, reason) in table {
        let world = World::new();
        let session = world.session();
        let result = log_out(&world, &changes);
        assert_eq!(code(&result), Some(Code::LogoutTokenInvalid), "{changes}");
        assert!(says(&result, reason), "{changes}: {reason}");
        assert_eq!(detail(&result, "oauth_error"), "invalid_request");
        assert!(!is_ended(&world, &session), "{changes}");
    }
}

#[test]
fn n_084_n_087_what_is_not_signed_as_a_logout_token_ends_nothing() {
    let world = World::new();
    let session = world.session();
    let compact = world.scaikey.logout_token(&json!({}));
    let claims = crate::world::scaikey::claims_of(&compact);
    let kid = Signer(1).kid();
    let algorithm = "the algorithm is not accepted";
    let by = |signer: Signer, header: Value| signer.sign(&header, &claims);
    let table = [
        (by(Signer(1), json!({"alg": "none", "kid": kid})), algorithm),
        (
            by(Signer(1), json!({"alg": "HS256", "kid": kid})),
            algorithm,
        ),
        (
            by(Signer(2), json!({"alg": "EdDSA", "kid": kid})),
            "the signature could not be verified",
        ),
        (
            by(
                Signer(1),
                json!({"alg": "EdDSA", "kid": kid, "typ": "at+jwt"}),
            ),
            "not a logout token",
        ),
        // Neither of its siblings, of the same issuer for the same audience.
        (
            world.scaikey.access_token(&json!({})),
            "the event is not a logout",
        ),
        (
            world
                .scaikey
                .access_token(&json!({"nonce": "n", "scope": null})),
            "the event is not a logout",
        ),
        (String::new(), "not three base64url parts"),
    ];
    for (token, reason) in table {
        let result = logout(&world, &token);
        assert_eq!(code(&result), Some(Code::LogoutTokenInvalid), "{reason}");
        assert!(says(&result, reason), "{reason}");
        assert!(!is_ended(&world, &session), "{reason}");
    }
}

#[test]
fn revokes_the_access_tokens_of_a_subject_that_were_issued_before() {
    let tenant = format!("{BASE}/tenants/{TENANT}");
    for (claims, expected) in [
        (json!({}), Some(Code::TokenRevoked)),
        (json!({"tenant_id": TENANT}), Some(Code::TokenRevoked)),
        (json!({"iss": tenant}), Some(Code::TokenRevoked)),
        (json!({"tenant_id": "tnt_beta"}), None),
        (json!({"sub": "usr_bob"}), None),
        // A session is named, and an access token is not of a session.
        (json!({"sid": "sk_session"}), None),
    ] {
        let world = World::new();
        world.session();
        let before = world.scaikey.access_token(&json!({}));
        assert!(log_out(&world, &claims).is_ok());
        world.clock.advance(Duration::from_secs(1));
        let after = world.scaikey.access_token(&json!({}));
        let outcome = |token: &str| code(&caller(&world, &world.instance(), token));
        assert_eq!(outcome(&before), expected, "{claims}");
        assert_eq!(outcome(&after), None, "{claims}");
    }
}

#[test]
fn revokes_the_access_tokens_of_somebody_who_was_never_here() {
    let world = World::new();
    world.session();
    let token = world.scaikey.access_token(&json!({"sub": "usr_new"}));
    let claims = json!({"sub": "usr_new", "tenant_id": TENANT});
    assert_eq!(log_out(&world, &claims).ok(), Some(0));
    let outcome = code(&caller(&world, &world.instance(), &token));
    assert_eq!(outcome, Some(Code::TokenRevoked));
}
