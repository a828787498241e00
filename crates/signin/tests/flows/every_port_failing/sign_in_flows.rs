//! The flows that sign somebody in.

use scaigate_signin::begin::{self, BeginRequest};
use scaigate_signin::callback;
use scaigate_signin::code_post::{self, CodePost};
use scaigate_types::Secret;

use super::Flow;
use crate::world::scaikey::Endpoint;
use crate::world::{APP, World};

fn nothing(_: &World, _: &[String]) {}

#[test]
fn n_144_begin() {
    // A row that a failed beginning left behind is of use to nobody: its state was never told.
    Flow {
        prepare: |_| Vec::new(),
        run: |world, _| {
            let request = BeginRequest::default();
            let outcome = world.run(begin::begin(&world.instance(), &world.settings, &request));
            outcome.err().map(|problem| problem.code())
        },
        check: nothing,
    }
    .expect(
        "
        db 1 INSERT pending_login: lost unanswered: store_unavailable, then ok
        db 2 DELETE pending_login: lost unanswered: store_unavailable, then ok
        kv 1 get discovery: lost unanswered: ok, then ok
        kv 2 set discovery: lost unanswered: ok, then ok
        out 1 Discovery: refused denied: scaikey_unreachable, then ok
        out 1 Discovery: timeout: scaikey_timeout, then ok
        out 1 Discovery: interrupted too_large: scaikey_invalid_response, then ok
        out 1 Discovery: 500: scaikey_unavailable, then ok
        out 1 Discovery: 429: scaikey_rate_limited, then ok
        out 1 Discovery: 302 page garbage: discovery_invalid, then ok
        ",
    );
}

#[test]
fn n_144_callback() {
    // A consumed state stays consumed, and a code goes to ScaiKey once at the most.
    Flow {
        prepare: |world| {
            let returning = world.returning(&BeginRequest::default());
            vec![returning.query, returning.browser]
        },
        run: |world, input| {
            let instance = world.instance();
            let flow = callback::complete(&instance, &world.settings, &input[0], Some(&input[1]));
            world.run(flow).err().map(|failure| failure.problem.code())
        },
        check: |world, _| {
            assert!(world.scaikey.count(Endpoint::Token) <= 1);
            assert!(world.number("SELECT count(*) FROM session") <= 1);
        },
    }
    .expect(
        "
        db 1 UPDATE pending_login: lost: store_unavailable, then ok
        db 1 UPDATE pending_login: unanswered: store_unavailable, then state_already_used
        db 2 INSERT redeemed_code: lost unanswered: store_unavailable, then state_already_used
        db 3 BEGIN: lost unanswered: store_unavailable, then state_already_used
        db 4 WITH person: lost unanswered: store_unavailable, then state_already_used
        db 5 INSERT tenant: lost unanswered: store_unavailable, then state_already_used
        db 6 INSERT workspace: lost unanswered: store_unavailable, then state_already_used
        db 7 INSERT membership: lost unanswered: store_unavailable, then state_already_used
        db 8 COMMIT: lost unanswered: store_unavailable, then state_already_used
        db 9 BEGIN: lost unanswered: store_unavailable, then state_already_used
        db 10 INSERT session: lost unanswered: store_unavailable, then state_already_used
        db 11 COMMIT: lost unanswered: store_unavailable, then state_already_used
        kv 1 get jwks: lost unanswered: ok, then state_already_used
        kv 2 set jwks: lost unanswered: ok, then state_already_used
        out 1 Token: refused denied: scaikey_unreachable, then state_already_used
        out 1 Token: timeout: scaikey_timeout, then state_already_used
        out 1 Token: interrupted too_large 302 page garbage: scaikey_invalid_response, then state_already_used
        out 1 Token: 500: scaikey_unavailable, then state_already_used
        out 1 Token: 429: scaikey_rate_limited, then state_already_used
        out 2 Keys: refused denied timeout interrupted too_large 500 429 302 page garbage: jwks_unavailable, then state_already_used
        ",
    );
}

