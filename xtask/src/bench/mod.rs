//! `cargo xtask bench`: throughput and latency, the cases side by side.
//!
//! The rounds of all cases interleave, so that whatever else the machine does
//! hits them alike; the empty component is the measure of the runner itself.
//! Each connection sends its next request when it has the answer to the last
//! (a closed loop): the numbers compare cases and versions, they don't predict
//! how a queue builds up. What goes through us to ScaiGrid is measured once more
//! at half the rate it has then, beside the same calls without us.

pub mod answer;
mod cases;
pub mod client;
mod directory;
mod grid;
mod load;
mod peers;
pub mod person;
mod public_key;
mod report;
pub mod site;
pub mod token;
mod usage;

use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use clap::Args;

use crate::bench::cases::Case;
use crate::bench::load::Samples;
use crate::bench::peers::{Peers, Scratch};
use crate::bench::report::{HalfLoad, Row};
use crate::bench::site::Site;
use crate::components;
use crate::manifest::Manifest;
use crate::runtime::Runtime;
use crate::settings;
use crate::supervisor::Supervisor;
use crate::toolchain::{Choice, Toolchain};
use crate::up;
use crate::workspace::Workspace;

/// The file stem of the component that only answers `ok`.
const EMPTY: &str = "scaigate_empty";
const FLOOR: &str = "scaigate_floor";
/// The names under which what is measured under load runs.
const WARM: &str = "warm";
const WARM_EMPTY: &str = "warm empty";
/// Requests to a fresh instance each, per case.
const FRESH_REQUESTS: usize = 50;

/// Options of `cargo xtask bench`.
#[derive(Args)]
pub struct Options {
    /// How often each case takes its turn.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=1000))]
    rounds: u32,
    /// Seconds of a turn.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u64).range(1..=3600))]
    seconds: u64,
    /// Connections that are kept busy at the same time.
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..=1024))]
    connections: u16,
    /// Only these cases [default: all].
    #[arg(long = "case", value_enum)]
    cases: Vec<Case>,
    /// People in the directory of case `sync`; may be given again.
    #[arg(long, default_values_t = [1_000, 10_000, 100_000], value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    users: Vec<u32>,
    /// Measures Apache with mod_auth_openidc and Fastify with jose, too, and installs them.
    #[arg(long)]
    peers: bool,
    /// Requests that an instance answers, one number or a range like 4000..8000 [default: the runtime's].
    #[arg(long, value_name = "COUNT")]
    max_instance_reuse_count: Option<String>,
    /// Measures what has been built before.
    #[arg(long)]
    no_build: bool,
    /// What serves the application [default: spin 4.1 or newer where there is one, else embedded].
    #[arg(long, value_enum)]
    runtime: Option<Runtime>,
}

/// Builds, serves, measures, prints a table. Never fails on a number: a case
/// that can't be measured says why in its row.
///
/// # Errors
/// A build fails, or a program doesn't start.
pub fn run(choice: Choice, options: &Options) -> Result<()> {
    let workspace = Workspace::load()?;
    let manifest = Manifest::load(&workspace.root)?;
    for package in [up::HOST, up::EMULATOR] {
        if !workspace.has(package) {
            bail!("can't measure yet: the workspace has no package {package}");
        }
    }
    if workspace.component(EMPTY).is_none() {
        bail!("can't measure yet: no package builds {EMPTY}.wasm, the baseline");
    }
    let runtime = Runtime::choose(options.runtime)?;
    if !options.no_build {
        let toolchain = Toolchain::prepare(choice)?;
        components::build_application(&workspace, &manifest, &toolchain)?;
        components::build_for_tests(&workspace, &manifest, &toolchain)?;
        up::build_programs(&workspace, &[up::EMULATOR, up::GRID, up::HOST])?;
    }
    // A case that can't be measured has said so in its row.
    let _unmeasured = measure(&workspace, &manifest, runtime, options)?;
    Ok(())
}

/// Every table once, small: whether measuring works. No number fails it.
///
/// # Errors
/// A program doesn't start, or a case can't be measured.
pub fn smoke(workspace: &Workspace, manifest: &Manifest) -> Result<()> {
    up::build_programs(workspace, &[up::EMULATOR, up::GRID, up::HOST])?;
    let cases = [
        Case::Empty,
        Case::EmptyToken,
        Case::Me,
        Case::TokenSeen,
        Case::Webhook,
        Case::LookupDirect,
        Case::Lookup,
        Case::StreamDirect,
        Case::Stream,
        Case::Sync,
    ];
    let options = Options {
        rounds: 1,
        seconds: 1,
        connections: 4,
        cases: cases.into(),
        users: vec![1_000],
        peers: false,
        max_instance_reuse_count: None,
        no_build: true,
        runtime: Some(Runtime::Embedded),
    };
    let unmeasured = measure(workspace, manifest, Runtime::Embedded, &options)?;
    if !unmeasured.is_empty() {
        bail!("not measured: {}", unmeasured.join("; "));
    }
    Ok(())
}

