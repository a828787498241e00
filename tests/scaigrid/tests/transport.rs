//! Faults of the transport, on the wire and as a client on a library meets them.

mod support;

use std::time::Duration;

use bytes::Bytes;
use http::Request;
use scaigrid_emulator::{Endpoint, Fault, Gate, Outcome};
use scaikey_emulator::plain_http;
use serde_json::json;
use support::{ACME_KEY, Bench, MODELS, SCOPES, head_and_body, header, json, unchunk, verdict};

fn request(bench: &Bench) -> Request<Bytes> {
    Request::get(format!("{}{MODELS}", bench.emulator.base_url()))
        .header("authorization", format!("Bearer {ACME_KEY}"))
        .body(Bytes::new())
        .unwrap()
}

#[tokio::test]
async fn every_guarded_endpoint_can_fail_with_the_documented_codes() {
    let bench = Bench::start().await;
    for (code, error) in [
        (401, "AUTH_TOKEN_INVALID"),
        (403, "AUTHZ_PERMISSION_DENIED"),
        (404, "MODEL_NOT_FOUND"),
        (409, "SLUG_CONFLICT"),
        (429, "RATE_LIMITED"),
        (500, "INTERNAL_ERROR"),
        (502, "BACKEND_ERROR"),
        (503, "MODEL_UNAVAILABLE"),
        (504, "BACKEND_TIMEOUT"),
    ] {
        let fault = Fault::Status {
            code,
            retry_after: (code == 429).then_some(7),
        };
        bench.switches().fail_next(Endpoint::Models, fault, 1);
        let answer = bench.get(MODELS, ACME_KEY).await;
        assert_eq!(verdict(&answer), (code, error.to_owned()));
        if code == 429 {
            assert_eq!(header(&answer, "retry-after"), "7");
            assert_eq!(header(&answer, "x-scaigrid-ratelimit-remaining"), "0");
            assert_eq!(header(&answer, "x-scaigrid-ratelimit-reset"), "1750000007");
        }
    }
    for endpoint in Endpoint::GUARDED {
        let fault = Fault::Status {
            code: 503,
            retry_after: None,
        };
        bench.switches().fail_always(endpoint, fault);
    }
    let scope = json!({"slug": "new", "display_name": "New"});
    assert_eq!(bench.post(SCOPES, ACME_KEY, &scope).await.status(), 503);
    assert_eq!(bench.emulator.grid().scopes.len(), 3, "without effect");
    assert_eq!(bench.get("/health", "").await.status(), 200);
}

#[tokio::test]
async fn faults_that_answer_fill_the_callers_key_in() {
    let bench = Bench::start().await;
    for code in [301, 302, 303, 307, 308] {
        let to = "http://127.0.0.1:9/?k={key}".to_owned();
        bench
            .switches()
            .fail_next(Endpoint::Models, Fault::Redirect { code, to }, 1);
        let answer = bench.get(MODELS, ACME_KEY).await;
        assert_eq!(answer.status(), code);
        assert_eq!(
            header(&answer, "location"),
            format!("http://127.0.0.1:9/?k={ACME_KEY}")
        );
    }
    let answer = Fault::Answer {
        code: 418,
        content_type: "text/plain".to_owned(),
        body: "no {key}".to_owned(),
    };
    let error = Fault::Error {
        code: 400,
        error: "ODD".to_owned(),
        message: "no {key}".to_owned(),
    };
    bench.switches().fail_next(Endpoint::Models, answer, 1);
    bench.switches().fail_next(Endpoint::Models, error, 1);
    assert_eq!(
        bench.get(MODELS, ACME_KEY).await.body(),
        &format!("no {ACME_KEY}")
    );
    let second = bench.get(MODELS, ACME_KEY).await;
    assert_eq!(json(&second)["error"]["message"], format!("no {ACME_KEY}"));
}

#[tokio::test]
async fn unusual_but_valid_answers_are_understood_by_a_library() {
    let bench = Bench::start().await;
    let honest = bench.get(MODELS, ACME_KEY).await;
    for fault in [
        Fault::ChunkExtensionsValid,
        Fault::TrailersValid,
        Fault::CloseDelimitedValid,
        Fault::EarlyHintsValid,
        Fault::ContinueValid,
        Fault::SlowHeaders { ms: 1 },
    ] {
        bench
            .switches()
            .fail_next(Endpoint::Models, fault.clone(), 1);
        let answer = plain_http::send(request(&bench)).await;
        assert_eq!(answer.unwrap().body(), honest.body(), "{fault:?}");
    }
}

