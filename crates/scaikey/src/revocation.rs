//! Token revocation (RFC 7009), where ScaiKey offers it.

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use scaigate_types::Secret;

use crate::client::Client;
use crate::discovery::Metadata;
use crate::request;

/// What kind of token is revoked (RFC 7009 §2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenHint {
    /// An access token.
    AccessToken,
    /// A refresh token; servers end the access tokens of the same grant with it.
    RefreshToken,
}

impl TokenHint {
    const fn as_str(self) -> &'static str {
        match self {
            Self::AccessToken => "access_token",
            Self::RefreshToken => "refresh_token",
        }
    }
}

/// Asks to revoke `token`; `None` when ScaiKey declares no revocation endpoint.
#[must_use]
pub fn request(
    metadata: &Metadata,
    client: &Client,
    token: &Secret<String>,
    hint: TokenHint,
) -> Option<Request<Bytes>> {
    let endpoint = metadata.revocation_endpoint.as_deref()?;
    let fields = [
        ("token", token.expose().as_str()),
        ("token_type_hint", hint.as_str()),
    ];
    Some(request::post(endpoint, client, &fields))
}

/// Whether the token is certainly dead: 200, also for a token that ScaiKey doesn't know (RFC 7009
/// §2.2). The body says nothing and is not read.
#[must_use]
pub fn succeeded(response: &Response<Bytes>) -> bool {
    response.status() == StatusCode::OK
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{answer, client, metadata};

    #[test]
    fn revokes_with_the_hint_where_an_endpoint_is_declared() {
        let token = Secret::new("a+b".to_owned());
        let request = request(&metadata(), &client(), &token, TokenHint::RefreshToken).unwrap();
        assert_eq!(
            request.uri(),
            "https://scaikey.example/api/v1/platform/oauth/revoke"
        );
        assert_eq!(request.method(), http::Method::POST);
        assert_eq!(
            &request.body()[..],
            b"token=a%2Bb&token_type_hint=refresh_token"
        );
        assert!(request.headers()["authorization"].is_sensitive());
    }

    #[test]
    fn asks_nobody_where_no_endpoint_is_declared() {
        let metadata = Metadata {
            revocation_endpoint: None,
            ..metadata()
        };
        let token = Secret::new("t".to_owned());
        assert!(request(&metadata, &client(), &token, TokenHint::AccessToken).is_none());
    }

    #[test]
    fn only_200_means_revoked() {
        for (status, expected) in [
            (200, true),
            (202, false),
            (302, false),
            (400, false),
            (503, false),
        ] {
            let answer = answer(status, "text/plain", "{\"error\":\"x\"}");
            assert_eq!(succeeded(&answer), expected, "{status}");
        }
    }
}
