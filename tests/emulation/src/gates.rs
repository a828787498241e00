//! Gates that hold requests and answers back, so that tests need no sleeps.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};
use tokio::sync::watch;

/// Where a gate stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Gate {
    /// Before the request's body is read: a client that sends one meets a full buffer.
    Upload,
    /// Before the request takes effect.
    Before,
    /// After it took effect, before the head of the answer leaves.
    After,
    /// After the head, before the first byte of the body.
    Body,
    /// Before each piece of the body: one for a plain answer, one per event, one per piece of a generated body.
    Piece,
}

struct State<E> {
    /// Gates that are shut, and how many may pass all the same.
    shut: HashMap<(E, Gate), u64>,
    /// One entry per request that stands at a gate now.
    waiting: Vec<(E, Gate)>,
}

/// The gates of one emulator, by endpoint, and the news of whatever changes in it.
pub struct Gates<E> {
    state: Mutex<State<E>>,
    changed: watch::Sender<u64>,
}

impl<E> Default for Gates<E> {
    fn default() -> Self {
        Self {
            state: Mutex::new(State {
                shut: HashMap::new(),
                waiting: Vec::new(),
            }),
            changed: watch::Sender::new(0),
        }
    }
}

impl<E: Copy + Eq + Hash> Gates<E> {
    fn lock(&self) -> MutexGuard<'_, State<E>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells those who wait ([`Self::until`]) that something is different.
    pub fn notify(&self) {
        self.changed.send_modify(|n| *n = n.wrapping_add(1));
    }

    /// Returns as soon as it is so: looks at once, and whenever something is different.
    pub async fn until(&self, is_so: impl Fn() -> bool) {
        let mut changes = self.changed.subscribe();
        while !is_so() {
            if changes.changed().await.is_err() {
                return;
            }
        }
    }

    /// From now on requests to the endpoint wait before they take effect, until [`Self::release`].
    pub fn hold(&self, endpoint: E) {
        self.hold_at(endpoint, Gate::Before);
    }

    /// The same at a gate of choice.
    pub fn hold_at(&self, endpoint: E, gate: Gate) {
        self.lock().shut.insert((endpoint, gate), 0);
        self.notify();
    }

    /// Lets `times` more through a gate that is shut, and shuts it first if it is not.
    pub fn allow(&self, endpoint: E, gate: Gate, times: u64) {
        *self.lock().shut.entry((endpoint, gate)).or_default() += times;
        self.notify();
    }

    /// Opens every gate of the endpoint: all that wait go on.
    pub fn release(&self, endpoint: E) {
        self.lock().shut.retain(|(held, _), _| *held != endpoint);
        self.notify();
    }

    /// How many requests stand at the endpoint's gates now. One whose client went away no longer counts.
    pub fn waiting(&self, endpoint: E) -> usize {
        let state = self.lock();
        let standing = state.waiting.iter().filter(|(held, _)| *held == endpoint);
        standing.count()
    }

    /// Returns as soon as exactly `n` requests stand at the endpoint's gates (0: the clients have gone).
    pub async fn held(&self, endpoint: E, n: usize) {
        self.until(|| self.waiting(endpoint) == n).await;
    }

    /// Returns as soon as a request stands at the endpoint's gates, however many do.
    pub async fn stands(&self, endpoint: E) {
        self.until(|| self.waiting(endpoint) > 0).await;
    }

    /// Takes a permit of a shut gate; an open one needs none.
    fn may_pass(&self, at: (E, Gate)) -> bool {
        match self.lock().shut.get_mut(&at) {
            None => true,
            Some(0) => false,
            Some(permits) => {
                *permits -= 1;
                true
            }
        }
    }

    /// Stands at a gate while it is shut.
    pub async fn pass(&self, endpoint: E, gate: Gate) {
        let at = (endpoint, gate);
        if self.may_pass(at) {
            return;
        }
        let place = Place::take(self, at);
        self.until(|| self.may_pass(at)).await;
        drop(place);
    }
}

/// A place in the queue at a gate; given back also when the client goes away and the request is dropped.
struct Place<'a, E: Copy + Eq + Hash> {
    gates: &'a Gates<E>,
    at: (E, Gate),
}

impl<'a, E: Copy + Eq + Hash> Place<'a, E> {
    fn take(gates: &'a Gates<E>, at: (E, Gate)) -> Self {
        gates.lock().waiting.push(at);
        gates.notify();
        Self { gates, at }
    }
}

impl<E: Copy + Eq + Hash> Drop for Place<'_, E> {
    fn drop(&mut self) {
        let mut state = self.gates.lock();
        if let Some(position) = state.waiting.iter().position(|held| *held == self.at) {
            state.waiting.swap_remove(position);
        }
        drop(state);
        self.gates.notify();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{Gate, Gates};

    #[tokio::test]
    async fn a_shut_gate_holds_until_it_lets_some_through_or_opens() {
        let gates: Arc<Gates<u8>> = Arc::default();
        gates.hold(1);
        let pass = |endpoint| {
            let gates = Arc::clone(&gates);
            tokio::spawn(async move { gates.pass(endpoint, Gate::Before).await })
        };
        let held = [pass(1), pass(1), pass(1)];
        gates.held(1, 3).await;
        pass(2).await.expect("another endpoint's is open");
        gates.pass(1, Gate::After).await;
        gates.allow(1, Gate::Before, 1);
        gates.held(1, 2).await;
        held[1].abort();
        held[2].abort();
        held[0].abort();
        // Whoever has gone no longer stands there.
        gates.held(1, 0).await;
        let last = pass(1);
        gates.stands(1).await;
        gates.release(1);
        last.await.expect("it is open");
        gates.held(1, 0).await;
    }
}
