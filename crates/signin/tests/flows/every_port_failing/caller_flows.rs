//! The flows of those who call, and of ScaiKey calling us.

use std::time::Duration;

use scaigate_problem::Code;
use scaigate_signin::token_exchange::TokenExchange;
use scaigate_signin::{Principal, backchannel_logout, register, service_token};
use serde_json::json;

use super::Flow;
use crate::world::{World, caller, code};

/// When ScaiKey is asked again that did not answer.
const AGAIN: Duration = Duration::from_secs(31);

fn access_token(world: &World) -> Vec<String> {
    world.session();
    vec![world.scaikey.access_token(&json!({}))]
}

fn taken(world: &World, token: &str) -> Option<Code> {
    code(&caller(world, &world.instance(), token))
}

/// Authenticates and exchanges, as a proxy does.
fn exchanged(world: &World, token: &str) -> Option<Code> {
    let instance = world.instance();
    let principal = match caller(world, &instance, token) {
        Ok(principal) => principal,
        Err(problem) => return Some(problem.code()),
    };
    let audiences = ["scaigrid".to_owned()];
    let exchange = TokenExchange {
        keeper: (&world.settings).into(),
        audiences: &audiences,
    };
    let flow = exchange.for_audience(&instance, &principal, token, "scaigrid", None);
    code(&world.run(flow))
}

#[test]
fn n_144_access_token() {
    Flow {
        prepare: access_token,
        run: |world, input| taken(world, &input[0]),
        check: |world, input| {
            world.clock.advance(AGAIN);
            assert_eq!(taken(world, &input[0]), None);
        },
    }
    .expect(
        "
        db 1 SELECT key_search: lost unanswered: store_unavailable, then ok
        db 2 INSERT key_search: lost: store_unavailable, then ok
        db 2 INSERT key_search: unanswered: jwks_unavailable, then jwks_unavailable
        db 3 SELECT key_search: lost unanswered: store_unavailable, then ok
        db 4 INSERT key_search: lost: store_unavailable, then ok
        db 4 INSERT key_search: unanswered: jwks_unavailable, then jwks_unavailable
        db 5 SELECT person: lost unanswered: store_unavailable, then ok
        kv 1 get discovery: lost unanswered: ok, then ok
        kv 2 set discovery: lost unanswered: ok, then ok
        kv 3 get jwks: lost unanswered: ok, then ok
        kv 4 set jwks: lost unanswered: ok, then ok
        kv 5 get revocation: lost unanswered: store_unavailable, then ok
        out 1 Discovery: refused denied timeout interrupted too_large 500 429: jwks_unavailable, then jwks_unavailable
        out 1 Discovery: 302 page garbage: discovery_invalid, then jwks_unavailable
        out 2 Keys: refused denied timeout interrupted too_large 500 429 302 page garbage: jwks_unavailable, then jwks_unavailable
        ",
    );
}

fn logged_out(world: &World, token: &str) -> Option<Code> {
    let provider = &world.settings.scaikey.provider;
    let instance = world.instance();
    let flow = backchannel_logout::backchannel_logout(&instance, provider, token);
    code(&world.run(flow))
}

