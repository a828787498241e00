use http::Method;
use scaigate_types::Secret;

use super::*;
use crate::credential::{ApiKey, BoundKey};
use crate::path::UpstreamPath;

const CANARY: &str = "sgk_canary0123456789abcdefghijklmnop1234";
const LOOKUP: &str = "GET /v1/scaigrid/models";
const READ: &str = "GET /v1/scaicore/events";
const WRITE: &str = "POST /v1/scaigrid/inference/chat";
const JSON: (&str, &str) = ("content-type", "application/json");

fn judged(on: &str, status: u16, lines: &[(&str, &str)]) -> Verdict {
    let (method, target) = on.split_once(' ').unwrap();
    let method = Method::from_bytes(method.as_bytes()).unwrap();
    let path = UpstreamPath::parse(&method, target).unwrap();
    let credential = Credential::Key(BoundKey {
        key: ApiKey::parse(Secret::new(CANARY.to_owned())).unwrap(),
        base_url: None,
    });
    let mut headers = HeaderMap::new();
    for (name, value) in lines {
        let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
        headers.append(name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
    }
    let status = StatusCode::from_u16(status).unwrap();
    judge(path.route(), &credential, status, &headers)
}

fn delivered(on: &str, status: u16, lines: &[(&str, &str)]) -> ResponseHeaders {
    match judged(on, status, lines) {
        Verdict::Deliver(headers) => headers,
        other => panic_at(on, lines, &other),
    }
}

fn refused(on: &str, status: u16, lines: &[(&str, &str)]) -> AnswerError {
    match judged(on, status, lines) {
        Verdict::Refuse(error) => error,
        other => panic_at(on, lines, &other),
    }
}

#[expect(
    clippy::panic,
    reason = "a test that meets the unexpected should stop there"
)]
fn panic_at(on: &str, lines: &[(&str, &str)], verdict: &Verdict) -> ! {
    panic!("{on} {lines:?}: {verdict:?}")
}

fn names(headers: &ResponseHeaders) -> Vec<&str> {
    let mut names: Vec<&str> = headers.as_map().keys().map(HeaderName::as_str).collect();
    names.sort_unstable();
    names
}

#[test]
fn n_116_a_redirect_is_neither_followed_nor_passed_on() {
    for status in [300, 301, 302, 303, 305, 307, 308, 399] {
        let lines = [JSON, ("location", "https://evil.example/")];
        for on in [LOOKUP, READ, WRITE] {
            assert_eq!(
                refused(on, status, &lines),
                AnswerError::Redirected,
                "{status}"
            );
        }
    }
}

#[test]
fn a_status_that_was_not_asked_for_is_no_success() {
    let table = [
        (LOOKUP, 200, true),
        (LOOKUP, 201, false),
        (LOOKUP, 204, false),
        (READ, 200, true),
        (READ, 204, true),
        (READ, 201, false),
        (READ, 206, false),
        (WRITE, 200, true),
        (WRITE, 201, true),
        (WRITE, 202, true),
        (WRITE, 204, true),
        (WRITE, 203, false),
        (WRITE, 207, false),
        (READ, 101, false),
        (READ, 100, false),
    ];
    for (on, status, expected) in table {
        let is_delivered = matches!(judged(on, status, &[JSON]), Verdict::Deliver(_));
        assert_eq!(is_delivered, expected, "{on} {status}");
    }
    assert!(matches!(judged(READ, 304, &[]), Verdict::Deliver(_)));
    // Nobody asked whether a lookup or a call has changed.
    assert_eq!(refused(LOOKUP, 304, &[]), AnswerError::Status);
    assert_eq!(refused(WRITE, 304, &[]), AnswerError::Status);
    for status in [400, 401, 403, 404, 429, 500, 503, 599, 999] {
        let verdict = judged(
            READ,
            status,
            &[("content-type", "text/html"), ("location", "/")],
        );
        assert!(matches!(verdict, Verdict::Explain), "{status}");
    }
}

