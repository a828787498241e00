//! Webhooks as ScaiKey sends them (`contract/scaikey.md` section 4).
//!
//! [`verify`] → [`parse`] → [`Event::of`]. There is no other way to an [`Event`], so nothing is
//! read before its signature is checked (N-101).

mod data;
mod envelope;
mod event;
mod event_error;
mod member;
mod secrets;
mod signature;
mod status;
mod user;

pub use envelope::{Envelope, EnvelopeError, EventId, MAX_EVENT_ID, Resource, parse};
pub use event::{EVENT_TYPES, Event};
pub use event_error::EventError;
pub use secrets::{SecretsError, WebhookSecrets};
pub use signature::{MAX_BODY, MatchedSecret, SignatureError, Verified, WINDOW, verify};
pub use status::Status;
pub use user::{Field, UserChange};
