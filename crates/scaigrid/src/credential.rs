//! Which credential speaks to ScaiGrid, and that nobody hears it from us.
//!
//! Order (`contract/scaiflow.md` 2.5): the caller's ScaiKey token, the tenant's API key, the
//! deployment's API key (`SCAIGRID_API_KEY`, for development). `SCAIFLOW_DEPLOY_AUTH` pins it.

mod api_key;
mod caller_token;
mod choice;
mod reflection;

use http::HeaderValue;
use scaigate_types::BaseUrl;
use zeroize::Zeroizing;

pub use api_key::{ApiKey, ApiKeyError};
pub use caller_token::{CallerToken, CallerTokenError};
pub use choice::{
    Available, Chosen, DeployAuth, MissingCredentials, Source, UnknownDeployAuth, choose,
};
pub use reflection::{Reflected, Reflection};

/// A credential and where it may be sent.
#[derive(Clone, Debug)]
pub enum Credential {
    /// The caller's ScaiKey token. Goes to the configured ScaiGrid.
    Token(CallerToken),
    /// An API key. Goes where it was registered for and nowhere else (N-054).
    Key(BoundKey),
}

/// An API key, bound to the ScaiGrid it was registered for.
#[derive(Clone, Debug)]
pub struct BoundKey {
    /// The key.
    pub key: ApiKey,
    /// Its ScaiGrid; `None` is the configured one.
    pub base_url: Option<BaseUrl>,
}

impl Credential {
    /// Where it may be sent: `configured`, or where the key was registered for.
    #[must_use]
    pub const fn base_url<'a>(&'a self, configured: &'a BaseUrl) -> &'a BaseUrl {
        match self {
            Self::Key(BoundKey {
                base_url: Some(own),
                ..
            }) => own,
            Self::Key(_) | Self::Token(_) => configured,
        }
    }

    /// The value of the `authorization` header, marked sensitive. `None` never happens: both kinds
    /// are printable ASCII.
    #[must_use]
    pub fn authorization(&self) -> Option<HeaderValue> {
        let text = Zeroizing::new(format!("Bearer {}", self.text()));
        let mut value = HeaderValue::from_str(&text).ok()?;
        value.set_sensitive(true);
        Some(value)
    }

    /// Whether an answer that was read whole repeats it (N-120). Streams take a [`Reflection`].
    #[must_use]
    pub fn occurs_in(&self, bytes: &[u8]) -> bool {
        let text = self.text().as_bytes();
        bytes.windows(text.len()).any(|window| window == text)
    }

    fn text(&self) -> &str {
        match self {
            Self::Token(token) => token.expose(),
            Self::Key(key) => key.key.expose(),
        }
    }
}

#[cfg(test)]
mod tests;
