//! What a request becomes on its way in.

use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::Full;

use crate::client::{Raw, get, ok, send};
use crate::setup::host;

#[tokio::test]
async fn well_known_paths_are_the_runners() {
    let host = host().await;
    let health = get(&host, "/.well-known/spin/health").await;
    assert_eq!(
        (health.status, health.body.as_str()),
        (StatusCode::OK, "OK")
    );
    let info = get(&host, "/.well-known/spin/info").await;
    assert_eq!(info.headers["content-type"], "application/json");
    assert_eq!(
        info.body,
        "{\n  \"name\": \"probe\",\n  \"version\": \"1.2.3\"\n}"
    );
    for path in ["/.well-known/spin/other", "/nowhere", "/prob", "/inner"] {
        let answer = get(&host, path).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
        assert_eq!(answer.headers["content-length"], "0", "{path}");
    }
}

#[tokio::test]
async fn a_component_sees_the_headers_spin_sends() {
    let host = host().await;
    let request = Request::get("/users/42/a/headers?x=1")
        .header("host", "app.test")
        .header("connection", "close")
        .header("spin-path-info", "/forged")
        .header("x-other", "kept")
        .body(Full::<Bytes>::default())
        .expect("a request");
    let answer = send(&host, request).await.expect("an answer");
    let lines: Vec<&str> = answer.body.lines().collect();
    let values = |name: &str| -> Vec<&str> {
        lines
            .iter()
            .filter_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
            .collect()
    };
    assert_eq!(values("spin-path-info"), ["/forged", "/a/headers"]);
    assert_eq!(
        values("spin-full-url"),
        ["http://app.test/users/42/a/headers?x=1"]
    );
    assert_eq!(values("spin-matched-route"), ["/users/:user_id/..."]);
    assert_eq!(values("spin-component-route"), ["/users/:user_id"]);
    assert_eq!(values("spin-path-match-user-id"), ["42"]);
    assert_eq!(values("spin-base-path"), ["/"]);
    assert!(values("spin-client-addr")[0].starts_with("127.0.0.1:"));
    assert_eq!(values("x-other"), ["kept"]);
    assert_eq!(values("host"), ["app.test"]);
    assert!(values("connection").is_empty());
}

#[tokio::test]
async fn a_request_without_a_usable_host_gets_no_answer() {
    let host = host().await;
    for request in [
        "GET /probe/count HTTP/1.1\r\n\r\n",
        "GET /probe/count HTTP/1.1\r\nhost: inner.spin.internal\r\n\r\n",
        "GET http://a.test/probe/count HTTP/1.1\r\nhost: b.test\r\n\r\n",
    ] {
        let answer = Raw::send(&host, request).await.read_to_end().await;
        assert_eq!(answer, "", "{request}");
    }
}

#[tokio::test]
async fn a_panic_is_a_500_and_its_message_is_in_the_log() {
    let options = crate::setup::options(crate::setup::MANIFEST);
    let logs = options.logs.clone();
    let host = crate::setup::start(options).await;
    let answer = get(&host, "/probe/panic").await;
    assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(answer.body, "");
    assert!(logs.contains("asked to panic"));
    ok(&host, "print", "a line\nanother").await;
    let lines: Vec<String> = logs.take().into_iter().map(|line| line.line).collect();
    assert!(lines.contains(&"a line".to_owned()), "{lines:?}");
    assert!(lines.contains(&"another".to_owned()), "{lines:?}");
}

#[tokio::test]
async fn a_streamed_body_arrives_whole() {
    let host = host().await;
    let body = ok(&host, "stream?3,1", "").await;
    assert_eq!(body, "part 0\npart 1\npart 2\n");
}

#[tokio::test]
async fn variables_and_environment_are_the_components_own() {
    let host = host().await;
    assert_eq!(ok(&host, "variable?plain", "").await, "default");
    assert_eq!(ok(&host, "variable?joined", "").await, "default-hidden");
    assert_eq!(ok(&host, "environment?GREETING", "").await, "hello");
    for (name, kind) in [("key", "Undefined"), ("Key", "InvalidName")] {
        let answer = crate::client::probe(&host, &format!("variable?{name}"), "").await;
        assert_eq!(answer.status, StatusCode::BAD_GATEWAY);
        let named = answer.body.to_lowercase().replace([' ', '-'], "");
        assert!(named.contains(&kind.to_lowercase()), "{}", answer.body);
    }
}
