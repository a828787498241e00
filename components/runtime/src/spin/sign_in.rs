//! The ports of the sign-in flows, over Spin.

use std::rc::Rc;

use scaigate_kv::spin::{SpinDatabase, SpinKv};
use scaigate_proxy::GridPorts;
use scaigate_signin::{Memory, Ports};

use super::ports::{SpinClock, SpinEntropy, SpinOutbound};
use super::streaming::SpinStreaming;
use crate::Incoming;

thread_local! {
    // What an instance remembers of ScaiKey: public documents, nothing of a request.
    static MEMORY: Rc<Memory> = Rc::default();
}

/// Spin's stores, clock, randomness and network as the flows take them.
pub struct SpinPorts {
    memory: Rc<Memory>,
    db: SpinDatabase,
}

impl Default for SpinPorts {
    fn default() -> Self {
        Self {
            memory: MEMORY.with(Rc::clone),
            db: SpinDatabase::default(),
        }
    }
}

impl SpinPorts {
    /// The ports of a request: what it changes, the audit log knows as its.
    #[must_use]
    pub fn of(incoming: &Incoming) -> Self {
        Self {
            db: SpinDatabase(Some(Rc::clone(&incoming.trail))),
            ..Self::default()
        }
    }
}

impl Ports for SpinPorts {
    type Clock = SpinClock;
    type Entropy = SpinEntropy;
    type Kv = SpinKv;
    type Database = SpinDatabase;
    type Outbound = SpinOutbound;

    fn clock(&self) -> &SpinClock {
        &SpinClock
    }

    fn entropy(&self) -> &SpinEntropy {
        &SpinEntropy
    }

    fn kv(&self) -> &SpinKv {
        &SpinKv
    }

    fn db(&self) -> &SpinDatabase {
        &self.db
    }

    fn outbound(&self) -> &SpinOutbound {
        &SpinOutbound
    }

    fn memory(&self) -> &Memory {
        &self.memory
    }
}

impl GridPorts for SpinPorts {
    type Streaming = SpinStreaming;

    fn streaming(&self) -> &SpinStreaming {
        &SpinStreaming
    }
}
