//! `cargo xtask test`: builds the components, then runs every test of the workspace.

use std::process::Command;

use anyhow::Result;
use clap::Args;

use crate::bench;
use crate::browser;
use crate::components;
use crate::failures;
use crate::manifest::Manifest;
use crate::process;
use crate::runtime::Runtime;
use crate::toolchain::{Choice, Toolchain};
use crate::workspace::Workspace;

/// The end-to-end tests that any runner must pass.
const PORTABLE: &str = "portable";

/// Where the end-to-end tests note which codes they have seen.
const CODES_SEEN: &str = "target/scaigate-codes-seen";

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

/// Every test of the workspace, the built components and the console in a browser included, and a short
/// round of the benchmark.
///
/// Always with `--workspace`: a selection of packages resolves to other features
/// of their dependencies, and cargo would build the WebAssembly engine again.
///
/// # Errors
/// A build or a test fails.
pub fn all(choice: Choice, workspace: &Workspace) -> Result<()> {
    let manifest = Manifest::load(&workspace.root)?;
    let toolchain = Toolchain::prepare(choice)?;
    browser::prepare(workspace)?;
    components::build_application(workspace, &manifest, &toolchain)?;
    components::build_for_tests(workspace, &manifest, &toolchain)?;
    bench::smoke(workspace, &manifest)?;

    let codes_seen = workspace.root.join(CODES_SEEN);
    if codes_seen.exists() {
        std::fs::remove_dir_all(codes_seen)?;
    }
    process::run(cargo_test(workspace).args(["--workspace", "--doc"]))?;
    failures::run(
        cargo_test(workspace)
            // What one run can tell it tells: every failure, not the first.
            .args(["--workspace", "--all-targets", "--no-fail-fast"])
            // A race test keeps both cores busy by itself, and the product's time-outs are real
            // time unless a test moves the clock: two such tests at once can starve each other.
            .env("RUST_TEST_THREADS", "1")
            .env("SCAIGATE_WASM_DIR", workspace.wasm()),
    )?;
    process::run(cargo_test(workspace).args([
        "--workspace",
        "--test",
        "codes_seen",
        "--",
        "--ignored",
    ]))
}

/// The end-to-end tests that any runner must pass, on Spin; with `--workspace` and one at a time
/// for the reasons [`all`] has.
fn portable(choice: Choice, workspace: &Workspace) -> Result<()> {
    Runtime::choose(Some(Runtime::Spin))?;
    let manifest = Manifest::load(&workspace.root)?;
    let toolchain = Toolchain::prepare(choice)?;
    components::build_application(workspace, &manifest, &toolchain)?;
    process::run(
        cargo_test(workspace)
            .args(["--workspace", "--test", PORTABLE])
            .env("RUST_TEST_THREADS", "1")
            .env("SCAIGATE_WASM_DIR", workspace.wasm())
            .env("SCAIGATE_RUNTIME", "spin"),
    )
}

fn cargo_test(workspace: &Workspace) -> Command {
    let mut command = process::cargo();
    command.arg("test").current_dir(&workspace.root);
    command
}
