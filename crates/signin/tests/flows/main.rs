//! The flows, each over stores, a ScaiKey and a clock in memory.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that meets the unexpected should stop there"
)]

mod access_tokens;
mod actors;
mod authenticate;
mod backchannel_logout;
mod begin;
mod bounded_time;
mod callback;
mod callback_identity;
mod code_post;
mod config_document;
mod every_port_failing;
mod interleavings;
mod kept_tokens;
mod keys_while_down;
mod logout;
mod modes;
mod narrowing;
mod redeem;
mod refresh;
mod registration;
mod scaikey_documents;
mod service_token;
mod settings;
mod token_exchange;
mod two_key_sets;
mod upstream_refresh;
mod workspaces;
mod world;