/// Measures, prints tables, and tells what could not be measured and why.
fn measure(
    workspace: &Workspace,
    manifest: &Manifest,
    runtime: Runtime,
    options: &Options,
) -> Result<Vec<String>> {
    let mut unmeasured = Vec::new();
    if options.requests().next().is_some() {
        let bench = Bench::start(workspace, manifest, runtime, options)?;
        let rows = bench.measure(options);
        let halves = bench.measure_half_load(options, &rows);
        println!("{}", report::table(&rows, options.connections, runtime));
        if !halves.is_empty() {
            println!("{}", report::half_load(&halves));
        }
        println!("{}", bench.memory_report());
        unmeasured.extend(rows.iter().filter_map(Row::failure));
    }
    if options.wants(Case::Sync) {
        let mut rows = Vec::new();
        for users in &options.users {
            rows.extend(directory::measure(workspace, manifest, runtime, *users)?);
        }
        println!("{}", report::syncs(&rows));
        unmeasured.extend(rows.iter().filter_map(directory::Row::failure));
    }
    Ok(unmeasured)
}

impl Options {
    fn wants(&self, case: Case) -> bool {
        self.cases.is_empty() || self.cases.contains(&case)
    }

    /// The wanted cases that are requests.
    fn requests(&self) -> impl Iterator<Item = Case> {
        let peers = Case::PEERS.into_iter().filter(|_| self.peers);
        Case::REQUESTS
            .into_iter()
            .chain(peers)
            .filter(|case| self.wants(*case))
    }
}

/// Everything that runs during a measurement.
struct Bench {
    supervisor: Supervisor,
    /// Removed once nothing runs any more.
    _scratch: Option<Scratch>,
    /// Instances are used again.
    warm: Site,
    /// Served with an instance per request.
    fresh: Site,
    /// Resident memory of the warm application's runner before any load, in KiB.
    idle_memory: Option<u64>,
}

impl Bench {
    fn start(
        workspace: &Workspace,
        manifest: &Manifest,
        runtime: Runtime,
        options: &Options,
    ) -> Result<Self> {
        let folder = workspace.target.join("xtask/bench");
        if folder.exists() {
            fs::remove_dir_all(&folder)?;
        }
        fs::create_dir_all(&folder)?;
        let baseline = write_baseline_manifest(workspace)?;
        let mut supervisor = Supervisor::start()?;
        let mut scratch = None;
        let mut sites = Vec::new();
        for (name, reuse) in [
            (WARM, options.max_instance_reuse_count.as_deref()),
            ("fresh", Some("1")),
        ] {
            let (application, empty) = (free()?, free()?);
            let (emulator, grid) = (free()?, free()?);
            let url = format!("http://{application}");
            let peers = (options.peers && name == WARM)
                .then(|| -> Result<Peers> {
                    Ok(Peers {
                        apache: free()?,
                        fastify: free()?,
                    })
                })
                .transpose()?;
            let mut arguments = vec!["--auto-login".to_owned()];
            for uri in peers.iter().flat_map(Peers::redirect_uris) {
                arguments.extend(["--redirect-uri".to_owned(), uri]);
            }
            let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
            up::start_emulator(&mut supervisor, workspace, emulator, &url, &arguments)?;
            if let Some(peers) = &peers {
                scratch = Some(peers.start(&mut supervisor, workspace, emulator)?);
            }
            up::start_grid(
                &mut supervisor,
                workspace,
                grid,
                emulator,
                &["--no-rate-limits"],
            )?;
            let mut variables = settings::for_emulator(&url, &format!("http://{emulator}"));
            settings::add_grid(&mut variables, &format!("http://{grid}"));
            // Nobody asks as often as a measurement.
            variables.insert("rate_limits".to_owned(), "off".to_owned());
            let state = folder.join(name);
            settings::add_generated(&mut variables, manifest, &state)?;
            // A sync in between would be part of whatever is measured then.
            variables.insert("scaiflow_sync_interval_minutes".to_owned(), "0".to_owned());
            let mut serve = |id: &str, manifest: &Path, address, state: PathBuf| -> Result<()> {
                let mut command = runtime.serve(workspace, manifest, address, &state);
                if let Some(count) = reuse {
                    command.args(["--max-instance-reuse-count", count]);
                }
                // Logging to a terminal would be part of the measurement, and so would tracing each
                // error that the runner makes, which a shell may ask for.
                command.arg("--quiet").env_remove("RUST_BACKTRACE");
                up::start_application(&mut supervisor, id, &mut command, address, &variables)
            };
            serve(
                name,
                &workspace.root.join("spin.toml"),
                application,
                state.clone(),
            )?;
            serve(
                &format!("{name} empty"),
                &baseline,
                empty,
                state.join("empty"),
            )?;
            sites.push(Site {
                application,
                emulator,
                grid,
                empty,
                peers,
            });
        }
        let [warm, fresh] =
            <[Site; 2]>::try_from(sites).map_err(|_| anyhow::anyhow!("two sites"))?;
        let idle_memory = supervisor.id(WARM).and_then(usage::resident);
        Ok(Self {
            supervisor,
            _scratch: scratch,
            warm,
            fresh,
            idle_memory,
        })
    }

