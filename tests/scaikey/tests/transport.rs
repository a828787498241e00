//! Faults of the transport, the record, and the gates.

mod support;

use std::time::Duration;

use bytes::Bytes;
use http::Request;
use scaikey_emulator::{Endpoint, Fault, Gate, plain_http};
use support::{Bench, text};

const JWKS: &str = "/api/v1/platform/.well-known/jwks.json";

#[tokio::test]
async fn faults_that_answer_show_in_the_answer() {
    let bench = Bench::start().await;
    let other = "http://127.0.0.1:9/elsewhere".to_owned();
    for (fault, status, content_type) in [
        (
            Fault::Status {
                code: 500,
                retry_after: None,
            },
            500,
            "application/json",
        ),
        (
            Fault::Status {
                code: 429,
                retry_after: Some(7),
            },
            429,
            "application/json",
        ),
        (
            Fault::Answer {
                code: 418,
                body: "[]".to_owned(),
            },
            418,
            "application/json",
        ),
        (Fault::Redirect { to: other.clone() }, 302, ""),
        (Fault::RedirectKeepingMethod { to: other }, 307, ""),
        (Fault::Garbage, 200, "application/json"),
        (Fault::WrongContentType, 200, "text/html"),
        (Fault::SlowHeaders { ms: 1 }, 200, "application/json"),
    ] {
        bench
            .emulator
            .switches()
            .fail_next(Endpoint::Jwks, fault.clone(), 1);
        let response = bench.get(JWKS).await;
        assert_eq!(response.status(), status, "{fault:?}");
        let told = response
            .headers()
            .get("content-type")
            .map_or("", |v| v.to_str().unwrap());
        assert_eq!(told, content_type, "{fault:?}");
    }
    assert_eq!(
        bench.get(JWKS).await.status(),
        200,
        "faults for one request end after one"
    );
}

#[tokio::test]
async fn faults_that_break_the_connection_break_it() {
    let bench = Bench::start().await;
    for fault in [Fault::Truncated, Fault::Reset, Fault::AnswerLost] {
        bench
            .emulator
            .switches()
            .fail_next(Endpoint::Jwks, fault.clone(), 1);
        let request = Request::get(bench.url(JWKS)).body(Bytes::new()).unwrap();
        assert!(plain_http::send(request).await.is_err(), "{fault:?}");
    }
}

#[tokio::test]
async fn faults_that_never_end_do_not_end() {
    let bench = Bench::start().await;
    for fault in [
        Fault::Hang,
        Fault::HangingBody,
        Fault::AnswerNever,
        Fault::SlowBody { ms: 20 },
    ] {
        bench
            .emulator
            .switches()
            .fail_next(Endpoint::Jwks, fault.clone(), 1);
        let request = Request::get(bench.url(JWKS)).body(Bytes::new()).unwrap();
        let waited =
            tokio::time::timeout(Duration::from_millis(100), plain_http::send(request)).await;
        assert!(waited.is_err(), "{fault:?}");
    }
}

#[tokio::test]
async fn endless_body_exceeds_any_limit() {
    use http_body_util::BodyExt;
    let bench = Bench::start().await;
    bench
        .emulator
        .switches()
        .fail_next(Endpoint::Jwks, Fault::EndlessBody, 1);
    let stream = tokio::net::TcpStream::connect(bench.emulator.address())
        .await
        .unwrap();
    let io = hyper_util::rt::TokioIo::new(stream);
    let (mut sender, connection) = hyper::client::conn::http1::handshake(io).await.unwrap();
    let connection = tokio::spawn(connection);
    let request = Request::get(JWKS)
        .header("host", "x")
        .body(http_body_util::Empty::<Bytes>::new())
        .unwrap();
    let mut body = sender.send_request(request).await.unwrap().into_body();
    let mut seen = 0;
    while seen < 8 << 20 {
        seen += body
            .frame()
            .await
            .unwrap()
            .unwrap()
            .into_data()
            .unwrap()
            .len();
    }
    connection.abort();
}

