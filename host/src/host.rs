//! Starting and stopping an application.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use anyhow::{Context as _, anyhow};
use bytes::Bytes;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use wasmtime_wasi_http::handler::ProxyHandler;

use crate::app::App;
use crate::clock::HostClock;
use crate::faults::Faults;
use crate::instance::{ComponentState, Prepared};
use crate::key_value::KeyValue;
use crate::logs::LogSink;
use crate::manifest::Manifest;
use crate::outbound::Client;
use crate::reuse::ReuseOptions;
use crate::routes::Router;
use crate::server::Server;
use crate::state::{State, StateDirectory};
use crate::variables::{Values, from_environment};
use crate::worker::Instances;

/// What a host needs to know to start.
pub struct HostOptions {
    /// The `spin.toml`. Paths in it are relative to its folder.
    pub manifest: PathBuf,
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// A listener to use instead of one on `listen`: a port that is held from the moment it is known
    /// can't be taken by anybody else.
    pub listener: Option<std::net::TcpListener>,
    /// Values of application variables. The environment is not read.
    pub variables: BTreeMap<String, String>,
    /// Where key-value pairs and databases live.
    pub state: State,
    /// The clock of the components.
    pub clock: HostClock,
    /// Failures on demand.
    pub faults: Faults,
    /// Where the components' output goes.
    pub logs: LogSink,
    /// The life of instances.
    pub reuse: ReuseOptions,
    /// Certificates (DER) of authorities that outbound HTTPS trusts besides the
    /// web's: those of a test's own servers. Every other check stays.
    pub outbound_authorities: Vec<Vec<u8>>,
    /// A directory for compiled code, made when missing. Only its owner may be
    /// able to write to it: what lies in it is executed.
    pub cache: Option<PathBuf>,
}

impl HostOptions {
    /// A free port of 127.0.0.1, temporary state, the machine's clock, no
    /// faults, Spin's defaults for the rest.
    #[must_use]
    pub fn new(manifest: impl Into<PathBuf>) -> Self {
        Self {
            manifest: manifest.into(),
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            listener: None,
            variables: BTreeMap::new(),
            state: State::default(),
            clock: HostClock::system(),
            faults: Faults::none(),
            logs: LogSink::new(),
            reuse: ReuseOptions::default(),
            outbound_authorities: Vec::new(),
            cache: None,
        }
    }
}

/// A running application. Dropping it stops it without waiting.
pub struct Host {
    server: Arc<Server>,
    stop: watch::Sender<bool>,
    running: Option<JoinHandle<()>>,
}

/// Values for the variables a manifest declares, from `SPIN_VARIABLE_*`.
///
/// # Errors
///
/// The manifest cannot be read.
pub fn variables_from_environment(manifest: &Path) -> anyhow::Result<BTreeMap<String, String>> {
    let manifest = Manifest::read(manifest)?;
    Ok(from_environment(&manifest.variables, |key| {
        std::env::var(key).ok()
    }))
}

/// All hosts of a process run here, whatever runtime started them: a test's
/// runtime ends with the test.
fn runtime() -> anyhow::Result<&'static Runtime> {
    static RUNTIME: OnceLock<std::io::Result<Runtime>> = OnceLock::new();
    RUNTIME
        .get_or_init(|| {
            tokio::runtime::Builder::new_multi_thread()
                .thread_name("scaigate-host")
                .enable_all()
                .build()
        })
        .as_ref()
        .map_err(|error| anyhow!("no runtime: {error}"))
}

impl Host {
    /// Reads the manifest, loads its components and listens.
    ///
    /// # Errors
    ///
    /// What the manifest asks for and this runner does not do, by name; a
    /// required variable without a value; a component that is missing or needs
    /// an interface that is not offered; an address in use.
    pub async fn start(options: HostOptions) -> anyhow::Result<Self> {
        runtime()?
            .spawn(start(options))
            .await
            .context("starting the host")?
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// `http://` and [`Self::address`], without a trailing slash.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address())
    }

    /// Route patterns and the components that answer them, in manifest order.
    #[must_use]
    pub fn routes(&self) -> &[(String, String)] {
        self.server.router.listed()
    }

    /// The directory with the key-value store and the databases.
    #[must_use]
    pub fn state_directory(&self) -> &Path {
        self.server.app.state.path()
    }

    /// The most linear memory that one instance of the component has had since this was last asked, in
    /// bytes; `None` when no such component is served. One that is alive since before counts when it
    /// grows and when it ends.
    #[must_use]
    pub fn take_peak_memory(&self, component: &str) -> Option<usize> {
        self.server.take_peak_memory(component)
    }

    /// Ends every running instance at once: requests without an answer get a
    /// 500, answers on their way are cut, and work that goes on after an answer
    /// ends. New requests get new instances.
    pub fn kill_instances(&self) {
        self.server.app.kill_instances();
    }

