//! Every call of another component failing, in every way, in every flow: what the browser is told, what
//! the same request comes to when it is sent again, and that no failure shows a token. No other port of the
//! console can fail.
//!
//! A line of a table is: number and name of the call, the faults, what they come to, and what the repeated
//! request comes to once the component answers again.

use scaigate_types::OutboundError;

use crate::world::{ACCESS, Fault, Outcome, REFRESH, World};

/// What a component says whose database is down.
const STORE: &str = r#"{"error":{"code":"store_unavailable","details":{"store":"sqlite"}}}"#;

const FAULTS: [(&str, Fault); 10] = [
    ("refused", Fault::Error(OutboundError::Refused)),
    ("denied", Fault::Error(OutboundError::Denied)),
    ("timeout", Fault::Error(OutboundError::Timeout)),
    ("interrupted", Fault::Error(OutboundError::Interrupted)),
    ("too_large", Fault::Error(OutboundError::TooLarge)),
    (
        "503",
        Fault::Instead(503, "application/problem+json", STORE),
    ),
    ("500", Fault::Instead(500, "text/plain", "no words of ours")),
    ("302", Fault::Instead(302, "text/plain", "")),
    ("page", Fault::Instead(200, "text/html", "<html>")),
    (
        "garbage",
        Fault::Instead(200, "application/json", "{\"a\":"),
    ),
];

/// A flow under test: what the request needs, and the request.
struct Flow {
    prepare: fn() -> World,
    run: fn(&World) -> Outcome,
}

fn named(outcome: Outcome) -> String {
    outcome.unwrap_or_else(|problem| {
        let told = problem.response("/", "req_1").into_body();
        let told = String::from_utf8_lossy(&told).into_owned();
        for secret in [ACCESS, REFRESH, "CODE", "no words of ours"] {
            assert!(!told.contains(secret), "{told}");
        }
        problem.code().as_str().to_owned()
    })
}

impl Flow {
    fn prepared(&self) -> World {
        let world = (self.prepare)();
        world.parts.calls.borrow_mut().clear();
        world
    }

    /// Runs the flow with one call failing, then again without.
    fn outcome(&self, number: usize, fault: Fault) -> String {
        let world = self.prepared();
        world.parts.fails.set(Some((number, fault)));
        let first = named((self.run)(&world));
        world.parts.fails.set(None);
        format!("{first}, then {}", named((self.run)(&world)))
    }

    /// One line for each different outcome of a call.
    fn table(&self) -> String {
        let world = self.prepared();
        (self.run)(&world).unwrap();
        let calls = world.parts.calls.borrow().clone();
        let mut lines = Vec::new();
        for (index, call) in calls.iter().enumerate() {
            let mut groups: Vec<(String, Vec<&str>)> = Vec::new();
            for (name, fault) in FAULTS {
                let outcome = self.outcome(index + 1, fault);
                match groups.iter_mut().find(|(known, _)| *known == outcome) {
                    Some((_, faults)) => faults.push(name),
                    None => groups.push((outcome, vec![name])),
                }
            }
            for (outcome, faults) in groups {
                lines.push(format!(
                    "{} {call}: {}: {outcome}",
                    index + 1,
                    faults.join(" ")
                ));
            }
        }
        lines.join("\n")
    }

    /// Compares the table with the expected one, line by line without indentation.
    #[track_caller]
    fn expect(&self, expected: &str) {
        let expected: Vec<&str> = expected.trim().lines().map(str::trim).collect();
        assert_eq!(self.table(), expected.join("\n"));
    }
}

#[test]
fn n_144_beginning_a_sign_in() {
    let flow = Flow {
        prepare: World::new,
        run: World::begin,
    };
    flow.expect(
        "
        1 callback /v1/auth/login: refused denied timeout interrupted too_large: part_unavailable, then ok
        1 callback /v1/auth/login: 503: store_unavailable, then ok
        1 callback /v1/auth/login: 500 302 page garbage: internal, then ok",
    );
}