#[tokio::test]
async fn lost_answer_took_effect_and_reset_did_not() {
    let bench = Bench::start().await;
    for (fault, second) in [(Fault::Reset, 200), (Fault::AnswerLost, 400)] {
        let refresh = text(&bench.sign_in().await["refresh_token"]);
        bench
            .emulator
            .switches()
            .fail_next(Endpoint::Token, fault.clone(), 1);
        let body = format!(
            "grant_type=refresh_token&client_id=scaigate-dev-client&client_secret=scaigate-dev-secret&refresh_token={refresh}"
        );
        let request = Request::post(bench.url("/api/v1/platform/oauth/token"))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(Bytes::from(body))
            .unwrap();
        assert!(plain_http::send(request).await.is_err());
        assert_eq!(bench.refresh(&refresh).await.0, second, "{fault:?}");
    }
}

#[tokio::test]
async fn always_lasts_until_healed_and_next_counts() {
    let bench = Bench::start().await;
    let down = Fault::Status {
        code: 503,
        retry_after: None,
    };
    let switches = bench.emulator.switches();
    switches.fail_next(Endpoint::Jwks, down.clone(), 2);
    for status in [503, 503, 200] {
        assert_eq!(bench.get(JWKS).await.status(), status);
    }
    switches.fail_always(Endpoint::Jwks, down);
    for _ in 0..3 {
        assert_eq!(bench.get(JWKS).await.status(), 503);
    }
    switches.heal(Endpoint::Jwks);
    assert_eq!(bench.get(JWKS).await.status(), 200);
}

#[tokio::test]
async fn nth_request_fails_and_only_it() {
    let bench = Bench::start().await;
    let down = Fault::Status {
        code: 502,
        retry_after: None,
    };
    bench.emulator.switches().fail_nth(Endpoint::Jwks, down, 3);
    for status in [200, 200, 502, 200] {
        assert_eq!(bench.get(JWKS).await.status(), status);
    }
}

#[tokio::test]
async fn a_page_of_a_list_fails_and_the_others_do_not() {
    let bench = Bench::start().await;
    let token = bench.service_token().await;
    let status = async |page: &str| {
        let path = format!("/api/v1/admin/users/?per_page=10{page}");
        bench.get_as(&path, &token).await.status().as_u16()
    };
    let down = |code: u16| Fault::Status {
        code,
        retry_after: None,
    };
    let switches = bench.emulator.switches();
    switches.fail_page(Endpoint::AdminUsers, down(502), 2, None);
    switches.fail_page(Endpoint::AdminUsers, down(503), 1, Some(1));
    switches.fail_page(Endpoint::AdminUsers, Fault::SlowHeaders { ms: 1 }, 3, None);
    for (page, told) in [
        ("&page=3", 200),
        ("&page=2", 502),
        ("", 503),
        ("", 200),
        ("&page=1", 200),
        ("&page=2", 502),
    ] {
        assert_eq!(status(page).await, told, "{page}");
    }
    switches.heal(Endpoint::AdminUsers);
    assert_eq!(status("&page=2").await, 200);
}

#[tokio::test]
async fn faults_are_planned_over_http_too() {
    let bench = Bench::start().await;
    let plan = |extra: serde_json::Value| {
        let mut fault = serde_json::json!({"endpoint": "jwks", "fault": {"status": {"code": 502}}});
        for (name, value) in extra.as_object().unwrap() {
            fault[name] = value.clone();
        }
        serde_json::json!({ "faults": [fault] })
    };
    let control = "/_emulator/switches";
    let told = bench
        .send_as(
            "POST",
            control,
            "",
            &plan(serde_json::json!({"times": 1, "after": 1})),
        )
        .await;
    assert_eq!(told.status(), 200);
    for status in [200, 502, 200] {
        assert_eq!(bench.get(JWKS).await.status(), status);
    }
    let told = bench
        .send_as("POST", control, "", &plan(serde_json::json!({"pages": 1})))
        .await;
    assert_eq!(told.status(), 422);
}

