//! The Rust that builds for WebAssembly: the active one with its
//! `wasm32-wasip2` target, or Debian's packages where that target can't be had.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use clap::ValueEnum;

use crate::debian::Debian;
use crate::process;
use crate::workspace::Workspace;

/// The target all components are built for.
pub const TARGET: &str = "wasm32-wasip2";

/// What `--toolchain` asks for.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Choice {
    /// The active Rust if it has the target or rustup can add it, else Debian's.
    Auto,
    /// The active Rust, with rustup's target.
    Rustup,
    /// Debian's `rustc-web` and `cargo-web`, building the standard library from source.
    Debian,
}

/// A Rust that is ready to build for [`TARGET`].
pub enum Toolchain {
    /// The active Rust has the target.
    Active,
    /// Debian's packages.
    Debian(Debian),
}

impl Toolchain {
    /// Finds a toolchain, installing what is missing, and says which it is.
    ///
    /// # Errors
    /// None can be had; the message says what was tried and what would help.
    pub fn prepare(choice: Choice) -> Result<Self> {
        let active = match choice {
            Choice::Debian => None,
            Choice::Auto | Choice::Rustup => Some(active_with_target()),
        };
        match active {
            Some(Ok(how)) => {
                eprintln!("WebAssembly toolchain: {how}");
                Ok(Self::Active)
            }
            Some(Err(error)) if choice == Choice::Rustup => {
                Err(error.context("--toolchain rustup can't be had"))
            }
            tried => {
                if let Some(Err(reason)) = tried {
                    eprintln!(
                        "WebAssembly toolchain: not rustup's ({reason:#}); trying Debian's packages"
                    );
                }
                let debian = Debian::prepare().with_context(|| {
                    format!("no Rust for {TARGET}: add it with `rustup target add {TARGET}`, or install Debian's packages")
                })?;
                eprintln!("WebAssembly toolchain: {}", debian.description());
                Ok(Self::Debian(debian))
            }
        }
    }

    /// A cargo call for [`TARGET`] in the release profile, the one that ships.
    pub fn cargo(&self, workspace: &Workspace, subcommand: &str) -> Command {
        let mut command = match self {
            Self::Active => {
                let mut command = process::cargo();
                command.arg(subcommand);
                command
            }
            Self::Debian(debian) => debian.cargo(subcommand, &self.target_folder(workspace)),
        };
        command
            .args(["--release", "--target", TARGET])
            .current_dir(&workspace.root);
        command
    }

    /// The folder in which [`cargo`](Self::cargo) leaves a component.
    pub fn output(&self, workspace: &Workspace) -> PathBuf {
        self.target_folder(workspace).join(TARGET).join("release")
    }

    /// Debian's cargo has a target folder of its own: two compilers that share
    /// one rebuild each other's work.
    fn target_folder(&self, workspace: &Workspace) -> PathBuf {
        match self {
            Self::Active => workspace.target.clone(),
            Self::Debian(_) => workspace.target.join("debian"),
        }
    }
}

/// Whether the Rust on the PATH has the target, now or after asking rustup for it.
fn active_with_target() -> Result<String> {
    let sysroot = process::output(Command::new("rustc").args(["--print", "sysroot"]))?;
    let library = Path::new(sysroot.trim())
        .join("lib/rustlib")
        .join(TARGET)
        .join("lib");
    let version = process::output(Command::new("rustc").arg("--version"))?;
    let version = version.trim();
    if library.is_dir() {
        return Ok(format!("{version}, which has {TARGET}"));
    }
    if process::find_on_path("rustup").is_none() {
        bail!("{version} has no {TARGET}, and there is no rustup to add it");
    }
    eprintln!("WebAssembly toolchain: adding {TARGET} to {version}");
    process::output(Command::new("rustup").args(["target", "add", TARGET]))?;
    if !library.is_dir() {
        bail!("rustup added {TARGET}, but not to the Rust on the PATH ({version})");
    }
    Ok(format!("{version}, with {TARGET} just added by rustup"))
}
