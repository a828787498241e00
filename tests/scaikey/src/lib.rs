//! An emulator of ScaiKey for tests: OpenID provider, admin API and webhooks, in one process with the tests or alone.
//!
//! It follows the published contract, and it can lie: every departure a test needs is a named switch
//! ([`Behaviour`] for what an honest ScaiKey may do either way, [`Deviation`] for lies, [`Fault`] for the transport).

mod admin;
mod changes;
mod control;
mod deviation;
mod directory;
mod emulator;
mod endpoint;
mod exchange;
mod fault;
mod jwt;
mod keys;
mod oidc;
pub mod plain_http;
mod random;
mod recorder;
mod registration;
mod registry;
mod routes;
pub mod seed;
mod server;
mod switches;
mod webhook;
mod world;

pub use changes::Changes;
pub use deviation::{
    AuthorizationLie, Deviation, DirectoryLie, DiscoveryLie, JwksLie, TokenAnswerLie, TokenLie,
    UserinfoLie,
};
pub use directory::{
    AdminRole, Application, ApplicationScope, ApplicationType, Directory, Group, Partner, Tenant,
    User,
};
pub use emulator::{Emulator, LogoutToken, Options};
pub use endpoint::Endpoint;
pub use fault::{Fault, Planned};
pub use keys::{Rotation, SigningAlg};
pub use recorder::{Recorded, Recorder};
pub use registration::Registration;
pub use registry::DirectoryGuard;
pub use scaigate_emulation::{Clock, Gate, Gates, system_clock};
pub use switches::{Behaviour, GroupsClaim, ListEnvelope, PlatformIssuer, Switches, UserShape};
pub use webhook::{
    EVENTS, Envelope, EventNames, WebhookDelivery, WebhookEvent, sign as sign_webhook,
};
