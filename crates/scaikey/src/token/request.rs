//! The grants.

use bytes::Bytes;
use http::Request;
use scaigate_types::Secret;

use crate::client::Client;
use crate::discovery::Metadata;
use crate::request::post;

/// The type of token that we exchange and ask for (RFC 8693 §3).
pub const ACCESS_TOKEN_TYPE: &str = "urn:ietf:params:oauth:token-type:access_token";

/// Trades a code (RFC 6749 §4.1.3). `redirect_uri` is the one of the authorization request, to the
/// byte; `code_verifier` proves that it was ours (RFC 7636 §4.5).
#[must_use]
pub fn code_request(
    metadata: &Metadata,
    client: &Client,
    code: &Secret<String>,
    redirect_uri: &str,
    code_verifier: Option<&str>,
) -> Request<Bytes> {
    let fields = [
        ("grant_type", Some("authorization_code")),
        ("code", Some(code.expose().as_str())),
        ("redirect_uri", Some(redirect_uri)),
        ("code_verifier", code_verifier),
    ];
    grant(metadata, client, &fields)
}

/// Trades a refresh token (RFC 6749 §6), which works once (`contract/scaikey.md` 1.5).
#[must_use]
pub fn refresh_request(
    metadata: &Metadata,
    client: &Client,
    refresh_token: &Secret<String>,
) -> Request<Bytes> {
    let fields = [
        ("grant_type", Some("refresh_token")),
        ("refresh_token", Some(refresh_token.expose().as_str())),
    ];
    grant(metadata, client, &fields)
}

/// Signs a person in by password (RFC 6749 §4.3). Scopes are separated by spaces.
#[must_use]
pub fn password_request(
    metadata: &Metadata,
    client: &Client,
    username: &str,
    password: &Secret<String>,
    scope: &str,
) -> Request<Bytes> {
    let fields = [
        ("grant_type", Some("password")),
        ("username", Some(username)),
        ("password", Some(password.expose().as_str())),
        ("scope", Some(scope)),
    ];
    grant(metadata, client, &fields)
}

/// Asks for a token of our own (RFC 6749 §4.4). Without `scope`, all that the application is allowed.
#[must_use]
pub fn client_credentials_request(
    metadata: &Metadata,
    client: &Client,
    scope: Option<&str>,
) -> Request<Bytes> {
    grant(
        metadata,
        client,
        &[("grant_type", Some("client_credentials")), ("scope", scope)],
    )
}

/// Trades a person's access token for one to use at `audience` (RFC 8693 §2.1). Read the answer with
/// [`super::parse_exchange_response`].
#[must_use]
pub fn exchange_request(
    metadata: &Metadata,
    client: &Client,
    subject_token: &Secret<String>,
    audience: &str,
    scope: Option<&str>,
) -> Request<Bytes> {
    let fields = [
        (
            "grant_type",
            Some("urn:ietf:params:oauth:grant-type:token-exchange"),
        ),
        ("subject_token", Some(subject_token.expose().as_str())),
        ("subject_token_type", Some(ACCESS_TOKEN_TYPE)),
        ("requested_token_type", Some(ACCESS_TOKEN_TYPE)),
        ("audience", Some(audience)),
        ("scope", scope),
    ];
    grant(metadata, client, &fields)
}

/// Fields without a value are left out; an empty scope is as good as none (RFC 6749 §3.2).
fn grant(metadata: &Metadata, client: &Client, fields: &[(&str, Option<&str>)]) -> Request<Bytes> {
    let fields: Vec<_> = fields
        .iter()
        .filter_map(|(name, value)| Some((*name, (*value)?)))
        .filter(|(name, value)| *name != "scope" || !value.is_empty())
        .collect();
    post(&metadata.token_endpoint, client, &fields)
}

#[cfg(test)]
mod tests;
