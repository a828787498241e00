//! Time that stands still until a test moves it, or somebody waits.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use scaigate_types::{Clock, Timestamp};

/// Where every test begins: 2027-01-15T08:00:00Z.
pub const START: Timestamp = Timestamp::from_secs(1_800_000_000);

/// A clock. Copies are the same clock; who sleeps moves it and goes on at once.
#[derive(Clone, Debug)]
pub struct ManualClock(Arc<AtomicU64>);

impl Default for ManualClock {
    fn default() -> Self {
        Self(Arc::new(AtomicU64::new(START.millis())))
    }
}

impl ManualClock {
    /// Lets `duration` pass.
    pub fn advance(&self, duration: Duration) {
        self.0
            .store(self.now().plus(duration).millis(), Ordering::Relaxed);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::Relaxed))
    }

    async fn sleep(&self, duration: Duration) {
        self.advance(duration);
    }
}
