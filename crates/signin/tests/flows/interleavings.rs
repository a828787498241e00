//! Many requests at once: over one world, each in an instance of its own, with other requests
//! between any two calls of a store.

use std::collections::BTreeMap;
use std::time::Duration;

use futures::future::{join, join_all};
use scaigate_problem::{Code, Problem};
use scaigate_signin::begin::{self, BeginRequest};
use scaigate_signin::code_post::{self, CodePost};
use scaigate_signin::logout::{self, LogoutRequest};
use scaigate_signin::upstream_refresh::{self, Refreshed};
use scaigate_signin::{callback, redeem, refresh};
use scaigate_types::{Clock as _, Secret};

use crate::world::scaikey::Endpoint;
use crate::world::{APP, Instance, Signer, World, caller, code, redeem_request};

/// Seeds of the order in which requests take turns.
const ORDERS: std::ops::Range<u64> = 0..5;

/// How often each outcome came; a success has no code.
fn tally(codes: impl IntoIterator<Item = Option<Code>>) -> BTreeMap<&'static str, usize> {
    let mut counts = BTreeMap::new();
    for code in codes {
        *counts.entry(code.map_or("ok", Code::as_str)).or_default() += 1;
    }
    counts
}

fn instances(world: &World, count: usize) -> Vec<Instance<'_>> {
    (0..count).map(|_| world.instance()).collect()
}

#[test]
fn a_hundred_refreshes_of_one_generation_are_one_rotation() {
    for seed in ORDERS {
        let world = World::new();
        world.shuffle(seed);
        let session = world.session();
        let token = session.refresh_token.expose();
        let instances = instances(&world, 100);
        let all = instances
            .iter()
            .map(|own| refresh::refresh(own, &world.settings, token, None));
        let answers = world.run(join_all(all));
        let mut successors: Vec<String> = answers
            .into_iter()
            .map(|answer| answer.unwrap().refresh_token.expose().clone())
            .collect();
        successors.dedup();
        assert_eq!(successors.len(), 1);
        assert_eq!(world.number("SELECT generation FROM session"), 1);
        let next = world.run(refresh::refresh(
            &world,
            &world.settings,
            &successors[0],
            None,
        ));
        assert_eq!(code(&next), None, "no false theft alarm");
    }
}

