//! Requests components send.

use http::StatusCode;

use crate::client::{ok, probe};
use crate::setup::{MANIFEST, host, options, start};
use crate::upstream::Upstream;

#[tokio::test]
async fn an_allowed_host_is_called_and_sees_a_clean_request() {
    let upstream = Upstream::start().await;
    let mut options = options(MANIFEST);
    options
        .variables
        .insert("upstream".to_owned(), upstream.url());
    let host = start(options).await;
    let answer = ok(&host, "send", &format!("{}/ok", upstream.url())).await;
    assert_eq!(answer, "200 0123456789");
    let headers = ok(&host, "send", &format!("{}/headers", upstream.url())).await;
    assert_eq!(
        headers,
        format!("200 host: {}\nx-probe: 1", upstream.address)
    );
}

#[tokio::test]
async fn other_hosts_are_refused_without_a_connection() {
    let upstream = Upstream::start().await;
    let options = options(MANIFEST);
    let logs = options.logs.clone();
    let host = start(options).await;
    for url in [
        format!("{}/ok", upstream.url()),
        "https://example.test/".to_owned(),
        "http://probe.spin.internal/count".to_owned(),
    ] {
        let answer = probe(&host, "send", &url).await;
        assert!(
            answer.body.contains("HttpRequestDenied"),
            "{url} {}",
            answer.body
        );
    }
    assert!(logs.contains("https://example.test is not in allowed_outbound_hosts"));
}

#[tokio::test]
async fn a_host_that_does_not_listen_is_connection_refused() {
    let host = host().await;
    let answer = probe(&host, "send", "http://localhost:1/").await;
    assert!(answer.body.contains("ConnectionRefused"), "{}", answer.body);
}

#[tokio::test]
async fn an_entry_wrong_once_filled_refuses_everything() {
    let mut options = options(MANIFEST);
    options
        .variables
        .insert("optional".to_owned(), "a/b".to_owned());
    let logs = options.logs.clone();
    let host = start(options).await;
    let answer = probe(&host, "send", "http://inner.spin.internal/count").await;
    assert!(answer.body.contains("HttpRequestDenied"), "{}", answer.body);
    assert!(logs.contains("every outbound request is refused"));
}

#[tokio::test]
async fn components_call_each_other_and_themselves() {
    let host = host().await;
    let headers = ok(&host, "send", "http://inner.spin.internal/a/headers?x=1").await;
    for line in [
        "spin-path-info: /a/headers",
        "spin-full-url: http://localhost/a/headers?x=1",
        "spin-matched-route: /...",
        "spin-raw-component-route: /...",
        "spin-component-route: ",
        "spin-client-addr: 0.0.0.0:0",
        "x-probe: 1",
    ] {
        assert!(
            headers
                .lines()
                .any(|seen| seen == line || seen.ends_with(line)),
            "{line}: {headers}"
        );
    }
    assert!(!headers.contains("\nhost:"), "{headers}");
    let answer = ok(&host, "send", "http://self.alt/.well-known/spin/health").await;
    assert_eq!(answer, "200 OK");
}

#[tokio::test]
async fn a_failing_sister_component_is_a_500() {
    let host = host().await;
    let answer = ok(&host, "send", "http://inner.spin.internal/panic").await;
    assert_eq!(answer, "500 ");
    let answer = probe(&host, "count", "").await;
    assert_eq!(answer.status, StatusCode::OK);
}
