//! `cargo xtask soak`: mixed traffic at a fixed rate while the runner is killed and started again, and
//! afterwards a look whether everything that was acknowledged is there and nothing that was refused.

mod ledger;
mod proof;
mod site;
mod traffic;

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use clap::Args;

use crate::components;
use crate::manifest::Manifest;
use crate::soak::ledger::Ledger;
use crate::soak::site::Site;
use crate::toolchain::{Choice, Toolchain};
use crate::up;
use crate::workspace::Workspace;

/// Those who send at the same time. Each is a person of their own.
const WORKERS: u32 = 5;
/// How often somebody asks for a sync.
const BETWEEN_SYNCS: Duration = Duration::from_secs(15);

/// Options of `cargo xtask soak`.
#[derive(Args)]
pub struct Options {
    /// How long.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=1440))]
    minutes: u64,
    /// Requests a second, of all together.
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    rate: u32,
    /// Seconds from one kill of the runner to the next.
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u64).range(5..=3600))]
    kill_every: u64,
    /// Uses what has been built before.
    #[arg(long)]
    no_build: bool,
}

/// Builds, serves, sends, kills, looks. Prints what was sent and found.
///
/// # Errors
/// A program does not start, an answer was none that may be, or what was acknowledged is not there.
pub fn run(choice: Choice, options: &Options) -> Result<()> {
    let workspace = Workspace::load()?;
    let manifest = Manifest::load(&workspace.root)?;
    if !options.no_build {
        let toolchain = Toolchain::prepare(choice)?;
        components::build_application(&workspace, &manifest, &toolchain)?;
        up::build_programs(
            &workspace,
            &[up::EMULATOR, up::GRID, up::HOST, site::COMMAND],
        )?;
    }
    let mut site = Site::start(&workspace, &manifest)?;
    let mut ledger = traffic::warm_up(&site.servers())?;
    let (loaded, kills) = load(&mut site, options)?;
    ledger.merge(loaded);
    // Once more, so that nothing is there only because somebody remembers it.
    site.kill_and_restart()?;
    println!("{}", ledger.summary(kills + 1));
    let mut faults = ledger.faults.clone();
    faults.extend(proof::look(&mut site, &ledger)?);
    if faults.is_empty() {
        println!("everything acknowledged is there, and nothing refused");
        return Ok(());
    }
    let count = faults.len();
    for fault in faults.iter().take(50) {
        eprintln!("- {fault}");
    }
    bail!("{count} faults")
}

/// Sends for as long as is asked for, and kills meanwhile: what came of it, and how often it was killed.
fn load(site: &mut Site, options: &Options) -> Result<(Ledger, u32)> {
    let between = Duration::from_secs(1) * WORKERS / options.rate;
    let servers = site.servers();
    let end = Instant::now() + Duration::from_secs(60 * options.minutes);
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        let workers: Vec<_> = (0..WORKERS)
            .map(|number| {
                let (servers, is_over) = (&servers, &is_over);
                scope.spawn(move || traffic::send(servers, number, between, is_over))
            })
            .collect();
        let syncs = scope.spawn(|| traffic::sync(&servers, BETWEEN_SYNCS, &is_over));
        let mut kills = 0;
        let killed = loop {
            let rest = end.saturating_duration_since(Instant::now());
            thread::sleep(rest.min(Duration::from_secs(options.kill_every)));
            if Instant::now() >= end {
                break Ok(());
            }
            if let Err(error) = site.kill_and_restart() {
                break Err(error);
            }
            kills += 1;
        };
        is_over.store(true, Ordering::Relaxed);
        let mut ledger = Ledger::default();
        for worker in workers.into_iter().chain([syncs]) {
            match worker.join() {
                Ok(own) => ledger.merge(own),
                Err(_) => ledger.faults.push("a worker panicked".to_owned()),
            }
        }
        killed.map(|()| (ledger, kills))
    })
}