#[tokio::test]
async fn gate_holds_requests_and_counts_them() {
    let bench = Bench::start().await;
    let recorder = bench.emulator.recorder();
    for gate in [Gate::Before, Gate::After] {
        recorder.clear();
        recorder.hold_at(Endpoint::Jwks, gate);
        let calls = async { tokio::join!(bench.get(JWKS), bench.get(JWKS), bench.get(JWKS)) };
        let opener = async {
            recorder.held(Endpoint::Jwks, 3).await;
            assert_eq!(recorder.count(Endpoint::Jwks), 3);
            assert!(
                recorder
                    .requests_to(Endpoint::Jwks)
                    .iter()
                    .all(|r| r.status.is_none())
            );
            recorder.release(Endpoint::Jwks);
        };
        let ((first, ..), ()) = tokio::join!(calls, opener);
        assert_eq!(first.status(), 200);
        assert_eq!(recorder.waiting(Endpoint::Jwks), 0);
    }
}

#[tokio::test]
async fn client_that_goes_away_leaves_the_gate() {
    let bench = Bench::start().await;
    let recorder = bench.emulator.recorder();
    recorder.hold(Endpoint::Jwks);
    {
        let call = bench.get(JWKS);
        tokio::select! {
            _ = call => unreachable!("the gate is shut"),
            () = recorder.held(Endpoint::Jwks, 1) => {}
        }
    }
    recorder.held(Endpoint::Jwks, 0).await;
}

#[tokio::test]
async fn record_tells_what_was_sent() {
    let bench = Bench::start().await;
    bench.sign_in().await;
    let token = &bench.emulator.recorder().token_requests()[0];
    assert_eq!(token.form("grant_type"), Some("authorization_code"));
    assert_eq!(
        token.header("content-type"),
        Some("application/x-www-form-urlencoded")
    );
    assert_eq!(token.status, Some(200));
    assert_eq!(token.at, support::START * 1_000);
    let authorize = &bench.emulator.recorder().requests_to(Endpoint::Authorize)[0];
    assert_eq!(authorize.query("state"), Some("state-1"));
    assert_eq!(
        bench.emulator.recorder().count_grant("authorization_code"),
        1
    );
    bench.get("/nothing/here").await;
    assert_eq!(bench.emulator.recorder().count(Endpoint::Unknown), 1);
}

#[tokio::test]
async fn date_header_follows_the_clock() {
    let bench = Bench::start().await;
    assert_eq!(
        bench.get(JWKS).await.headers()["date"],
        "Sun, 15 Jun 2025 15:06:40 GMT"
    );
    bench.advance(3_600);
    assert_eq!(
        bench.get(JWKS).await.headers()["date"],
        "Sun, 15 Jun 2025 16:06:40 GMT"
    );
}

#[tokio::test]
async fn date_header_is_skewed_and_left_out_as_the_switches_say() {
    let bench = Bench::start().await;
    let date = async |path: &str| {
        let headers = bench.get(path).await.headers().clone();
        headers.get("date").map(|v| v.to_str().unwrap().to_owned())
    };
    let told = |skew: i64| {
        bench
            .emulator
            .switches()
            .change(|b| b.date_skew_seconds = skew)
    };
    for (skew, text) in [
        (90, "Sun, 15 Jun 2025 15:08:10 GMT"),
        (-400, "Sun, 15 Jun 2025 15:00:00 GMT"),
        (0, "Sun, 15 Jun 2025 15:06:40 GMT"),
    ] {
        told(skew);
        for path in [JWKS, "/nothing/here", "/api/v1/admin/users/"] {
            assert_eq!(date(path).await.as_deref(), Some(text), "{path} {skew}");
        }
    }
    // A method that a path does not have is answered by the emulator, too.
    let posted = bench.form(JWKS, &[]).await;
    assert_eq!(posted.status(), 405);
    assert_eq!(posted.headers()["date"], "Sun, 15 Jun 2025 15:06:40 GMT");
    bench.emulator.switches().change(|b| b.date_header = false);
    for path in [JWKS, "/nothing/here"] {
        assert_eq!(date(path).await, None, "{path}");
    }
}
