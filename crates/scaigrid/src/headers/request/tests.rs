use http::Method;

use super::*;
use crate::path::UpstreamPath;

const LOOKUP: &str = "GET /v1/scaigrid/models";
const READ: &str = "GET /v1/scaicore/events";
const WRITE: &str = "POST /v1/scaigrid/inference/chat";
const TRACE: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

fn route(text: &str) -> Route {
    let (method, target) = text.split_once(' ').unwrap();
    let method = Method::from_bytes(method.as_bytes()).unwrap();
    UpstreamPath::parse(&method, target)
        .unwrap()
        .route()
        .clone()
}

fn client(lines: &[(&str, &str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in lines {
        let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
        headers.append(name, HeaderValue::from_str(value).unwrap());
    }
    headers
}

/// What passes, without what is always there.
fn passed(on: &str, lines: &[(&str, &str)]) -> Result<Vec<(String, String)>, HeaderError> {
    let headers = RequestHeaders::filter(&client(lines), &route(on))?;
    let mut passed: Vec<(String, String)> = headers
        .as_map()
        .iter()
        .filter(|(name, _)| *name != "accept-encoding")
        .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
        .collect();
    passed.sort();
    Ok(passed)
}

fn names(on: &str, lines: &[(&str, &str)]) -> Vec<String> {
    let passed = passed(on, lines).unwrap();
    passed.into_iter().map(|(name, _)| name).collect()
}

#[test]
fn each_kind_of_route_passes_its_own_headers() {
    let all = [
        ("Accept", "text/event-stream"),
        ("Accept-Language", "nl"),
        ("Content-Type", "application/json; charset=utf-8"),
        ("Idempotency-Key", "k1"),
        ("If-None-Match", "\"e1\""),
        ("Last-Event-ID", "42"),
        ("traceparent", TRACE),
        ("tracestate", "a=1"),
    ];
    let trace = ["traceparent", "tracestate"];
    let table: [(&str, &[&str]); 3] = [
        (LOOKUP, &["accept", "accept-language"]),
        (
            READ,
            &[
                "accept",
                "accept-language",
                "if-none-match",
                "last-event-id",
            ],
        ),
        (
            WRITE,
            &[
                "accept",
                "accept-language",
                "content-type",
                "idempotency-key",
            ],
        ),
    ];
    for (on, expected) in table {
        let expected: Vec<&str> = expected.iter().chain(&trace).copied().collect();
        assert_eq!(names(on, &all), expected, "{on}");
    }
    // A lookup is ours to write, so its form is ours to ask for.
    let asked = passed(LOOKUP, &[("accept", "text/html")]).unwrap();
    assert_eq!(
        asked,
        [("accept".to_owned(), "application/json".to_owned())]
    );
    let headers = RequestHeaders::filter(&HeaderMap::new(), &route(READ)).unwrap();
    assert_eq!(headers.as_map()["accept-encoding"], "identity");
}

#[test]
fn n_111_n_112_n_113_n_117_what_speaks_for_somebody_or_of_the_way_is_dropped() {
    let dropped = [
        "Authorization",
        "Cookie",
        "Cookie2",
        "Host",
        "Proxy-Authorization",
        "Forwarded",
        "X-Forwarded-For",
        "X-Forwarded-Host",
        "X-Forwarded-Proto",
        "X-Forwarded-Prefix",
        "X-Forwarded-User",
        "X-Forwarded-Access-Token",
        "X_Forwarded_For",
        "X-Original-URL",
        "X-Original-URI",
        "X-Rewrite-URL",
        "X-Real-IP",
        "X-HTTP-Method-Override",
        "X-HTTP-Method",
        "X-Method-Override",
        "_method",
        "Spin-Client-Addr",
        "SPIN-FULL-URL",
        "spin-path-info",
        "spin-path-match-tenant",
        "spin_client_addr",
        "X-Dev-Workspace-Id",
        "x-dev-subject",
        "X-DEV-ROLE",
        "x_dev_role",
        "X-Dev_Role",
        "X-Tenant-Id",
        "X-Tenant",
        "X-User-Id",
        "X-Auth-Request-User",
        "X-Auth-Request-Email",
        "X-Scaigrid-Tenant",
        "X-Scaigrid-User",
        "Remote-User",
        "remote_user",
        "X-Remote-User",
        "From",
        "Via",
        "Origin",
        "Referer",
        "User-Agent",
        "Sec-Fetch-Site",
        "X-CSRF-Token",
        "X-Requested-With",
        "X-Request-Id",
        "X-Api-Key",
        "Api-Key",
        "Connection",
        "Keep-Alive",
        "TE",
        "Trailer",
        "Transfer-Encoding",
        "Upgrade",
        "HTTP2-Settings",
        "Proxy-Connection",
        "Expect",
        "Content-Length",
        "Content-Encoding",
        "Accept-Encoding",
        "Range",
        "If-Range",
        "If-Match",
        "If-Modified-Since",
        "Cache-Control",
        "Content_Type",
        "Idempotency_Key",
        "X-Anything-Else",
    ];
    for name in dropped {
        for on in [LOOKUP, READ, WRITE] {
            let mut lines = vec![(name, "canary")];
            if on == WRITE {
                lines.push(("content-type", "application/json"));
            }
            let passed = passed(on, &lines).unwrap();
            assert!(
                passed.iter().all(|(_, value)| value != "canary"),
                "{name} on {on}: {passed:?}"
            );
        }
    }
}

#[test]
fn n_111_a_header_that_decides_is_there_once() {
    for name in [
        "authorization",
        "content-length",
        "content-type",
        "host",
        "origin",
    ] {
        let refused = passed(READ, &[(name, "a"), (name, "a")]).unwrap_err();
        assert_eq!(refused, HeaderError::Repeated(name));
    }
    for name in ["if-none-match", "last-event-id"] {
        let refused = passed(READ, &[(name, "a"), (name, "b")]).unwrap_err();
        assert_eq!(refused, HeaderError::Repeated(name));
    }
    let json = ("content-type", "application/json");
    let twice = [json, ("idempotency-key", "a"), ("idempotency-key", "b")];
    assert_eq!(
        passed(WRITE, &twice).unwrap_err(),
        HeaderError::Repeated("idempotency-key")
    );
    // Cookies come in pieces over HTTP/2, and go nowhere.
    assert!(passed(READ, &[("cookie", "a"), ("cookie", "b")]).is_ok());
    assert_eq!(
        names(READ, &[("accept", "a/b"), ("accept", "c/d")]),
        ["accept", "accept"]
    );
}

#[test]
fn what_connection_names_is_dropped() {
    let lines = [
        ("accept", "a/b"),
        ("accept-language", "nl"),
        ("last-event-id", "1"),
        ("traceparent", TRACE),
        ("tracestate", "a=1"),
        ("connection", "close, Accept-Language"),
        ("connection", "TRACEPARENT"),
    ];
    assert_eq!(names(READ, &lines), ["accept", "last-event-id"]);
    let trace = [("traceparent", TRACE), ("tracestate", "a=1")];
    for (named, passed) in [
        ("close", &["traceparent", "tracestate"] as &[_]),
        ("tracestate", &["traceparent"]),
    ] {
        let lines = [trace.as_slice(), &[("connection", named)]].concat();
        assert_eq!(names(READ, &lines), passed, "{named}");
    }
    // Ours are put in afterwards: nobody names them away.
    let lines = [("connection", "accept, accept-encoding, authorization")];
    let headers = RequestHeaders::filter(&client(&lines), &route(LOOKUP)).unwrap();
    assert_eq!(headers.as_map()["accept"], "application/json");
    assert_eq!(headers.as_map()["accept-encoding"], "identity");
}

#[test]
fn n_141_values_that_pass_are_short_and_plain() {
    let long = "a".repeat(1024);
    assert_eq!(names(READ, &[("last-event-id", &long)]), ["last-event-id"]);
    let longer = "a".repeat(1025);
    let value = |text: &[u8]| {
        let mut headers = HeaderMap::new();
        headers.insert("last-event-id", HeaderValue::from_bytes(text).unwrap());
        RequestHeaders::filter(&headers, &route(READ)).err()
    };
    let refused = Some(HeaderError::Value("last-event-id"));
    assert_eq!(value(longer.as_bytes()), refused);
    assert_eq!(value("é".as_bytes()), refused);
    assert_eq!(value(b"\xff"), refused);
    assert_eq!(value(b"a\tb c"), None);
    let five = [("accept", "a/b"); 5];
    assert_eq!(
        passed(READ, &five).unwrap_err(),
        HeaderError::Value("accept")
    );
    // What doesn't pass may be anything.
    assert!(passed(READ, &[("user-agent", &longer)]).is_ok());
}

#[test]
fn a_broken_trace_ends_here_and_refuses_nothing() {
    let zero_trace = TRACE.replace("0af7651916cd43dd8448eb211c80319c", &"0".repeat(32));
    let zero_parent = TRACE.replace("b7ad6b7169203331", &"0".repeat(16));
    let upper = TRACE.to_uppercase();
    let later = TRACE.replacen("00", "01", 1);
    let longer = format!("{TRACE}-x");
    for bad in [
        "",
        "x",
        &zero_trace,
        &zero_parent,
        &upper,
        &later,
        &longer,
        &TRACE[1..],
    ] {
        let names = names(READ, &[("traceparent", bad), ("tracestate", "a=1")]);
        assert!(names.is_empty(), "{bad}: {names:?}");
    }
    let twice = [
        ("traceparent", TRACE),
        ("traceparent", TRACE),
        ("tracestate", "a=1"),
    ];
    assert!(names(READ, &twice).is_empty());
    let long = "a".repeat(1025);
    let names = names(READ, &[("traceparent", TRACE), ("tracestate", &long)]);
    assert_eq!(names, ["traceparent"]);
}

#[test]
fn a_body_is_declared_as_json() {
    for good in [
        "application/json",
        "Application/JSON",
        "application/json;charset=utf-8",
    ] {
        assert_eq!(
            names(WRITE, &[("content-type", good)]),
            ["content-type"],
            "{good}"
        );
    }
    for bad in [
        "",
        "text/plain",
        "application/jsonp",
        "multipart/form-data",
        "application/x+json",
    ] {
        let refused = passed(WRITE, &[("content-type", bad)]).unwrap_err();
        assert_eq!(refused, HeaderError::ContentType, "{bad}");
    }
    assert_eq!(passed(WRITE, &[]).unwrap_err(), HeaderError::ContentType);
    let named_away = [
        ("content-type", "application/json"),
        ("connection", "content-type"),
    ];
    assert_eq!(
        passed(WRITE, &named_away).unwrap_err(),
        HeaderError::ContentType
    );
}
