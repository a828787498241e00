//! Drives the probe components (`host/probe`, `host/probe-p2`) through the runner.
//!
//! They must have been built, and for `https` what ships too; `cargo xtask test` does it.
#![expect(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that cannot go on ends here"
)]

mod client;
mod clock;
mod faults;
mod https;
mod instances;
mod older;
mod outbound;
mod requests;
mod setup;
mod start;
mod stores;
mod tls;
mod upstream;
