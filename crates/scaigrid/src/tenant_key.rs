//! `/v1/tenants/me/scaigrid_credentials` (`contract/scaiflow.md` 2.4): the key that a tenant's
//! administrator posts, and what everybody of the tenant may see of it.

use scaigate_types::json::{self, Bounds};
use scaigate_types::{BaseUrl, Origin, Secret};
use serde::Serialize;
use serde_json::Value;
use thiserror::Error;

use crate::credential::{ApiKey, ApiKeyError, BoundKey};

const BOUNDS: Bounds = Bounds {
    bytes: 8192,
    depth: 4,
    values: 32,
};

/// Why posted credentials are refused. Carries no part of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum TenantKeyError {
    /// Not one small JSON object with every member once.
    #[error("the body is not the documented JSON object")]
    Body,
    /// No `api_key`, or it is no text.
    #[error("api_key is missing")]
    NoKey,
    /// `api_key` is no key of ScaiGrid's.
    #[error(transparent)]
    Key(#[from] ApiKeyError),
    /// `base_url` is no https URL without user information, path, query and fragment.
    #[error("base_url is not an https origin")]
    Address,
    /// `base_url` is somewhere we don't go: an address from a request must not choose where we send a
    /// credential (N-116).
    #[error("base_url is not a ScaiGrid of this deployment")]
    ForeignAddress,
}

impl TenantKeyError {
    /// The member that was refused, for `details.field`.
    #[must_use]
    pub const fn field(self) -> &'static str {
        match self {
            Self::Body => "body",
            Self::NoKey | Self::Key(_) => "api_key",
            Self::Address | Self::ForeignAddress => "base_url",
        }
    }
}

impl BoundKey {
    /// Reads `{"api_key", "base_url"?}`. `base_url` may be `configured` (`scaigrid_base_url`) or one
    /// of `also`, which `spin.toml` must grant too. Other members are ignored.
    ///
    /// # Errors
    /// [`TenantKeyError`] says what is wrong.
    pub fn parse(
        body: &[u8],
        configured: &BaseUrl,
        also: &[Origin],
    ) -> Result<Self, TenantKeyError> {
        let mut members = json::object(body, BOUNDS).ok_or(TenantKeyError::Body)?;
        let Some(Value::String(key)) = members.remove("api_key") else {
            return Err(TenantKeyError::NoKey);
        };
        let key = ApiKey::parse(Secret::new(key))?;
        let base_url = match members.remove("base_url") {
            None | Some(Value::Null) => None,
            Some(Value::String(text)) => Some(address(&text, configured, also)?),
            Some(_) => return Err(TenantKeyError::Address),
        };
        Ok(Self { key, base_url })
    }
}

fn address(text: &str, configured: &BaseUrl, also: &[Origin]) -> Result<BaseUrl, TenantKeyError> {
    let plain = text.strip_suffix('/').unwrap_or(text);
    // The configured one was looked at when it was configured: it may have a path, and be http on a
    // loopback host.
    if plain == configured.as_str() {
        return Ok(configured.clone());
    }
    let host = plain
        .strip_prefix("https://")
        .ok_or(TenantKeyError::Address)?;
    // Not even a path that a parser would take away again.
    if host.contains('/') {
        return Err(TenantKeyError::Address);
    }
    let url = BaseUrl::parse(plain, false).map_err(|_| TenantKeyError::Address)?;
    if url.origin() == configured.origin() || also.contains(url.origin()) {
        Ok(url)
    } else {
        Err(TenantKeyError::ForeignAddress)
    }
}

/// What is shown: whether there is a key, where it goes, and eight of its characters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CredentialStatus {
    /// Whether there is a key.
    pub configured: bool,
    /// Where it goes.
    pub base_url: Option<String>,
    /// `sgk_…1234`
    pub masked_key: Option<String>,
}

impl CredentialStatus {
    /// The status of a tenant that has `key`, or none.
    #[must_use]
    pub fn of(key: Option<&BoundKey>, configured: &BaseUrl) -> Self {
        Self {
            configured: key.is_some(),
            base_url: key.map(|key| {
                let base_url = key.base_url.as_ref().unwrap_or(configured);
                base_url.as_str().to_owned()
            }),
            masked_key: key.map(|key| key.key.masked()),
        }
    }
}

#[cfg(test)]
mod tests;
