//! Our time, and ScaiKey's. They stand still until a test moves them or somebody waits.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use scaigate_types::{Clock, Timestamp};

/// Where both begin: 2027-01-15T08:00:00Z.
const START: u64 = 1_800_000_000_000;

/// The two clocks. Copies are the same clocks.
#[derive(Clone)]
pub struct SimClock {
    now: Arc<AtomicU64>,
    ahead: Arc<AtomicI64>,
}

impl Default for SimClock {
    fn default() -> Self {
        Self {
            now: Arc::new(AtomicU64::new(START)),
            ahead: Arc::default(),
        }
    }
}

impl SimClock {
    /// Lets `duration` pass, for everybody.
    pub fn advance(&self, duration: Duration) {
        let millis = u64::try_from(duration.as_millis()).unwrap();
        self.now.fetch_add(millis, Ordering::Relaxed);
    }

    /// Sets ScaiKey's clock ahead of ours by so many milliseconds, or behind it.
    pub fn skew(&self, ahead: i64) {
        self.ahead.store(ahead, Ordering::Relaxed);
    }

    /// ScaiKey's time in milliseconds.
    pub fn at_scaikey(&self) -> i64 {
        let now = i64::try_from(self.now.load(Ordering::Relaxed)).unwrap();
        now + self.ahead.load(Ordering::Relaxed)
    }
}

impl Clock for SimClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.now.load(Ordering::Relaxed))
    }

    async fn sleep(&self, duration: Duration) {
        self.advance(duration);
    }
}
