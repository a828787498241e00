//! ScaiKey's keys while they can't be read, change, or are looked for by forgers.

use std::time::Duration;

use futures::future::{join, join_all};
use http::HeaderMap;
use scaigate_problem::{Code, Problem};
use scaigate_signin::authenticate::{self, Acceptance};
use scaigate_signin::{Authentication, Ports};
use scaigate_types::{Clock as _, OutboundError, StoreError};
use serde_json::json;

use crate::world::scaikey::Endpoint;
use crate::world::stores::StoreFault;
use crate::world::{Signer, World, caller, code};

fn outcome(world: &World, ports: &impl Ports, token: &str) -> Option<Code> {
    code(&caller(world, ports, token))
}

/// Takes Ada's access token in a new instance.
fn taken(world: &World) -> Option<Code> {
    outcome(
        world,
        &world.instance(),
        &world.scaikey.access_token(&json!({})),
    )
}

fn known() -> World {
    let world = World::new();
    world.session();
    world.clock.advance(Duration::from_secs(1));
    world
}

fn down(world: &World) {
    for endpoint in [Endpoint::Discovery, Endpoint::Keys] {
        world.scaikey.always(endpoint, Err(OutboundError::Refused));
    }
}

/// A token that names a key nobody has.
fn by_nobody(world: &World, name: u32) -> String {
    let header = json!({"alg": "EdDSA", "kid": format!("nobody-{name}")});
    Signer(9).sign(&header, &world.scaikey.access_token_claims())
}

/// Takes a token, to run beside others.
async fn take(world: &World, ports: &impl Ports, token: &str) -> Result<(), Problem> {
    let mut headers = HeaderMap::new();
    let bearer = format!("Bearer {token}").parse().unwrap();
    headers.insert(http::header::AUTHORIZATION, bearer);
    let acceptance = Acceptance {
        signer: &world.settings.sessions.signer,
        deployment: &world.settings.deployment,
        provider: Ok(&world.settings.scaikey.provider),
    };
    let now = ports.clock().now();
    let outcome: Authentication =
        authenticate::authenticate(ports, &acceptance, &headers, now).await?;
    outcome.required().map(drop)
}

#[test]
fn known_keys_go_on_verifying_and_others_are_neither_yes_nor_no() {
    let world = known();
    down(&world);
    world.scaikey.calls.borrow_mut().clear();
    for minute in 0..60 {
        for second in 0..6 {
            assert_eq!(taken(&world), None, "{minute}:{second}0");
            let token = by_nobody(&world, minute);
            assert_eq!(
                outcome(&world, &world.instance(), &token),
                Some(Code::JwksUnavailable),
                "{minute}:{second}0"
            );
            world.clock.advance(Duration::from_secs(10));
        }
    }
    assert!(
        world.scaikey.count(Endpoint::Keys) > 100,
        "it is asked again"
    );
    for endpoint in [Endpoint::Discovery, Endpoint::Keys] {
        assert_eq!(
            world.scaikey.most_in_thirty_seconds(endpoint),
            1,
            "{endpoint:?}"
        );
    }
    // Back again, with another key: nobody waits longer than half a minute.
    for endpoint in [Endpoint::Discovery, Endpoint::Keys] {
        world.scaikey.heal(endpoint);
    }
    world.scaikey.published.replace(vec![Signer(1), Signer(2)]);
    world.scaikey.signer.set(Signer(2));
    world.clock.advance(Duration::from_secs(30));
    assert_eq!(taken(&world), None);
}

#[test]
fn a_scaikey_that_has_answered_another_instance_is_down_no_more() {
    let world = known();
    let own = world.instance();
    // The keys are old, and the next to need them asks in vain.
    world.clock.advance(Duration::from_secs(601));
    down(&world);
    let token = world.scaikey.access_token(&json!({}));
    assert_eq!(outcome(&world, &own, &token), None);
    for endpoint in [Endpoint::Discovery, Endpoint::Keys] {
        world.scaikey.heal(endpoint);
    }
    world.clock.advance(Duration::from_secs(5));
    world.scaikey.published.replace(vec![Signer(1), Signer(2)]);
    world.scaikey.signer.set(Signer(2));
    world.session();
    // Its keys are known again: a key that is not among them is nobody's.
    let unknown = outcome(&world, &own, &by_nobody(&world, 1));
    assert_eq!(unknown, Some(Code::TokenInvalid));
}

