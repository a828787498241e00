//! `cargo xtask test`: fast native tests first, then the built components.

use std::process::Command;

use anyhow::Result;
use clap::Args;

use crate::components;
use crate::manifest::Manifest;
use crate::process;
use crate::runtime::Runtime;
use crate::toolchain::{Choice, Toolchain};
use crate::workspace::Workspace;

/// Packages whose tests run built components.
const NEED_WASM: [&str; 3] = ["scaigate-host", "scaigate-contract", END_TO_END];
const END_TO_END: &str = "scaigate-e2e";

/// Options of `cargo xtask test`.
#[derive(Args)]
pub struct Options {
    /// `spin` runs only the end-to-end tests that need no control over the
    /// runner, against the `spin` on the PATH [default: embedded, all tests].
    #[arg(long, value_enum)]
    runtime: Option<Runtime>,
}

/// Runs the stages; the first that fails ends it. Cargo's own summary is the last line.
///
/// # Errors
/// A build or a test fails.
pub fn run(choice: Choice, options: &Options) -> Result<()> {
    let workspace = Workspace::load()?;
    match options.runtime.unwrap_or(Runtime::Embedded) {
        Runtime::Embedded => all(choice, &workspace),
        Runtime::Spin => portable(choice, &workspace),
    }
}

/// Every test of the workspace.
///
/// # Errors
/// A build or a test fails.
pub fn all(choice: Choice, workspace: &Workspace) -> Result<()> {
    let wasm: Vec<&str> = NEED_WASM
        .into_iter()
        .filter(|name| workspace.has(name))
        .collect();

    let mut native = cargo_test(workspace);
    native.arg("--workspace");
    for package in &wasm {
        native.args(["--exclude", package]);
    }
    process::run(&mut native)?;

    let manifest = Manifest::load(&workspace.root)?;
    let toolchain = Toolchain::prepare(choice)?;
    components::build_application(workspace, &manifest, &toolchain)?;
    components::build_for_tests(workspace, &manifest, &toolchain)?;

    let mut built = cargo_test(workspace);
    // `--tests` leaves the documentation tests out: those packages have none to run.
    built
        .arg("--tests")
        .env("SCAIGATE_WASM_DIR", workspace.wasm());
    for package in wasm {
        built.args(["--package", package]);
    }
    process::run(&mut built)
}

/// The end-to-end tests that any runner must pass, on Spin.
fn portable(choice: Choice, workspace: &Workspace) -> Result<()> {
    Runtime::choose(Some(Runtime::Spin))?;
    let manifest = Manifest::load(&workspace.root)?;
    let toolchain = Toolchain::prepare(choice)?;
    components::build_application(workspace, &manifest, &toolchain)?;
    process::run(
        cargo_test(workspace)
            .args(["--package", END_TO_END, "--test", "portable"])
            .env("SCAIGATE_WASM_DIR", workspace.wasm())
            .env("SCAIGATE_RUNTIME", "spin"),
    )
}

fn cargo_test(workspace: &Workspace) -> Command {
    let mut command = process::cargo();
    command.arg("test").current_dir(&workspace.root);
    command
}
