//! Requests that are none: whatever bytes arrive, nothing traps and nothing is a 500.

use scaigate_e2e::World;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::isolation::traps;

const ALICE: &str = "alice@acme.example";

/// Sends bytes as they are; the bytes of the answer, until the server closes. The request must be one
/// after which it does: because it says so, or because it is none.
pub async fn raw(world: &World, request: &[u8]) -> String {
    let mut stream = connect(world).await;
    // The server may close before it has read all of a request it refuses.
    let _ = stream.write_all(request).await;
    until_closed(stream).await
}

/// The same of a client that is gone after these bytes: it may see no answer, however good they are.
pub async fn cut(world: &World, request: &[u8]) -> String {
    let mut stream = connect(world).await;
    let _ = stream.write_all(request).await;
    let _ = stream.shutdown().await;
    until_closed(stream).await
}

async fn connect(world: &World) -> TcpStream {
    let address = world.host().address();
    TcpStream::connect(address).await.expect("a connection")
}

async fn until_closed(mut stream: TcpStream) -> String {
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).into_owned()
}

/// A request of this line, these headers and this body.
pub fn request(line: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let mut bytes = format!("{line} HTTP/1.1\r\nHost: 127.0.0.1\r\n{headers}\r\n").into_bytes();
    bytes.extend_from_slice(body);
    bytes
}

