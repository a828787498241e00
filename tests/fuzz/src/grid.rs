//! What goes to ScaiGrid, and what comes from there.

use bytes::Bytes;
use http::header::{AUTHORIZATION, USER_AGENT};
use http::{HeaderMap, Method, StatusCode};
use scaigate_scaigrid::credential::Reflection;
use scaigate_scaigrid::headers::{Verdict, judge};
use scaigate_scaigrid::lookup::{self, MAX_ROWS, Page, ShapeError};
use scaigate_scaigrid::path::{MAX_PATH, Route, Segment};
use scaigate_scaigrid::{Admitted, CallerToken, Credential, UpstreamError, UpstreamPath};
use scaigate_types::{BaseUrl, Secret};

use crate::fixed::assert_sentence;
use crate::lines::{first, headers, text};

/// Everything that may go to ScaiGrid.
const TO_SCAIGRID: [&str; 11] = [
    "accept",
    "accept-encoding",
    "accept-language",
    "authorization",
    "content-type",
    "idempotency-key",
    "if-none-match",
    "last-event-id",
    "traceparent",
    "tracestate",
    "user-agent",
];

const TOKEN: &str = "abcabcabd.abcab.abcabcabcabd";

fn base() -> BaseUrl {
    BaseUrl::parse("https://scaigrid.example", false).expect("a base URL")
}

fn credential() -> Credential {
    let token = CallerToken::parse(Secret::new(TOKEN.to_owned()));
    Credential::Token(token.expect("a token"))
}

/// `GET /v1/…`: the first line, when it leads somewhere, and the rest.
fn route(input: &[u8]) -> Option<(UpstreamPath, &[u8])> {
    let (line, rest) = first(input);
    let (method, target) = text(line)?.split_once(' ')?;
    let method: Method = method.parse().ok()?;
    match UpstreamPath::parse(&method, target) {
        Ok(path) => {
            assert_eq!(path.route().method(), &method);
            everybody_reads_alike(&path, target);
            Some((path, rest))
        }
        Err(error) => {
            assert_sentence(&error);
            None
        }
    }
}

/// A method and a target: refused, or sent to one address that nobody can read as another.
pub fn proxy_path(input: &[u8]) {
    route(input);
}

fn everybody_reads_alike(path: &UpstreamPath, target: &str) {
    let sent = path.path_and_query();
    let (below, query) = sent.split_once('?').unwrap_or((&sent, ""));
    assert!(
        below.starts_with("/v1/") && below.len() <= MAX_PATH + 64,
        "{sent}"
    );
    let expected = target.split_once('?').map_or("", |(_, query)| query);
    assert_eq!(query, expected);
    assert!(sent.bytes().all(|byte| byte.is_ascii_graphic()), "{sent}");
    assert!(
        !below.contains("//") && !below.contains(['\\', ';', '#']),
        "{sent}"
    );
    let lower = below.to_ascii_lowercase();
    for encoded in ["%2e", "%5c", "%25", "%00", "%3f", "%23", "%3b"] {
        assert!(!lower.contains(encoded), "{sent}");
    }
    let is_model = matches!(path.route(), Route::Model { .. });
    assert!(is_model || !lower.contains("%2f"), "{sent}");
    for segment in below
        .split('/')
        .skip(1)
        .flat_map(|segment| segment.split("%2F"))
    {
        assert!(segment.bytes().any(|byte| byte != b'.'), "{sent}");
        assert!(Segment::parse(segment).is_ok(), "{sent}");
    }
    // Two other readers of addresses.
    let address = base().join(&sent);
    let uri: http::Uri = address.parse().expect("an address");
    assert_eq!(uri.path(), below);
    assert_eq!(uri.host(), Some("scaigrid.example"));
    let url = url::Url::parse(&address).expect("an address");
    assert_eq!(url.path(), below);
    assert_eq!(url.host_str(), Some("scaigrid.example"));
}

/// A target, headers up to an empty line, and what is behind it: of a client's headers only the
/// listed go on, of an answer's none that speaks for us.
pub fn proxy_headers(input: &[u8]) {
    let Some((path, rest)) = route(input) else {
        return;
    };
    let (client, _) = headers(rest);
    let route = path.route().clone();
    match Admitted::new(path, &client) {
        Ok(admitted) => sent_headers(&admitted),
        Err(error) => assert_sentence(&error),
    }
    for status in [200, 201, 204, 206, 302, 304, 404, 503] {
        let status = StatusCode::from_u16(status).expect("a status");
        if let Verdict::Deliver(answer) = judge(&route, &credential(), status, &client) {
            answered_headers(answer.as_map());
        }
    }
}