#[test]
fn n_144_n_086_backchannel_logout() {
    // One that is not acted on stays good; one that is has ended everything it names.
    Flow {
        prepare: |world| {
            let session = world.session();
            let access = world.scaikey.access_token(&json!({}));
            let token = world.scaikey.logout_token(&json!({}));
            vec![token, session.access_token.expose().clone(), access]
        },
        run: |world, input| logged_out(world, &input[0]),
        check: |world, input| {
            world.clock.advance(AGAIN);
            let again = logged_out(world, &input[0]);
            assert!(matches!(again, None | Some(Code::LogoutTokenReplayed)));
            for token in &input[1..] {
                assert_eq!(taken(world, token), Some(Code::TokenRevoked));
            }
        },
    }
    .expect(
        "
        db 1 SELECT key_search: lost unanswered: store_unavailable, then ok
        db 2 INSERT key_search: lost: store_unavailable, then ok
        db 2 INSERT key_search: unanswered: jwks_unavailable, then jwks_unavailable
        db 3 SELECT key_search: lost unanswered: store_unavailable, then ok
        db 4 INSERT key_search: lost: store_unavailable, then ok
        db 4 INSERT key_search: unanswered: jwks_unavailable, then jwks_unavailable
        db 5 BEGIN: lost unanswered: store_unavailable, then ok
        db 6 INSERT logout_token: lost unanswered: store_unavailable, then ok
        db 7 SELECT person: lost unanswered: store_unavailable, then ok
        db 8 UPDATE session: lost unanswered: store_unavailable, then ok
        db 9 COMMIT: lost: store_unavailable, then ok
        db 9 COMMIT: unanswered: store_unavailable, then logout_token_replayed
        kv 1 get discovery: lost unanswered: ok, then logout_token_replayed
        kv 2 set discovery: lost unanswered: ok, then logout_token_replayed
        kv 3 get jwks: lost unanswered: ok, then logout_token_replayed
        kv 4 set jwks: lost unanswered: ok, then logout_token_replayed
        kv 5 get revocation: lost unanswered: store_unavailable, then ok
        kv 6 set revocation: lost unanswered: store_unavailable, then ok
        kv 7 get revocation: lost unanswered: store_unavailable, then ok
        kv 8 set revocation: lost unanswered: store_unavailable, then ok
        kv 9 set revocation: lost unanswered: store_unavailable, then ok
        out 1 Discovery: refused denied: scaikey_unreachable, then jwks_unavailable
        out 1 Discovery: timeout: scaikey_timeout, then jwks_unavailable
        out 1 Discovery: interrupted too_large: scaikey_invalid_response, then jwks_unavailable
        out 1 Discovery: 500: scaikey_unavailable, then jwks_unavailable
        out 1 Discovery: 429: scaikey_rate_limited, then jwks_unavailable
        out 1 Discovery: 302 page garbage: discovery_invalid, then jwks_unavailable
        out 2 Keys: refused denied timeout interrupted too_large 500 429 302 page garbage: jwks_unavailable, then jwks_unavailable
        ",
    );
}

fn registered(world: &World, token: &str) -> Option<Code> {
    let instance = world.instance();
    let user = caller(world, &instance, token).and_then(Principal::into_user);
    match user {
        Ok(user) => code(&world.run(register::register(&instance, &user))),
        Err(problem) => Some(problem.code()),
    }
}

#[test]
fn n_144_register() {
    Flow {
        prepare: |world| {
            world.session();
            vec![world.scaikey.access_token(&json!({"sub": "usr_new"}))]
        },
        run: |world, input| registered(world, &input[0]),
        check: |world, input| {
            world.clock.advance(AGAIN);
            assert_eq!(registered(world, &input[0]), None);
            let personal = "SELECT count(*) FROM workspace WHERE kind = 'personal'";
            assert_eq!(world.number(personal), 1);
        },
    }
    .expect(
        "
        db 1 SELECT key_search: lost unanswered: store_unavailable, then ok
        db 2 INSERT key_search: lost: store_unavailable, then ok
        db 2 INSERT key_search: unanswered: jwks_unavailable, then jwks_unavailable
        db 3 SELECT key_search: lost unanswered: store_unavailable, then ok
        db 4 INSERT key_search: lost: store_unavailable, then ok
        db 4 INSERT key_search: unanswered: jwks_unavailable, then jwks_unavailable
        db 5 SELECT person: lost unanswered: store_unavailable, then ok
        db 6 BEGIN: lost unanswered: store_unavailable, then ok
        db 7 WITH person: lost unanswered: store_unavailable, then ok
        db 8 INSERT tenant: lost unanswered: store_unavailable, then ok
        db 9 INSERT workspace: lost unanswered: store_unavailable, then ok
        db 10 INSERT membership: lost unanswered: store_unavailable, then ok
        db 11 INSERT workspace: lost unanswered: store_unavailable, then ok
        db 12 INSERT membership: lost unanswered: store_unavailable, then ok
        db 13 COMMIT: lost unanswered: store_unavailable, then ok
        kv 1 get discovery: lost unanswered: ok, then ok
        kv 2 set discovery: lost unanswered: ok, then ok
        kv 3 get jwks: lost unanswered: ok, then ok
        kv 4 set jwks: lost unanswered: ok, then ok
        kv 5 get revocation: lost unanswered: store_unavailable, then ok
        out 1 Discovery: refused denied timeout interrupted too_large 500 429: jwks_unavailable, then jwks_unavailable
        out 1 Discovery: 302 page garbage: discovery_invalid, then jwks_unavailable
        out 2 Keys: refused denied timeout interrupted too_large 500 429 302 page garbage: jwks_unavailable, then jwks_unavailable
        ",
    );
}

