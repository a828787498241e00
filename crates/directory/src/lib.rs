//! The mirror of ScaiKey's directory.
//!
//! Nothing here does IO, reads a clock or draws randomness.

#![cfg_attr(
    test,
    expect(
        clippy::unwrap_used,
        reason = "a test that meets the unexpected should stop there"
    )
)]

pub mod super_admin;
