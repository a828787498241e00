//! The mirror of ScaiKey's directory: what its webhooks say, and who is super admin.
//!
//! Nothing here does IO, reads a clock or draws randomness. A webhook goes through three types,
//! each of which can only be made from the one before: [`webhook::Verified`] (the bytes are
//! ScaiKey's), [`webhook::Envelope`] (they say what, about whom and when), [`webhook::Event`] (what
//! the mirror has to do).

#![cfg_attr(
    test,
    expect(
        clippy::unwrap_used,
        reason = "a test that meets the unexpected should stop there"
    )
)]

pub mod rfc3339;
pub mod super_admin;
pub mod webhook;