#[tokio::test]
async fn broken_answers_show_on_the_wire() {
    let bench = Bench::start().await;
    let honest = bench.get(MODELS, ACME_KEY).await.into_body();
    let length = honest.len();
    let says = |value: &str| format!("content-length: {value}\r\n");
    for (fault, expected) in [
        (Fault::Truncated, says(&(length + 64).to_string())),
        (Fault::LengthHuge, says("18446744073709551615")),
        (Fault::LengthOverflow, says("18446744073709551616")),
        (Fault::LengthTooSmall, says(&(length / 2).to_string())),
        (Fault::LengthNegative, says("-1")),
        (Fault::LengthGarbage, says("12abc")),
        (
            Fault::LengthTwice,
            says(&length.to_string()) + &says(&(length / 2).to_string()),
        ),
        (
            Fault::LengthAndChunked,
            says(&(length / 2).to_string()) + "transfer-encoding: chunked\r\n",
        ),
        (Fault::BadChunk, "\r\n\r\nzz\r\n{".to_owned()),
        (
            Fault::ChunkExtensionsValid,
            ";name=value;other=\"a;b\"\r\n".to_owned(),
        ),
        (
            Fault::TrailersValid,
            format!(
                "0\r\nx-checksum: 1\r\nset-cookie: trailer=1\r\nx-authorization: Bearer {ACME_KEY}\r\n\r\n"
            ),
        ),
        (Fault::CloseDelimitedValid, "HTTP/1.0 200 OK\r\n".to_owned()),
        (
            Fault::EarlyHintsValid,
            "HTTP/1.1 103 Early Hints\r\nlink: ".to_owned(),
        ),
        (
            Fault::ContinueValid,
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK".to_owned(),
        ),
        (
            Fault::ManyInterim,
            "HTTP/1.1 103 Early Hints\r\n".to_owned(),
        ),
        (
            Fault::SwitchingProtocols,
            "HTTP/1.1 101 Switching Protocols\r\n".to_owned(),
        ),
        (Fault::NotHttp, "SSH-2.0-OpenSSH".to_owned()),
        (Fault::CloseInBody { after: 9 }, "\r\n9\r\n".to_owned()),
    ] {
        bench
            .switches()
            .fail_next(Endpoint::Models, fault.clone(), 1);
        let bytes = bench.raw_get(MODELS).await;
        let text = String::from_utf8_lossy(&bytes);
        assert!(
            text.contains(&expected),
            "{fault:?}: {}",
            &text[..text.len().min(900)]
        );
        if fault == Fault::ManyInterim {
            assert_eq!(text.matches("HTTP/1.1 103").count(), 2_000);
        }
        if fault == Fault::CloseDelimitedValid {
            let (head, body) = head_and_body(&bytes);
            assert!(!head.contains("content-length") && !head.contains("chunked"));
            assert_eq!(body, honest);
        }
        if fault == Fault::ChunkExtensionsValid {
            assert_eq!(unchunk(head_and_body(&bytes).1), honest);
        }
    }
}

#[tokio::test]
async fn faults_that_break_the_connection_break_it_for_a_library() {
    let bench = Bench::start().await;
    for fault in [
        Fault::Truncated,
        Fault::Reset,
        Fault::Close,
        Fault::AnswerLost,
        Fault::ResetAfterHead,
        Fault::ResetInBody { after: 10 },
        Fault::CloseInBody { after: 10 },
        Fault::LengthOverflow,
        Fault::LengthNegative,
        Fault::LengthGarbage,
        Fault::LengthTwice,
        Fault::BadChunk,
        Fault::NotHttp,
        Fault::EndlessHead,
    ] {
        bench.recorder().clear();
        bench
            .switches()
            .fail_next(Endpoint::Models, fault.clone(), 1);
        assert!(
            plain_http::send(request(&bench)).await.is_err(),
            "{fault:?}"
        );
        bench.recorder().ended(Endpoint::Models, 1).await;
        let outcome = bench.recorder().last(Endpoint::Models).unwrap().outcome;
        // The head that never ends is broken off by the client.
        let expected = match fault {
            Fault::EndlessHead => Outcome::ClientLeft,
            _ => Outcome::Broken,
        };
        assert_eq!(outcome, expected, "{fault:?}");
    }
}

