//! However long ScaiKey takes, a caller has an answer within ten seconds.

use std::time::Duration;

use scaigate_problem::Code;
use scaigate_signin::begin::{self, BeginRequest};
use scaigate_signin::code_post::{self, CodePost};
use scaigate_signin::logout::{self, LogoutRequest};
use scaigate_signin::{callback, upstream_refresh};
use scaigate_types::{Clock as _, Secret};

use crate::world::scaikey::Endpoint;
use crate::world::{APP, World};

const BOUND: Duration = Duration::from_secs(10);

/// The longest that one call is waited for.
const PER_CALL: Duration = Duration::from_secs(4);

/// Runs every flow that calls ScaiKey in an instance that knows nothing, `prepared` to be slow.
fn each_flow(prepared: fn(&World)) -> Vec<(&'static str, Option<Code>)> {
    let mut outcomes = Vec::new();
    let mut timed = |name, run: &dyn Fn(&World) -> Option<Code>| {
        let world = World::with(&[("password_grant_enabled", "true")]);
        outcomes.push((name, run(&world)));
    };
    let within = |world: &World, run: &dyn Fn() -> Option<Code>| {
        world.forget_documents();
        prepared(world);
        let start = world.clock.now();
        let code = run();
        for call in world.scaikey.calls.borrow().iter() {
            assert!(call.limits.timeout <= PER_CALL && call.limits.max_body <= 65_536);
        }
        assert!(world.clock.now().since(start) <= BOUND);
        code
    };
    timed("begin", &|world| {
        within(world, &|| {
            let request = BeginRequest::default();
            world
                .run(begin::begin(&world.instance(), &world.settings, &request))
                .err()
                .map(|p| p.code())
        })
    });
    timed("callback", &|world| {
        let returning = world.returning(&BeginRequest::default());
        within(world, &|| {
            let browser = Some(returning.browser.as_str());
            let flow = callback::complete(world, &world.settings, &returning.query, browser);
            world.run(flow).err().map(|failure| failure.problem.code())
        })
    });
    timed("exchange", &|world| {
        let code = Secret::new(world.scaikey.issue_code(APP, None, None));
        within(world, &|| {
            let post = CodePost {
                code: &code,
                code_verifier: None,
                redirect_uri: APP,
            };
            let instance = world.instance();
            world
                .run(code_post::exchange(&instance, &world.settings, &post))
                .err()
                .map(|p| p.code())
        })
    });
    timed("password", &|world| {
        let password = Secret::new("correct horse".to_owned());
        within(world, &|| {
            let instance = world.instance();
            let flow = code_post::password(&instance, &world.settings, "ada", &password);
            world.run(flow).err().map(|p| p.code())
        })
    });
    timed("upstream refresh", &|world| {
        let token = world.scaikey_refresh_token();
        within(world, &|| {
            let instance = world.instance();
            let flow = upstream_refresh::refresh(&instance, &world.settings, &token);
            world.run(flow).err().map(|p| p.code())
        })
    });
    timed("logout", &|world| {
        let session = world.session();
        within(world, &|| {
            let refresh_token = Some(session.refresh_token.expose().as_str());
            let request = LogoutRequest {
                refresh_token,
                ..LogoutRequest::default()
            };
            let instance = world.instance();
            world
                .run(logout::logout(&instance, &world.settings, &request))
                .err()
                .map(|p| p.code())
        })
    });
    outcomes
}

#[test]
fn n_048_a_code_is_sent_only_while_there_is_time_for_its_answer() {
    // Of nine seconds, 1.5 are as little as is worth it.
    for (keys_take, expected) in [(3_501, None), (3_502, Some(Code::ScaikeyTimeout))] {
        let world = World::new();
        let code = Secret::new(world.scaikey.issue_code(APP, None, None));
        world
            .scaikey
            .slow(Endpoint::Discovery, Duration::from_millis(3_999));
        world
            .scaikey
            .slow(Endpoint::Keys, Duration::from_millis(keys_take));
        let post = CodePost {
            code: &code,
            code_verifier: None,
            redirect_uri: APP,
        };
        let flow = code_post::exchange(&world, &world.settings, &post);
        let outcome = world.run(flow).err().map(|problem| problem.code());
        assert_eq!(outcome, expected, "{keys_take}");
        let sent = world.scaikey.count(Endpoint::Token);
        assert_eq!(sent, usize::from(expected.is_none()), "{keys_take}");
    }
}

#[test]
fn n_143_every_flow_ends_while_every_call_hangs() {
    let timeout = Some(Code::ScaikeyTimeout);
    assert_eq!(
        each_flow(|world| world.scaikey.hang()),
        [
            ("begin", timeout),
            ("callback", timeout),
            ("exchange", timeout),
            ("password", timeout),
            ("upstream refresh", timeout),
            ("logout", None),
        ]
    );
}

#[test]
fn n_143_every_flow_ends_while_every_call_takes_almost_too_long() {
    let outcomes = each_flow(|world| {
        use Endpoint::{Discovery, Keys, Revocation, StandardDiscovery, Token};
        for endpoint in [Discovery, StandardDiscovery, Keys, Token, Revocation] {
            world.scaikey.slow(endpoint, Duration::from_millis(3_900));
        }
    });
    let timeout = Some(Code::ScaikeyTimeout);
    assert_eq!(
        outcomes,
        [
            ("begin", None),
            ("callback", None),
            ("exchange", timeout),
            ("password", Some(Code::JwksUnavailable)),
            ("upstream refresh", Some(Code::JwksUnavailable)),
            ("logout", None),
        ]
    );
}
