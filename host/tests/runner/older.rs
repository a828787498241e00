//! Components of WASI 0.2: requests in and out, and the life of their instances.

use std::time::Duration;

use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::Full;
use scaigate_host::{Choice, Effect, HostClock, ReuseOptions, Target, When};

use crate::client::{Raw, get, ok, older, older_ok, send};
use crate::setup::{MANIFEST, host, options, start};
use crate::upstream::Upstream;

#[tokio::test]
async fn a_request_arrives_with_the_headers_spin_sends() {
    let host = host().await;
    let request = Request::put("/older/a/headers?x=1")
        .header("host", "app.test")
        .header("connection", "close")
        .header("spin-path-info", "/forged")
        .header("x-other", "one")
        .header("x-other", "two")
        .body(Full::<Bytes>::default())
        .expect("a request");
    let answer = send(&host, request).await.expect("an answer");
    let values = |name: &str| -> Vec<&str> {
        answer
            .body
            .lines()
            .filter_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
            .collect()
    };
    assert_eq!(values("spin-path-info"), ["/forged", "/a/headers"]);
    assert_eq!(
        values("spin-full-url"),
        ["http://app.test/older/a/headers?x=1"]
    );
    assert_eq!(values("spin-matched-route"), ["/older/..."]);
    assert_eq!(values("spin-raw-component-route"), ["/older/..."]);
    assert_eq!(values("spin-component-route"), ["/older"]);
    assert_eq!(values("spin-base-path"), ["/"]);
    assert!(values("spin-client-addr")[0].starts_with("127.0.0.1:"));
    assert_eq!(values("x-other"), ["one", "two"]);
    assert!(values("connection").is_empty());
    // WASI 0.2 says it elsewhere: a component may not send such a header either.
    assert!(values("host").is_empty());
}

#[tokio::test]
async fn a_request_says_how_it_came() {
    let host = host().await;
    let authority = host.address().to_string();
    for (operation, expected) in [
        ("authority", authority.as_str()),
        ("scheme", "Some(Scheme::Http)"),
        ("method", "Method::Post"),
        ("environment?GREETING", "hello"),
    ] {
        assert_eq!(older_ok(&host, operation, "").await, expected);
    }
    let answer = get(&host, "/older/nothing").await;
    assert_eq!(answer.status, StatusCode::BAD_GATEWAY);
    assert_eq!(answer.body, "unknown operation \"nothing\"");
}

#[tokio::test]
async fn large_bodies_arrive_whole_in_both_directions() {
    let host = host().await;
    let body: String = (0..100_000).map(|line| format!("line {line}\n")).collect();
    assert_eq!(older_ok(&host, "echo", &body).await, body);
    assert_eq!(older_ok(&host, "echo", "").await, "");
}

#[tokio::test]
async fn each_part_of_a_body_goes_on_before_the_next_has_come() {
    let host = host().await;
    let head = "POST /older/echo HTTP/1.1\r\nhost: a.test\r\ntransfer-encoding: chunked\r\n\r\n";
    let mut stream = Raw::send(&host, head).await;
    for part in ["first", "second", "third"] {
        stream.write(&format!("5\r\n{part:.5}\r\n")).await;
        stream.read_until(&part[..5]).await;
    }
    stream.write("0\r\n\r\n").await;
    stream.read_until("\r\n0\r\n\r\n").await;
}

#[tokio::test]
async fn an_answer_begins_before_its_end_is_known() {
    let mut options = options(MANIFEST);
    options.clock = HostClock::settable(1_800_000_000);
    let clock = options.clock.clone();
    clock.freeze();
    let host = start(options).await;
    let mut stream = Raw::send(
        &host,
        "GET /older/stream?2,3600000 HTTP/1.1\r\nhost: a.test\r\n\r\n",
    )
    .await;
    stream.read_until("part 0\n").await;
    // The component waits on the clock of the host.
    clock.next_wake().await;
    clock.advance(Duration::from_secs(3_600));
    stream.read_until("part 1\n").await;
    host.kill_instances();
    // Cut, not ended.
    assert!(!stream.read_to_end().await.contains("0\r\n\r\n"));
}

#[tokio::test]
async fn the_settable_clock_is_theirs() {
    let mut options = options(MANIFEST);
    options.clock = HostClock::settable(1_800_000_000);
    let clock = options.clock.clone();
    clock.freeze();
    let host = start(options).await;
    assert_eq!(older_ok(&host, "wall", "").await, "1800000000");
    clock.advance(Duration::from_secs(60));
    assert_eq!(older_ok(&host, "wall", "").await, "1800000060");
}

