//! The servers of a soak: both emulators, and a runner that can be killed.

use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;

use anyhow::Result;

use crate::bench;
use crate::bench::site;
use crate::manifest::Manifest;
use crate::runtime::Runtime;
use crate::settings::{self, Settings};
use crate::soak::traffic::Operator;
use crate::supervisor::Supervisor;
use crate::up;
use crate::workspace::Workspace;

/// The operator's command, which verifies the audit log.
pub const COMMAND: &str = "scaigate";
/// What the runner is called.
const RUNNER: &str = "soak";

/// Everything that runs.
pub struct Site<'a> {
    workspace: &'a Workspace,
    supervisor: Supervisor,
    settings: Settings,
    state: PathBuf,
    application: SocketAddr,
    emulator: SocketAddr,
    grid: SocketAddr,
}

impl<'a> Site<'a> {
    /// Starts everything, with nothing in the stores.
    ///
    /// # Errors
    /// Something does not start.
    pub fn start(workspace: &'a Workspace, manifest: &Manifest) -> Result<Self> {
        let state = workspace.target.join("xtask/soak");
        if state.exists() {
            fs::remove_dir_all(&state)?;
        }
        fs::create_dir_all(&state)?;
        let (application, emulator, grid) = (bench::free()?, bench::free()?, bench::free()?);
        let url = format!("http://{application}");
        let mut supervisor = Supervisor::start()?;
        let log_in = ["--auto-login"];
        up::start_emulator(&mut supervisor, workspace, emulator, &url, &log_in)?;
        let unlimited = ["--no-rate-limits"];
        up::start_grid(&mut supervisor, workspace, grid, emulator, &unlimited)?;
        let mut settings = settings::for_emulator(&url, &format!("http://{emulator}"));
        settings::add_grid(&mut settings, &format!("http://{grid}"));
        settings::add_generated(&mut settings, manifest, &state)?;
        let administrator = format!("user:{}@acme.example", Operator::name());
        settings.insert("bootstrap_super_admin".to_owned(), administrator);
        // Five people do not send as much in life.
        settings.insert("rate_limits".to_owned(), "off".to_owned());
        let mut site = Self {
            workspace,
            supervisor,
            settings,
            state,
            application,
            emulator,
            grid,
        };
        site.serve()?;
        Ok(site)
    }

    /// Where everything is.
    pub fn servers(&self) -> site::Site {
        site::Site {
            application: self.application,
            emulator: self.emulator,
            grid: self.grid,
            // No part of it.
            empty: self.application,
            peers: None,
        }
    }

    /// Kills the runner in the midst of whatever it does, and starts another on the same files.
    ///
    /// # Errors
    /// It does not start.
    pub fn kill_and_restart(&mut self) -> Result<()> {
        self.supervisor.kill(RUNNER)?;
        self.serve()
    }

    /// `scaigate audit verify` on the database: what it found, empty when all is well.
    ///
    /// # Errors
    /// It can't be started.
    pub fn verify_audit(&self) -> Result<Vec<String>> {
        let secret = self.settings.get("session_secret");
        let output = Command::new(self.workspace.program(COMMAND))
            .args(["audit", "verify", "--database"])
            .arg(self.state.join("sqlite_db.db"))
            .env("SESSION_SECRET", secret.map_or("", String::as_str))
            .current_dir(&self.state)
            .output()?;
        if output.status.success() {
            return Ok(Vec::new());
        }
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said);
        Ok(said
            .lines()
            .map(|line| format!("audit verify: {line}"))
            .collect())
    }

    fn serve(&mut self) -> Result<()> {
        let manifest = self.workspace.root.join("spin.toml");
        let mut command =
            Runtime::Embedded.serve(self.workspace, &manifest, self.application, &self.state);
        command.arg("--quiet");
        up::start_application(
            &mut self.supervisor,
            RUNNER,
            &mut command,
            self.application,
            &self.settings,
        )
    }
}
