//! Drives the probe component (`host/probe`) through the runner.
//!
//! The probe must have been built; `cargo xtask test` does it.
#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on ends here"
)]

mod clock;
mod client;
mod faults;
mod instances;
mod outbound;
mod requests;
mod setup;
mod start;
mod stores;
mod upstream;
