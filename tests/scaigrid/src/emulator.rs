//! Starting, steering and stopping an emulator.

use std::net::SocketAddr;
use std::sync::{Arc, MutexGuard};

use anyhow::Context;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::Behaviour;
use crate::caller::Jwt;
use crate::grid::Grid;
use crate::recorder::Recorder;
use crate::seed;
use crate::server;
use crate::switches::Switches;
use crate::world::World;
use scaigate_emulation::{Clock, system_clock};

/// How an emulator starts.
pub struct Options {
    /// Where to listen; port 0 picks a free one. Default `127.0.0.1:0`.
    pub listen: SocketAddr,
    /// The clock of limits, expiries, paced streams and the `Date` header. Default: the machine's.
    pub clock: Clock,
    /// Whose JWTs are accepted. Default: nobody's, API keys only.
    pub jwt: Jwt,
    /// Serves `/_emulator/…` to steer it over HTTP. Default off.
    pub control: bool,
    /// Standing behaviour at the start.
    pub behaviour: Behaviour,
    /// Replaces what is seeded.
    pub grid: Option<Grid>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            clock: system_clock(),
            jwt: Jwt::default(),
            control: false,
            behaviour: Behaviour::default(),
            grid: None,
        }
    }
}

/// A running emulator. Dropping it stops it as well.
pub struct Emulator {
    world: Arc<World>,
    address: SocketAddr,
    stop: watch::Sender<bool>,
    server: JoinHandle<()>,
}

impl Emulator {
    /// Listens and serves on the current tokio runtime.
    ///
    /// # Errors
    /// When the address cannot be bound.
    pub async fn start(options: Options) -> anyhow::Result<Self> {
        let listener = TcpListener::bind(options.listen)
            .await
            .context("cannot listen")?;
        let address = listener.local_addr()?;
        let world = Arc::new(World::new(
            options.control,
            options.clock,
            Switches::with(options.behaviour),
            options.grid.unwrap_or_else(seed::grid),
            options.jwt,
        ));
        let (stop, stopped) = watch::channel(false);
        let server = tokio::spawn(server::serve(listener, world.clone(), stopped));
        Ok(Self {
            world,
            address,
            stop,
            server,
        })
    }

    /// Its address as clients configure it, without a final slash.
    pub fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The switches.
    pub fn switches(&self) -> &Switches {
        &self.world.switches
    }

    /// The record of requests, and the gates.
    pub fn recorder(&self) -> &Recorder {
        &self.world.recorder
    }

    /// What is in ScaiGrid, to read and change. Do not keep the guard across an `.await`.
    pub fn grid(&self) -> MutexGuard<'_, Grid> {
        self.world.grid()
    }

    /// Stops listening and drops every connection.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        let Self { server, .. } = self;
        // The server task ends by itself; a panic inside it would have shown in the test.
        let _ = server.await;
    }
}
