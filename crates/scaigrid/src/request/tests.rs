use http::Method;
use scaigate_types::Secret;

use super::*;
use crate::credential::{ApiKey, BoundKey, CallerToken};

const CANARY: &str = "sgk_canary0123456789abcdefghijklmnop1234";

fn configured() -> BaseUrl {
    BaseUrl::parse("https://scaigrid.example", false).unwrap()
}

fn key(base_url: Option<&str>) -> Credential {
    Credential::Key(BoundKey {
        key: ApiKey::parse(Secret::new(CANARY.to_owned())).unwrap(),
        base_url: base_url.map(|url| BaseUrl::parse(url, false).unwrap()),
    })
}

fn admitted(method: Method, target: &str, lines: &[(&'static str, &str)]) -> Admitted {
    let mut client = HeaderMap::new();
    for (name, value) in lines {
        client.append(*name, value.parse().unwrap());
    }
    Admitted::new(UpstreamPath::parse(&method, target).unwrap(), &client).unwrap()
}

fn headers(request: &Request<()>) -> Vec<(&str, &str)> {
    let mut headers: Vec<(&str, &str)> = request
        .headers()
        .iter()
        .map(|(name, value)| (name.as_str(), value.to_str().unwrap()))
        .collect();
    headers.sort_unstable();
    headers
}

#[test]
fn n_111_n_117_n_122_a_request_is_ours_but_for_what_passes() {
    let admitted = admitted(
        Method::GET,
        "/v1/scaicore/events?limit=5",
        &[
            ("host", "evil.example"),
            ("authorization", "Bearer of-our-session"),
            ("cookie", "__Host-session=1"),
            ("x-request-id", "of-the-client"),
            ("x-forwarded-host", "evil.example"),
            ("user-agent", "curl"),
            ("last-event-id", "7"),
        ],
    );
    let request = admitted
        .request(&configured(), &key(None), "req_1", ())
        .unwrap();
    let request = request.into_http();
    assert_eq!(request.method(), Method::GET);
    assert_eq!(
        request.uri(),
        "https://scaigrid.example/v1/modules/scaicore/events?limit=5"
    );
    let bearer = format!("Bearer {CANARY}");
    let agent = concat!("scaigate/", env!("CARGO_PKG_VERSION"));
    let expected = [
        ("accept-encoding", "identity"),
        ("authorization", &bearer),
        ("last-event-id", "7"),
        ("user-agent", agent),
        ("x-request-id", "req_1"),
    ];
    assert_eq!(headers(&request), expected);
    assert!(!format!("{request:?}").contains("canary"));
}

#[test]
fn n_116_the_host_is_the_configured_one_or_the_keys_own() {
    let admitted = admitted(Method::GET, "/v1/scaigrid/models", &[]);
    let token = CallerToken::parse(Secret::new("a.b.c".to_owned())).unwrap();
    let table = [
        (
            Credential::Token(token),
            "https://scaigrid.example/v1/models",
        ),
        (key(None), "https://scaigrid.example/v1/models"),
        (
            key(Some("https://eu.scaigrid.example")),
            "https://eu.scaigrid.example/v1/models",
        ),
    ];
    for (credential, expected) in table {
        let request = admitted
            .request(&configured(), &credential, "req_1", ())
            .unwrap();
        assert_eq!(request.into_http().uri(), expected);
    }
}

#[test]
fn the_method_and_the_body_are_those_of_the_route() {
    let json = [
        ("content-type", "application/json"),
        ("idempotency-key", "k"),
    ];
    let admitted = admitted(Method::POST, "/v1/scaicore/cores/c1/invoke", &json);
    let request = admitted
        .request(&configured(), &key(None), "req_1", "body")
        .unwrap();
    let request = request.into_http();
    assert_eq!(request.method(), Method::POST);
    assert_eq!(request.body(), &"body");
    assert_eq!(request.headers()["content-type"], "application/json");
    assert_eq!(request.headers()["idempotency-key"], "k");
}

#[test]
fn the_next_page_is_the_same_request_with_its_cursor() {
    let body = br#"{"data":[],"next_cursor":"a&b=%2e/ +"}"#;
    // A cursor with a space is none; this one has everything else that could break out.
    assert!(crate::lookup::models(body).is_err());
    let body = br#"{"data":[],"next_cursor":"a&b=%2e/#+"}"#;
    let cursor = crate::lookup::models(body).unwrap().next.unwrap();
    let table = [
        (
            "/v1/scaigrid/models",
            "/v1/models?cursor=a%26b%3D%252e%2F%23%2B",
        ),
        (
            "/v1/scaigrid/models?limit=2&cursor=old&%63ursor=older",
            "/v1/models?limit=2&cursor=a%26b%3D%252e%2F%23%2B",
        ),
    ];
    for (target, expected) in table {
        let next = admitted(Method::GET, target, &[]).following(&cursor);
        assert_eq!(next.path().path_and_query(), expected);
    }
    for (query, expected) in [("", false), ("?limit=2", true), ("?a=1&cur%73or=x", true)] {
        let target = format!("/v1/scaigrid/models{query}");
        let admitted = admitted(Method::GET, &target, &[]);
        assert_eq!(
            admitted.path().query().asks_for_a_page(),
            expected,
            "{query}"
        );
    }
}
