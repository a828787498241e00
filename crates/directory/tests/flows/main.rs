//! The flows of the directory, each over stores, a ScaiKey and a clock in memory.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that meets the unexpected should stop there"
)]

mod admin_scope;
mod convergence;
mod election;
mod receive;
mod receive_failing;
mod roles;
mod settings;
mod sync_failing;
mod sync_lists;
mod sync_patience;
mod sync_reading;
mod why;
mod world;
