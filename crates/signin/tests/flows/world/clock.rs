//! Time that stands still until somebody waits for it, and the executor that moves it.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

pub use scaigate_simulated::START;
use scaigate_types::{Clock, Timestamp};

/// A clock that [`SimClock::run`] moves to the next sleeper when nothing else can go on. Nobody
/// waits, and what happens in parallel happens in the order of simulated time.
pub struct SimClock {
    now: Cell<Timestamp>,
    sleepers: RefCell<BTreeMap<(Timestamp, u64), Waker>>,
    next_id: Cell<u64>,
}

impl Default for SimClock {
    fn default() -> Self {
        Self {
            now: Cell::new(START),
            sleepers: RefCell::default(),
            next_id: Cell::new(0),
        }
    }
}

impl Clock for SimClock {
    fn now(&self) -> Timestamp {
        self.now.get()
    }

    async fn sleep(&self, duration: Duration) {
        let id = self.next_id.replace(self.next_id.get() + 1);
        Sleep {
            clock: self,
            key: (self.now().plus(duration), id),
        }
        .await;
    }
}

impl SimClock {
    /// Sets the time.
    pub fn set(&self, now: Timestamp) {
        self.now.set(now);
    }

    /// Lets `duration` pass.
    pub fn advance(&self, duration: Duration) {
        self.now.set(self.now().plus(duration));
    }

    /// Runs `future` to its end.
    pub fn run<F: Future>(&self, future: F) -> F::Output {
        let woken = Arc::new(Woken(AtomicBool::new(true)));
        let waker = Waker::from(Arc::clone(&woken));
        let mut context = Context::from_waker(&waker);
        let mut future = pin!(future);
        loop {
            while woken.0.swap(false, Ordering::Relaxed) {
                if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
                    return output;
                }
            }
            let first = self.sleepers.borrow_mut().pop_first();
            let ((until, _), sleeper) = first.unwrap();
            self.now.set(self.now().max(until));
            sleeper.wake();
        }
    }
}

struct Sleep<'c> {
    clock: &'c SimClock,
    key: (Timestamp, u64),
}

impl Future for Sleep<'_> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if self.clock.now() >= self.key.0 {
            return Poll::Ready(());
        }
        self.clock
            .sleepers
            .borrow_mut()
            .insert(self.key, context.waker().clone());
        Poll::Pending
    }
}

impl Drop for Sleep<'_> {
    fn drop(&mut self) {
        self.clock.sleepers.borrow_mut().remove(&self.key);
    }
}

struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Lets everything else go first, `times` times.
pub async fn give_way(times: u64) {
    let mut left = times;
    std::future::poll_fn(|context| {
        if left == 0 {
            return Poll::Ready(());
        }
        left -= 1;
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