#[test]
fn n_117_only_what_describes_the_body_and_the_limits_passes() {
    let lines = [
        JSON,
        ("content-length", "17"),
        ("content-language", "nl"),
        ("etag", "\"e1\""),
        ("last-modified", "Wed, 21 Oct 2026 07:28:00 GMT"),
        ("retry-after", "3"),
        ("x-scaigrid-ratelimit-limit", "60"),
        ("x-scaigrid-ratelimit-remaining", "59"),
        ("x-scaigrid-ratelimit-reset", "1795384496"),
        ("x-request-id", "req_9"),
        ("set-cookie", "__Host-session=evil; Path=/"),
        ("set-cookie2", "a=b"),
        ("www-authenticate", "Bearer"),
        ("proxy-authenticate", "Basic"),
        ("authorization", "Bearer x"),
        ("server", "uvicorn"),
        ("x-powered-by", "x"),
        ("via", "1.1 x"),
        ("access-control-allow-origin", "*"),
        ("access-control-allow-credentials", "true"),
        ("alt-svc", "h3=\":443\""),
        ("strict-transport-security", "max-age=0"),
        ("content-security-policy", "default-src *"),
        ("x-frame-options", "ALLOWALL"),
        ("cross-origin-resource-policy", "cross-origin"),
        ("clear-site-data", "\"*\""),
        ("location", "https://evil.example/"),
        ("content-location", "/x"),
        ("refresh", "0; url=https://evil.example/"),
        ("link", "<https://evil.example/x.css>; rel=stylesheet"),
        ("sourcemap", "/x"),
        ("service-worker-allowed", "/"),
        ("content-disposition", "inline"),
        ("cache-control", "public, max-age=31536000"),
        ("expires", "0"),
        ("age", "1"),
        ("pragma", "x"),
        ("vary", "*"),
        ("connection", "close, x"),
        ("keep-alive", "timeout=5"),
        ("transfer-encoding", "chunked"),
        ("upgrade", "h2c"),
        ("trailer", "x"),
        ("accept-ranges", "bytes"),
        ("x-dev-role", "admin"),
        ("spin-full-url", "https://evil.example/"),
        ("x-upstream-request-id", "forged"),
    ];
    let described = [
        "content-language",
        "content-length",
        "content-type",
        "etag",
        "last-modified",
    ];
    let limits = [
        "retry-after",
        "x-scaigrid-ratelimit-limit",
        "x-scaigrid-ratelimit-remaining",
        "x-scaigrid-ratelimit-reset",
        "x-upstream-request-id",
    ];
    for on in [READ, WRITE] {
        let headers = delivered(on, 200, &lines);
        assert_eq!(names(&headers), [described, limits].concat(), "{on}");
        assert_eq!(headers.as_map()["x-upstream-request-id"], "req_9");
    }
    // A lookup's body is ours, so ScaiGrid's length and tags say nothing about it.
    let headers = delivered(LOOKUP, 200, &lines);
    let expected: Vec<&str> = ["content-type"].into_iter().chain(limits).collect();
    assert_eq!(names(&headers), expected);
}

#[test]
fn a_stream_has_no_length() {
    let events = ("content-type", "text/event-stream; charset=utf-8");
    let headers = delivered(READ, 200, &[events, ("content-length", "5")]);
    assert!(headers.is_stream());
    assert_eq!(names(&headers), ["content-type"]);
    assert!(!delivered(READ, 200, &[JSON]).is_stream());
}

#[test]
fn answers_without_a_body_have_no_type() {
    for (on, status) in [(READ, 304), (READ, 204), (WRITE, 204)] {
        let headers = delivered(
            on,
            status,
            &[JSON, ("content-length", "9"), ("etag", "\"e\"")],
        );
        assert_eq!(names(&headers), ["etag"], "{on} {status}");
    }
}

