//! What a client sends to us.

use bytes::Bytes;
use http::uri::PathAndQuery;
use http::{HeaderMap, Method, Uri};
use scaigate_runtime::incoming::Head;
use scaigate_runtime::{Fields, Incoming, cookie, path};
use scaigate_types::{BaseUrl, Origin, ReturnTo, Timestamp};

use crate::lines::{first, headers, text};

/// Cookie headers, one a line: a cookie is there once or not at all.
pub fn cookies(input: &[u8]) {
    const NAME: &str = "__Host-sg";
    let mut headers = HeaderMap::new();
    for line in input.split(|byte| *byte == b'\n').take(64) {
        if let Ok(value) = http::HeaderValue::from_bytes(line) {
            headers.append("cookie", value);
        }
    }
    let Some(value) = cookie::find(&headers, NAME) else {
        return;
    };
    assert!(!value.contains(';'));
    let mut named = 0;
    for line in headers.get_all("cookie") {
        for pair in line.to_str().expect("a cookie was found").split(';') {
            named += usize::from(pair.trim().starts_with(&format!("{NAME}=")));
        }
    }
    assert_eq!(named, 1);
}

/// A request: method and target in the first line, headers up to an empty line, a body.
pub fn request(input: &[u8]) {
    let (line, rest) = first(input);
    let Some((method, target)) = text(line).and_then(|line| line.split_once(' ')) else {
        return;
    };
    let (Ok(method), Ok(uri)) = (method.parse::<Method>(), target.parse::<Uri>()) else {
        return;
    };
    let (headers, body) = headers(rest);
    // As a host has it, which has parsed it.
    let target = uri.path_and_query().map_or("/", PathAndQuery::as_str);
    let head = Head {
        method,
        target: target.to_owned(),
        headers,
    };
    let received = Timestamp::from_millis(0);
    let body = Bytes::copy_from_slice(body);
    let incoming = Incoming::new(head, body, received, || "fresh".to_owned());
    let path = uri.path();
    let below = path
        .strip_prefix("/api")
        .filter(|below| below.starts_with("/v1"));
    // A target that is only a host has no path.
    let path = below.unwrap_or(path);
    assert_eq!(incoming.path, if path.is_empty() { "/" } else { path });
    assert_eq!(incoming.query, uri.query().unwrap_or_default());

    let id = incoming.request_id();
    assert!(
        !id.is_empty() && id.len() <= 128 && id.bytes().all(|c| c.is_ascii_graphic()),
        "{id}"
    );
    if let Some(segments) = path::segments(&incoming.path) {
        assert!(segments.len() <= 8);
        assert_eq!(segments.len(), incoming.path.split('/').count() - 1);
        for segment in &segments {
            assert!(
                !segment.is_empty() && !segment.contains('/') && segment != "." && segment != ".."
            );
            assert!(!segment.chars().any(char::is_control));
        }
    }
    fields(&incoming);
}

fn fields(incoming: &Incoming) {
    for read in [Fields::of_query(incoming), Fields::of_body(incoming)] {
        let fields = match read {
            Ok(fields) => fields,
            Err(problem) => {
                assert!((400..500).contains(&problem.code().status()), "{problem:?}");
                continue;
            }
        };
        for name in ["code", "state", "session_code", "return_to", "password"] {
            let value = fields.get(name);
            assert_ne!(value, Some(""));
            assert_eq!(fields.required(name).ok(), value);
            assert_eq!(
                fields
                    .secret(name)
                    .as_ref()
                    .map(|secret| secret.expose().as_str()),
                value
            );
        }
    }
    let essence = incoming.header("content-type").unwrap_or_default();
    if essence.eq_ignore_ascii_case("application/json")
        && let (Ok(fields), Ok(value)) = (
            Fields::of_body(incoming),
            serde_json::from_slice::<serde_json::Value>(&incoming.body),
        )
    {
        let code = value.get("code").and_then(serde_json::Value::as_str);
        assert_eq!(fields.get("code"), code.filter(|code| !code.is_empty()));
    }
}

/// An address to send a browser to: on an origin that we serve, to every reader.
pub fn return_to(input: &[u8]) {
    const OWN: &str = "https://gate.example";
    const APPS: [&str; 3] = [
        "https://app.example",
        "https://[2001:db8::1]:8443",
        "http://localhost:3000",
    ];
    let Some(text) = text(input) else { return };
    let own = BaseUrl::parse(OWN, false).expect("a base URL");
    let apps = APPS.map(|app| Origin::of(app).expect("an origin"));
    let Ok(address) = ReturnTo::parse(text, &own, &apps) else {
        return;
    };
    let with_query = address.with_query(&[("session_code", "a b&c")]);
    for address in [address.as_str(), &with_query] {
        let mut origins = APPS.iter().chain(&[OWN]);
        let rest = origins.find_map(|origin| address.strip_prefix(origin));
        assert!(
            rest.expect("on one of our origins").starts_with('/'),
            "{address}"
        );
        let plain = |byte: u8| byte.is_ascii_graphic() && byte != b'\\';
        assert!(address.bytes().all(plain), "{address}");
    }
    // What was made of it is taken again, and stays: it is kept while somebody signs in.
    let again = ReturnTo::parse(address.as_str(), &own, &apps);
    assert_eq!(again.as_ref(), Ok(&address));
}
