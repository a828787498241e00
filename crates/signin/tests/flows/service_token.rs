//! A token of our own.

use std::time::Duration;

use scaigate_problem::{Code, Problem};
use scaigate_signin::Ports;
use scaigate_signin::service_token::service_token;
use scaigate_types::Secret;
use serde_json::json;

use crate::world::scaikey::{Endpoint, claims_of, refusal};
use crate::world::{World, code};

fn token(
    world: &World,
    ports: &impl Ports,
    scope: Option<&str>,
) -> Result<Secret<String>, Problem> {
    world.run(service_token(ports, &world.settings.scaikey, scope))
}

#[test]
fn is_held_by_scope_and_never_until_its_end() {
    let world = World::new();
    let own = world.instance();
    let first = token(&world, &own, None).unwrap();
    assert_eq!(token(&world, &own, None).unwrap().expose(), first.expose());
    assert_eq!(world.scaikey.count(Endpoint::Token), 1);
    let narrow = token(&world, &own, Some("users:read")).unwrap();
    assert_eq!(claims_of(narrow.expose())["scope"], "users:read");
    assert_eq!(world.scaikey.count(Endpoint::Token), 2);
    // A scope granted meanwhile is there a minute later.
    world.clock.advance(Duration::from_secs(59));
    assert_eq!(token(&world, &own, None).unwrap().expose(), first.expose());
    world.clock.advance(Duration::from_secs(1));
    assert_ne!(token(&world, &own, None).unwrap().expose(), first.expose());
    // One with less than half a minute left is not used.
    world.scaikey.answer.replace(json!({"expires_in": 40}));
    let short = world.instance();
    let first = token(&world, &short, None).unwrap();
    world.clock.advance(Duration::from_secs(9));
    assert_eq!(
        token(&world, &short, None).unwrap().expose(),
        first.expose()
    );
    world.clock.advance(Duration::from_secs(1));
    assert_ne!(
        token(&world, &short, None).unwrap().expose(),
        first.expose()
    );
}

#[test]
fn asks_as_our_client_without_what_it_does_not_need() {
    let world = World::new();
    assert!(token(&world, &world, Some("users:read groups:read")).is_ok());
    let calls = world.scaikey.calls.borrow();
    let form = &calls.last().unwrap().form;
    assert_eq!(form.get("grant_type"), Some("client_credentials"));
    assert_eq!(form.get("scope"), Some("users:read groups:read"));
    for name in [
        "client_secret",
        "username",
        "refresh_token",
        "subject_token",
    ] {
        assert_eq!(form.get(name), None, "{name}");
    }
}

#[test]
fn scaikeys_refusal_is_told_and_not_held() {
    for (error, expected) in [
        ("invalid_client", Code::ClientRefused),
        ("unsupported_grant_type", Code::UnsupportedGrantType),
        ("invalid_scope", Code::InvalidScope),
    ] {
        let world = World::new();
        world
            .scaikey
            .always(Endpoint::Token, Ok(refusal(400, error, "no")));
        assert_eq!(
            code(&token(&world, &world, None)),
            Some(expected),
            "{error}"
        );
        world.scaikey.heal(Endpoint::Token);
        assert_eq!(code(&token(&world, &world, None)), None);
    }
}