#[test]
fn n_072_with_no_keys_at_all_scaikey_is_asked_once_in_thirty_seconds() {
    for endpoint in [Endpoint::Discovery, Endpoint::Keys] {
        let world = World::new();
        world.scaikey.always(endpoint, Err(OutboundError::Refused));
        for _ in 0..60 {
            assert_eq!(taken(&world), Some(Code::JwksUnavailable));
            assert_eq!(taken(&world), Some(Code::JwksUnavailable));
            world.clock.advance(Duration::from_secs(1));
        }
        assert_eq!(world.scaikey.most_in_thirty_seconds(endpoint), 1);
        assert_eq!(world.scaikey.count(endpoint), 2);
        world.scaikey.heal(endpoint);
        world.clock.advance(Duration::from_secs(30));
        // The tenant is not known: the token has been verified.
        assert_eq!(taken(&world), Some(Code::TenantNotFound));
    }
}

#[test]
fn a_forged_signature_under_a_known_key_asks_nobody() {
    let world = known();
    let token = world.scaikey.access_token(&json!({}));
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let forged = format!("{signed}.{}", "A".repeat(signature.len()));
    // The keys at hand are as good as any: they are not read again for it.
    world.scaikey.calls.borrow_mut().clear();
    world.clock.advance(Duration::from_secs(60));
    let forged = outcome(&world, &world.instance(), &forged);
    assert_eq!(forged, Some(Code::TokenInvalid));
    assert_eq!(world.scaikey.count(Endpoint::Keys), 0);
}

#[test]
fn n_072_a_hundred_at_once_with_no_keys_at_all_are_one_call() {
    for is_down in [true, false] {
        let world = World::new();
        let token = world.scaikey.access_token(&json!({}));
        for endpoint in [Endpoint::Discovery, Endpoint::Keys] {
            world.scaikey.slow(endpoint, Duration::from_millis(200));
        }
        if is_down {
            world
                .scaikey
                .always(Endpoint::Keys, Err(OutboundError::Refused));
        }
        let instances: Vec<_> = (0..100).map(|_| world.instance()).collect();
        let all = instances.iter().map(|own| take(&world, own, &token));
        let expected = if is_down {
            Code::JwksUnavailable
        } else {
            Code::TenantNotFound
        };
        let start = world.clock.now();
        for outcome in world.run(join_all(all)) {
            assert_eq!(code(&outcome), Some(expected));
        }
        // Nobody waits for longer than it takes to know.
        let took = world.clock.now().since(start);
        assert!(took < Duration::from_secs(1), "{took:?}");
        assert_eq!(world.scaikey.count(Endpoint::Discovery), 1);
        assert_eq!(world.scaikey.count(Endpoint::Keys), 1);
    }
}

#[test]
fn n_072_a_store_that_is_down_does_not_lift_that() {
    let world = World::new();
    let token = world.scaikey.access_token(&json!({}));
    world
        .scaikey
        .always(Endpoint::Keys, Err(OutboundError::Refused));
    for _ in 0..10 {
        for call in 1..=4 {
            let fault = StoreFault::Lost(StoreError::Unavailable);
            world.kv.plan.fail_at(call, fault);
            assert!(outcome(&world, &world.instance(), &token).is_some());
        }
        world.kv.plan.heal();
    }
    assert!(world.scaikey.most_in_thirty_seconds(Endpoint::Keys) <= 1);
}

#[test]
fn n_072_a_storm_of_unknown_keys_is_one_call_in_thirty_seconds() {
    let world = known();
    let before = world.scaikey.count(Endpoint::Keys);
    let mut name = 0;
    for _ in 0..100 {
        let tokens: Vec<String> = (0..100)
            .map(|_| {
                name += 1;
                by_nobody(&world, name)
            })
            .collect();
        let instances: Vec<_> = (0..10).map(|_| world.instance()).collect();
        let all = tokens
            .iter()
            .enumerate()
            .map(|(index, token)| take(&world, &instances[index % 10], token));
        for outcome in world.run(join_all(all)) {
            assert_eq!(code(&outcome), Some(Code::TokenInvalid));
        }
        world.clock.advance(Duration::from_secs(1));
    }
    let calls = world.scaikey.count(Endpoint::Keys) - before;
    assert!((3..=4).contains(&calls), "{calls} in a hundred seconds");
    assert_eq!(taken(&world), None, "the others are served");
}

