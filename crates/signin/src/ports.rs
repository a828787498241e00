//! What a flow runs over, and how long it may take.

use std::time::Duration;

use scaigate_types::{Clock, Database, Entropy, Kv, Limits, Outbound, Timestamp};

use crate::Memory;

/// The five ports, and what an instance remembers between requests.
pub trait Ports {
    /// Time.
    type Clock: Clock;
    /// Randomness.
    type Entropy: Entropy;
    /// The key-value store.
    type Kv: Kv;
    /// The database.
    type Database: Database;
    /// Calls to ScaiKey.
    type Outbound: Outbound;

    /// Time.
    fn clock(&self) -> &Self::Clock;
    /// Randomness.
    fn entropy(&self) -> &Self::Entropy;
    /// The key-value store.
    fn kv(&self) -> &Self::Kv;
    /// The database.
    fn db(&self) -> &Self::Database;
    /// Calls to ScaiKey.
    fn outbound(&self) -> &Self::Outbound;
    /// ScaiKey's documents as this instance last saw them. Holds nothing of any request.
    fn memory(&self) -> &Memory;
}

/// Everything a request does at ScaiKey ends by here, so that the answer leaves within ten seconds.
const TOTAL: Duration = Duration::from_millis(9_000);

/// One call's share, so that a hanging first call leaves time for an answer that says so.
const PER_CALL: Duration = Duration::from_millis(4_000);

/// When a request's calls must have ended.
#[derive(Clone, Copy, Debug)]
pub struct Deadline(Timestamp);

impl Deadline {
    /// The deadline of a request that begins now.
    pub fn start(clock: &impl Clock) -> Self {
        Self(clock.now().plus(TOTAL))
    }

    /// This deadline, or `time` from now if that is sooner.
    pub fn within(self, clock: &impl Clock, time: Duration) -> Self {
        Self(self.0.min(clock.now().plus(time)))
    }

    /// Bounds of the next call: what is left, at most four seconds, and `max_body` bytes.
    pub fn limits(self, clock: &impl Clock, max_body: usize) -> Limits {
        Limits {
            timeout: self.left(clock).min(PER_CALL),
            max_body,
        }
    }

    /// The time left; zero when it has passed.
    pub fn left(self, clock: &impl Clock) -> Duration {
        self.0.since(clock.now())
    }
}
