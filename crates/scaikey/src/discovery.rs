//! ScaiKey's discovery document (RFC 8414, OpenID Connect Discovery 1.0, `contract/scaikey.md` 1.1).

use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, Uri};
use scaigate_types::{BaseUrl, Issuer, Origin};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::{json, request, response, sanitise};

/// Largest document read, in bytes.
pub const MAX_BYTES: usize = 65536;
/// Most entries of a list in the document, and longest entry.
const MAX_LIST: usize = 256;

/// Where the platform flavour's document is, below the base URL.
const PLATFORM: &str = "/api/v1/platform/oauth/.well-known/openid-configuration";
/// Where OpenID Connect Discovery 1.0 §4 puts it.
const STANDARD: &str = "/.well-known/openid-configuration";

/// What we use of the document. All addresses have been checked against the base URL, and have to
/// be again ([`Metadata::check`]) when read back from a store under what may be another base URL.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Metadata {
    /// `{base}` or `{base}/tenants/{tenant id}`.
    pub issuer: Issuer,
    /// Where browsers are sent to sign in: https, or on the base URL's origin.
    pub authorization_endpoint: String,
    /// Where we trade codes and tokens: on the base URL's origin.
    pub token_endpoint: String,
    /// Where the keys are: on the base URL's origin.
    pub jwks_uri: String,
    /// Where browsers are sent to sign out: https, or on the base URL's origin.
    pub end_session_endpoint: Option<String>,
    /// Where we revoke tokens: on the base URL's origin.
    pub revocation_endpoint: Option<String>,
    /// Empty when not declared.
    pub scopes_supported: Vec<String>,
    /// Empty when not declared.
    pub grant_types_supported: Vec<String>,
    /// Whether answers to authorization requests must carry `iss` (RFC 9207 §3).
    pub iss_parameter_supported: bool,
}

/// Why there is no usable discovery document.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum DiscoveryError {
    /// 404: this flavour is not served.
    #[error("ScaiKey serves no discovery document there")]
    NotFound,
    /// 429.
    #[error("ScaiKey limits the rate of discovery requests")]
    RateLimited {
        /// What ScaiKey asks us to wait, at most an hour.
        retry_after: Option<Duration>,
    },
    /// Any other status but 200; redirects are not followed.
    #[error("ScaiKey answered discovery with status {0}")]
    Status(u16),
    /// Not declared as JSON.
    #[error("the discovery document is not declared as JSON")]
    ContentType,
    /// More than [`MAX_BYTES`].
    #[error("the discovery document is too large")]
    TooLarge,
    /// Not a JSON object with fields of the expected types and sizes.
    #[error("the discovery document is not readable")]
    Malformed,
    /// The document speaks for somebody else. Compared byte for byte: neither case nor a trailing
    /// slash is repaired.
    #[error("the discovery document is of issuer {received}, expected {expected}")]
    IssuerMismatch {
        /// The base URL.
        expected: String,
        /// What the document says: at most 200 printable characters, not to be trusted.
        received: String,
    },
    /// An address that leads away from where our credentials, or the browser, may go.
    #[error("the discovery document's {which} is not where it may be")]
    ForeignEndpoint {
        /// The field.
        which: &'static str,
    },
    /// A needed field, or a needed value in a list that is declared.
    #[error("the discovery document lacks {which}")]
    Missing {
        /// The field or value.
        which: &'static str,
    },
    /// `code_challenge_methods_supported` is declared without `S256`.
    #[error("ScaiKey does not offer PKCE with S256")]
    PkceUnsupported,
}

/// The requests to try, in this order: platform flavour, then the standard place.
#[must_use]
pub fn requests(base: &BaseUrl) -> [Request<Bytes>; 2] {
    [PLATFORM, STANDARD].map(|path| request::get(&base.join(path)))
}

/// Reads the answer to one of [`requests`].
///
/// # Errors
/// [`DiscoveryError`]; after [`DiscoveryError::NotFound`] the other flavour is worth a try.
pub fn parse_response(
    base: &BaseUrl,
    response: &Response<Bytes>,
) -> Result<Metadata, DiscoveryError> {
    match response.status().as_u16() {
        200 => {}
        404 => return Err(DiscoveryError::NotFound),
        429 => {
            let retry_after = response::retry_after(response.headers());
            return Err(DiscoveryError::RateLimited { retry_after });
        }
        status => return Err(DiscoveryError::Status(status)),
    }
    if !response::is_json(response.headers()) {
        return Err(DiscoveryError::ContentType);
    }
    if response.body().len() > MAX_BYTES {
        return Err(DiscoveryError::TooLarge);
    }
    let document: Document = json::object(response.body()).ok_or(DiscoveryError::Malformed)?;
    document.metadata(base)
}

impl Metadata {
    /// Checks that this is `base`'s, and that no address leads where our credentials or the browser
    /// must not go: credentials registered at one issuer never reach another (N-054), and nothing
    /// that a document says widens whom we call (N-075).
    ///
    /// # Errors
    /// [`DiscoveryError::IssuerMismatch`] or [`DiscoveryError::ForeignEndpoint`].
    pub fn check(&self, base: &BaseUrl) -> Result<(), DiscoveryError> {
        check_issuer(base, self.issuer.as_str())?;
        for (which, address) in [
            ("token_endpoint", Some(&self.token_endpoint)),
            ("jwks_uri", Some(&self.jwks_uri)),
            ("revocation_endpoint", self.revocation_endpoint.as_ref()),
        ] {
            if address.is_some_and(|address| !is_callable(base, address)) {
                return Err(DiscoveryError::ForeignEndpoint { which });
            }
        }
        for (which, address) in [
            ("authorization_endpoint", Some(&self.authorization_endpoint)),
            ("end_session_endpoint", self.end_session_endpoint.as_ref()),
        ] {
            if address.is_some_and(|address| !is_for_browsers(base, address)) {
                return Err(DiscoveryError::ForeignEndpoint { which });
            }
        }
        Ok(())
    }
}