fn all_at_once(
    world: &World,
    instances: &[Instance<'_>],
    token: &Secret<String>,
) -> Vec<Result<Refreshed, Problem>> {
    let all = instances
        .iter()
        .map(|own| upstream_refresh::refresh(own, &world.settings, token));
    world.run(join_all(all))
}

#[test]
fn n_047_a_hundred_upstream_refreshes_are_one_call_with_one_answer() {
    for latency in [0, 10, 1_000, 3_900] {
        let world = World::new();
        let token = world.scaikey_refresh_token();
        world
            .scaikey
            .slow(Endpoint::Token, Duration::from_millis(latency));
        let answers = all_at_once(&world, &instances(&world, 100), &token);
        let mut tokens: Vec<_> = answers
            .into_iter()
            .map(|answer| answer.ok().unwrap())
            .map(|answer| (answer.access_token, answer.refresh_token, answer.expires_at))
            .collect();
        tokens.dedup();
        assert_eq!(tokens.len(), 1, "{latency} ms");
        assert_eq!(world.scaikey.count(Endpoint::Token), 1 + 1, "{latency} ms");
    }
}

#[test]
fn n_048_a_hundred_upstream_refreshes_that_fail_are_two_calls() {
    let world = World::new();
    let token = world.scaikey_refresh_token();
    world
        .scaikey
        .slow(Endpoint::Token, Duration::from_millis(100));
    world.scaikey.always(
        Endpoint::Token,
        Err(scaigate_types::OutboundError::Interrupted),
    );
    let answers = all_at_once(&world, &instances(&world, 100), &token);
    let counts = tally(answers.iter().map(code));
    assert_eq!(counts, BTreeMap::from([("scaikey_invalid_response", 100)]));
    assert_eq!(world.scaikey.count(Endpoint::Token), 1 + 2);
}

#[test]
fn n_047_a_leader_lost_before_scaikey_heard_it_costs_nobody_anything() {
    let world = World::new();
    let token = world.scaikey_refresh_token();
    world.scaikey.slow(Endpoint::Token, Duration::from_secs(1));
    world.scaikey.acts_late.set(true);
    let (leader, others) = (world.instance(), instances(&world, 20));
    let lost = upstream_refresh::refresh(&leader, &world.settings, &token);
    let start = world.clock.now();
    let answers = world.run(async {
        let waiting = async {
            world.clock.sleep(Duration::from_millis(100)).await;
            let all = others
                .iter()
                .map(|own| upstream_refresh::refresh(own, &world.settings, &token));
            join_all(all).await
        };
        join(world.abandoned(lost, Duration::from_millis(500)), waiting)
            .await
            .1
    });
    assert_eq!(
        tally(answers.iter().map(code)),
        BTreeMap::from([("ok", 20)])
    );
    assert_eq!(world.scaikey.count(Endpoint::Token), 1 + 2);
    assert_eq!(world.scaikey.replays.get(), 0);
    assert!(world.clock.now().since(start) < Duration::from_secs(7));
}

#[test]
fn n_052_a_leader_lost_after_scaikey_heard_it_ends_in_scaikeys_own_refusal() {
    // The successor is gone with the leader: nobody can have it, and nobody goes on asking.
    let world = World::new();
    let token = world.scaikey_refresh_token();
    world.scaikey.slow(Endpoint::Token, Duration::from_secs(1));
    let (leader, others) = (world.instance(), instances(&world, 20));
    let lost = upstream_refresh::refresh(&leader, &world.settings, &token);
    let answers = world.run(async {
        let waiting = async {
            world.clock.sleep(Duration::from_millis(100)).await;
            let all = others
                .iter()
                .map(|own| upstream_refresh::refresh(own, &world.settings, &token));
            join_all(all).await
        };
        join(world.abandoned(lost, Duration::from_millis(500)), waiting)
            .await
            .1
    });
    assert_eq!(
        tally(answers.iter().map(code)),
        BTreeMap::from([("invalid_grant", 20)])
    );
    assert_eq!(world.scaikey.count(Endpoint::Token), 1 + 2);
}

#[test]
fn n_047_a_slow_leader_is_not_mistaken_for_a_lost_one() {
    // Every document has to be read first, and everything takes almost as long as it may.
    use Endpoint::{Discovery, Keys, Token};
    for (slow, rotated) in [
        (vec![Discovery, Token], false),
        (vec![Keys, Token], false),
        (vec![Discovery, Keys, Token], false),
        (vec![Keys, Token], true),
    ] {
        let world = World::new();
        let token = world.scaikey_refresh_token();
        if rotated {
            world.scaikey.published.replace(vec![Signer(2)]);
            world.scaikey.signer.set(Signer(2));
        } else {
            world.forget_documents();
        }
        for endpoint in &slow {
            world.scaikey.slow(*endpoint, Duration::from_millis(3_900));
        }
        all_at_once(&world, &instances(&world, 20), &token);
        assert_eq!(
            world.scaikey.replays.get(),
            0,
            "{slow:?}: the token was presented twice"
        );
    }
}

#[test]
fn n_004_fifty_answers_with_one_state_are_one_sign_in() {
    for seed in ORDERS {
        let world = World::new();
        world.shuffle(seed);
        let returning = world.returning(&BeginRequest::default());
        world
            .scaikey
            .slow(Endpoint::Token, Duration::from_millis(100));
        let instances = instances(&world, 50);
        let all = instances.iter().map(|own| {
            callback::complete(
                own,
                &world.settings,
                &returning.query,
                Some(&returning.browser),
            )
        });
        let outcomes = world.run(join_all(all));
        let codes = outcomes
            .iter()
            .map(|outcome| outcome.as_ref().err().map(|failure| failure.problem.code()));
        assert_eq!(
            tally(codes),
            BTreeMap::from([("ok", 1), ("state_already_used", 49)])
        );
        assert_eq!(world.scaikey.count(Endpoint::Token), 1);
        assert_eq!(world.number("SELECT count(*) FROM session"), 1);
    }
}

#[test]
fn n_033_two_hundred_redemptions_of_one_code_are_one_session() {
    for seed in ORDERS {
        let world = World::new();
        world.shuffle(seed);
        let session_code = world.session_code(&BeginRequest::default());
        let request = redeem_request(&session_code);
        let instances = instances(&world, 200);
        let outcomes = world.run(join_all(
            instances
                .iter()
                .map(|own| redeem::redeem(own, &world.settings, &request)),
        ));
        let expected = BTreeMap::from([("ok", 1), ("session_code_already_used", 199)]);
        assert_eq!(tally(outcomes.iter().map(code)), expected);
    }
}

#[test]
fn s_03_fifty_exchanges_of_one_code_are_one_call() {
    for seed in ORDERS {
        let world = World::new();
        world.shuffle(seed);
        let text = Secret::new(world.scaikey.issue_code(APP, None, None));
        let post = CodePost {
            code: &text,
            code_verifier: None,
            redirect_uri: APP,
        };
        world
            .scaikey
            .slow(Endpoint::Token, Duration::from_millis(100));
        let instances = instances(&world, 50);
        let outcomes = world.run(join_all(
            instances
                .iter()
                .map(|own| code_post::exchange(own, &world.settings, &post)),
        ));
        let expected = BTreeMap::from([("ok", 1), ("code_already_used", 49)]);
        assert_eq!(tally(outcomes.iter().map(code)), expected);
        assert_eq!(
            (
                world.scaikey.count(Endpoint::Token),
                world.scaikey.replays.get()
            ),
            (1, 0)
        );
    }
}

#[test]
fn n_019_parallel_logins_of_one_browser_stay_bounded() {
    let world = World::new();
    let browser = world.begin(&BeginRequest::default()).ok().unwrap().browser;
    let request = BeginRequest {
        browser: Some(&browser),
        ..BeginRequest::default()
    };
    let instances = instances(&world, 60);
    let outcomes = world.run(join_all(
        instances
            .iter()
            .map(|own| begin::begin(own, &world.settings, &request)),
    ));
    assert_eq!(
        tally(outcomes.iter().map(code)),
        BTreeMap::from([("ok", 60)])
    );
    assert_eq!(world.number("SELECT count(*) FROM pending_login"), 20);
}

#[test]
fn fifty_first_sign_ins_of_a_tenant_make_one_workspace_with_one_admin() {
    for seed in ORDERS {
        let world = World::new();
        world.shuffle(seed);
        let returning: Vec<_> = (0..50)
            .map(|_| world.returning(&BeginRequest::default()))
            .collect();
        let instances = instances(&world, 50);
        let all = returning.iter().zip(&instances).map(|(one, own)| {
            callback::complete(own, &world.settings, &one.query, Some(&one.browser))
        });
        let outcomes = world.run(join_all(all));
        assert!(outcomes.iter().all(Result::is_ok));
        for table in ["person", "tenant", "workspace", "membership"] {
            assert_eq!(
                world.number(&format!("SELECT count(*) FROM {table}")),
                1,
                "{table}"
            );
        }
        assert_eq!(world.number("SELECT count(*) FROM session"), 50);
    }
}

#[test]
fn n_105_no_refresh_that_runs_beside_a_logout_outlives_it() {
    for seed in ORDERS {
        let world = World::new();
        world.shuffle(seed);
        let session = world.session();
        let token = session.refresh_token.expose();
        let instances = instances(&world, 30);
        let refreshes = instances
            .iter()
            .map(|own| refresh::refresh(own, &world.settings, token, None));
        let request = LogoutRequest {
            refresh_token: Some(token),
            ..LogoutRequest::default()
        };
        let logout = logout::logout(&world, &world.settings, &request);
        let (answers, done) = world.run(join(join_all(refreshes), logout));
        assert!(done.is_ok());
        for answer in answers.iter().flatten() {
            let access = answer.access_token.expose();
            let outcome = caller(&world, &world.instance(), access);
            assert_eq!(code(&outcome), Some(Code::TokenRevoked));
            let again = world.run(refresh::refresh(
                &world,
                &world.settings,
                answer.refresh_token.expose(),
                None,
            ));
            assert_eq!(code(&again), Some(Code::SessionEnded));
        }
    }
}
