//! Event streams and generated bodies: honest, paced, cancelled, and lying.

mod support;

use scaigrid_emulator::{
    Deviation, Endpoint, Fault, Gate, Newline, Outcome, Pace, Source, StreamFailure, StreamLie,
    pattern,
};
use serde_json::Value;
use support::{ACME_KEY, Bench, CHAT_PIECES, MODELS, head_and_body, unchunk};

/// The whole body of a streamed chat, and its head.
async fn stream(bench: &Bench) -> (String, String) {
    let mut wire = bench.open().await;
    wire.chat(true).await;
    let bytes = wire.rest().await;
    let (head, body) = head_and_body(&bytes);
    (head, String::from_utf8_lossy(&unchunk(body)).into_owned())
}

/// The contents of the chunks, in order.
fn contents(body: &str) -> Vec<String> {
    body.lines()
        .filter_map(|line| line.strip_prefix("data: {"))
        .filter_map(|rest| serde_json::from_str::<Value>(&format!("{{{rest}")).ok())
        .filter_map(|data| Some(data["choices"][0]["delta"]["content"].as_str()?.to_owned()))
        .collect()
}

#[tokio::test]
async fn a_chat_streams_as_documented() {
    let bench = Bench::start().await;
    let (head, body) = stream(&bench).await;
    assert!(head.contains("content-type: text/event-stream"));
    assert!(head.contains("transfer-encoding: chunked") && !head.contains("content-length"));
    let contents = contents(&body);
    assert_eq!((contents.len(), contents[4].len()), (5, 24));
    assert_eq!(
        contents.concat().as_bytes(),
        (0..120).map(pattern).collect::<Vec<u8>>()
    );
    assert!(body.ends_with("data: [DONE]\n\n"));
    let seen = bench.recorder().last(Endpoint::Chat).unwrap();
    assert_eq!(
        (seen.outcome, seen.sent),
        (Outcome::Complete, body.len() as u64)
    );
}

#[tokio::test]
async fn lines_may_end_in_any_valid_way_and_comments_keep_alive() {
    let bench = Bench::start().await;
    for (newline, end) in [
        (Newline::Lf, "\n"),
        (Newline::CrLf, "\r\n"),
        (Newline::Cr, "\r"),
    ] {
        bench.switches().change(|b| {
            b.stream.newline = newline;
            b.stream.comments = true;
            b.stream.chunks = 2;
        });
        let (_, body) = stream(&bench).await;
        assert!(
            body.starts_with(&format!(": ping{end}{end}data: ")),
            "{body:?}"
        );
        assert!(body.ends_with(&format!("data: [DONE]{end}{end}")));
        assert_eq!(body.matches(&format!("}}{end}{end}")).count(), 2);
    }
}

#[tokio::test]
async fn a_failure_in_the_middle_is_an_error_event_and_then_the_end() {
    let bench = Bench::start().await;
    bench.switches().change(|b| {
        b.stream.failure = Some(StreamFailure {
            after: 2,
            code: "BACKEND_TIMEOUT".to_owned(),
            message: "too slow".to_owned(),
        });
    });
    let (_, body) = stream(&bench).await;
    assert_eq!(contents(&body).len(), 2);
    let end = "event: error\ndata: {\"code\":\"BACKEND_TIMEOUT\",\"message\":\"too slow\"}\n\ndata: [DONE]\n\n";
    assert!(body.ends_with(end), "{body}");
}

#[tokio::test]
async fn a_gate_lets_events_out_one_by_one() {
    let bench = Bench::start().await;
    let recorder = bench.recorder();
    recorder.hold_at(CHAT_PIECES.0, CHAT_PIECES.1);
    let mut wire = bench.open().await;
    wire.chat(true).await;
    wire.until("\r\n\r\n").await;
    for n in 0..6 {
        recorder.held(Endpoint::Chat, 1).await;
        let before = recorder.last(Endpoint::Chat).unwrap().sent;
        recorder.allow(CHAT_PIECES.0, CHAT_PIECES.1, 1);
        let piece = wire.until("\n\n\r\n").await;
        assert_eq!(piece.contains("[DONE]"), n == 5, "{piece}");
        let event = piece
            .split_once("\r\n")
            .unwrap()
            .1
            .trim_end_matches("\r\n")
            .len() as u64;
        recorder.sent_to_last(Endpoint::Chat, before + event).await;
    }
    assert_eq!(wire.rest().await, b"0\r\n\r\n");
}

#[tokio::test]
async fn the_first_byte_can_be_late_without_a_sleep() {
    let bench = Bench::start().await;
    bench.recorder().hold_at(Endpoint::Chat, Gate::Body);
    let mut wire = bench.open().await;
    wire.chat(true).await;
    assert!(wire.until("\r\n\r\n").await.starts_with("HTTP/1.1 200 OK"));
    bench.recorder().held(Endpoint::Chat, 1).await;
    assert_eq!(bench.recorder().last(Endpoint::Chat).unwrap().sent, 0);
    bench.recorder().release(Endpoint::Chat);
    assert!(wire.rest().await.ends_with(b"0\r\n\r\n"));
}

