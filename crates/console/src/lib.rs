//! The console's backend for its frontend (OAuth 2.0 for Browser-Based Applications, section 6.1): it
//! signs people in, keeps their tokens in a sealed cookie that no script can read, and calls `/v1` for
//! the page.
//!
//! It has no authority of its own: no store, no host outside, no secret but the one that seals its
//! cookies. Everything it asks of the other components it asks with the tokens of whoever is signed in.

#![cfg_attr(
    test,
    expect(
        clippy::unwrap_used,
        reason = "a test that meets the unexpected should stop there"
    )
)]

mod cookie;
mod guard;
mod parts;
mod pass;
mod session;
pub mod settings;
mod sign_in;

pub use cookie::Cookies;
pub use guard::{HEADER as PAGE_HEADER, foreign_navigation, of_own_page};
pub use parts::Part;
pub use pass::{Passed, Request, Route};
pub use session::SignedOut;
pub use settings::Settings;
pub use sign_in::{Begun, Returned};

/// Where ScaiKey's answer comes back to, by way of the callback.
pub const SIGNED_IN_PATH: &str = "/console/signed-in";

/// The flows, over the settings and the ports they need.
#[derive(Clone, Copy)]
pub struct Console<'a, C, E, O> {
    /// The settings.
    pub settings: &'a Settings,
    /// The time.
    pub clock: &'a C,
    /// Randomness.
    pub entropy: &'a E,
    /// Calls to the other components.
    pub outbound: &'a O,
}
