//! Signing out.

use scaigate_kv::revocation;
use scaigate_problem::{Code, Problem};
use scaigate_scaikey::form;
use scaigate_signin::logout::{self, LoggedOut, LogoutRequest};
use scaigate_signin::{SessionAnswer, refresh};
use scaigate_types::OutboundError;
use serde_json::json;

use crate::world::scaikey::{Endpoint, reply};
use crate::world::{APP, World, caller, code, detail};

fn logout(world: &World, request: &LogoutRequest<'_>) -> Result<LoggedOut, Problem> {
    world.run(logout::logout(world, &world.settings, request))
}

fn by_refresh_token(session: &SessionAnswer) -> LogoutRequest<'_> {
    LogoutRequest {
        refresh_token: Some(session.refresh_token.expose()),
        ..LogoutRequest::default()
    }
}

fn by_session_token(session: &SessionAnswer) -> LogoutRequest<'_> {
    LogoutRequest {
        session_token: Some(session.access_token.expose()),
        ..LogoutRequest::default()
    }
}

fn token_code(world: &World, session: &SessionAnswer) -> Option<Code> {
    code(&caller(
        world,
        &world.instance(),
        session.access_token.expose(),
    ))
}

fn refresh_code(world: &World, session: &SessionAnswer) -> Option<Code> {
    let token = session.refresh_token.expose();
    code(&world.run(refresh::refresh(world, &world.settings, token, None)))
}

#[test]
fn either_token_ends_the_session_everywhere_at_once() {
    for by in [by_refresh_token, by_session_token] {
        let world = World::new();
        let session = world.session();
        assert_eq!(token_code(&world, &session), None);
        let done = logout(&world, &by(&session)).unwrap();
        assert!(done.scaikey_revoked);
        assert_eq!(token_code(&world, &session), Some(Code::TokenRevoked));
        assert_eq!(refresh_code(&world, &session), Some(Code::SessionEnded));
        assert_eq!(done.to_json()["logged_out"], true);
        let revoked = world.scaikey.revoked.borrow();
        assert_eq!(revoked.len(), 1);
        assert!(revoked[0].starts_with("refresh_"));
        assert_eq!(
            world.number("SELECT count(*) FROM session WHERE scaikey_tokens IS NOT NULL"),
            0
        );
    }
}

#[test]
fn other_sessions_of_the_person_live_on() {
    let world = World::new();
    let (one, other) = (world.session(), world.session());
    logout(&world, &by_refresh_token(&one)).unwrap();
    assert_eq!(token_code(&world, &other), None);
    assert_eq!(refresh_code(&world, &other), None);
}

#[test]
fn signing_out_twice_is_signing_out() {
    let world = World::new();
    let session = world.session();
    assert!(
        logout(&world, &by_refresh_token(&session))
            .unwrap()
            .scaikey_revoked
    );
    let again = logout(&world, &by_refresh_token(&session)).unwrap();
    assert!(!again.scaikey_revoked, "there is nothing left to revoke");
    assert_eq!(world.scaikey.count(Endpoint::Revocation), 1);
}

#[test]
fn the_end_session_url_brings_the_browser_back_to_us() {
    let world = World::new();
    let session = world.session();
    let request = LogoutRequest {
        post_logout_redirect_uri: Some(APP),
        ..by_refresh_token(&session)
    };
    let url = logout(&world, &request).unwrap().end_session_url.unwrap();
    let (address, query) = url.split_once('?').unwrap();
    assert_eq!(
        address,
        "https://scaikey.example/api/v1/platform/oauth/logout"
    );
    let query = form::parse(query.as_bytes(), 8).unwrap();
    assert_eq!(query.get("client_id"), Some("app_gate"));
    assert_eq!(query.get("post_logout_redirect_uri"), Some(APP));
    assert!(query.get("id_token_hint").is_some());
}

#[test]
fn n_035_n_089_a_foreign_address_is_refused_before_anything_is_done() {
    let world = World::new();
    let session = world.session();
    for bad in [
        "https://evil.example",
        "//evil.example",
        "https://app.example.evil.example",
        "javascript:alert(1)",
        "",
    ] {
        let request = LogoutRequest {
            post_logout_redirect_uri: Some(bad),
            ..by_refresh_token(&session)
        };
        let result = logout(&world, &request);
        assert_eq!(code(&result), Some(Code::ReturnToNotAllowed), "{bad:?}");
        assert_eq!(detail(&result, "field"), "post_logout_redirect_uri");
    }
    assert_eq!(token_code(&world, &session), None);
}

