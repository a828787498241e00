//! The vocabulary every other crate of scaigate speaks: identifiers, time, secrets, origins, JSON
//! from strangers, and the ports (`Clock`, `Entropy`, `Kv`, `Database`, `Outbound`) that the flows
//! run over.
//!
//! Nothing here does IO, reads a clock or draws randomness.

#![cfg_attr(
    test,
    expect(
        clippy::expect_used,
        reason = "a test that meets the unexpected should stop there"
    )
)]

pub mod encoding;
pub mod id;
pub mod json;
pub mod origin;
pub mod port;
pub mod role;
pub mod secret;
pub mod time;
pub mod trace;
pub mod trail;

pub use id::{
    ClientId, FlowId, GroupId, Issuer, PackageId, PartnerId, PersonId, SessionId, Subject,
    TenantId, WorkspaceId,
};
pub use origin::{BaseUrl, Origin, ReturnTo};
pub use port::{
    Clock, Database, Entropy, Kv, Limits, Outbound, OutboundError, Query, Row, StoreError,
    StreamLimits, Streaming, Transaction, Value,
};
pub use role::{AdminRole, WorkspaceRole};
pub use secret::Secret;
pub use time::Timestamp;
pub use trace::trace_id;
pub use trail::{Actor, Trail};
