//! `cargo xtask up`: the whole system on this machine.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use clap::Args;

use crate::components;
use crate::manifest::Manifest;
use crate::process;
use crate::runtime::Runtime;
use crate::settings::{self, Settings};
use crate::steps;
use crate::supervisor::Supervisor;
use crate::toolchain::{Choice, Toolchain};
use crate::workspace::Workspace;

/// The package and program in ScaiKey's place.
pub const EMULATOR: &str = "scaikey-emulator";
/// The package and program in ScaiGrid's place.
pub const GRID: &str = "scaigrid-emulator";
/// The package and program of the embedded runner.
pub const HOST: &str = "scaigate-host";
/// Where ScaiKey publishes its keys.
pub const KEY_SET: &str = "/api/v1/platform/.well-known/jwks.json";
/// How long a program may take until it listens. The first start compiles every
/// component to machine code.
pub const START_LIMIT: Duration = Duration::from_secs(120);

/// Options of `cargo xtask up`.
#[derive(Args)]
pub struct Options {
    /// Port of the application, on 127.0.0.1.
    #[arg(long, default_value_t = 3000)]
    port: u16,
    /// Port of the ScaiKey emulator [default: the one after the application's].
    ///
    /// Fixed, because people are known by their issuer, and that is its URL.
    #[arg(long, conflicts_with = "no_emulator")]
    emulator_port: Option<u16>,
    /// Port of the ScaiGrid emulator [default: the one after the ScaiKey emulator's].
    #[arg(long, conflicts_with = "no_emulator")]
    grid_port: Option<u16>,
    /// Uses a real ScaiKey and ScaiGrid: settings come from .env and the environment.
    #[arg(long)]
    no_emulator: bool,
    /// What serves the application [default: spin 4.1 or newer where there is one, else embedded].
    #[arg(long, value_enum)]
    runtime: Option<Runtime>,
    /// Where stores and generated keys live [default: .spin/spin or .spin/embedded].
    #[arg(long)]
    state_dir: Option<PathBuf>,
}

/// Builds everything, serves it until a signal, and leaves nothing running.
///
/// # Errors
/// A port is taken, a setting is missing, a build fails, or a program ends by itself.
pub fn run(choice: Choice, options: &Options) -> Result<()> {
    let own = local(options.port);
    let emulator = if options.no_emulator {
        None
    } else {
        let port = options.emulator_port.or(options.port.checked_add(1));
        Some(local(
            port.context("no port after 65535: say --emulator-port")?,
        ))
    };
    let grid = match emulator {
        None => None,
        Some(emulator) => {
            let port = options.grid_port.or(emulator.port().checked_add(1));
            Some(local(port.context("no port after 65535: say --grid-port")?))
        }
    };
    // Before the builds, which take minutes the first time.
    require_free(own, "--port")?;
    if let Some(emulator) = emulator {
        require_free(emulator, "--emulator-port")?;
    }
    if let Some(grid) = grid {
        require_free(grid, "--grid-port")?;
    }
    let workspace = Workspace::load()?;
    let manifest = Manifest::load(&workspace.root)?;
    let runtime = Runtime::choose(options.runtime)?;
    let state = match &options.state_dir {
        // Relative to where the command was typed, not to where children run.
        Some(folder) => std::path::absolute(folder)?,
        None => workspace.root.join(match runtime {
            Runtime::Spin => ".spin/spin",
            Runtime::Embedded => ".spin/embedded",
        }),
    };
    let url = format!("http://{own}");
    let mut settings = match emulator {
        Some(emulator) => settings::for_emulator(&url, &format!("http://{emulator}")),
        None => settings::from_environment(&workspace.root, &manifest, &url)?,
    };
    if let Some(grid) = grid {
        settings::add_grid(&mut settings, &format!("http://{grid}"));
    }
    settings::add_generated(&mut settings, &manifest, &state)?;

    let toolchain = Toolchain::prepare(choice)?;
    components::build_application(&workspace, &manifest, &toolchain)?;
    let mut programs = Vec::new();
    programs.extend(emulator.map(|_| EMULATOR));
    programs.extend(grid.map(|_| GRID));
    programs.extend((runtime == Runtime::Embedded).then_some(HOST));
    build_programs(&workspace, &programs)?;

    let mut supervisor = Supervisor::start()?;
    if let Some(emulator) = emulator {
        start_emulator(&mut supervisor, &workspace, emulator, &url, &[])?;
        if let Some(grid) = grid {
            start_grid(&mut supervisor, &workspace, grid, emulator, &[])?;
        }
    }
    let mut command = runtime.serve(&workspace, &workspace.root.join("spin.toml"), own, &state);
    start_application(&mut supervisor, "scaigate", &mut command, own, &settings)?;

    let emulators = emulator.zip(grid);
    let emulators =
        emulators.map(|(key, grid)| (format!("http://{key}"), format!("http://{grid}")));
    println!("{}", steps::text(&url, emulators.as_ref()));
    supervisor.wait_for_signal()?;
    eprintln!("stopping");
    Ok(())
}

