//! An emulator of ScaiGrid for tests: models, ScaiQueue, ScaiBunker, ScaiCore and chat, in one process with the tests
//! or alone.
//!
//! It follows the published contract, and it can lie: every departure a test needs is a named switch
//! ([`Behaviour`] for what an honest ScaiGrid may do either way, [`Deviation`] for lies, [`Fault`] for the transport).
//! It speaks HTTP/1.1 on bytes of its own, so that the [`Recorder`] keeps a request exactly as it was sent.

mod api;
mod behaviour;
mod caller;
mod control;
mod deviation;
mod emulator;
mod endpoint;
mod exchange;
mod fault;
mod grid;
mod jwks;
mod lies;
mod limits;
mod random;
mod recorded;
mod recorder;
mod routes;
pub mod seed;
mod server;
mod source;
mod stream;
mod switches;
mod wire;
mod world;

pub use behaviour::{
    Behaviour, BunkerReach, ErrorEnvelope, ModelsForm, Newline, PathReading, PublishAgain,
    Spelling, StreamFailure, StreamScript,
};
pub use caller::{Claims, Jwt, VerifyJwt};
pub use deviation::{BodyLie, Deviation, ErrorLie, HeaderLie, ListLie, StreamLie};
pub use emulator::{Emulator, Options};
pub use endpoint::Endpoint;
pub use fault::Fault;
pub use grid::{ApiKey, Bunker, Checkpoint, Core, Event, Grid, Model, Queue, Role, Scope, Tenant};
pub use limits::RateLimits;
pub use recorded::{Credential, Outcome, Recorded};
pub use recorder::Recorder;
pub use scaigate_emulation::{Clock, Gate, Gates, system_clock};
pub use source::{Pace, Source, pattern};
pub use switches::Switches;
pub use wire::head::Field;
