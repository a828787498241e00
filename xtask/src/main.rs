//! `cargo xtask`: builds, serves, tests and measures scaigate.

mod bench;
mod browser;
mod ci;
mod components;
mod coverage;
mod debian;
mod failures;
mod manifest;
mod process;
mod runtime;
mod settings;
mod soak;
mod steps;
mod supervisor;
mod test;
mod toolchain;
mod up;
mod workspace;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::toolchain::Choice;

/// Builds, serves, tests and measures scaigate.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    command: Command,
    /// Which Rust builds for WebAssembly: rustup's target, Debian's packages, or whichever works.
    #[arg(long, global = true, value_enum, default_value_t = Choice::Auto)]
    toolchain: Choice,
}

#[derive(Subcommand)]
enum Command {
    /// Builds the components named in spin.toml into target/wasm32-wasip2/release.
    Build {
        /// Also builds the components that only tests and measurements use.
        #[arg(long)]
        test_components: bool,
    },
    /// Builds everything and serves it locally, with an emulator in ScaiKey's place.
    Up(up::Options),
    /// Builds the components and runs every test, end-to-end ones on the built components.
    Test(test::Options),
    /// Everything that must pass before a merge: format, lints, tests, docs, dependencies.
    Ci,
    /// Measures which lines of crates/ and kv/ their tests run; fails below 96 %.
    Coverage,
    /// Measures throughput and latency, several cases side by side in one run.
    Bench(bench::Options),
    /// Sends mixed traffic while the runner is killed again and again, and looks whether all that was
    /// acknowledged is there.
    Soak(soak::Options),
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let outcome = match cli.command {
        Command::Build { test_components } => components::build(cli.toolchain, test_components),
        Command::Up(options) => up::run(cli.toolchain, &options),
        Command::Test(options) => test::run(cli.toolchain, &options),
        Command::Ci => ci::run(cli.toolchain),
        Command::Coverage => coverage::run(),
        Command::Bench(options) => bench::run(cli.toolchain, &options),
        Command::Soak(options) => soak::run(cli.toolchain, &options),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