#[test]
fn n_071_those_who_wait_for_the_searcher_all_get_the_new_key() {
    for latency in [0, 500, 3_900] {
        let world = known();
        let before = world.scaikey.count(Endpoint::Keys);
        world.scaikey.published.replace(vec![Signer(1), Signer(2)]);
        world.scaikey.signer.set(Signer(2));
        let token = world.scaikey.access_token(&json!({}));
        world
            .scaikey
            .slow(Endpoint::Keys, Duration::from_millis(latency));
        let instances: Vec<_> = (0..50).map(|_| world.instance()).collect();
        let all = instances.iter().map(|own| take(&world, own, &token));
        for outcome in world.run(join_all(all)) {
            assert_eq!(code(&outcome), None, "{latency} ms");
        }
        assert_eq!(
            world.scaikey.count(Endpoint::Keys),
            before + 1,
            "{latency} ms"
        );
    }
}

#[test]
fn who_waited_for_the_database_longer_than_for_the_searcher_gets_what_was_found() {
    use scaigate_types::Database as _;
    let world = known();
    world.scaikey.published.replace(vec![Signer(1), Signer(2)]);
    world.scaikey.signer.set(Signer(2));
    let token = world.scaikey.access_token(&json!({}));
    world.scaikey.slow(Endpoint::Keys, Duration::from_secs(1));
    let (searcher, late) = (world.instance(), world.instance());
    let outcomes = world.run(join(take(&world, &searcher, &token), async {
        // It has looked before there was anything, and learns only then whose search it is.
        world.clock.sleep(Duration::from_millis(500)).await;
        let writer = world.db.begin().await.unwrap();
        let writing = async {
            world.clock.sleep(Duration::from_secs(5)).await;
            drop(writer);
        };
        join(take(&world, &late, &token), writing).await.0
    }));
    assert_eq!(code(&outcomes.0), None);
    assert_eq!(code(&outcomes.1), None);
}

#[test]
fn a_searcher_that_is_lost_holds_nobody_up_for_long() {
    let world = known();
    world.scaikey.published.replace(vec![Signer(1), Signer(2)]);
    world.scaikey.signer.set(Signer(2));
    let token = world.scaikey.access_token(&json!({}));
    world.scaikey.slow(Endpoint::Keys, Duration::from_secs(1));
    let (searcher, late) = (world.instance(), world.instance());
    let others: Vec<_> = (0..20).map(|_| world.instance()).collect();
    let start = world.clock.now();
    let outcomes = world.run(async {
        let waiting = async {
            world.clock.sleep(Duration::from_millis(100)).await;
            join_all(others.iter().map(|own| take(&world, own, &token))).await
        };
        let lost = world.abandoned(take(&world, &searcher, &token), Duration::from_millis(500));
        join(lost, waiting).await.1
    });
    for outcome in &outcomes {
        assert_eq!(code(outcome), Some(Code::JwksUnavailable));
    }
    assert!(world.clock.now().since(start) < Duration::from_secs(6));
    // Whoever comes later does not wait for it any more, and the next search finds the key.
    let begun = world.clock.now();
    assert_eq!(outcome(&world, &late, &token), Some(Code::JwksUnavailable));
    assert!(world.clock.now().since(begun) < Duration::from_millis(100));
    world.clock.advance(Duration::from_secs(30));
    assert_eq!(outcome(&world, &late, &token), None);
}

#[test]
fn without_the_database_nobody_searches() {
    let world = known();
    let before = world.scaikey.count(Endpoint::Keys);
    let token = by_nobody(&world, 1);
    for _ in 0..5 {
        for fault in [
            StoreFault::Lost(StoreError::Unavailable),
            StoreFault::Unanswered(StoreError::Busy),
        ] {
            world.db.plan.fail_at(1, fault);
            let found = outcome(&world, &world.instance(), &token);
            assert_eq!(found, Some(Code::StoreUnavailable));
        }
    }
    assert_eq!(world.scaikey.count(Endpoint::Keys), before);
}
