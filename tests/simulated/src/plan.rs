//! Which call of a port goes wrong, and how.

use std::cell::{Cell, RefCell};

/// The calls of one port, and the one that is to fail with an `F`.
pub struct Plan<F> {
    seen: RefCell<Vec<String>>,
    fail: Cell<Option<(usize, F)>>,
}

impl<F> Default for Plan<F> {
    fn default() -> Self {
        Self {
            seen: RefCell::default(),
            fail: Cell::new(None),
        }
    }
}

impl<F: Copy> Plan<F> {
    /// Makes the `call`-th call from now on (from 1) fail, and no other.
    pub fn fail_at(&self, call: usize, fault: F) {
        self.heal();
        self.fail.set(Some((call, fault)));
    }

    /// Lets everything succeed again; what was called since the last time.
    pub fn heal(&self) -> Vec<String> {
        self.fail.set(None);
        self.seen.take()
    }

    /// Notes a call; how it is to fail, if it is.
    pub fn next(&self, what: impl Into<String>) -> Option<F> {
        let mut seen = self.seen.borrow_mut();
        seen.push(what.into());
        let (call, fault) = self.fail.get()?;
        (call == seen.len()).then_some(fault)
    }
}
