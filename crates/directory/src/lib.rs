//! The mirror of ScaiKey's directory: how it is read ([`sync`]), how it hears of changes ([`receive`]),
//! and who administers it ([`admin_scope`], [`roles`]).
//!
//! These are flows over the ports of `scaigate-signin`. What they know of the world is pure: a webhook
//! goes through three types, each of which can only be made from the one before:
//! [`webhook::Verified`] (the bytes are ScaiKey's), [`webhook::Envelope`] (they say what, about whom
//! and when), [`webhook::Event`] (what the mirror has to do).

#![cfg_attr(
    test,
    expect(
        clippy::unwrap_used,
        reason = "a test that meets the unexpected should stop there"
    )
)]

pub mod admin_scope;
mod election;
pub mod receive;
mod report;
pub mod rfc3339;
pub mod roles;
pub mod settings;
mod status;
pub mod super_admin;
pub mod sync;
pub mod webhook;
pub mod why;