    fn measure(&self, options: &Options) -> Vec<Row> {
        let turn = Duration::from_secs(options.seconds);
        let mut rows: Vec<Row> = options.requests().map(|case| self.prepare(case)).collect();
        for round in 1..=options.rounds {
            for row in &mut rows {
                let Some(token) = row.ready.clone() else {
                    continue;
                };
                eprintln!("round {round} of {}: {}", options.rounds, row.case.title());
                let before = self.processor_time(row.case);
                let taken = load::run(
                    row.case,
                    &self.warm,
                    &token,
                    usize::from(options.connections),
                    turn,
                );
                let used = self
                    .processor_time(row.case)
                    .zip(before)
                    .map(|(after, before)| after.saturating_sub(before));
                row.add(taken, used);
            }
        }
        rows
    }

    /// What goes through us to ScaiGrid, at half the rate it has had, beside the same number of calls
    /// without us and of the empty component.
    fn measure_half_load(&self, options: &Options, rows: &[Row]) -> Vec<HalfLoad> {
        let turn = Duration::from_secs(options.seconds);
        let row = |case| rows.iter().find(|row| row.case == case);
        let mut halves: Vec<HalfLoad> = rows
            .iter()
            .filter(|proxied| proxied.ready.is_some())
            .filter_map(|proxied| {
                let direct = proxied.case.direct().and_then(row)?;
                let empty = row(Case::Empty)?;
                Some(HalfLoad::new(proxied, direct, empty))
            })
            .collect();
        for round in 1..=options.rounds {
            for half in &mut halves {
                eprintln!(
                    "half load, round {round} of {}: {}",
                    options.rounds,
                    half.case.title()
                );
                let rate = half.rate;
                for side in half.sides.iter_mut() {
                    let connections = usize::from(options.connections);
                    let (case, token) = (side.case, &side.token);
                    let taken = load::run_paced(case, &self.warm, token, connections, turn, rate);
                    side.samples.add(taken);
                }
            }
        }
        halves
    }

    /// Tries the case once on each site, and takes its numbers for fresh instances.
    fn prepare(&self, case: Case) -> Row {
        let mut row = Row::new(case);
        if Case::PEERS.contains(&case) {
            // They have no instances.
            let ready = token::of_case(case, &self.warm)
                .and_then(|token| load::sequence(case, &self.warm, &token, 1).map(|_| token));
            match ready {
                Ok(token) => row.ready = Some(token),
                Err(reason) => row.not_measured = Some(format!("{reason:#}")),
            }
            return row;
        }
        let outcome = token::of_case(case, &self.fresh)
            .and_then(|token| load::sequence(case, &self.fresh, &token, FRESH_REQUESTS))
            .map(|fresh: Samples| row.fresh = fresh)
            .and_then(|()| token::of_case(case, &self.warm))
            .and_then(|token| load::sequence(case, &self.warm, &token, 1).map(|_| token));
        match outcome {
            Ok(token) => row.ready = Some(token),
            Err(reason) => row.not_measured = Some(format!("{reason:#}")),
        }
        row
    }

    /// What the runner that serves the case has used so far.
    fn processor_time(&self, case: Case) -> Option<Duration> {
        let name = match case {
            Case::Empty | Case::EmptyToken | Case::Floor => WARM_EMPTY,
            Case::ApacheSession | Case::ApacheToken => peers::APACHE,
            Case::FastifySession | Case::FastifyToken => peers::FASTIFY,
            // No runner has a part in it.
            Case::LookupDirect | Case::StreamDirect => return None,
            _ => WARM,
        };
        self.supervisor.id(name).and_then(usage::processor_time)
    }

    fn memory_report(&self) -> String {
        let loaded = self.supervisor.id(WARM).and_then(usage::resident);
        match (self.idle_memory, loaded) {
            (Some(idle), Some(loaded)) => format!(
                "resident memory of the runner: {} MiB at the start, {} MiB after the load",
                idle / 1024,
                loaded / 1024
            ),
            _ => "resident memory of the runner: not known on this system".to_owned(),
        }
    }
}

/// A manifest that serves the empty component on every path but one, next to its wasm.
fn write_baseline_manifest(workspace: &Workspace) -> Result<PathBuf> {
    let path = workspace.wasm().join("empty.spin.toml");
    let text = format!(
        r#"spin_manifest_version = 2
[application]
name = "empty"
version = "0.0.0"
[[trigger.http]]
route = "/..."
component = "empty"
[component.empty]
source = "{EMPTY}.wasm"
[[trigger.http]]
route = "/v1/me"
component = "floor"
[component.floor]
source = "{FLOOR}.wasm"
"#
    );
    fs::write(&path, text).with_context(|| path.display().to_string())?;
    Ok(path)
}

/// A port nobody uses right now.
pub fn free() -> Result<SocketAddr> {
    Ok(TcpListener::bind(up::local(0))?.local_addr()?)
}
