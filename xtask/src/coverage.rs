//! `cargo xtask coverage`: which lines of the pure crates and the stores their own tests run.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::process;
use crate::workspace::Workspace;

/// What measures (Apache-2.0 or MIT), and its version.
const TOOL: &str = "cargo-llvm-cov";
const VERSION: &str = "0.9.1";
/// The least share of lines, in hundredths.
const LEAST: &str = "96";
/// Where what is measured lies.
const MEASURED: [&str; 2] = ["crates", "kv"];
/// Everything else of the workspace, which these tests run, too.
const IGNORED: &str = "/(components|tests|host|cli|xtask)/";
/// Half a thousand seeds each: the other tests of these crates reach the same lines.
const LONG: &str = "convergence";

/// Measures, and prints a table by file. Says why where it can't: rustup's `llvm-tools` are of this very
/// Rust, Debian's LLVM may be another.
///
/// # Errors
/// A test fails, the tool can't be installed, or fewer lines are covered than have to be.
pub fn run() -> Result<()> {
    let workspace = Workspace::load()?;
    let tools = process::output(Command::new("rustup").args(["component", "add", "llvm-tools"]));
    if let Err(reason) = tools {
        eprintln!("not checked: coverage (it needs rustup's llvm-tools: {reason:#})");
        return Ok(());
    }
    let path = with_tool(&workspace)?;
    let mut command = process::cargo();
    command
        .args(["llvm-cov", "--fail-under-lines", LEAST])
        .args(["--ignore-filename-regex", IGNORED])
        .env("PATH", path)
        .current_dir(&workspace.root);
    for package in &workspace.packages {
        if MEASURED
            .iter()
            .any(|folder| package.folder.starts_with(folder))
        {
            command.args(["--package", &package.name]);
        }
    }
    command.args(["--", "--skip", LONG]);
    process::run(&mut command)
}

/// The search path with the tool in it, which is installed below the target folder where it is missing.
fn with_tool(workspace: &Workspace) -> Result<std::ffi::OsString> {
    let folder = workspace.target.join("xtask/tools");
    let path = env::var_os("PATH").unwrap_or_default();
    let paths = [folder.join("bin")]
        .into_iter()
        .chain(env::split_paths(&path));
    let path = env::join_paths(paths.collect::<Vec<PathBuf>>())?;
    if !has_tool(&folder) {
        install(&folder)?;
    }
    Ok(path)
}

fn has_tool(folder: &Path) -> bool {
    let program = folder.join("bin").join(TOOL);
    let version = process::output(Command::new(program).args(["llvm-cov", "--version"]));
    version.is_ok_and(|version| version.trim().ends_with(VERSION))
}

fn install(folder: &Path) -> Result<()> {
    process::run(
        process::cargo()
            .args(["install", TOOL, "--version", VERSION, "--locked", "--root"])
            .arg(folder),
    )
    .with_context(|| format!("by hand: cargo install {TOOL}"))
}
