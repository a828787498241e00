//! What an instance of a component has access to.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use wasmtime::Store;
use wasmtime::component::{Linker, ResourceTable};
use wasmtime_wasi::{WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView};
use wasmtime_wasi_http::handler::ProxyPre;
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

use crate::allowed_hosts::AllowedHosts;
use crate::app::App;
use crate::faults::{Target, Verdict};
use crate::logs::LogStream;
use crate::manifest::Component;
use crate::memory::{Meter, Peak};
use crate::outbound::{Inbound, Outbound};
use crate::variables::{ComponentVariables, Values};
use crate::{code_cache, key_value, sqlite, variables_interface, wasi_clocks};

/// What all instances of a component share.
pub(crate) struct ComponentState {
    pub id: String,
    pub app: Arc<App>,
    pub variables: ComponentVariables,
    pub allowed_hosts: AllowedHosts,
    pub key_value_stores: BTreeSet<String>,
    pub sqlite_databases: BTreeSet<String>,
    environment: Vec<(String, String)>,
    /// The most memory that one of them has had.
    pub peak: Arc<Peak>,
}

impl ComponentState {
    /// # Errors
    ///
    /// What is wrong in the manifest about the component. An allowed host that
    /// is wrong only once its variables have values refuses every outbound
    /// request instead, as in Spin, and says so in the log.
    pub(crate) fn new(
        id: &str,
        component: &Component,
        app: &Arc<App>,
        values: &Values,
        components: &[String],
    ) -> anyhow::Result<Self> {
        let described = || format!("component {id:?}");
        let entries = &component.allowed_outbound_hosts;
        AllowedHosts::check_literals(entries).with_context(described)?;
        let allowed_hosts =
            AllowedHosts::resolve(entries, values, components).unwrap_or_else(|error| {
                let message = format!("every outbound request is refused: {error:#}");
                app.logs.push(id, LogStream::Host, &message);
                AllowedHosts::none()
            });
        Ok(Self {
            id: id.to_owned(),
            app: app.clone(),
            variables: ComponentVariables::new(id, component, values)?,
            allowed_hosts,
            key_value_stores: component.key_value_stores.iter().cloned().collect(),
            sqlite_databases: component.sqlite_databases.iter().cloned().collect(),
            environment: component
                .environment
                .iter()
                .map(|(name, value)| (name.clone(), value.clone()))
                .collect(),
            peak: Arc::default(),
        })
    }

    /// Records a call and waits out the rules set for its target.
    pub(crate) async fn meet(
        &self,
        target: Target,
        operation: &'static str,
        detail: &str,
    ) -> Verdict {
        let faults = &self.app.faults;
        faults
            .meet(&self.app.clock, &self.id, target, operation, detail)
            .await
    }

    pub(crate) fn log(&self, message: &str) {
        self.app.logs.push(&self.id, LogStream::Host, message);
    }
}

/// The state of one instance.
pub(crate) struct InstanceData {
    pub component: Arc<ComponentState>,
    pub table: ResourceTable,
    pub open_stores: usize,
    pub open_connections: usize,
    memory: Meter,
    wasi: WasiCtx,
    http: WasiHttpCtx,
    outbound: Outbound,
    inbound: Inbound,
}

impl InstanceData {
    fn new(component: &Arc<ComponentState>) -> Self {
        let stream = |stream| component.app.logs.stream(&component.id, stream);
        // No files, no sockets, no name look-up: nothing of that is granted.
        let wasi = WasiCtxBuilder::new()
            .envs(&component.environment)
            .stdout(stream(LogStream::Stdout))
            .stderr(stream(LogStream::Stderr))
            .build();
        Self {
            component: component.clone(),
            table: ResourceTable::new(),
            open_stores: 0,
            open_connections: 0,
            memory: Meter::new(&component.peak),
            wasi,
            http: WasiHttpCtx::new(),
            outbound: Outbound::new(component.clone()),
            inbound: Inbound,
        }
    }

    /// The view with which requests are handed to a component of WASI 0.3.
    pub(crate) fn inbound_http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView {
            hooks: &mut self.inbound,
            table: &mut self.table,
            ctx: &mut self.http,
        }
    }
}

impl WasiView for InstanceData {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView {
            ctx: &mut self.wasi,
            table: &mut self.table,
        }
    }
}

impl WasiHttpView for InstanceData {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView {
            hooks: &mut self.outbound,
            table: &mut self.table,
            ctx: &mut self.http,
        }
    }
}

/// Code ready to be instantiated: everything it imports is there.
pub(crate) struct Prepared {
    pub handler: ProxyPre<InstanceData>,
}

impl Prepared {
    /// Loads and links the component at `source`.
    ///
    /// # Errors
    ///
    /// The file is no component, imports an interface that is not offered, or
    /// exports no HTTP handler.
    pub(crate) fn load(source: &Path, cache: Option<&Path>) -> anyhow::Result<Self> {
        let component = code_cache::load(source, cache)?;
        let pre = linker()?
            .instantiate_pre(&component)
            .map_err(anyhow::Error::from)
            .context("it needs an interface this runner does not offer")?;
        let p3 = wasmtime_wasi_http::p3::bindings::ServicePre::new(pre.clone());
        let handler = match p3 {
            Ok(service) => ProxyPre::P3(service),
            Err(_) => ProxyPre::P2(
                wasmtime_wasi_http::p2::bindings::ProxyPre::new(pre)
                    .map_err(anyhow::Error::from)
                    .context(
                        "it exports neither wasi:http/handler@0.3 \
                         nor wasi:http/incoming-handler@0.2",
                    )?,
            ),
        };
        Ok(Self { handler })
    }

    /// A store for a new instance.
    pub(crate) fn store(&self, component: &Arc<ComponentState>) -> Store<InstanceData> {
        let engine = match &self.handler {
            ProxyPre::P2(pre) => pre.engine(),
            ProxyPre::P3(pre) => pre.engine(),
        };
        let mut store = Store::new(engine, InstanceData::new(component));
        store.limiter(|data| &mut data.memory);
        // Code that computes for long gives way, tick by tick.
        store.set_epoch_deadline(1);
        store.epoch_deadline_async_yield_and_update(1);
        store
    }

    /// Whether an instance can answer several requests: WASI 0.3 only, as in Spin.
    pub(crate) fn is_reusable(&self) -> bool {
        matches!(self.handler, ProxyPre::P3(_))
    }
}

fn linker() -> anyhow::Result<Linker<InstanceData>> {
    let mut linker = Linker::new(code_cache::engine()?);
    add_interfaces(&mut linker)?;
    Ok(linker)
}

fn add_interfaces(linker: &mut Linker<InstanceData>) -> wasmtime::Result<()> {
    wasmtime_wasi::p2::add_to_linker_async(linker)?;
    wasmtime_wasi::p3::add_to_linker(linker)?;
    wasmtime_wasi_http::p2::add_only_http_to_linker_async(linker)?;
    wasmtime_wasi_http::p3::add_to_linker(linker)?;
    linker.allow_shadowing(true);
    wasi_clocks::add_to_linker(linker)?;
    linker.allow_shadowing(false);
    key_value::add_to_linker(linker)?;
    sqlite::add_to_linker(linker)?;
    variables_interface::add_to_linker(linker)
}
