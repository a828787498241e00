//! Spin's stores pass the contract suite, and what can be had once is had once, by real requests.
//!
//! The component must have been built; `cargo xtask build --test-components` does it.
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on ends here"
)]

mod client;
mod interrupted;
mod races;
mod setup;
mod suite;
