//! The flows, over stores in memory and a ScaiGrid that says what it is told to.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that meets the unexpected should stop there"
)]

mod calls;
mod credentials;
mod every_port_failing;
mod lookups;
mod pass;
mod permissions;
mod settings;
mod tenant_keys;
mod world;
