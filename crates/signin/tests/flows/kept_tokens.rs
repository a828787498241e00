//! ScaiKey's tokens of a session, kept to act for its person: when they are refreshed, and whose refresh counts.

use std::time::Duration;

use futures::future::join;
use scaigate_problem::{Code, Problem};
use scaigate_signin::token_exchange::{Exchanged, TokenExchange};
use scaigate_signin::{Ports, Principal};
use scaigate_types::{Clock as _, Query as _, Value as SqlValue};
use serde_json::{Value, json};

use crate::world::scaikey::Endpoint;
use crate::world::{World, caller, code};

/// A session's person, and the session token.
type Caller = (Principal, String);

/// A session whose tokens of ScaiKey live for a minute.
fn for_a_minute(world: &World) -> Caller {
    world.scaikey.answer.replace(json!({"expires_in": 60}));
    let bearer = world.session().access_token.expose().clone();
    let principal = caller(world, &world.instance(), &bearer).unwrap();
    world.scaikey.answer.replace(Value::Null);
    (principal, bearer)
}

async fn traded(
    world: &World,
    ports: &impl Ports,
    (principal, bearer): &Caller,
) -> Result<Exchanged, Problem> {
    let audiences = ["scaigrid".to_owned()];
    let exchange = TokenExchange {
        keeper: (&world.settings).into(),
        audiences: &audiences,
    };
    exchange
        .for_audience(ports, principal, bearer, "scaigrid", None)
        .await
}

fn refreshes(world: &World) -> usize {
    let calls = world.scaikey.calls.borrow();
    let is_refresh = |name: Option<&str>| name == Some("refresh_token");
    let grants = calls.iter().map(|call| call.form.get("grant_type"));
    grants.filter(|name| is_refresh(*name)).count()
}

/// The tokens in the session's row, sealed.
fn kept(world: &World) -> SqlValue {
    let rows = world
        .db
        .inner
        .query("SELECT scaikey_tokens FROM session", &[]);
    let blob = world.run(rows).unwrap()[0]
        .optional_blob(0)
        .unwrap()
        .unwrap()
        .to_vec();
    blob.into()
}

fn keep(world: &World, tokens: &SqlValue) {
    let sql = "UPDATE session SET scaikey_tokens = ?1";
    world.sql(sql, std::slice::from_ref(tokens));
}

#[test]
fn they_are_refreshed_when_thirty_seconds_are_left() {
    for (after, expected) in [(0, 0), (29_999, 0), (30_000, 1), (90_000, 1)] {
        let world = World::new();
        let caller = for_a_minute(&world);
        world.clock.advance(Duration::from_millis(after));
        let outcome = world.run(traded(&world, &world.instance(), &caller));
        assert_eq!(code(&outcome), None, "{after}");
        assert_eq!(refreshes(&world), expected, "{after}");
    }
}

#[test]
fn whose_refresh_is_refused_uses_what_another_kept_meanwhile() {
    let login = Some(Code::ScaikeyLoginRequired);
    // Whether another has kept new tokens meanwhile, and whether they are good still.
    for (is_kept, is_good, expected) in [
        (true, true, None),
        (true, false, login),
        (false, false, login),
    ] {
        let world = World::new();
        let caller = for_a_minute(&world);
        world.clock.advance(Duration::from_secs(40));
        let old = kept(&world);
        world
            .run(traded(&world, &world.instance(), &caller))
            .unwrap();
        let new = kept(&world);
        assert_ne!(new, old);
        // The answer is not remembered any longer than thirty seconds: who has the old token only is refused.
        keep(&world, &old);
        world.sql("DELETE FROM exchanged_token", &[]);
        world
            .clock
            .advance(Duration::from_secs(if is_good { 40 } else { 3_600 }));
        world.scaikey.slow(Endpoint::Token, Duration::from_secs(1));
        let meanwhile = async {
            world.clock.sleep(Duration::from_millis(500)).await;
            if is_kept {
                keep(&world, &new);
            }
        };
        let own = world.instance();
        let (outcome, ()) = world.run(join(traded(&world, &own, &caller), meanwhile));
        assert_eq!(code(&outcome), expected, "{is_kept} {is_good}");
        assert_eq!(refreshes(&world), 2, "{is_kept} {is_good}");
    }
}
