//! What all components of a running application share.

use std::sync::{Arc, OnceLock, Weak};

use tokio::sync::watch;

use crate::clock::HostClock;
use crate::faults::Faults;
use crate::key_value::KeyValue;
use crate::logs::LogSink;
use crate::outbound::Client;
use crate::server::Server;
use crate::state::StateDirectory;

pub(crate) struct App {
    pub clock: HostClock,
    pub faults: Faults,
    pub logs: LogSink,
    pub key_value: KeyValue,
    pub client: Client,
    /// Changes when every running instance has to end.
    pub generation: watch::Sender<u64>,
    /// How many instances there are.
    pub instances: watch::Sender<usize>,
    /// Set once the server listens; weak, as the server holds the components.
    pub server: OnceLock<Weak<Server>>,
    // Last: the files are removed after everything that has them open.
    pub state: StateDirectory,
}

impl App {
    pub(crate) fn server(&self) -> Option<Arc<Server>> {
        self.server.get()?.upgrade()
    }

    pub(crate) fn kill_instances(&self) {
        self.generation
            .send_modify(|generation| *generation = generation.wrapping_add(1));
    }
}
