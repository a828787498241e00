//! Flows (`contract/scaiflow.md` 2.7 to 2.9): saving, sharing, the catalog, and deploying to ScaiGrid.
//!
//! These are flows over the ports of `scaigate-signin`. Each takes the evidence that the one before it
//! made: a [`caller::Reader`] is a person of ScaiKey who may look, a [`caller::Writer`] one who may
//! change, an [`access::FlowAccess`] the right to one thing with one flow, read in the transaction
//! that uses it.
//!
//! What a flow holds is its author's: it is stored as received and given back byte for byte. The one
//! thing that is read of it is whether it is a [`manifest::Manifest`] already, for there is no compiler
//! here.

#![cfg_attr(
    test,
    expect(
        clippy::unwrap_used,
        clippy::indexing_slicing,
        reason = "a test that meets the unexpected should stop there"
    )
)]

pub mod access;
pub mod acl;
pub mod caller;
pub mod catalog;
pub mod content;
pub mod deploy;
pub mod dev_token;
pub mod flow;
mod fresh;
pub mod manifest;
pub mod preview;
pub mod text;

pub use access::FlowAccess;
pub use caller::{Reader, Writer};
pub use content::Content;