#[test]
fn nothing_that_a_browser_would_run_is_passed_on() {
    for good in [
        "application/json",
        "Application/JSON; charset=utf-8",
        "application/problem+json",
        "text/plain",
        "image/png",
        "audio/mpeg",
        "application/octet-stream",
    ] {
        assert!(names(&delivered(READ, 200, &[("content-type", good)])).contains(&"content-type"));
    }
    for bad in [
        "text/html",
        "TEXT/HTML; charset=utf-8",
        "application/xhtml+xml",
        "image/svg+xml",
        "text/xml",
        "application/xml",
        "text/javascript",
        "application/javascript",
        "text/css",
        "application/pdf",
        "multipart/x-mixed-replace",
        "*/*",
        "json",
        "",
        "application/json, text/html",
        "é",
    ] {
        let error = refused(READ, 200, &[("content-type", bad)]);
        assert_eq!(error, AnswerError::ContentType, "{bad:?}");
    }
    let saved = delivered(READ, 200, &[]);
    assert_eq!(saved.as_map()["content-type"], "application/octet-stream");
    for bad in [&[("content-type", "text/plain")] as &[_], &[]] {
        assert_eq!(refused(LOOKUP, 200, bad), AnswerError::ContentType);
    }
}

#[test]
fn an_encoding_that_was_not_asked_for_is_refused() {
    for bad in ["gzip", "br", "identity, gzip", "x"] {
        let lines = [JSON, ("content-encoding", bad)];
        assert_eq!(refused(READ, 200, &lines), AnswerError::Encoded, "{bad}");
    }
    let lines = [JSON, ("content-encoding", "identity")];
    assert_eq!(names(&delivered(READ, 200, &lines)), ["content-type"]);
}

#[test]
fn headers_that_contradict_each_other_are_refused() {
    for name in [
        "content-type",
        "content-length",
        "content-encoding",
        "etag",
        "retry-after",
    ] {
        let lines = [(name, "1"), (name, "1")];
        assert_eq!(refused(READ, 200, &lines), AnswerError::Headers, "{name}");
    }
    for bad in ["", "-1", "+1", "1,1", "0x1", "1 1", "9999999999999999"] {
        let lines = [JSON, ("content-length", bad)];
        assert_eq!(refused(READ, 200, &lines), AnswerError::Headers, "{bad:?}");
    }
    let longest = [JSON, ("content-length", "999999999999999")];
    let headers = delivered(READ, 200, &longest);
    assert_eq!(names(&headers), ["content-length", "content-type"]);
}

#[test]
fn a_value_that_is_long_or_no_text_is_left_out() {
    let (longest, longer) = ("e".repeat(512), "e".repeat(513));
    for (tag, passed) in [
        (longest.as_str(), &["content-type", "etag"] as &[_]),
        (&longer, &["content-type"]),
        ("\u{e9}", &["content-type"]),
    ] {
        let headers = delivered(READ, 200, &[JSON, ("etag", tag)]);
        assert_eq!(names(&headers), passed, "{tag}");
    }
}

#[test]
fn limits_are_numbers_or_nothing() {
    for bad in [
        "",
        "soon",
        "-1",
        "1.5",
        "Wed, 21 Oct 2026 07:28:00 GMT",
        "9999999999999999",
    ] {
        for name in ["retry-after", "x-scaigrid-ratelimit-limit"] {
            let headers = delivered(READ, 200, &[JSON, (name, bad)]);
            assert_eq!(names(&headers), ["content-type"], "{name} {bad:?}");
        }
    }
}

#[test]
fn n_120_a_header_that_repeats_the_credential_is_refused() {
    let bearer = format!("W/\"Bearer {CANARY}\"");
    let parameter = format!("application/json; x={CANARY}");
    for line in [("etag", bearer.as_str()), ("content-type", &parameter)] {
        let error = refused(READ, 200, &[JSON, line][usize::from(line.0 == JSON.0)..]);
        assert_eq!(error, AnswerError::Reflected, "{line:?}");
    }
    // Where it would not pass anyway, it doesn't matter.
    for line in [("x-echo", CANARY), ("x-request-id", CANARY)] {
        assert_eq!(
            names(&delivered(READ, 200, &[JSON, line])),
            ["content-type"]
        );
    }
}