#[tokio::test]
async fn a_reset_is_told_from_an_orderly_end() {
    let bench = Bench::start().await;
    for (fault, is_reset) in [
        (Fault::Reset, true),
        (Fault::ResetAfterHead, true),
        (Fault::ResetInBody { after: 3 }, true),
        (Fault::Close, false),
        (Fault::CloseInBody { after: 3 }, false),
    ] {
        bench
            .switches()
            .fail_next(Endpoint::Models, fault.clone(), 1);
        let mut wire = bench.open().await;
        wire.get(MODELS).await;
        let mut buffer = [0; 4_096];
        let ended = loop {
            match tokio::io::AsyncReadExt::read(&mut wire.stream, &mut buffer).await {
                Ok(0) => break false,
                Ok(_) => {}
                Err(_) => break true,
            }
        };
        assert_eq!(ended, is_reset, "{fault:?}");
    }
}

#[tokio::test]
async fn faults_that_never_end_do_not_end() {
    let bench = Bench::start().await;
    for fault in [
        Fault::Hang,
        Fault::HangingBody,
        Fault::HalfHead,
        Fault::AnswerNever,
        Fault::SlowBody { ms: 20 },
        Fault::EndlessBody,
    ] {
        bench.recorder().clear();
        bench
            .switches()
            .fail_next(Endpoint::Models, fault.clone(), 1);
        let send = plain_http::send(request(&bench));
        let waited = tokio::time::timeout(Duration::from_millis(100), send).await;
        assert!(waited.is_err(), "{fault:?}");
        bench.recorder().left(Endpoint::Models, 1).await;
    }
}

#[tokio::test]
async fn a_body_can_drip_by_time_or_by_gate() {
    let bench = Bench::start().await;
    bench
        .switches()
        .fail_next(Endpoint::Health, Fault::SlowBody { ms: 0 }, 1);
    let answer = bench.get("/health", "").await;
    assert_eq!(answer.body(), "{\"status\":\"ok\"}");

    let recorder = bench.recorder();
    recorder.hold_at(Endpoint::Health, Gate::Piece);
    bench
        .switches()
        .fail_next(Endpoint::Health, Fault::InPieces { size: 4 }, 1);
    let mut wire = bench.open().await;
    wire.get("/health").await;
    wire.until("\r\n\r\n").await;
    for piece in ["{\"st", "atus", "\":\"o", "k\"}"] {
        recorder.held(Endpoint::Health, 1).await;
        recorder.allow(Endpoint::Health, Gate::Piece, 1);
        assert_eq!(wire.exactly(piece.len()).await, piece.as_bytes());
    }
    assert!(wire.rest().await.is_empty());
}

#[tokio::test]
async fn a_lost_answer_took_effect_and_a_reset_did_not() {
    let bench = Bench::start().await;
    for (fault, made) in [(Fault::Reset, 3), (Fault::AnswerLost, 4)] {
        bench
            .switches()
            .fail_next(Endpoint::CreateScope, fault.clone(), 1);
        let body = r#"{"slug":"new","display_name":"New"}"#;
        let mut wire = bench.open().await;
        wire.write(format!(
            "POST {SCOPES} HTTP/1.1\r\nAuthorization: Bearer {ACME_KEY}\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        ))
        .await;
        assert!(wire.rest().await.is_empty());
        assert_eq!(bench.emulator.grid().scopes.len(), made, "{fault:?}");
    }
}

#[tokio::test]
async fn an_early_answer_leaves_the_body_unread() {
    let bench = Bench::start().await;
    bench
        .switches()
        .fail_next(Endpoint::CreateScope, Fault::AnswerEarly, 1);
    let mut wire = bench.open().await;
    wire.write(format!(
        "POST {SCOPES} HTTP/1.1\r\nAuthorization: Bearer {ACME_KEY}\r\nContent-Length: 1000000\r\n\r\n"
    ))
    .await;
    assert!(wire.until("\r\n\r\n").await.starts_with("HTTP/1.1 422"));
    let seen = bench.recorder().last(Endpoint::CreateScope).unwrap();
    assert_eq!((seen.body_length, seen.is_body_complete), (0, false));
}

#[tokio::test]
async fn always_lasts_until_healed_and_next_counts() {
    let bench = Bench::start().await;
    let down = |code| Fault::Status {
        code,
        retry_after: None,
    };
    let switches = bench.switches();
    switches.fail_next(Endpoint::Models, down(503), 2);
    switches.fail_next(Endpoint::Models, down(502), 1);
    for status in [503, 503, 502, 200] {
        assert_eq!(bench.get(MODELS, ACME_KEY).await.status(), status);
    }
    switches.fail_always(Endpoint::Models, down(500));
    for _ in 0..3 {
        assert_eq!(bench.get(MODELS, ACME_KEY).await.status(), 500);
    }
    switches.heal(Endpoint::Models);
    assert_eq!(bench.get(MODELS, ACME_KEY).await.status(), 200);
}