#[test]
fn n_144_exchange() {
    // Until ScaiKey may have seen the code it stays good; from then on it is spent. A claim whose
    // answer was lost counts as seen.
    Flow {
        prepare: |world| vec![world.scaikey.issue_code(APP, None, None)],
        run: |world, input| {
            let code = Secret::new(input[0].clone());
            let post = CodePost { code: &code, code_verifier: None, redirect_uri: APP };
            let instance = world.instance();
            let outcome = world.run(code_post::exchange(&instance, &world.settings, &post));
            outcome.err().map(|problem| problem.code())
        },
        check: |world, _| {
            assert_eq!(world.scaikey.replays.get(), 0);
            assert!(world.scaikey.count(Endpoint::Token) <= 1);
        },
    }
    .expect(
        "
        db 1 INSERT redeemed_code: lost: store_unavailable, then ok
        db 1 INSERT redeemed_code: unanswered: store_unavailable, then code_already_used
        db 2 BEGIN: lost unanswered: store_unavailable, then code_already_used
        db 3 WITH person: lost unanswered: store_unavailable, then code_already_used
        db 4 INSERT tenant: lost unanswered: store_unavailable, then code_already_used
        db 5 INSERT workspace: lost unanswered: store_unavailable, then code_already_used
        db 6 INSERT membership: lost unanswered: store_unavailable, then code_already_used
        db 7 COMMIT: lost unanswered: store_unavailable, then code_already_used
        db 8 INSERT upstream_grant: lost unanswered: store_unavailable, then code_already_used
        kv 1 get discovery: lost unanswered: ok, then code_already_used
        kv 2 set discovery: lost unanswered: ok, then code_already_used
        kv 3 get jwks: lost unanswered: ok, then code_already_used
        kv 4 set jwks: lost unanswered: ok, then code_already_used
        out 1 Discovery: refused denied: scaikey_unreachable, then ok
        out 1 Discovery: timeout: scaikey_timeout, then ok
        out 1 Discovery: interrupted too_large: scaikey_invalid_response, then ok
        out 1 Discovery: 500: scaikey_unavailable, then ok
        out 1 Discovery: 429: scaikey_rate_limited, then ok
        out 1 Discovery: 302 page garbage: discovery_invalid, then ok
        out 2 Keys: refused denied timeout interrupted too_large 500 429 302 page garbage: jwks_unavailable, then ok
        out 3 Token: refused denied: scaikey_unreachable, then ok
        out 3 Token: timeout: scaikey_timeout, then code_already_used
        out 3 Token: interrupted too_large 302 page garbage: scaikey_invalid_response, then code_already_used
        out 3 Token: 500: scaikey_unavailable, then code_already_used
        out 3 Token: 429: scaikey_rate_limited, then code_already_used
        ",
    );
}

#[test]
fn n_144_password() {
    Flow {
        prepare: |_| Vec::new(),
        run: |world, _| {
            let password = Secret::new("correct horse".to_owned());
            let instance = world.instance();
            let flow = code_post::password(&instance, &world.settings, "ada", &password);
            world.run(flow).err().map(|problem| problem.code())
        },
        check: nothing,
    }
    .expect(
        "
        db 1 BEGIN: lost unanswered: store_unavailable, then ok
        db 2 WITH person: lost unanswered: store_unavailable, then ok
        db 3 INSERT tenant: lost unanswered: store_unavailable, then ok
        db 4 INSERT workspace: lost unanswered: store_unavailable, then ok
        db 5 INSERT membership: lost unanswered: store_unavailable, then ok
        db 6 COMMIT: lost unanswered: store_unavailable, then ok
        db 7 INSERT upstream_grant: lost unanswered: store_unavailable, then ok
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
        out 2 Token: refused denied: scaikey_unreachable, then ok
        out 2 Token: timeout: scaikey_timeout, then ok
        out 2 Token: interrupted too_large 302 page garbage: scaikey_invalid_response, then ok
        out 2 Token: 500: scaikey_unavailable, then ok
        out 2 Token: 429: scaikey_rate_limited, then ok
        out 3 Keys: refused denied timeout interrupted too_large 500 429 302 page garbage: jwks_unavailable, then ok
        ",
    );
}