#[tokio::test]
async fn ten_minutes_pass_by_the_settable_clock() {
    let bench = Bench::start().await;
    bench.switches().change(|b| {
        b.stream.chunks = 600;
        b.stream.pace = Pace::Clock { every_ms: 1_000 };
    });
    let mut wire = bench.open().await;
    wire.chat(true).await;
    wire.until("\r\n\r\n").await;
    for _ in 0..600 {
        wire.until("\n\n\r\n").await;
        bench.advance(1);
    }
    assert!(
        wire.rest()
            .await
            .ends_with(b"data: [DONE]\n\n\r\n0\r\n\r\n")
    );
    let seen = bench.recorder().last(Endpoint::Chat).unwrap();
    assert!(seen.ended_at.unwrap() - seen.at >= 599_000);
}

#[tokio::test]
async fn a_client_that_leaves_frees_the_stream() {
    let bench = Bench::start().await;
    let recorder = bench.recorder();
    bench.switches().change(|b| {
        b.stream.chunks = u64::MAX;
        b.stream.pace = Pace::Clock { every_ms: 1_000 };
    });
    let mut wire = bench.open().await;
    wire.chat(false).await;
    wire.until("\n\n\r\n").await;
    bench.advance(7);
    assert_eq!(
        recorder.last(Endpoint::Chat).unwrap().outcome,
        Outcome::Open
    );
    drop(wire);
    recorder.left(Endpoint::Chat, 1).await;
    recorder.connected(0).await;
    let seen = recorder.last(Endpoint::Chat).unwrap();
    assert_eq!(seen.ended_at, Some(seen.at + 7_000));
    assert!(seen.sent > 0);
}

#[tokio::test]
async fn a_reader_that_stops_stops_the_writer() {
    let bench = Bench::start().await;
    let source = Source {
        bytes: 1 << 40,
        ..Source::default()
    };
    bench
        .switches()
        .fail_next(Endpoint::Models, Fault::Source(source), 1);
    let mut wire = bench.open().await;
    wire.get(MODELS).await;
    wire.until("\r\n\r\n").await;
    bench
        .recorder()
        .sent_to_last(Endpoint::Models, 65_536)
        .await;
    // Far more than buffers hold.
    let much = bench.recorder().sent_to_last(Endpoint::Models, 64 << 20);
    let waited = tokio::time::timeout(std::time::Duration::from_millis(200), much).await;
    assert!(waited.is_err(), "sent to a reader who doesn't read");
    drop(wire);
    bench.recorder().left(Endpoint::Models, 1).await;
}

#[tokio::test]
async fn ten_mebibytes_come_whole_with_or_without_a_length() {
    let bench = Bench::start().await;
    for declare_length in [false, true] {
        let source = Source {
            declare_length,
            piece: 10_007,
            ..Source::default()
        };
        bench
            .switches()
            .fail_next(Endpoint::Models, Fault::Source(source), 1);
        let answer = bench.get(MODELS, ACME_KEY).await;
        assert_eq!(
            answer.headers().contains_key("content-length"),
            declare_length
        );
        let body = answer.body();
        assert_eq!(body.len(), 10 << 20);
        assert!(
            body.iter()
                .zip(0_u64..)
                .all(|(byte, at)| *byte == pattern(at))
        );
    }
}

#[tokio::test]
async fn a_revoked_key_ends_its_streams() {
    let bench = Bench::start().await;
    let recorder = bench.recorder();
    recorder.allow(CHAT_PIECES.0, CHAT_PIECES.1, 1);
    let mut wire = bench.open().await;
    wire.chat(true).await;
    wire.until("\n\n\r\n").await;
    recorder.held(Endpoint::Chat, 1).await;
    bench.emulator.grid().revoke(ACME_KEY);
    recorder.release(Endpoint::Chat);
    let rest = String::from_utf8(wire.rest().await).unwrap();
    assert!(
        rest.contains("event: error\ndata: {\"code\":\"AUTH_TOKEN_INVALID\""),
        "{rest}"
    );
    assert!(rest.ends_with("data: [DONE]\n\n\r\n0\r\n\r\n"));
    assert!(contents(&rest).is_empty());
}

/// A body, and what must be true of it.
type Check = fn(&str) -> bool;