    /// Waits until there is no instance. Where each answers one request
    /// ([`ReuseOptions::never`]), all that was begun is done then, what goes on after an answer, too;
    /// where they are reused, they have to be killed or to have idled.
    pub async fn without_instances(&self) {
        let mut instances = self.server.app.instances.subscribe();
        // The sender is in the server, which is held here.
        let _ = instances.wait_for(|count| *count == 0).await;
    }

    /// Ends as if killed: answers on their way are cut, and nothing is waited for but that the address is
    /// free again.
    pub async fn crash(mut self) {
        if let Some(running) = self.running.take() {
            running.abort();
            // It was aborted, so it says that it was.
            let _ = running.await;
        }
    }

    /// Stops listening, gives running requests a second, ends the rest.
    pub async fn stop(mut self) {
        self.stop.send_replace(true);
        if let Some(running) = self.running.take() {
            // It cannot fail: it is not aborted and does not panic.
            let _ = running.await;
        }
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        self.stop.send_replace(true);
        if let Some(running) = self.running.take() {
            running.abort();
        }
        self.server.app.kill_instances();
        self.server.app.state.remove_temporary();
    }
}

async fn start(options: HostOptions) -> anyhow::Result<Host> {
    let manifest = Manifest::read(&options.manifest)?;
    let router = Router::new(&manifest.triggers)?;
    let values = Values::resolve(&manifest.variables, &options.variables)?;

    let listener = match options.listener {
        Some(listener) => listener
            .set_nonblocking(true)
            .and_then(|()| TcpListener::from_std(listener)),
        None => TcpListener::bind(options.listen).await,
    };
    let listener = listener.map_err(|error| {
        if error.kind() == std::io::ErrorKind::AddrInUse {
            anyhow!("{} is already in use", options.listen)
        } else {
            anyhow!("cannot listen on {}: {error}", options.listen)
        }
    })?;
    let address = listener.local_addr()?;

    let state = StateDirectory::open(&options.state)?;
    let key_value = KeyValue::open(&state.key_value_file(), state.is_temporary())?;
    let app = Arc::new(App {
        clock: options.clock,
        faults: options.faults,
        logs: options.logs,
        key_value,
        client: Client::new(&options.outbound_authorities)?,
        generation: watch::Sender::new(0),
        instances: watch::Sender::new(0),
        server: OnceLock::new(),
        state,
    });

    let mut components = BTreeMap::new();
    let mut loaded = load(&manifest, options.cache.as_deref()).await?;
    let ids: Vec<String> = manifest.components.keys().cloned().collect();
    for (id, component) in &manifest.components {
        let state = ComponentState::new(id, component, &app, &values, &ids)?;
        // Without a trigger nothing can reach it.
        let Some(prepared) = loaded.remove(id) else {
            continue;
        };
        let instances = Instances {
            component: Arc::new(state),
            prepared,
            reuse: options.reuse,
        };
        components.insert(id.clone(), ProxyHandler::new(instances));
    }

    let server = Arc::new(Server {
        app: app.clone(),
        router,
        components,
        address,
        info: info(&manifest)?,
    });
    // Set once, here.
    let _ = app.server.set(Arc::downgrade(&server));
    let (stop, stopped) = watch::channel(false);
    let running = tokio::spawn(server.clone().run(listener, stopped));
    Ok(Host {
        server,
        stop,
        running: Some(running),
    })
}

/// Loads the components that have a trigger, as many at once as there are cores.
async fn load(
    manifest: &Manifest,
    cache: Option<&Path>,
) -> anyhow::Result<BTreeMap<String, Prepared>> {
    let used: BTreeSet<&String> = manifest
        .triggers
        .iter()
        .map(|trigger| &trigger.component)
        .collect();
    let mut tasks = JoinSet::new();
    for (id, component) in &manifest.components {
        if !used.contains(id) {
            continue;
        }
        let id = id.clone();
        let source = component.source.clone();
        let cache = cache.map(Path::to_owned);
        tasks.spawn_blocking(move || {
            let prepared = Prepared::load(&source, cache.as_deref())
                .with_context(|| format!("component {id:?}"))?;
            anyhow::Ok((id, prepared))
        });
    }
    let mut loaded = BTreeMap::new();
    while let Some(result) = tasks.join_next().await {
        let (id, prepared) = result.context("loading a component")??;
        loaded.insert(id, prepared);
    }
    Ok(loaded)
}

fn info(manifest: &Manifest) -> anyhow::Result<Bytes> {
    #[derive(serde::Serialize)]
    struct Info<'a> {
        name: &'a str,
        #[serde(skip_serializing_if = "str::is_empty")]
        version: &'a str,
    }
    let info = Info {
        name: &manifest.name,
        version: &manifest.version,
    };
    Ok(serde_json::to_vec_pretty(&info)?.into())
}
