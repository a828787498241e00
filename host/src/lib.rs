//! Serves the application of a `spin.toml` inside the process, with the same
//! WebAssembly Spin would run.
//!
//! It is the runner of the end-to-end tests, of `cargo xtask up` and of the
//! benchmark. A test gives it a settable clock ([`HostClock`]), failures on
//! demand ([`Faults`]) and a place for its output ([`LogSink`]). Where it
//! differs from Spin is listed in `docs/host.md`.
//!
//! ```no_run
//! # async fn run() -> anyhow::Result<()> {
//! use scaigate_host::{Host, HostOptions};
//!
//! let host = Host::start(HostOptions::new("spin.toml")).await?;
//! println!("{}", host.url());
//! host.stop().await;
//! # Ok(())
//! # }
//! ```
#![expect(
    clippy::disallowed_methods,
    reason = "the runner is what stands behind the ports: it reads the machine's clock \
              and, for the command, the environment"
)]

mod abi;
mod allowed_hosts;
mod app;
mod check;
mod clock;
mod code_cache;
#[expect(unsafe_code, reason = "loading compiled code is unsafe by nature")]
mod deserialize;
mod faults;
mod host;
mod instance;
mod key_value;
mod logs;
mod manifest;
mod memory;
mod outbound;
mod request_headers;
mod reuse;
mod routes;
mod server;
mod sqlite;
mod state;
mod variable_name;
mod variables;
mod variables_interface;
mod wasi_clocks;
mod worker;

pub use check::check_manifest;
pub use clock::HostClock;
pub use faults::{Call, Effect, Faults, RuleId, Target, When};
pub use host::{Host, HostOptions, variables_from_environment};
pub use logs::{LogLine, LogSink, LogStream};
pub use reuse::{Choice, ReuseOptions};
pub use state::State;
