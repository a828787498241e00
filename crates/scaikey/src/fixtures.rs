//! What the tests of several modules begin with.

use bytes::Bytes;
use http::Response;
use scaigate_types::{BaseUrl, ClientId, Issuer, Secret};

use crate::client::Client;
use crate::discovery::Metadata;

pub(crate) fn base() -> BaseUrl {
    BaseUrl::parse("https://scaikey.example", false).unwrap()
}

pub(crate) fn client() -> Client {
    Client {
        id: ClientId::parse("app_1").unwrap(),
        secret: Secret::new("canary-secret".into()),
    }
}

pub(crate) fn metadata() -> Metadata {
    let at = |path: &str| base().join(path);
    Metadata {
        issuer: Issuer::parse("https://scaikey.example").unwrap(),
        authorization_endpoint: at("/api/v1/platform/oauth/authorize"),
        token_endpoint: at("/api/v1/platform/oauth/token"),
        jwks_uri: at("/api/v1/platform/.well-known/jwks.json"),
        end_session_endpoint: Some(at("/oauth/logout")),
        revocation_endpoint: Some(at("/api/v1/platform/oauth/revoke")),
        scopes_supported: vec!["openid".to_owned()],
        grant_types_supported: Vec::new(),
        iss_parameter_supported: false,
    }
}

pub(crate) fn answer(status: u16, content_type: &str, body: &str) -> Response<Bytes> {
    Response::builder()
        .status(status)
        .header("content-type", content_type)
        .body(Bytes::copy_from_slice(body.as_bytes()))
        .unwrap()
}