#[test]
fn n_144_completing_a_sign_in() {
    let flow = Flow {
        prepare: World::begun,
        run: World::complete,
    };
    flow.expect(
        "
        1 callback /v1/auth/token: refused denied timeout interrupted too_large: part_unavailable, then ok
        1 callback /v1/auth/token: 503: store_unavailable, then ok
        1 callback /v1/auth/token: 500 302 page garbage: internal, then ok
        2 callback /v1/auth/token: refused denied: part_unavailable, then ok
        2 callback /v1/auth/token: timeout interrupted too_large: part_unavailable, then session_code_already_used
        2 callback /v1/auth/token: 503: store_unavailable, then ok
        2 callback /v1/auth/token: 500 302 page garbage: internal, then ok",
    );
}

#[test]
fn n_144_a_call_of_the_page() {
    let flow = Flow {
        prepare: World::signed_in,
        run: World::pass,
    };
    flow.expect(
        "
        1 session /v1/me: refused denied timeout interrupted too_large: part_unavailable, then 200
        1 session /v1/me: 503: 503, then 200
        1 session /v1/me: 500 302 page: internal, then 200
        1 session /v1/me: garbage: 200, then 200",
    );
}

#[test]
fn n_144_a_call_when_the_token_is_to_be_refreshed() {
    let flow = Flow {
        prepare: || World::signed_in_since(800),
        run: World::pass,
    };
    flow.expect(
        "
        1 callback /v1/auth/refresh: refused denied timeout interrupted too_large 503 500 302 page garbage: 200, then 200
        2 session /v1/me: refused denied timeout interrupted too_large: part_unavailable, then 200
        2 session /v1/me: 503: 503, then 200
        2 session /v1/me: 500 302 page: internal, then 200
        2 session /v1/me: garbage: 200, then 200",
    );
}

#[test]
fn n_144_a_call_when_the_token_has_expired() {
    let flow = Flow {
        prepare: || World::signed_in_since(901),
        run: World::pass,
    };
    flow.expect(
        "
        1 callback /v1/auth/refresh: refused denied timeout interrupted too_large: part_unavailable, then 200
        1 callback /v1/auth/refresh: 503: store_unavailable, then 200
        1 callback /v1/auth/refresh: 500 302 page garbage: internal, then 200
        2 session /v1/me: refused denied timeout interrupted too_large: part_unavailable, then 200
        2 session /v1/me: 503: 503, then 200
        2 session /v1/me: 500 302 page: internal, then 200
        2 session /v1/me: garbage: 200, then 200",
    );
}

#[test]
fn n_144_a_call_when_the_token_was_revoked() {
    let flow = Flow {
        prepare: || {
            let world = World::signed_in();
            world.parts.is_revoked.set(true);
            world
        },
        run: World::pass,
    };
    flow.expect(
        "
        1 session /v1/me: refused denied timeout interrupted too_large: part_unavailable, then 200
        1 session /v1/me: 503: 503, then 200
        1 session /v1/me: 500 302 page: internal, then 200
        1 session /v1/me: garbage: 200, then 200
        2 callback /v1/auth/refresh: refused denied timeout interrupted too_large: part_unavailable, then 200
        2 callback /v1/auth/refresh: 503: store_unavailable, then 200
        2 callback /v1/auth/refresh: 500 302 page garbage: internal, then 200
        3 session /v1/me: refused denied timeout interrupted too_large: part_unavailable, then 200
        3 session /v1/me: 503: 503, then 200
        3 session /v1/me: 500 302 page: internal, then 200
        3 session /v1/me: garbage: 200, then 200",
    );
}

#[test]
fn n_144_another_workspace() {
    let flow = Flow {
        prepare: World::signed_in,
        run: World::switch,
    };
    flow.expect(
        "
        1 callback /v1/auth/refresh: refused denied timeout interrupted too_large: part_unavailable, then ok
        1 callback /v1/auth/refresh: 503: store_unavailable, then ok
        1 callback /v1/auth/refresh: 500 302 page garbage: internal, then ok",
    );
}

/// Whatever fails, the cookie is gone.
#[test]
fn n_144_signing_out() {
    let flow = Flow {
        prepare: World::signed_in,
        run: World::sign_out,
    };
    flow.expect(
        "
        1 callback /v1/auth/logout: refused denied timeout interrupted too_large 503 500 302 page garbage: ended here, then ended",
    );
}
