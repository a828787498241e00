//! `cargo xtask ci`: what must pass before a merge.

use std::process::Command;

use anyhow::Result;

use crate::coverage;
use crate::process;
use crate::test;
use crate::toolchain::{Choice, Toolchain};
use crate::workspace::Workspace;

/// Runs all checks, the quick ones first.
///
/// # Errors
/// The first check that fails.
pub fn run(choice: Choice) -> Result<()> {
    let workspace = Workspace::load()?;

    if has_subcommand("fmt") {
        process::run(cargo(&workspace).args(["fmt", "--all", "--", "--check"]))?;
    } else {
        eprintln!("not checked: format (this Rust has no rustfmt)");
    }
    if has_subcommand("clippy") {
        process::run(cargo(&workspace).args([
            "clippy",
            "--workspace",
            "--all-targets",
            "--",
            "-D",
            "warnings",
        ]))?;
    } else {
        eprintln!("not checked: lints (this Rust has no clippy)");
    }
    lint_for_wasm(&workspace, &Toolchain::prepare(choice)?)?;

    test::all(choice, &workspace)?;
    coverage::run()?;

    process::run(
        cargo(&workspace)
            .args([
                "doc",
                "--workspace",
                "--no-deps",
                "--document-private-items",
            ])
            .env("RUSTDOCFLAGS", "-D warnings"),
    )?;
    if has_subcommand("deny") {
        process::run(cargo(&workspace).args(["deny", "--all-features", "check"]))?;
    } else {
        eprintln!(
            "not checked: licences and advisories (`cargo install cargo-deny` to check them)"
        );
    }
    eprintln!("ci: all passed");
    Ok(())
}

/// Code behind `cfg(target_family = "wasm")` is invisible to the first run of clippy.
fn lint_for_wasm(workspace: &Workspace, toolchain: &Toolchain) -> Result<()> {
    let mut command = toolchain.cargo(workspace, "clippy");
    for package in &workspace.packages {
        if package.folder.starts_with("components")
            || package.folder.starts_with("kv")
            || package.component.is_some()
        {
            command.args(["--package", &package.name]);
        }
    }
    command.args(["--", "-D", "warnings"]);
    process::run(&mut command)
}

fn cargo(workspace: &Workspace) -> Command {
    let mut command = process::cargo();
    command.current_dir(&workspace.root);
    command
}

/// Whether cargo has that subcommand, and it works: rustup leaves a stand-in
/// for those it could install.
fn has_subcommand(name: &str) -> bool {
    process::output(process::cargo().args([name, "--version"])).is_ok()
}
