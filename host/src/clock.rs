//! The clock components see, and what waits on it.
//!
//! A settable clock flows with real time and can be moved forward, set, or
//! frozen. Everything the components wait for (sleeps, request time-outs,
//! injected delays) waits on this clock, so a test that moves it forward wakes
//! them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use tokio::sync::watch;

/// Wall and monotonic time for every component of a host. Clones share one clock.
#[derive(Clone)]
pub struct HostClock {
    shared: Arc<Shared>,
}

struct Shared {
    kind: Kind,
    start: Instant,
    changed: watch::Sender<()>,
    /// Who waits, by a number of its own, and for what instant.
    sleepers: Mutex<BTreeMap<u64, u64>>,
    sleeping: watch::Sender<u64>,
}

/// A place among those who wait; given up when the wait ends or is dropped.
struct Sleeper<'a> {
    shared: &'a Shared,
    number: u64,
}

impl<'a> Sleeper<'a> {
    fn lie_down(shared: &'a Shared, deadline: u64) -> Self {
        let mut sleepers = locked(&shared.sleepers);
        let number = sleepers
            .last_key_value()
            .map_or(0, |(last, _)| last.wrapping_add(1));
        sleepers.insert(number, deadline);
        drop(sleepers);
        shared
            .sleeping
            .send_modify(|count| *count = count.wrapping_add(1));
        Self { shared, number }
    }
}

impl Drop for Sleeper<'_> {
    fn drop(&mut self) {
        locked(&self.shared.sleepers).remove(&self.number);
    }
}

enum Kind {
    System,
    Settable(Mutex<Setting>),
}

struct Setting {
    /// Unix time in nanoseconds at `anchor`.
    wall: u128,
    /// Monotonic nanoseconds at `anchor`.
    monotonic: u64,
    anchor: Instant,
    frozen: bool,
}

impl Setting {
    /// Moves the anchor to now, so that the fields hold the current time.
    fn settle(&mut self) {
        let now = Instant::now();
        if !self.frozen {
            let passed = now.saturating_duration_since(self.anchor);
            self.wall = self.wall.saturating_add(passed.as_nanos());
            self.monotonic = self.monotonic.saturating_add(nanoseconds(passed));
        }
        self.anchor = now;
    }
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

impl HostClock {
    /// The machine's clock. [`Self::advance`] and its siblings do nothing to it.
    #[must_use]
    pub fn system() -> Self {
        Self::of(Kind::System)
    }

    /// A clock that starts at `unix_seconds` and flows from there.
    #[must_use]
    pub fn settable(unix_seconds: u64) -> Self {
        Self::of(Kind::Settable(Mutex::new(Setting {
            wall: u128::from(unix_seconds).saturating_mul(1_000_000_000),
            monotonic: 0,
            anchor: Instant::now(),
            frozen: false,
        })))
    }

    fn of(kind: Kind) -> Self {
        let (changed, _) = watch::channel(());
        let (sleeping, _) = watch::channel(0);
        Self {
            shared: Arc::new(Shared {
                kind,
                start: Instant::now(),
                changed,
                sleepers: Mutex::default(),
                sleeping,
            }),
        }
    }

    fn change(&self, edit: impl FnOnce(&mut Setting)) {
        if let Kind::Settable(setting) = &self.shared.kind {
            {
                let mut setting = locked(setting);
                setting.settle();
                edit(&mut setting);
            }
            self.shared.changed.send_replace(());
        }
    }

    /// Moves wall and monotonic time forward and wakes what became due.
    pub fn advance(&self, by: Duration) {
        self.change(|setting| {
            setting.wall = setting.wall.saturating_add(by.as_nanos());
            setting.monotonic = setting.monotonic.saturating_add(nanoseconds(by));
        });
    }

    /// Sets the wall time, forward or back. Monotonic time and sleeps stay.
    pub fn set_wall(&self, unix_seconds: u64) {
        self.change(|setting| {
            setting.wall = u128::from(unix_seconds).saturating_mul(1_000_000_000);
        });
    }

    /// Stops time until [`Self::thaw`]; [`Self::advance`] still moves it.
    pub fn freeze(&self) {
        self.change(|setting| setting.frozen = true);
    }

    /// Lets time flow again from where it stands.
    pub fn thaw(&self) {
        self.change(|setting| setting.frozen = false);
    }

    /// Time since the Unix epoch.
    #[must_use]
    pub fn wall(&self) -> Duration {
        match &self.shared.kind {
            Kind::System => SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .unwrap_or_default(),
            Kind::Settable(setting) => {
                let mut setting = locked(setting);
                setting.settle();
                let seconds = u64::try_from(setting.wall / 1_000_000_000).unwrap_or(u64::MAX);
                let rest = u32::try_from(setting.wall % 1_000_000_000).unwrap_or(0);
                Duration::new(seconds, rest)
            }
        }
    }

