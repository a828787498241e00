//! The flows, each over stores, a ScaiKey and a clock in memory.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that meets the unexpected should stop there"
)]

mod authenticate;
mod begin;
mod bounded_time;
mod callback;
mod callback_identity;
mod code_post;
mod config_document;
mod every_port_failing;
mod interleavings;
mod logout;
mod redeem;
mod refresh;
mod scaikey_documents;
mod settings;
mod upstream_refresh;
mod world;