fn sent_headers(admitted: &Admitted) {
    let request = admitted
        .request(&base(), &credential(), "a line\r\nx: y", ())
        .expect("what was admitted can be sent")
        .into_http();
    let headers = request.headers();
    for (name, value) in headers {
        assert!(TO_SCAIGRID.contains(&name.as_str()), "{name}");
        let plain = |byte: &u8| byte.is_ascii_graphic() || matches!(byte, b' ' | b'\t');
        assert!(value.len() <= 8200 && value.as_bytes().iter().all(plain));
    }
    let ours: Vec<_> = headers.get_all(AUTHORIZATION).iter().collect();
    assert_eq!(ours, [&format!("Bearer {TOKEN}")]);
    assert_eq!(headers.get_all(USER_AGENT).iter().count(), 1);
    assert_eq!(
        headers.get("accept-encoding").map(|value| value.as_bytes()),
        Some(&b"identity"[..])
    );
}

fn answered_headers(headers: &HeaderMap) {
    for name in [
        "set-cookie",
        "location",
        "www-authenticate",
        "server",
        "transfer-encoding",
    ] {
        assert!(!headers.contains_key(name), "{name}");
    }
    for (name, value) in headers {
        assert!(!name.as_str().starts_with("access-control-"), "{name}");
        assert!(
            value
                .to_str()
                .is_ok_and(|text| text.len() <= 512 && !text.contains(TOKEN))
        );
        assert_eq!(headers.get_all(name).iter().count(), 1, "{name}");
    }
    let kind = headers
        .get("content-type")
        .and_then(|value| value.to_str().ok());
    let kind = kind.unwrap_or_default().to_ascii_lowercase();
    for active in ["html", "xml", "javascript", "svg"] {
        let essence = kind.split(';').next().unwrap_or_default();
        assert!(
            essence.ends_with("+json") || !essence.contains(active),
            "{kind}"
        );
    }
}

/// The body of an answer: a list, a refusal, or a stream that must not repeat the credential.
pub fn grid_answer(input: &[u8]) {
    let scope = Segment::parse("sc_1").expect("a segment");
    shape(lookup::models(input));
    shape(lookup::scopes(input));
    shape(lookup::queues(input, &scope));
    shape(lookup::bunkers(input));
    let (headers, body) = headers(input);
    for body in [input, body] {
        let error = UpstreamError::read(StatusCode::BAD_REQUEST, &headers, body);
        assert_sentence(&error);
        assert!(error.retry_after.is_none_or(|wait| wait.as_secs() <= 3600));
        assert!(
            error
                .request_id
                .is_none_or(|id| id.len() <= 128 && id.bytes().all(|c| c.is_ascii_graphic()))
        );
    }
    reflection(input);
}

fn shape<T>(read: Result<Page<T>, ShapeError>) {
    match read {
        Ok(page) => {
            assert!(page.rows.len() <= MAX_ROWS);
            assert!(page.next.is_none_or(|next| next.as_str().len() <= 1024));
        }
        Err(error) => assert_sentence(&error),
    }
}

/// However a body is cut into chunks, it passes whole, or ends before the credential does.
fn reflection(body: &[u8]) {
    let found = body
        .windows(TOKEN.len())
        .any(|window| window == TOKEN.as_bytes());
    for size in [1, 7, 4096] {
        let mut watch = Reflection::of(&credential());
        let mut passed = Vec::new();
        let all = body.chunks(size).try_for_each(|chunk| {
            passed.extend_from_slice(&watch.pass(&Bytes::copy_from_slice(chunk))?);
            Ok::<(), scaigate_scaigrid::credential::Reflected>(())
        });
        assert_eq!(all.is_err(), found);
        if all.is_ok() {
            passed.extend_from_slice(&watch.end());
            assert_eq!(passed, body);
        } else {
            assert!(
                !passed
                    .windows(TOKEN.len())
                    .any(|window| window == TOKEN.as_bytes())
            );
        }
    }
}
