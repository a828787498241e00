//! Outbound HTTPS: whom components of both kinds reach, and whom they don't.

use std::path::Path;

use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::Full;
use scaigate_host::{Host, HostOptions};
use serde_json::Value;

use crate::client::{Answer, ok, older, older_ok, probe, send};
use crate::setup::{MANIFEST, options, start};
use crate::tls::{Authority, GOOD, TlsUpstream, self_signed};
use crate::upstream::Upstream;

/// A host whose probes may call `servers`' ports by any of these addresses, and which trusts
/// `authority`.
async fn host(url: &str, by_name: &str, authority: Option<&Authority>) -> Host {
    let mut options = options(MANIFEST);
    let by_name = by_name.trim_start_matches("https://").to_owned();
    options
        .variables
        .insert("upstream".to_owned(), url.to_owned());
    options.variables.insert("optional".to_owned(), by_name);
    options.outbound_authorities = authority
        .map(|authority| authority.certificate.clone())
        .into_iter()
        .collect();
    start(options).await
}

/// A server that must not be called, and what is wrong with it.
async fn strangers(authority: &Authority) -> Vec<(&'static str, TlsUpstream)> {
    vec![
        (
            "another name",
            authority.server(&["other.test"], GOOD).await,
        ),
        (
            "another address",
            authority.server(&["127.0.0.2"], GOOD).await,
        ),
        ("no name", authority.server(&[], GOOD).await),
        (
            "an authority that nobody knows",
            Authority::new().server(&["localhost"], GOOD).await,
        ),
        ("nobody who vouches", self_signed(&["localhost"]).await),
        (
            "expired",
            authority.server(&["localhost"], (2000, 2001)).await,
        ),
        (
            "not valid yet",
            authority.server(&["localhost"], (2199, GOOD.1)).await,
        ),
    ]
}

#[tokio::test]
async fn a_server_that_is_vouched_for_is_called_by_name_and_by_address() {
    let authority = Authority::new();
    let server = authority.server(&["localhost", "127.0.0.1"], GOOD).await;
    let (name, address) = (server.url("localhost"), server.url("127.0.0.1"));
    let host = host(&address, &name, Some(&authority)).await;
    for base in [&name, &address] {
        let url = format!("{base}/ok");
        assert_eq!(ok(&host, "send", &url).await, "200 0123456789");
        assert_eq!(older_ok(&host, "send", &url).await, "200 0123456789");
    }
    assert_eq!(server.requests(), 4);
}

#[tokio::test]
async fn whoever_is_not_vouched_for_gets_no_request() {
    let authority = Authority::new();
    for (what, server) in strangers(&authority).await {
        let url = server.url("localhost");
        let host = host(&url, &url, Some(&authority)).await;
        for answer in [
            probe(&host, "send", &url).await,
            older(&host, "send", &url).await,
        ] {
            assert_eq!(answer.status, StatusCode::BAD_GATEWAY, "{what}");
            assert!(
                answer.body.contains("TlsProtocolError"),
                "{what}: {}",
                answer.body
            );
        }
        assert_eq!(server.requests(), 0, "{what}");
    }
}

#[tokio::test]
async fn an_authority_is_trusted_by_the_host_that_was_told_of_it() {
    let authority = Authority::new();
    let server = authority.server(&["localhost"], GOOD).await;
    let url = server.url("localhost");
    let told = host(&url, &url, Some(&authority)).await;
    let other = host(&url, &url, None).await;
    for _ in 0..2 {
        assert_eq!(ok(&told, "send", &url).await, "200 0123456789");
        let answer = probe(&other, "send", &url).await;
        assert!(answer.body.contains("TlsProtocolError"), "{}", answer.body);
    }
}

#[tokio::test]
async fn what_speaks_no_tls_is_not_called() {
    let upstream = Upstream::start().await;
    let url = upstream.url().replace("http://", "https://");
    let host = host(&url, &url, None).await;
    for answer in [
        probe(&host, "send", &url).await,
        older(&host, "send", &url).await,
    ] {
        assert!(answer.body.contains("TlsProtocolError"), "{}", answer.body);
    }
    // Not without TLS either.
    let answer = probe(&host, "send", &upstream.url()).await;
    assert!(answer.body.contains("HttpRequestDenied"), "{}", answer.body);
}

#[tokio::test]
async fn an_authority_is_a_certificate() {
    let mut options = options(MANIFEST);
    options.outbound_authorities = vec![b"no certificate".to_vec()];
    let Err(error) = Host::start(options).await else {
        panic!("the host started")
    };
    let message = format!("{error:#}");
    assert!(
        message.contains("an authority for outbound requests"),
        "{message}"
    );
}

/// What ships, with its ScaiKey at `base`.
async fn scaigate(base: &str, authority: &Authority) -> Host {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("../spin.toml");
    let mut options = HostOptions::new(manifest);
    options.cache = crate::setup::code_cache();
    options.outbound_authorities = vec![authority.certificate.clone()];
    options.variables = [
        ("scaikey_base_url", base),
        ("scaiflow_scaikey_client_id", "client"),
        ("scaiflow_scaikey_client_secret", "secret"),
        ("public_url", "https://gate.example"),
        ("app_url", "https://app.example"),
        (
            "session_secret",
            "c2NhaWdhdGUtaG9zdC1zZXNzaW9uLXNlY3JldC0wMDE=",
        ),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .collect();
    start(options).await
}

async fn begin(host: &Host) -> Answer {
    let request = Request::post("/v1/auth/login")
        .header("content-type", "application/json")
        .body(Full::new(Bytes::from_static(b"{}")))
        .expect("a request");
    send(host, request).await.expect("an answer")
}

#[tokio::test]
async fn a_scaikey_that_is_vouched_for_begins_a_sign_in() {
    let authority = Authority::new();
    let server = authority.server(&["localhost"], GOOD).await;
    let base = server.url("localhost");
    let answer = begin(&scaigate(&base, &authority).await).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    let body: Value = serde_json::from_str(&answer.body).expect("JSON");
    let url = body["authorize_url"].as_str().expect("a URL");
    assert!(url.starts_with(&format!("{base}/authorize?")), "{url}");
}

#[tokio::test]
async fn a_scaikey_that_is_not_vouched_for_is_unreachable() {
    let authority = Authority::new();
    for (what, server) in strangers(&authority).await {
        let host = scaigate(&server.url("localhost"), &authority).await;
        let answer = begin(&host).await;
        assert_eq!(answer.status, StatusCode::BAD_GATEWAY, "{what}");
        let body: Value = serde_json::from_str(&answer.body).expect("JSON");
        assert_eq!(body["error"]["code"], "scaikey_unreachable", "{what}");
        assert_eq!(server.requests(), 0, "{what}");
    }
}
