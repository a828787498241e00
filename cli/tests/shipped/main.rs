//! The built command against the components that ship, on the embedded runner, with an emulated
//! ScaiKey. What servers may do wrong is in `command`.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::expect_used,
    reason = "a test that meets the unexpected should stop there"
)]

#[path = "../command/bench.rs"]
#[expect(dead_code, reason = "the other suite needs more of it")]
mod bench;
mod place;
mod registration;
mod roles;
mod sync;
mod webhooks;
