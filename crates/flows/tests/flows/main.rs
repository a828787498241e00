//! The flows of flows, over stores in memory and a ScaiGrid that answers as it is told.
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that meets the unexpected should stop there"
)]

mod acls;
mod callers;
mod catalog;
mod deploying;
mod every_call_failing;
mod grid;
mod other_tenants;
mod previewing;
mod saving;
mod upstream;
mod world;