#[test]
fn n_144_token_exchange_for_an_access_token() {
    Flow {
        prepare: access_token,
        run: |world, input| exchanged(world, &input[0]),
        check: |world, input| {
            world.clock.advance(AGAIN);
            assert_eq!(exchanged(world, &input[0]), None);
            assert_eq!(world.number("SELECT count(*) FROM exchanged_token"), 1);
        },
    }
    .expect(
        "
        db 1 SELECT key_search: lost unanswered: store_unavailable, then ok
        db 2 INSERT key_search: lost: store_unavailable, then ok
        db 2 INSERT key_search: unanswered: jwks_unavailable, then jwks_unavailable
        db 3 SELECT key_search: lost unanswered: store_unavailable, then ok
        db 4 INSERT key_search: lost: store_unavailable, then ok
        db 4 INSERT key_search: unanswered: jwks_unavailable, then jwks_unavailable
        db 5 SELECT person: lost unanswered: store_unavailable, then ok
        db 6 SELECT exchanged_token: lost unanswered: store_unavailable, then ok
        db 7 INSERT exchanged_token: lost unanswered: store_unavailable, then ok
        kv 1 get discovery: lost unanswered: ok, then ok
        kv 2 set discovery: lost unanswered: ok, then ok
        kv 3 get jwks: lost unanswered: ok, then ok
        kv 4 set jwks: lost unanswered: ok, then ok
        kv 5 get revocation: lost unanswered: store_unavailable, then ok
        out 1 Discovery: refused denied timeout interrupted too_large 500 429: jwks_unavailable, then jwks_unavailable
        out 1 Discovery: 302 page garbage: discovery_invalid, then jwks_unavailable
        out 2 Keys: refused denied timeout interrupted too_large 500 429 302 page garbage: jwks_unavailable, then jwks_unavailable
        out 3 Token: refused denied: scaikey_unreachable, then ok
        out 3 Token: timeout: scaikey_timeout, then ok
        out 3 Token: interrupted too_large 302 page garbage: scaikey_invalid_response, then ok
        out 3 Token: 500: scaikey_unavailable, then ok
        out 3 Token: 429: scaikey_rate_limited, then ok
        ",
    );
}

