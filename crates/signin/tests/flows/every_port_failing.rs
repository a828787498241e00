//! Every call of every port, failing in every way, in every flow: what the caller is told, what the
//! same request comes to when it is sent again, and that nothing is left that harms.
//!
//! A line of a table is: port, number and name of the call, the faults, what they come to, and what
//! the repeated request comes to once the port works again.

mod caller_flows;
mod session_flows;
mod sign_in_flows;

use std::time::Duration;

use scaigate_problem::Code;
use scaigate_types::{Clock as _, OutboundError, StoreError};

use crate::world::World;
use crate::world::scaikey::OutboundFault;
use crate::world::stores::StoreFault;

/// A flow under test.
struct Flow {
    /// Makes what the request needs, and says with what it is to be run.
    prepare: fn(&World) -> Vec<String>,
    /// Runs it, in an instance that remembers nothing.
    run: fn(&World, &[String]) -> Option<Code>,
    /// Looks for harm after the failure and the repetition.
    check: fn(&World, &[String]),
}

const STORE_FAULTS: [(&str, StoreFault); 2] = [
    ("lost", StoreFault::Lost(StoreError::Unavailable)),
    ("unanswered", StoreFault::Unanswered(StoreError::Busy)),
];

const OUTBOUND_FAULTS: [(&str, OutboundFault); 10] = [
    ("refused", OutboundFault::Error(OutboundError::Refused)),
    ("denied", OutboundFault::Error(OutboundError::Denied)),
    ("timeout", OutboundFault::Error(OutboundError::Timeout)),
    (
        "interrupted",
        OutboundFault::Error(OutboundError::Interrupted),
    ),
    ("too_large", OutboundFault::Error(OutboundError::TooLarge)),
    ("500", OutboundFault::Instead(500, "text/plain", "")),
    ("429", OutboundFault::Instead(429, "text/plain", "")),
    ("302", OutboundFault::Instead(302, "text/plain", "")),
    ("page", OutboundFault::Instead(200, "text/html", "<html>")),
    (
        "garbage",
        OutboundFault::Instead(200, "application/json", "{\"a\":"),
    ),
];

/// The longest that anybody waits for an answer.
const BOUND: Duration = Duration::from_secs(10);

impl Flow {
    fn prepared(&self) -> (World, Vec<String>) {
        let world = World::with(&[("password_grant_enabled", "true")]);
        let input = (self.prepare)(&world);
        world.forget_documents();
        world.db.plan.heal();
        world.kv.plan.heal();
        world.scaikey.plan.heal();
        (world, input)
    }

    /// Runs the flow with one call failing as `arm` says, then again without.
    fn outcome(&self, arm: &dyn Fn(&World)) -> String {
        let (world, input) = self.prepared();
        arm(&world);
        let start = world.clock.now();
        let first = (self.run)(&world, &input);
        assert!(
            world.clock.now().since(start) <= BOUND,
            "{:?}",
            world.clock.now().since(start)
        );
        world.db.plan.heal();
        world.kv.plan.heal();
        world.scaikey.plan.heal();
        let again = (self.run)(&world, &input);
        (self.check)(&world, &input);
        // Whatever happened, the next one who comes is served.
        world.session();
        let name = |code: Option<Code>| code.map_or("ok", Code::as_str);
        format!("{}, then {}", name(first), name(again))
    }

    /// The table of this flow.
    fn table(&self) -> String {
        let (world, input) = self.prepared();
        assert_eq!(
            (self.run)(&world, &input),
            None,
            "it works when everything does"
        );
        let (db, kv, outbound) = (
            world.db.plan.heal(),
            world.kv.plan.heal(),
            world.scaikey.plan.heal(),
        );
        let mut lines = Vec::new();
        for (index, call) in db.iter().enumerate() {
            let row = STORE_FAULTS.map(|(name, fault)| {
                (
                    name,
                    self.outcome(&|world| world.db.plan.fail_at(index + 1, fault)),
                )
            });
            lines.extend(grouped("db", index, call, &row));
        }
        for (index, call) in kv.iter().enumerate() {
            let row = STORE_FAULTS.map(|(name, fault)| {
                (
                    name,
                    self.outcome(&|world| world.kv.plan.fail_at(index + 1, fault)),
                )
            });
            lines.extend(grouped("kv", index, call, &row));
        }
        for (index, call) in outbound.iter().enumerate() {
            let row = OUTBOUND_FAULTS.map(|(name, fault)| {
                (
                    name,
                    self.outcome(&|world| world.scaikey.plan.fail_at(index + 1, fault)),
                )
            });
            lines.extend(grouped("out", index, call, &row));
        }
        lines.join("\n")
    }

    /// Compares the table with the expected one, line by line without indentation.
    fn expect(&self, expected: &str) {
        let expected: Vec<&str> = expected.trim().lines().map(str::trim).collect();
        assert_eq!(self.table(), expected.join("\n"));
    }
}

/// One line for each different outcome of a call.
fn grouped(port: &str, index: usize, call: &str, row: &[(&str, String)]) -> Vec<String> {
    let mut groups: Vec<(&str, Vec<&str>)> = Vec::new();
    for (fault, outcome) in row {
        match groups.iter_mut().find(|(known, _)| known == outcome) {
            Some((_, faults)) => faults.push(fault),
            None => groups.push((outcome, vec![fault])),
        }
    }
    let line = |(outcome, faults): (&str, Vec<&str>)| {
        format!(
            "{port} {} {call}: {}: {outcome}",
            index + 1,
            faults.join(" ")
        )
    };
    groups.into_iter().map(line).collect()
}
