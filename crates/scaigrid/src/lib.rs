//! What ScaiGrid speaks (`contract/scaiwave-scaicrew-scaigrid.md` 3 to 5, `contract/scaiflow.md`
//! 2.4 to 2.6), as pure functions: what a request of ours becomes at ScaiGrid, and what an answer of
//! ScaiGrid's becomes here. Nothing does IO, reads a clock or draws randomness.
//!
//! You are in the room between an app, which never sees a tenant's key, and ScaiGrid, which must
//! see nothing else of the app. Both sides are hostile: bounded, parsed once, refused rather than
//! repaired. A call goes through these doors, each of which needs what the one before it gave:
//!
//! 1. [`UpstreamPath::parse`]: method and target → a [`Route`](path::Route), the same for whoever
//!    decides and for what is sent; [`path`] says what is open.
//! 2. [`credential::choose`]: the caller's token, the tenant's key, the deployment's key → the one
//!    to send.
//! 3. [`Admitted::new`]: the client's headers → the few that go on. [`Admitted::request`] is the only
//!    way to an [`UpstreamRequest`], so no sender can be handed an unfiltered one.
//! 4. [`headers::judge`]: status and headers of the answer → deliver, explain or refuse.
//! 5. Deliver: [`lookup`] normalises the four documented lists; every other body goes through
//!    untouched, watched by [`credential::Reflection`]. Explain: [`UpstreamError::read`], then
//!    [`Refusal::of`].
//!
//! [`tenant_key`] is the other end: what a tenant's administrator posts, and what is shown of it.

#![cfg_attr(
    test,
    expect(
        clippy::unwrap_used,
        clippy::indexing_slicing,
        reason = "a test that meets the unexpected should stop there"
    )
)]

pub mod credential;
pub mod error;
pub mod headers;
pub mod lookup;
pub mod path;
pub mod request;
pub mod tenant_key;

mod credential_name;
mod text;

pub use credential::{ApiKey, CallerToken, Chosen, Credential, DeployAuth, MissingCredentials};
pub use error::{Refusal, UpstreamError};
pub use path::{PathError, UpstreamPath};
pub use request::{Admitted, UpstreamRequest};