    /// Nanoseconds of monotonic time since the clock was made.
    #[must_use]
    pub fn monotonic(&self) -> u64 {
        match &self.shared.kind {
            Kind::System => nanoseconds(self.shared.start.elapsed()),
            Kind::Settable(setting) => {
                let mut setting = locked(setting);
                setting.settle();
                setting.monotonic
            }
        }
    }

    fn is_frozen(&self) -> bool {
        match &self.shared.kind {
            Kind::System => false,
            Kind::Settable(setting) => locked(setting).frozen,
        }
    }

    /// Waits until monotonic time reaches `deadline` (nanoseconds).
    pub async fn sleep_until(&self, deadline: u64) {
        // Subscribed before the first look: a change in between is not missed.
        let mut changed = self.shared.changed.subscribe();
        let _place = Sleeper::lie_down(&self.shared, deadline);
        loop {
            let now = self.monotonic();
            if now >= deadline {
                return;
            }
            let remaining = Duration::from_nanos(deadline.saturating_sub(now));
            let moved = async {
                if changed.changed().await.is_err() {
                    std::future::pending::<()>().await;
                }
            };
            if self.is_frozen() {
                moved.await;
            } else {
                tokio::select! {
                    () = tokio::time::sleep(remaining) => {}
                    () = moved => {}
                }
            }
        }
    }

    /// The monotonic time (nanoseconds) at which the first of those who wait wakes. Where nobody
    /// waits, somebody is waited for.
    pub async fn next_wake(&self) -> u64 {
        // Subscribed before the first look: who lies down in between is not missed.
        let mut sleeping = self.shared.sleeping.subscribe();
        loop {
            let now = self.monotonic();
            let next = locked(&self.shared.sleepers)
                .values()
                .copied()
                .filter(|at| *at > now)
                .min();
            if let Some(next) = next {
                return next;
            }
            if sleeping.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }

    /// Waits for `duration` of this clock's time, from the call on.
    pub fn sleep(&self, duration: Duration) -> impl Future<Output = ()> + use<> {
        let deadline = self.monotonic().saturating_add(nanoseconds(duration));
        let clock = self.clone();
        async move { clock.sleep_until(deadline).await }
    }

    /// Runs `work` for at most `limit` of this clock's time; `None` when it ran out.
    pub async fn timeout<F: Future>(&self, limit: Duration, work: F) -> Option<F::Output> {
        // Before the work begins: whoever sees it begin and moves the clock by
        // `limit` ends it.
        let deadline = self.monotonic().saturating_add(nanoseconds(limit));
        tokio::select! {
            biased;
            output = work => Some(output),
            () = self.sleep_until(deadline) => None,
        }
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settable_clock_starts_where_it_is_set_and_moves_when_told() {
        let clock = HostClock::settable(1_000);
        clock.freeze();
        let before = clock.wall();
        assert_eq!(before.as_secs(), 1_000);
        clock.advance(Duration::from_secs(60));
        assert_eq!(clock.wall(), before + Duration::from_secs(60));
        clock.set_wall(5);
        assert_eq!(clock.wall(), Duration::from_secs(5));
    }

    #[test]
    fn set_wall_leaves_monotonic_time() {
        let clock = HostClock::settable(1_000);
        clock.freeze();
        let before = clock.monotonic();
        clock.set_wall(9_999);
        assert_eq!(clock.monotonic(), before);
    }

    #[tokio::test]
    async fn advance_wakes_a_sleep_that_became_due() {
        let clock = HostClock::settable(0);
        clock.freeze();
        let sleeper = clock.clone();
        let task = tokio::spawn(async move { sleeper.sleep(Duration::from_secs(3_600)).await });
        tokio::task::yield_now().await;
        clock.advance(Duration::from_secs(3_600));
        assert!(task.await.is_ok());
    }

    #[tokio::test]
    async fn next_wake_is_that_of_whoever_still_waits() {
        let clock = HostClock::settable(0);
        clock.freeze();
        let due = clock.monotonic() + 5_000_000_000;
        let gone = clock.timeout(Duration::from_secs(2), std::future::ready(()));
        assert!(gone.await.is_some());
        let mover = clock.clone();
        let (out, next) = tokio::join!(
            clock.timeout(Duration::from_secs(5), std::future::pending::<()>()),
            async move {
                let next = mover.next_wake().await;
                mover.advance(Duration::from_secs(5));
                next
            }
        );
        assert_eq!(next, due);
        assert!(out.is_none());
    }

    #[tokio::test]
    async fn timeout_gives_none_when_the_clock_passes_it() {
        let clock = HostClock::settable(0);
        clock.freeze();
        let mover = clock.clone();
        let (out, ()) = tokio::join!(
            clock.timeout(Duration::from_secs(10), std::future::pending::<()>()),
            async move { mover.advance(Duration::from_secs(10)) }
        );
        assert!(out.is_none());
    }
}
