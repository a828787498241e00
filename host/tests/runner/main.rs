//! Drives the probe component (`host/probe`) through the runner.
//!
//! The probe must have been built; `cargo xtask test` does it.
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
mod instances;
mod outbound;
mod requests;
mod setup;
mod start;
mod stores;
mod upstream;
