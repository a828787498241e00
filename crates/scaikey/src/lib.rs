//! What ScaiKey speaks (OAuth 2.0 and OpenID Connect, `contract/scaikey.md` sections 1 and 2; its
//! directory, section 3), as pure request/response pairs: each module builds a request and reads the
//! answer to it.
//!
//! Nothing here does IO, reads a clock or draws randomness. Whatever arrives is hostile: bounded,
//! parsed strictly, and refused rather than repaired.
//!
//! The requests are plain [`http::Request`]s whose bodies hold credentials: never format them with
//! `Debug`. (Their `authorization` header is marked sensitive; a body cannot be.)

#![cfg_attr(
    test,
    expect(
        clippy::unwrap_used,
        clippy::indexing_slicing,
        reason = "a test that meets the unexpected should stop there"
    )
)]

pub mod authorize;
pub mod callback;
pub mod client;
pub mod directory;
pub mod discovery;
pub mod end_session;
pub mod form;
pub mod jwks;
pub mod revocation;
pub mod token;

mod json;
mod query;
mod request;
mod response;
mod sanitise;

pub use authorize::{AuthorizeRequest, Prompt};
pub use client::Client;
pub use discovery::{DiscoveryError, Metadata};
pub use response::date;
pub use token::{OAuthError, TokenError, TokenResponse};

#[cfg(test)]
mod fixtures;