#[test]
fn n_144_token_exchange_for_a_session_whose_tokens_have_run_out() {
    Flow {
        prepare: |world| {
            world.scaikey.answer.replace(json!({"expires_in": 60}));
            let session = world.session();
            world.scaikey.answer.replace(json!({}));
            world.clock.advance(Duration::from_secs(40));
            vec![session.access_token.expose().clone()]
        },
        run: |world, input| exchanged(world, &input[0]),
        check: |_, _| {},
    }
    .expect(
        "
        db 1 SELECT session: lost unanswered: store_unavailable, then ok
        db 2 SELECT upstream_refresh: lost unanswered: store_unavailable, then ok
        db 3 INSERT upstream_refresh: lost unanswered: store_unavailable, then ok
        db 4 SELECT upstream_grant: lost unanswered: store_unavailable, then ok
        db 5 INSERT upstream_grant: lost unanswered: ok, then ok
        db 6 UPDATE upstream_refresh: lost unanswered: ok, then ok
        db 7 UPDATE session: lost unanswered: ok, then ok
        db 8 SELECT exchanged_token: lost unanswered: store_unavailable, then ok
        db 9 INSERT exchanged_token: lost unanswered: store_unavailable, then ok
        kv 1 get revocation: lost unanswered: store_unavailable, then ok
        kv 2 get discovery: lost unanswered: ok, then ok
        kv 3 set discovery: lost unanswered: ok, then ok
        kv 4 get jwks: lost unanswered: ok, then ok
        kv 5 set jwks: lost unanswered: ok, then ok
        out 1 Discovery: refused denied: scaikey_unreachable, then ok
        out 1 Discovery: timeout: scaikey_timeout, then ok
        out 1 Discovery: interrupted too_large: scaikey_invalid_response, then ok
        out 1 Discovery: 500: scaikey_unavailable, then ok
        out 1 Discovery: 429: scaikey_rate_limited, then ok
        out 1 Discovery: 302 page garbage: discovery_invalid, then ok
        out 2 Keys: refused denied timeout interrupted too_large 500 429 302 page garbage: jwks_unavailable, then ok
        out 3 Token: refused denied: scaikey_unreachable, then ok
        out 3 Token: timeout: scaikey_timeout, then scaikey_login_required
        out 3 Token: interrupted too_large: scaikey_invalid_response, then scaikey_login_required
        out 3 Token: 500: scaikey_unavailable, then ok
        out 3 Token: 429: scaikey_rate_limited, then ok
        out 3 Token: 302 page garbage: scaikey_invalid_response, then ok
        out 4 Token: refused denied: scaikey_unreachable, then ok
        out 4 Token: timeout: scaikey_timeout, then ok
        out 4 Token: interrupted too_large 302 page garbage: scaikey_invalid_response, then ok
        out 4 Token: 500: scaikey_unavailable, then ok
        out 4 Token: 429: scaikey_rate_limited, then ok
        ",
    );
}

#[test]
fn n_144_service_token() {
    Flow {
        prepare: |_| Vec::new(),
        run: |world, _| {
            let instance = world.instance();
            let flow = service_token::service_token(&instance, &world.settings.scaikey, None);
            code(&world.run(flow))
        },
        check: |_, _| {},
    }
    .expect(
        "
        db 1 SELECT key_search: lost unanswered: store_unavailable, then ok
        db 2 INSERT key_search: lost: store_unavailable, then ok
        db 2 INSERT key_search: unanswered: jwks_unavailable, then jwks_unavailable
        kv 1 get discovery: lost unanswered: ok, then ok
        kv 2 set discovery: lost unanswered: ok, then ok
        out 1 Discovery: refused denied: scaikey_unreachable, then jwks_unavailable
        out 1 Discovery: timeout: scaikey_timeout, then jwks_unavailable
        out 1 Discovery: interrupted too_large: scaikey_invalid_response, then jwks_unavailable
        out 1 Discovery: 500: scaikey_unavailable, then jwks_unavailable
        out 1 Discovery: 429: scaikey_rate_limited, then jwks_unavailable
        out 1 Discovery: 302 page garbage: discovery_invalid, then jwks_unavailable
        out 2 Token: refused denied: scaikey_unreachable, then ok
        out 2 Token: timeout: scaikey_timeout, then ok
        out 2 Token: interrupted too_large 302 page garbage: scaikey_invalid_response, then ok
        out 2 Token: 500: scaikey_unavailable, then ok
        out 2 Token: 429: scaikey_rate_limited, then ok
        ",
    );
}
