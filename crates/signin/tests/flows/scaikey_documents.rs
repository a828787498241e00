//! Discovery and keys: how long they are good for, and what is done when they can't be read.

use std::time::Duration;

use scaigate_problem::Code;
use scaigate_signin::begin::{self, BeginRequest};
use scaigate_signin::callback;
use scaigate_types::{OutboundError, StoreError};

use crate::world::scaikey::{Endpoint, json_reply, reply};
use crate::world::stores::StoreFault;
use crate::world::{Signer, World};

const DAY: Duration = Duration::from_secs(24 * 3600);

fn begin_in_a_new_instance(world: &World) -> Option<Code> {
    let instance = world.instance();
    world
        .run(begin::begin(
            &instance,
            &world.settings,
            &BeginRequest::default(),
        ))
        .err()
        .map(|problem| problem.code())
}

fn sign_in(world: &World) -> Option<Code> {
    let returning = world.returning(&BeginRequest::default());
    world
        .complete(&returning)
        .err()
        .map(|failure| failure.problem.code())
}

fn sign_in_in_a_new_instance(world: &World) -> Option<Code> {
    let returning = world.returning(&BeginRequest::default());
    let browser = Some(returning.browser.as_str());
    let outcome = world.run(callback::complete(
        &world.instance(),
        &world.settings,
        &returning.query,
        browser,
    ));
    outcome.err().map(|failure| failure.problem.code())
}

#[test]
fn documents_are_read_once_in_ten_minutes_by_all_instances_together() {
    let world = World::new();
    for _ in 0..5 {
        assert_eq!(sign_in_in_a_new_instance(&world), None);
    }
    assert_eq!(
        (
            world.scaikey.count(Endpoint::Discovery),
            world.scaikey.count(Endpoint::Keys)
        ),
        (1, 1)
    );
    world.clock.advance(Duration::from_secs(599));
    assert_eq!(sign_in(&world), None);
    assert_eq!(
        (
            world.scaikey.count(Endpoint::Discovery),
            world.scaikey.count(Endpoint::Keys)
        ),
        (1, 1)
    );
    world.clock.advance(Duration::from_secs(1));
    assert_eq!(sign_in(&world), None);
    assert_eq!(
        (
            world.scaikey.count(Endpoint::Discovery),
            world.scaikey.count(Endpoint::Keys)
        ),
        (2, 2)
    );
}

#[test]
fn the_last_good_discovery_serves_for_a_day_while_scaikey_is_down() {
    let outages = [
        Err(OutboundError::Refused),
        Err(OutboundError::Timeout),
        Err(OutboundError::Interrupted),
        Ok(reply(503, "text/plain", "")),
        Ok(reply(429, "text/plain", "")),
    ];
    for outage in outages {
        let world = World::new();
        assert_eq!(begin_in_a_new_instance(&world), None);
        world.scaikey.always(Endpoint::Discovery, outage);
        world.clock.advance(DAY - Duration::from_secs(60));
        assert_eq!(begin_in_a_new_instance(&world), None);
        world.clock.advance(Duration::from_secs(60));
        assert!(begin_in_a_new_instance(&world).is_some());
    }
}

#[test]
fn n_074_a_scaikey_that_answers_something_wrong_is_not_covered_by_the_last_good() {
    let world = World::new();
    assert_eq!(begin_in_a_new_instance(&world), None);
    let mut document = world.scaikey.discovery_document();
    document["issuer"] = "https://evil.example".into();
    world
        .scaikey
        .always(Endpoint::Discovery, Ok(json_reply(200, &document)));
    world.clock.advance(Duration::from_secs(600));
    assert_eq!(
        begin_in_a_new_instance(&world),
        Some(Code::DiscoveryInvalid)
    );
}

#[test]
fn n_073_the_last_good_keys_serve_for_a_day_while_scaikey_is_down() {
    for outage in [
        Err(OutboundError::Refused),
        Ok(reply(500, "text/plain", "")),
        Ok(reply(200, "application/json", "{}")),
    ] {
        let world = World::new();
        assert_eq!(sign_in(&world), None);
        world.scaikey.always(Endpoint::Keys, outage);
        world.clock.advance(DAY - Duration::from_secs(60));
        assert_eq!(sign_in_in_a_new_instance(&world), None);
        world.clock.advance(Duration::from_secs(60));
        assert_eq!(
            sign_in_in_a_new_instance(&world),
            Some(Code::JwksUnavailable)
        );
    }
}

#[test]
fn n_071_s_15_a_rotation_needs_no_wait() {
    for seconds in [0, 5, 40, 3600] {
        for names_keys in [true, false] {
            let world = World::new();
            assert_eq!(sign_in(&world), None);
            world.clock.advance(Duration::from_secs(seconds));
            world.scaikey.published.replace(vec![Signer(1), Signer(2)]);
            world.scaikey.signer.set(Signer(2));
            world.scaikey.names_keys.set(names_keys);
            assert_eq!(
                sign_in(&world),
                None,
                "{seconds} s after the keys were read"
            );
            assert_eq!(sign_in_in_a_new_instance(&world), None, "elsewhere");
            assert_eq!(world.scaikey.count(Endpoint::Keys), 2, "{seconds}");
        }
    }
}

#[test]
fn n_072_unknown_keys_are_looked_for_once_in_thirty_seconds() {
    let world = World::new();
    assert_eq!(sign_in(&world), None);
    // Not published: a forger, or a ScaiKey that is slower than itself.
    world.scaikey.signer.set(Signer(3));
    for _ in 0..5 {
        assert_eq!(sign_in(&world), Some(Code::IdTokenInvalid));
        assert_eq!(
            sign_in_in_a_new_instance(&world),
            Some(Code::IdTokenInvalid)
        );
    }
    assert_eq!(world.scaikey.count(Endpoint::Keys), 2);
    world.clock.advance(Duration::from_secs(30));
    assert_eq!(sign_in(&world), Some(Code::IdTokenInvalid));
    assert_eq!(world.scaikey.count(Endpoint::Keys), 3);
}

#[test]
fn n_072_neither_an_outage_of_the_keys_nor_of_the_store_lifts_that() {
    let world = World::new();
    assert_eq!(sign_in(&world), None);
    world.scaikey.signer.set(Signer(3));
    world
        .scaikey
        .always(Endpoint::Keys, Err(OutboundError::Refused));
    for _ in 0..5 {
        let returning = world.returning(&BeginRequest::default());
        world
            .kv
            .plan
            .fail_at(1, StoreFault::Lost(StoreError::Unavailable));
        assert!(world.complete(&returning).is_err());
        world.kv.plan.heal();
    }
    assert_eq!(world.scaikey.count(Endpoint::Keys), 2);
}

#[test]
fn n_145_documents_from_the_future_are_read_again() {
    let world = World::new();
    world.clock.advance(DAY);
    assert_eq!(sign_in(&world), None);
    world.clock.set(crate::world::clock::START);
    assert_eq!(sign_in(&world), None);
    assert_eq!(
        (
            world.scaikey.count(Endpoint::Discovery),
            world.scaikey.count(Endpoint::Keys)
        ),
        (2, 2)
    );
}
