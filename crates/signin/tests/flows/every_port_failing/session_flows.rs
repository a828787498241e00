//! The flows of those who have signed in.

use scaigate_kv::people;
use scaigate_problem::Code;
use scaigate_signin::begin::BeginRequest;
use scaigate_signin::logout::{self, LogoutRequest};
use scaigate_signin::{redeem, refresh, upstream_refresh};
use scaigate_types::{Clock as _, Secret, TenantId, WorkspaceId, WorkspaceRole};

use super::Flow;
use crate::world::scaikey::Endpoint;
use crate::world::{TENANT, World, caller, redeem_request};

fn tokens(world: &World) -> Vec<String> {
    let session = world.session();
    vec![
        session.refresh_token.expose().clone(),
        session.access_token.expose().clone(),
    ]
}

fn refreshed(world: &World, token: &str) -> Option<Code> {
    let outcome = world.run(refresh::refresh(
        &world.instance(),
        &world.settings,
        token,
        None,
    ));
    outcome.err().map(|problem| problem.code())
}

fn token_is_accepted(world: &World, token: &str) -> Option<Code> {
    let outcome = caller(world, &world.instance(), token);
    outcome.err().map(|problem| problem.code())
}

#[test]
fn n_144_redeem() {
    // The code is still good, or it has been redeemed and the session has no holder.
    Flow {
        prepare: |world| vec![world.session_code(&BeginRequest::default())],
        run: |world, input| {
            let request = redeem_request(&input[0]);
            let outcome = world.run(redeem::redeem(&world.instance(), &world.settings, &request));
            outcome.err().map(|problem| problem.code())
        },
        check: |world, _| assert_eq!(world.number("SELECT count(*) FROM session"), 1),
    }
    .expect(
        "
        db 1 SELECT session: lost unanswered: store_unavailable, then ok
        db 2 SELECT person: lost unanswered: store_unavailable, then ok
        db 3 SELECT membership: lost unanswered: store_unavailable, then ok
        db 4 UPDATE session: lost: store_unavailable, then ok
        db 4 UPDATE session: unanswered: store_unavailable, then session_code_already_used
        ",
    );
}

#[test]
fn n_144_n_052_refresh() {
    // The token stays good whatever fails, and nobody is taken for a thief.
    Flow {
        prepare: tokens,
        run: |world, input| refreshed(world, &input[0]),
        check: |world, _| {
            assert_eq!(
                world.number("SELECT count(*) FROM session WHERE ended_at IS NOT NULL"),
                0
            );
        },
    }
    .expect(
        "
        db 1 SELECT session: lost unanswered: store_unavailable, then ok
        db 2 SELECT person: lost unanswered: store_unavailable, then ok
        db 3 SELECT membership: lost unanswered: store_unavailable, then ok
        db 4 UPDATE session: lost unanswered: store_unavailable, then ok
        db 5 SELECT person: lost unanswered: store_unavailable, then ok
        db 6 SELECT membership: lost unanswered: store_unavailable, then ok
        ",
    );
}

#[test]
fn n_144_refresh_that_switches_the_workspace() {
    Flow {
        prepare: |world| {
            let session = world.session();
            let person = &session.person.person_id;
            let (lab, tenant) = (
                WorkspaceId::parse("ws_lab").unwrap(),
                TenantId::parse(TENANT).unwrap(),
            );
            let add = people::add_workspace(
                &world.db,
                &lab,
                &tenant,
                "Lab",
                (person, WorkspaceRole::Viewer),
                world.clock.now(),
            );
            world.run(add).unwrap();
            vec![session.refresh_token.expose().clone()]
        },
        run: |world, input| {
            let instance = world.instance();
            let flow = refresh::refresh(&instance, &world.settings, &input[0], Some("ws_lab"));
            world.run(flow).err().map(|problem| problem.code())
        },
        check: |world, _| {
            // Each session has its one workspace; the one that asked has the one it asked for.
            let switched = "SELECT count(*) FROM session WHERE workspace_id = 'ws_lab'";
            assert_eq!(world.number(switched), 1);
            world.sql("DELETE FROM membership WHERE workspace_id = 'ws_lab'", &[]);
        },
    }
    .expect(
        "
        db 1 SELECT session: lost unanswered: store_unavailable, then ok
        db 2 SELECT person: lost unanswered: store_unavailable, then ok
        db 3 SELECT membership: lost unanswered: store_unavailable, then ok
        db 4 UPDATE session: lost unanswered: store_unavailable, then ok
        db 5 SELECT person: lost unanswered: store_unavailable, then ok
        db 6 SELECT membership: lost unanswered: store_unavailable, then ok
        db 7 UPDATE session: lost unanswered: store_unavailable, then ok
        ",
    );
}

#[test]
fn n_144_n_105_refresh_of_a_suspended_person() {
    // However it fails, no request goes on with the session: `then` is the repetition.
    let flow = Flow {
        prepare: |world| {
            let tokens = tokens(world);
            world.sql("UPDATE person SET status = 'suspended'", &[]);
            tokens
        },
        run: |world, input| match refreshed(world, &input[0]) {
            Some(Code::SessionEnded) => None,
            other => other,
        },
        check: |world, input| {
            assert_eq!(
                token_is_accepted(world, &input[1]),
                Some(Code::TokenRevoked)
            );
            world.sql("UPDATE person SET status = 'active'", &[]);
            assert_eq!(refreshed(world, &input[0]), Some(Code::SessionEnded));
        },
    };
    flow.expect(
        "
        db 1 SELECT session: lost unanswered: store_unavailable, then ok
        db 2 SELECT person: lost unanswered: store_unavailable, then ok
        db 3 BEGIN: lost unanswered: store_unavailable, then ok
        db 4 UPDATE session: lost unanswered: store_unavailable, then ok
        db 5 COMMIT: lost unanswered: store_unavailable, then ok
        kv 1 set revocation: lost unanswered: store_unavailable, then ok
        ",
    );
}