#[tokio::test(flavor = "multi_thread")]
async fn malformed_requests_are_refused_without_a_trap() {
    let world = World::start().await;
    let session = world.sign_in(ALICE).await;
    let long = "a".repeat(20_000);
    let mut requests: Vec<Vec<u8>> = Vec::new();
    // Paths.
    for path in [
        "/v1/me%",
        "/v1/me%0",
        "/v1/me%zz",
        "/v1/me%00",
        "/v1/%6de",
        "/v1/me/",
        "/v1//me",
        "//v1/me",
        "/v1/./me",
        "/v1/../v1/me",
        "/v1/%2e%2e/v1/me",
        "/v1/..%2fme",
        "/v1/me;x=1",
        "/v1/me%2f",
        "/v1/me%5c",
        "/v1/me\\",
        "/V1/ME",
        "/api/api/v1/me",
        "/api//v1/me",
        "/api/v1",
        "/api",
        "*",
        "/v1/\u{e9}",
        "/v1/me#x",
        "/v1/me?%",
        "/v1/me?%00",
        "/v1/me?\u{ff}",
        "/v1/auth/callback?code=%ff&state=%00",
        "/v1/auth/callback?code=a&code=b&state=x",
        "/v1/auth/callback?&&&=&=",
        "/v1/auth/callback?state",
        "/v1/auth/login?iss=%zz",
        "/v1/auth/login?return_to=%0d%0aset-cookie:x",
        "http://evil.example/v1/me",
        "http://[::1/v1/me",
        "evil.example:443",
    ] {
        requests.push(request(
            &format!("GET {path}"),
            "Connection: close\r\n",
            b"",
        ));
    }
    requests.push(request(
        &format!("GET /v1/{long}"),
        "Connection: close\r\n",
        b"",
    ));
    requests.push(request(
        &format!("GET /v1/auth/callback?state={long}"),
        "Connection: close\r\n",
        b"",
    ));
    requests.push(b"GET /v1/me\0 HTTP/1.1\r\nHost: x\r\n\r\n".to_vec());
    requests.push(b"GET /v1/\xff\xfe HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".to_vec());
    requests.push(b"\0\0\0\0".to_vec());
    requests.push(b"GET\r\n\r\n".to_vec());
    requests.push(b"GET /v1/me HTTP/9.9\r\n\r\n".to_vec());
    requests.push(b"GET /v1/me HTTP/1.0\r\n\r\n".to_vec());
    requests.push(b"GET /v1/me HTTP/1.1\r\nConnection: close\r\n\r\n".to_vec());
    requests
        .push(b"GET /v1/me HTTP/1.1\r\nHost: a\r\nHost: b\r\nConnection: close\r\n\r\n".to_vec());
    requests.push(b"GET /v1/me HTTP/1.1\r\nHost: \xff\xfe\r\nConnection: close\r\n\r\n".to_vec());
    requests.push(b"GET /v1/me HTTP/1.1\r\nHost: a b/c?d@e\r\nConnection: close\r\n\r\n".to_vec());
    requests.push(b"GET /v1/me HTTP/1.1\r\nHost:\r\nConnection: close\r\n\r\n".to_vec());
    // Methods.
    for method in [
        "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "BREW", "get", "PROPFIND",
    ] {
        for path in [
            "/v1/me",
            "/v1/auth/login",
            "/v1/auth/callback",
            "/v1/nothing",
        ] {
            requests.push(request(
                &format!("{method} {path}"),
                "Connection: close\r\n",
                b"",
            ));
        }
    }
    // Headers.
    let mut headers = vec![
        format!("Authorization: Bearer {long}\r\n"),
        "Authorization: Bearer\r\n".to_owned(),
        "Authorization:\r\n".to_owned(),
        "Authorization: Bearer a.b.c\r\nAuthorization: Bearer d.e.f\r\n".to_owned(),
        "Authorization: Bearer \u{e9}\r\n".to_owned(),
        "Authorization: Bearer a..\r\n".to_owned(),
        "Authorization: Bearer eyJhbGciOiJIUzI1NiJ9..\r\n".to_owned(),
        format!("Cookie: {}\r\n", "a=b; ".repeat(5_000)),
        "Cookie: scaigate_login=\u{e9}\r\n".to_owned(),
        "Cookie: scaigate_login\r\n".to_owned(),
        "X-Request-ID: \"quoted\"\r\n".to_owned(),
        format!("X-Request-ID: {long}\r\n"),
        "Origin: null\r\n".to_owned(),
        "Origin: \u{e9}\r\n".to_owned(),
        "Accept: \u{e9}\r\n".to_owned(),
        "Sec-Fetch-Site: \u{e9}\r\n".to_owned(),
        "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n".to_owned(),
        "Upgrade: websocket\r\n".to_owned(),
        "Expect: 100-continue\r\n".to_owned(),
        "Bad Header: x\r\n".to_owned(),
        "X: a\r\n folded\r\n".to_owned(),
        "spin-full-url: \u{e9}\r\nspin-full-url: x\r\n".to_owned(),
    ];
    headers.push((0..300).map(|i| format!("x-many-{i}: v\r\n")).collect());
    for header in &headers {
        for line in [
            "GET /v1/me",
            "GET /v1/auth/callback?code=a&state=b",
            "GET /v1/auth/config",
        ] {
            requests.push(request(
                line,
                &format!("{header}Connection: close\r\n"),
                b"",
            ));
        }
    }
    // Bodies.
    let deep = "[".repeat(60_000);
    let nested = format!("{{\"x\":{}{}}}", "[".repeat(5_000), "]".repeat(5_000));
    let many: String = (0..5_000).map(|i| format!("f{i}=1&")).collect();
    let members = format!(
        "{{{}}}",
        (0..5_000)
            .map(|i| format!("\"f{i}\":1"))
            .collect::<Vec<_>>()
            .join(",")
    );
    let big = "x".repeat(70_000);
    let json = "application/json";
    let form = "application/x-www-form-urlencoded";
    let mut bodies: Vec<(&str, Vec<u8>)> = [
        "",
        "{",
        "null",
        "[]",
        "\"x\"",
        "{}",
        "{\"a\":1,\"a\":2}",
        "{\"refresh_token\":1}",
        "{\"refresh_token\":null}",
        "{\"refresh_token\":\"\"}",
        "{\"refresh_token\":\"\\u0000\"}",
        "{\"refresh_token\":\"\\ud800\"}",
        "{\"session_code\":\"\\u0000\"}",
        "{\"code\":\"\u{e9}\",\"code_verifier\":\"x\",\"redirect_uri\":\"y\"}",
        "{\"login_hint\":\"a\\r\\nb\"}",
        "{\"return_to\":\"\\u0000\"}",
        "{\"prompt\":\"\\n\"}",
        "1e999",
        "{\"grant_type\":\"password\",\"username\":\"\\u0000\",\"password\":\"\\u0000\"}",
        &deep,
        &nested,
        &members,
        &big,
    ]
    .into_iter()
    .map(|body| (json, body.as_bytes().to_vec()))
    .collect();
    bodies.extend(
        [
            "%",
            "%0",
            "%zz=1",
            "a=1&a=2",
            "refresh_token=%00",
            "refresh_token=%ff",
            "&&&",
            "=",
            many.as_str(),
            big.as_str(),
        ]
        .into_iter()
        .map(|body| (form, body.as_bytes().to_vec())),
    );
    bodies.push((json, b"\xff\xfe{}".to_vec()));
    bodies.push(("text/plain", b"x".to_vec()));
    bodies.push(("\u{e9}", b"x".to_vec()));
    bodies.push(("multipart/form-data; boundary=x", b"--x--".to_vec()));
    for (content_type, body) in &bodies {
        for path in ["login", "token", "refresh", "exchange", "logout"] {
            let headers = format!(
                "Content-Type: {content_type}\r\nContent-Length: {}\r\nConnection: close\r\n",
                body.len()
            );
            requests.push(request(&format!("POST /v1/auth/{path}"), &headers, body));
        }
    }
    // Lengths and chunks that are none.
    let json_header = "Content-Type: application/json\r\n";
    for (headers, body) in [
        ("Content-Length: -1", "{}"),
        ("Content-Length: 2\r\nContent-Length: 3", "{}"),
        ("Transfer-Encoding: chunked", "zz\r\n{}\r\n0\r\n\r\n"),
    ] {
        requests.push(request(
            "POST /v1/auth/token",
            &format!("{json_header}{headers}\r\n"),
            body.as_bytes(),
        ));
    }

    let mut unanswered = Vec::new();
    for request in &requests {
        let answer = raw(&world, request).await;
        let shown: String = String::from_utf8_lossy(request).chars().take(120).collect();
        assert_refused(&world, &shown, &answer);
        if !answer.starts_with("HTTP/1.") {
            unanswered.push(shown);
        }
    }
    // Shorter than announced.
    for (headers, body) in [
        ("Content-Length: 99", "{}"),
        ("Transfer-Encoding: chunked", "9\r\n{}"),
        ("Transfer-Encoding: chunked", "ffffffffffffffff\r\n{}"),
    ] {
        let headers = format!("{json_header}{headers}\r\n");
        let request = request("POST /v1/auth/token", &headers, body.as_bytes());
        let answer = cut(&world, &request).await;
        assert_refused(&world, &headers, &answer);
    }
    // Where a request is addressed to nobody, or to two, Spin closes the connection.
    let [closes, to_us] =
        ["", "Host: 127.0.0.1\r\n"].map(|host| format!("{host}Connection: close"));
    let expected = [
        format!("GET http://evil.example/v1/me HTTP/1.1\r\n{to_us}"),
        format!("GET evil.example:443 HTTP/1.1\r\n{to_us}"),
        "GET /v1/me HTTP/1.0".to_owned(),
        format!("GET /v1/me HTTP/1.1\r\n{closes}"),
        format!("GET /v1/me HTTP/1.1\r\nHost: \u{fffd}\u{fffd}\r\n{closes}"),
        format!("GET /v1/me HTTP/1.1\r\nHost: a b/c?d@e\r\n{closes}"),
        format!("GET /v1/me HTTP/1.1\r\nHost:\r\n{closes}"),
    ];
    assert_eq!(
        unanswered,
        expected.map(|request| format!("{request}\r\n\r\n"))
    );
    let me = world
        .client
        .get("/v1/me", session["access_token"].as_str())
        .await;
    assert_eq!(me.status, 200);
    world.sign_in(ALICE).await;
}

/// Whatever the answer is, it is no fault of ours, and says what to do where it says anything.
#[track_caller]
fn assert_refused(world: &World, shown: &str, answer: &str) {
    let status = answer.split(' ').nth(1).unwrap_or_default();
    assert!(
        !matches!(status, "500" | "502" | "504"),
        "{shown:?}: {answer}"
    );
    if answer.contains("application/problem+json") && !shown.starts_with("HEAD") {
        assert!(answer.contains("\"fix\""), "{shown:?}: {answer}");
    }
    if !shown.contains("/v1/auth/login") && !shown.contains("/v1/auth/config") {
        assert_ne!(status, "200", "{shown:?}: {answer}");
    }
    let traps = traps(world);
    assert!(traps.is_empty(), "{shown:?}: {traps:?}");
}