#[tokio::test]
async fn each_lie_in_a_stream_shows() {
    let bench = Bench::start().await;
    let checks: [(StreamLie, Check); 16] = [
        (StreamLie::NoDone, |b| {
            !b.contains("[DONE]") && contents(b).len() == 5
        }),
        (StreamLie::DoneTwice, |b| {
            b.matches("data: [DONE]").count() == 2
        }),
        (StreamLie::DataAfterDone, |b| {
            b.split_once("[DONE]").unwrap().1.contains("late")
        }),
        (StreamLie::KeyInContent, |b| {
            contents(b)[0].ends_with(ACME_KEY)
        }),
        (StreamLie::KeyAcrossPieces, |b| {
            contents(b)[0].ends_with(ACME_KEY)
        }),
        (StreamLie::KeyAcrossEvents, |b| {
            let contents = contents(b);
            !b.contains(ACME_KEY) && contents[..2].concat().contains(ACME_KEY)
        }),
        (StreamLie::ErrorWithKey, |b| {
            b.contains("event: error\n") && b.contains(ACME_KEY) && contents(b).len() == 1
        }),
        (StreamLie::KeyInComment, |b| {
            b.starts_with(&format!(": {ACME_KEY}\n\n"))
        }),
        (StreamLie::GarbageData, |b| contents(b).len() == 4),
        (StreamLie::InvalidUtf8, |b| b.contains('\u{fffd}')),
        (StreamLie::Markup, |b| contents(b)[0].contains("<script>")),
        (StreamLie::HugeEvent, |b| contents(b)[0].len() > 1 << 20),
        (StreamLie::BomValid, |b| b.starts_with('\u{feff}')),
        (StreamLie::IdAndRetryValid, |b| {
            b.starts_with("id: 1\nretry: 0\ndata: ")
        }),
        (StreamLie::TwoDataLinesValid, |b| {
            b.starts_with("data: {\ndata: \"choices\"")
        }),
        (StreamLie::SingleBytesValid, |b| contents(b).len() == 5),
    ];
    for (lie, holds) in checks {
        let (_, honest) = stream(&bench).await;
        assert!(
            !holds(&honest) || lie == StreamLie::SingleBytesValid,
            "{lie:?} shows without it"
        );
        bench.switches().set_next(Deviation::Stream(lie), 1);
        let (_, body) = stream(&bench).await;
        assert!(holds(&body), "{lie:?}: {}", &body[..body.len().min(2_000)]);
    }
}

#[tokio::test]
async fn lies_about_pieces_and_type_show_on_the_wire() {
    let bench = Bench::start().await;
    let half = &ACME_KEY[..ACME_KEY.len() / 2];
    for (lie, expected) in [
        (StreamLie::KeyAcrossPieces, format!("{half}\r\n")),
        (
            StreamLie::SingleBytesValid,
            "1\r\nd\r\n1\r\na\r\n1\r\nt\r\n1\r\na\r\n".to_owned(),
        ),
        (
            StreamLie::JsonType,
            "content-type: application/json\r\n".to_owned(),
        ),
        (
            StreamLie::HtmlType,
            "content-type: text/html\r\n".to_owned(),
        ),
        (
            StreamLie::NotStreamed,
            "\"finish_reason\":\"stop\"".to_owned(),
        ),
    ] {
        bench.switches().set_next(Deviation::Stream(lie), 1);
        let mut wire = bench.open().await;
        wire.chat(true).await;
        let bytes = wire.rest().await;
        assert!(
            String::from_utf8_lossy(&bytes).contains(&expected),
            "{lie:?}"
        );
    }
}

#[tokio::test]
async fn streams_that_never_end_do_not_end() {
    let bench = Bench::start().await;
    bench
        .switches()
        .set_next(Deviation::Stream(StreamLie::DoneNeverEnds), 1);
    let mut wire = bench.open().await;
    wire.chat(true).await;
    wire.until("[DONE]\n\n\r\n").await;
    assert_eq!(
        bench.recorder().last(Endpoint::Chat).unwrap().outcome,
        Outcome::Open
    );
    drop(wire);
    bench.recorder().left(Endpoint::Chat, 1).await;

    bench
        .switches()
        .set_next(Deviation::Stream(StreamLie::EndlessLine), 1);
    let mut wire = bench.open().await;
    wire.chat(true).await;
    let bytes = wire.exactly(4 << 20).await;
    assert_eq!(String::from_utf8_lossy(&bytes).matches("\n\n").count(), 1);
    drop(wire);
    bench.recorder().left(Endpoint::Chat, 2).await;
}

#[tokio::test]
async fn a_stream_can_break_in_the_middle() {
    let bench = Bench::start().await;
    for fault in [
        Fault::CloseInBody { after: 100 },
        Fault::ResetInBody { after: 100 },
    ] {
        bench.switches().fail_next(Endpoint::Chat, fault.clone(), 1);
        let mut wire = bench.open().await;
        wire.chat(true).await;
        let bytes = wire.rest().await;
        assert!(!bytes.ends_with(b"0\r\n\r\n"), "{fault:?}");
        let seen = bench.recorder().last(Endpoint::Chat).unwrap();
        assert_eq!((seen.sent, seen.status), (100, Some(200)), "{fault:?}");
        bench.recorder().ended(Endpoint::Chat, 1).await;
        assert_eq!(
            bench.recorder().last(Endpoint::Chat).unwrap().outcome,
            Outcome::Broken
        );
        bench.recorder().clear();
    }
}