#[tokio::test]
async fn an_instance_answers_one_request_whatever_the_options_say() {
    for reuse in [
        ReuseOptions::default(),
        ReuseOptions {
            max_reuse_count: Choice::Exactly(100),
            max_concurrent_reuse_count: Choice::Exactly(100),
            idle_timeout: Choice::Exactly(Duration::from_secs(3_600)),
            ..ReuseOptions::default()
        },
    ] {
        let mut options = options(MANIFEST);
        options.reuse = reuse;
        let host = start(options).await;
        for _ in 0..3 {
            assert_eq!(older_ok(&host, "count", "").await, "1");
        }
    }
}

#[tokio::test]
async fn work_goes_on_after_the_answer() {
    let options = options(MANIFEST);
    let logs = options.logs.clone();
    let host = start(options).await;
    assert_eq!(older_ok(&host, "after?1", "").await, "later");
    while !logs.contains("done after the answer") {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn what_gives_no_answer_is_a_500() {
    let mut options = options(MANIFEST);
    options.reuse.request_timeout = Some(Choice::Exactly(Duration::from_secs(1)));
    let logs = options.logs.clone();
    let host = start(options).await;
    for operation in ["panic", "silent", "error", "sleep?3600000"] {
        let answer = older(&host, operation, "").await;
        assert_eq!(
            answer.status,
            StatusCode::INTERNAL_SERVER_ERROR,
            "{operation}"
        );
        assert_eq!(answer.body, "", "{operation}");
    }
    assert!(logs.contains("asked to panic"));
    assert!(logs.contains("LoopDetected"));
    // Nobody else is disturbed.
    assert_eq!(
        older_ok(&host, "print", "a line of WASI 0.2").await,
        "printed"
    );
    assert!(logs.contains("a line of WASI 0.2"));
}

#[tokio::test]
async fn an_allowed_host_is_called_and_sees_a_clean_request() {
    let upstream = Upstream::start().await;
    let mut options = options(MANIFEST);
    options
        .variables
        .insert("upstream".to_owned(), upstream.url());
    let faults = options.faults.clone();
    let host = start(options).await;
    let answer = older_ok(&host, "send", &format!("{}/ok", upstream.url())).await;
    assert_eq!(answer, "200 0123456789");
    let headers = older_ok(&host, "send", &format!("{}/headers", upstream.url())).await;
    assert_eq!(
        headers,
        format!("200 host: {}\nx-probe: 1", upstream.address)
    );
    let stalls = format!("{}/stalls", upstream.url());
    let answer = older(&host, "send?1000000,1000000,10", &stalls).await;
    assert_eq!(answer.status, StatusCode::BAD_GATEWAY);
    assert!(
        answer.body.contains("connection read timeout"),
        "{}",
        answer.body
    );
    // The rules of a test hold for these calls too.
    let target = Target::Outbound(upstream.address.to_string());
    faults.set(target, When::Always, Effect::CutBody { after: 3 });
    let answer = older(&host, "send", &format!("{}/ok", upstream.url())).await;
    assert_eq!(answer.status, StatusCode::BAD_GATEWAY);
    assert!(
        answer.body.contains("connection terminated"),
        "{}",
        answer.body
    );
}

#[tokio::test]
async fn other_hosts_are_refused_without_a_connection() {
    let upstream = Upstream::start().await;
    let options = options(MANIFEST);
    let logs = options.logs.clone();
    let host = start(options).await;
    for (url, error) in [
        (format!("{}/ok", upstream.url()), "HttpRequestDenied"),
        ("https://example.test/".to_owned(), "HttpRequestDenied"),
        (
            "http://probe.spin.internal/count".to_owned(),
            "HttpRequestDenied",
        ),
        ("http://localhost:1/".to_owned(), "ConnectionRefused"),
    ] {
        let answer = older(&host, "send", &url).await;
        assert_eq!(answer.status, StatusCode::BAD_GATEWAY, "{url}");
        assert!(answer.body.contains(error), "{url} {}", answer.body);
    }
    assert!(logs.contains("https://example.test is not in allowed_outbound_hosts"));
}

#[tokio::test]
async fn components_of_both_kinds_call_each_other() {
    let host = host().await;
    let answer = older_ok(&host, "send", "http://inner.spin.internal/a/headers?x=1").await;
    for line in [
        "spin-path-info: /a/headers",
        "spin-full-url: http://localhost/a/headers?x=1",
        "x-probe: 1",
    ] {
        assert!(answer.contains(line), "{line}: {answer}");
    }
    let answer = ok(&host, "send", "http://older.spin.internal/a/headers").await;
    assert!(answer.starts_with("200 "), "{answer}");
    assert!(answer.contains("spin-path-info: /a/headers"), "{answer}");
}