#[test]
fn nobody_is_signed_out_by_a_token_that_is_not_theirs() {
    let world = World::new();
    let session = world.session();
    let access = session.access_token.expose().as_str();
    let refresh = session.refresh_token.expose().as_str();
    let none = LogoutRequest::default();
    let table = [
        ("nothing", none, Code::AuthenticationRequired),
        (
            "a made-up refresh token",
            LogoutRequest {
                refresh_token: Some("sgr_x"),
                ..none
            },
            Code::RefreshTokenInvalid,
        ),
        (
            "N-031 an access token for it",
            LogoutRequest {
                refresh_token: Some(access),
                ..none
            },
            Code::RefreshTokenInvalid,
        ),
        (
            "N-031 the reverse",
            LogoutRequest {
                session_token: Some(refresh),
                ..none
            },
            Code::TokenInvalid,
        ),
        (
            "a cut token",
            LogoutRequest {
                session_token: Some(&access[..access.len() - 2]),
                ..none
            },
            Code::TokenInvalid,
        ),
    ];
    for (name, request, expected) in table {
        assert_eq!(code(&logout(&world, &request)), Some(expected), "{name}");
    }
    assert_eq!(token_code(&world, &session), None);
}

#[test]
fn a_scaikey_that_can_not_be_told_does_not_keep_anybody_signed_in() {
    let table = [
        ("refused", Err(OutboundError::Refused)),
        ("timeout", Err(OutboundError::Timeout)),
        ("500", Ok(reply(500, "text/plain", ""))),
        (
            "400",
            Ok(reply(
                400,
                "application/json",
                "{\"error\":\"unsupported_token_type\"}",
            )),
        ),
        ("redirect", Ok(reply(302, "text/plain", ""))),
    ];
    for (name, answer) in table {
        for endpoint in [Endpoint::Revocation, Endpoint::Discovery] {
            let world = World::new();
            let session = world.session();
            world.scaikey.always(endpoint, answer.clone());
            world.forget_documents();
            let instance = world.instance();
            let done = world
                .run(logout::logout(
                    &instance,
                    &world.settings,
                    &by_refresh_token(&session),
                ))
                .unwrap();
            assert!(!done.scaikey_revoked, "{name}");
            assert_eq!(
                done.end_session_url.is_some(),
                endpoint == Endpoint::Revocation,
                "{name}"
            );
            assert_eq!(
                token_code(&world, &session),
                Some(Code::TokenRevoked),
                "{name}"
            );
            assert_eq!(
                refresh_code(&world, &session),
                Some(Code::SessionEnded),
                "{name}"
            );
        }
    }
}

#[test]
fn a_scaikey_without_revocation_or_logout_page_is_not_asked() {
    let world = World::new();
    world
        .scaikey
        .discovery
        .replace(json!({"revocation_endpoint": null, "end_session_endpoint": null}));
    let done = logout(&world, &by_refresh_token(&world.session())).unwrap();
    assert!(!done.scaikey_revoked && done.end_session_url.is_none());
    assert_eq!(world.scaikey.count(Endpoint::Revocation), 0);
}

#[test]
fn without_a_refresh_token_the_access_token_is_revoked() {
    let world = World::new();
    world.scaikey.answer.replace(json!({"refresh_token": null}));
    let session = world.session();
    logout(&world, &by_refresh_token(&session)).unwrap();
    let calls = world.scaikey.calls.borrow();
    let call = calls
        .iter()
        .find(|call| call.endpoint == Endpoint::Revocation)
        .unwrap();
    assert_eq!(call.form.get("token_type_hint"), Some("access_token"));
}

#[test]
fn n_105_a_session_ended_halfway_is_revoked_before_it_is_ended() {
    // The record that every request reads comes first, so no moment exists in which the session
    // looks ended in the database and its token still works.
    let world = World::new();
    let session = world.session();
    let token = session.refresh_token.expose();
    let sid = scaigate_jose::RefreshToken::verify(&world.settings.sessions.refresh, token)
        .unwrap()
        .sid;
    // SELECT, BEGIN, UPDATE, and then the index: the COMMIT fails.
    world.db.plan.fail_at(
        4,
        crate::world::stores::StoreFault::Lost(scaigate_types::StoreError::Busy),
    );
    assert_eq!(
        code(&logout(&world, &by_refresh_token(&session))),
        Some(Code::StoreUnavailable)
    );
    assert!(
        world
            .run(revocation::read(&world.kv.inner, &sid))
            .unwrap()
            .is_some()
    );
    world.db.plan.heal();
    assert!(
        logout(&world, &by_refresh_token(&session))
            .unwrap()
            .scaikey_revoked
    );
}