/// `{root}/tenants/{tenant id}`: how ScaiKey names the issuer of one tenant (`contract/scaikey.md`
/// 2.2).
pub(crate) fn is_tenant_issuer(root: &str, issuer: &str) -> bool {
    let tenant = issuer
        .strip_prefix(root)
        .and_then(|rest| rest.strip_prefix("/tenants/"));
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    tenant.is_some_and(|id| !id.is_empty() && id.len() <= 128 && id.bytes().all(plain))
}

fn check_issuer(base: &BaseUrl, issuer: &str) -> Result<(), DiscoveryError> {
    if issuer == base.as_str() || is_tenant_issuer(base.as_str(), issuer) {
        return Ok(());
    }
    Err(DiscoveryError::IssuerMismatch {
        expected: base.as_str().to_owned(),
        received: sanitise::printable(issuer, sanitise::MAX),
    })
}

/// On the base URL's origin, in its canonical spelling: what we compare is what is called, however
/// another parser would read it.
fn is_on_origin(base: &BaseUrl, address: &str) -> bool {
    let rest = address.strip_prefix(base.origin().as_str());
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?']))
        && Origin::of(address).is_ok_and(|origin| origin == *base.origin())
}

fn is_callable(base: &BaseUrl, address: &str) -> bool {
    is_on_origin(base, address) && !address.contains('#') && Uri::try_from(address).is_ok()
}

fn is_for_browsers(base: &BaseUrl, address: &str) -> bool {
    let secure = address.starts_with("https://") && Origin::of(address).is_ok();
    (secure || is_on_origin(base, address)) && !address.contains('#')
}

#[derive(Deserialize)]
struct Document {
    issuer: Option<String>,
    authorization_endpoint: Option<String>,
    token_endpoint: Option<String>,
    jwks_uri: Option<String>,
    end_session_endpoint: Option<String>,
    revocation_endpoint: Option<String>,
    scopes_supported: Option<Vec<String>>,
    grant_types_supported: Option<Vec<String>>,
    response_types_supported: Option<Vec<String>>,
    code_challenge_methods_supported: Option<Vec<String>>,
    authorization_response_iss_parameter_supported: Option<bool>,
}

impl Document {
    fn metadata(self, base: &BaseUrl) -> Result<Metadata, DiscoveryError> {
        let issuer = needed(self.issuer, "issuer")?;
        check_issuer(base, &issuer)?;
        let methods = list(self.code_challenge_methods_supported)?;
        if methods.is_some_and(|methods| !methods.iter().any(|method| method == "S256")) {
            return Err(DiscoveryError::PkceUnsupported);
        }
        let grants = list(self.grant_types_supported)?;
        must_hold(
            grants.as_deref(),
            "authorization_code",
            "the authorization_code grant",
        )?;
        let types = list(self.response_types_supported)?;
        must_hold(types.as_deref(), "code", "the response type code")?;
        let metadata = Metadata {
            // What doesn't fit an issuer is none that we expect.
            issuer: Issuer::parse(&issuer).map_err(|_| DiscoveryError::Malformed)?,
            authorization_endpoint: needed(self.authorization_endpoint, "authorization_endpoint")?,
            token_endpoint: needed(self.token_endpoint, "token_endpoint")?,
            jwks_uri: needed(self.jwks_uri, "jwks_uri")?,
            end_session_endpoint: self.end_session_endpoint.filter(|text| !text.is_empty()),
            revocation_endpoint: self.revocation_endpoint.filter(|text| !text.is_empty()),
            scopes_supported: list(self.scopes_supported)?.unwrap_or_default(),
            grant_types_supported: grants.unwrap_or_default(),
            iss_parameter_supported: self
                .authorization_response_iss_parameter_supported
                .unwrap_or(false),
        };
        metadata.check(base)?;
        Ok(metadata)
    }
}

fn needed(value: Option<String>, which: &'static str) -> Result<String, DiscoveryError> {
    value
        .filter(|text| !text.is_empty())
        .ok_or(DiscoveryError::Missing { which })
}

fn list(values: Option<Vec<String>>) -> Result<Option<Vec<String>>, DiscoveryError> {
    let fits =
        |text: &String| text.len() <= MAX_LIST && text.bytes().all(|c| (32..127).contains(&c));
    if values.iter().flatten().all(fits) && values.iter().flatten().count() <= MAX_LIST {
        Ok(values)
    } else {
        Err(DiscoveryError::Malformed)
    }
}

/// A list that is not declared leaves the choice to us; one that is declared has to hold `value`.
fn must_hold(
    values: Option<&[String]>,
    value: &str,
    which: &'static str,
) -> Result<(), DiscoveryError> {
    if values.is_some_and(|values| !values.iter().any(|own| own == value)) {
        return Err(DiscoveryError::Missing { which });
    }
    Ok(())
}

#[cfg(test)]
mod tests;