#[test]
fn n_144_n_051_refresh_of_a_stolen_token() {
    let flow = Flow {
        prepare: |world| {
            let first = tokens(world);
            for _ in 0..2 {
                world.sql("UPDATE session SET generation = generation + 1, rotated_from = generation, rotated_at = 0", &[]);
            }
            first
        },
        run: |world, input| match refreshed(world, &input[0]) {
            Some(Code::RefreshTokenReused | Code::SessionEnded) => None,
            other => other,
        },
        check: |world, input| {
            assert_eq!(
                token_is_accepted(world, &input[1]),
                Some(Code::TokenRevoked)
            );
            assert_eq!(
                world.number("SELECT count(*) FROM session WHERE ended_at IS NULL"),
                0
            );
        },
    };
    flow.expect(
        "
        db 1 SELECT session: lost unanswered: store_unavailable, then ok
        db 2 SELECT person: lost unanswered: store_unavailable, then ok
        db 3 SELECT membership: lost unanswered: store_unavailable, then ok
        db 4 UPDATE session: lost unanswered: store_unavailable, then ok
        db 5 SELECT session: lost unanswered: store_unavailable, then ok
        db 6 UPDATE session: lost unanswered: store_unavailable, then ok
        kv 1 set revocation: lost unanswered: store_unavailable, then ok
        ",
    );
}

#[test]
fn n_144_upstream_refresh() {
    // A token that ScaiKey may have taken and whose answer was lost is gone, as RFC 6749 has it;
    // ScaiKey sees it twice at the most.
    Flow {
        prepare: |world| vec![world.scaikey_refresh_token().expose().clone()],
        run: |world, input| {
            let token = Secret::new(input[0].clone());
            let instance = world.instance();
            let outcome = world.run(upstream_refresh::refresh(&instance, &world.settings, &token));
            outcome.err().map(|problem| problem.code())
        },
        check: |world, _| assert!(world.scaikey.count(Endpoint::Token) <= 1 + 2),
    }
    .expect(
        "
        db 1 SELECT upstream_refresh: lost unanswered: store_unavailable, then ok
        db 2 INSERT upstream_refresh: lost unanswered: store_unavailable, then ok
        db 3 SELECT upstream_grant: lost unanswered: store_unavailable, then ok
        db 4 INSERT upstream_grant: lost unanswered: ok, then ok
        db 5 UPDATE upstream_refresh: lost unanswered: ok, then ok
        kv 1 get discovery: lost unanswered: ok, then ok
        kv 2 set discovery: lost unanswered: ok, then ok
        kv 3 get jwks: lost unanswered: ok, then ok
        kv 4 set jwks: lost unanswered: ok, then ok
        out 1 Discovery: refused denied: scaikey_unreachable, then ok
        out 1 Discovery: timeout: scaikey_timeout, then ok
        out 1 Discovery: interrupted too_large: scaikey_invalid_response, then ok
        out 1 Discovery: 500: scaikey_unavailable, then ok
        out 1 Discovery: 429: scaikey_rate_limited, then ok
        out 1 Discovery: 302 page garbage: discovery_invalid, then ok
        out 2 Keys: refused denied timeout interrupted too_large 500 429 302 page garbage: jwks_unavailable, then ok
        out 3 Token: refused denied: scaikey_unreachable, then ok
        out 3 Token: timeout: scaikey_timeout, then invalid_grant
        out 3 Token: interrupted too_large: scaikey_invalid_response, then invalid_grant
        out 3 Token: 500: scaikey_unavailable, then ok
        out 3 Token: 429: scaikey_rate_limited, then ok
        out 3 Token: 302 page garbage: scaikey_invalid_response, then ok
        ",
    );
}

#[test]
fn n_144_logout() {
    // A logout that reports success has ended the session; one that fails can be repeated.
    Flow {
        prepare: tokens,
        run: |world, input| {
            let request =
                LogoutRequest { refresh_token: Some(&input[0]), ..LogoutRequest::default() };
            let outcome = world.run(logout::logout(&world.instance(), &world.settings, &request));
            outcome.err().map(|problem| problem.code())
        },
        check: |world, input| {
            assert_eq!(token_is_accepted(world, &input[1]), Some(Code::TokenRevoked));
            assert_eq!(refreshed(world, &input[0]), Some(Code::SessionEnded));
        },
    }
    .expect(
        "
        db 1 SELECT session: lost unanswered: store_unavailable, then ok
        db 2 BEGIN: lost unanswered: store_unavailable, then ok
        db 3 UPDATE session: lost unanswered: store_unavailable, then ok
        db 4 COMMIT: lost unanswered: store_unavailable, then ok
        kv 1 set revocation: lost unanswered: store_unavailable, then ok
        kv 2 get discovery: lost unanswered: ok, then ok
        kv 3 set discovery: lost unanswered: ok, then ok
        out 1 Discovery: refused denied timeout interrupted too_large 500 429 302 page garbage: ok, then ok
        out 2 Revocation: refused denied timeout interrupted too_large 500 429 302 page garbage: ok, then ok
        ",
    );
}

#[test]
fn n_144_authenticate() {
    Flow {
        prepare: tokens,
        run: |world, input| token_is_accepted(world, &input[1]),
        check: |_, _| {},
    }
    .expect(
        "
        kv 1 get revocation: lost unanswered: store_unavailable, then ok
        ",
    );
}