/// Builds native programs of the workspace; with `--workspace`, so that they
/// share their dependencies with the tests.
///
/// # Errors
/// The build fails.
pub fn build_programs(workspace: &Workspace, programs: &[&str]) -> Result<()> {
    if programs.is_empty() {
        return Ok(());
    }
    let mut command = process::cargo();
    command
        .args(["build", "--workspace"])
        .current_dir(&workspace.root);
    for program in programs {
        command.args(["--bin", program]);
    }
    process::run(&mut command)
}

/// Starts the ScaiKey emulator and waits for it. It may be steered over HTTP
/// (`/_emulator/…`), so that one can try what happens when ScaiKey misbehaves.
///
/// # Errors
/// It ends at once, or doesn't listen in time.
pub fn start_emulator(
    supervisor: &mut Supervisor,
    workspace: &Workspace,
    address: SocketAddr,
    application: &str,
    arguments: &[&str],
) -> Result<()> {
    let mut command = Command::new(workspace.program(EMULATOR));
    command.arg("--listen").arg(address.to_string());
    for path in [
        "/v1/auth/callback",
        "/api/v1/auth/callback",
        "/v1/auth/login",
        "/",
    ] {
        command
            .arg("--redirect-uri")
            .arg(format!("{application}{path}"));
    }
    command
        .arg("--post-logout-uri")
        .arg(format!("{application}/"));
    command
        .args(["--control", "--exit-with-parent"])
        .args(arguments)
        // It lists its forty people; the login page does too.
        .stdout(Stdio::null());
    supervisor.spawn(EMULATOR, &mut command)?;
    supervisor.wait_until_listening(EMULATOR, address, START_LIMIT)
}

/// Starts the ScaiGrid emulator, which trusts the ScaiKey emulator, and waits for it.
///
/// # Errors
/// It ends at once, or doesn't listen in time.
pub fn start_grid(
    supervisor: &mut Supervisor,
    workspace: &Workspace,
    address: SocketAddr,
    scaikey: SocketAddr,
    arguments: &[&str],
) -> Result<()> {
    let keys = format!("http://{scaikey}{KEY_SET}");
    let mut command = Command::new(workspace.program(GRID));
    command
        .arg("--listen")
        .arg(address.to_string())
        .arg("--jwks")
        .arg(keys)
        .args(["--audience", settings::CLIENT_ID])
        .args(["--control", "--exit-with-parent"])
        .args(arguments)
        .stdout(Stdio::null());
    supervisor.spawn(GRID, &mut command)?;
    supervisor.wait_until_listening(GRID, address, START_LIMIT)
}

/// Starts the application with its settings and waits for it.
///
/// # Errors
/// It ends at once, or doesn't listen in time.
pub fn start_application(
    supervisor: &mut Supervisor,
    name: &str,
    command: &mut Command,
    address: SocketAddr,
    settings: &Settings,
) -> Result<()> {
    for (name, value) in settings {
        command.env(format!("SPIN_VARIABLE_{}", name.to_uppercase()), value);
    }
    supervisor.spawn(name, command)?;
    supervisor.wait_until_listening(name, address, START_LIMIT)
}

/// An address on this machine only.
pub fn local(port: u16) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, port))
}

fn require_free(address: SocketAddr, option: &str) -> Result<()> {
    if address.port() == 0 {
        bail!("{option} must name a port: the application's public_url contains it");
    }
    TcpListener::bind(address)
        .map(drop)
        .with_context(|| format!("can't listen on {address}; choose another port with {option}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_a_taken_port() -> Result<()> {
        let taken = TcpListener::bind(local(0))?;
        let error = require_free(taken.local_addr()?, "--port").map_err(|error| error.to_string());
        assert!(error.is_err_and(|text| text.ends_with("choose another port with --port")));
        Ok(())
    }
}
