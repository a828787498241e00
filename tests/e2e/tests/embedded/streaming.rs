//! Bodies that stream, either way.

use std::time::{Duration, Instant};

use scaigate_e2e::grid::{Endpoint, Fault, Gate, Outcome, Pace, Source, StreamScript, pattern};
use scaigate_e2e::{Effect, Raw, Setup, Target, When, World};

const ALICE: &str = "alice@acme.example";
const CHAT: &str = r#"{"model":"openai/gpt-4o","messages":[{"role":"user"}],"stream":true}"#;
const MIB: u64 = 1 << 20;

async fn world(script: StreamScript) -> (World, String) {
    let setup = Setup::default().variable("scaigrid_allowed_posts", "inference");
    let world = World::with(setup.scaigrid()).await;
    world.grid().switches().change(|b| b.stream = script);
    let token = world.signed_in_as(ALICE, "author", None).await;
    (world, token)
}

/// Posts a chat, and reads the head of its answer.
async fn chat(world: &World, token: &str) -> Raw {
    let mut raw = world.raw().await;
    raw.send_text(&format!(
        "POST /v1/scaigrid/inference/chat HTTP/1.1\nHost: gate\nAuthorization: Bearer {token}\n\
         Content-Type: application/json\nContent-Length: {}\n\n{CHAT}",
        CHAT.len()
    ))
    .await;
    raw
}

/// Reads a chunked body to its end; whether it was whole, what was in it.
async fn chunks(raw: &mut Raw) -> (bool, Vec<u8>) {
    let (mut wire, mut body) = (Vec::new(), Vec::new());
    loop {
        if let Some(end) = wire.windows(2).position(|w| w == b"\r\n") {
            let size = String::from_utf8_lossy(&wire[..end]).into_owned();
            let size = usize::from_str_radix(size.trim(), 16).expect("a size");
            if wire.len() >= end + 2 + size + 2 {
                body.extend_from_slice(&wire[end + 2..end + 2 + size]);
                wire.drain(..end + 2 + size + 2);
                if size == 0 {
                    return (true, body);
                }
                continue;
            }
        }
        let more = raw.some().await;
        if more.is_empty() {
            return (false, body);
        }
        wire.extend(more);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn events_pass_when_they_come() {
    let (world, token) = world(StreamScript {
        chunks: 12,
        ..StreamScript::default()
    })
    .await;
    let recorder = world.grid().recorder();
    recorder.hold_at(Endpoint::Chat, Gate::Piece);
    let mut raw = chat(&world, &token).await;
    let (status, headers) = raw.head().await;
    assert_eq!(status, 200);
    assert_eq!(headers["content-type"], "text/event-stream");
    assert_eq!(headers["cache-control"], "no-store");
    assert!(!headers.contains_key("content-length"));
    let mut quickest = Duration::MAX;
    for _ in 0..12 {
        let before = recorder.last(Endpoint::Chat).expect("one").sent;
        recorder.allow(Endpoint::Chat, Gate::Piece, 1);
        recorder.sent_to_last(Endpoint::Chat, before + 1).await;
        let sent = Instant::now();
        // The next piece waits at the gate, so this one has not been kept for it.
        let mut piece = raw.some().await;
        while !piece.windows(2).any(|w| w == b"\n\n") {
            piece.extend(raw.some().await);
        }
        quickest = quickest.min(sent.elapsed());
    }
    assert!(quickest < Duration::from_millis(50), "{quickest:?}");
    recorder.release(Endpoint::Chat);
    let (whole, rest) = chunks(&mut raw).await;
    assert!(whole);
    assert!(String::from_utf8_lossy(&rest).contains("[DONE]"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_answer_is_never_held_whole() {
    let (world, token) = world(StreamScript::default()).await;
    let bytes = 96 * MIB;
    let source = Source {
        bytes,
        ..Source::default()
    };
    world
        .grid()
        .switches()
        .fail_always(Endpoint::Modules, Fault::Source(source));
    let mut raw = world.raw().await;
    raw.send_text(&format!(
        "GET /v1/scaigrid/modules HTTP/1.0\nHost: gate\nAuthorization: Bearer {token}\n\n"
    ))
    .await;
    let (status, _) = raw.head().await;
    assert_eq!(status, 200);
    let mut received = 0_u64;
    loop {
        let piece = raw.some().await;
        if piece.is_empty() {
            break;
        }
        for (offset, byte) in (received..).zip(&piece) {
            assert_eq!(*byte, pattern(offset), "{offset}");
        }
        received += piece.len() as u64;
        // What the sockets hold, and no more than some pieces.
        let sent = world
            .grid()
            .recorder()
            .last(Endpoint::Modules)
            .expect("one")
            .sent;
        assert!(
            sent - received < 24 * MIB,
            "{} bytes are held",
            sent - received
        );
    }
    assert_eq!(received, bytes);
    assert_little_memory(&world);
}

/// The most linear memory that an instance of `proxies` may need, whatever passes through it.
fn assert_little_memory(world: &World) {
    let peak = world.host().take_peak_memory("proxies").expect("proxies");
    assert!((1..=2 * 1024 * 1024).contains(&peak), "{peak} bytes");
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_megabytes_of_events_pass_in_little_memory() {
    let (world, token) = world(StreamScript {
        chunks: 140_000,
        ..StreamScript::default()
    })
    .await;
    let mut raw = chat(&world, &token).await;
    assert_eq!(raw.head().await.0, 200);
    let (whole, body) = chunks(&mut raw).await;
    assert!(whole);
    assert!(body.len() > 10 * 1024 * 1024, "{} bytes", body.len());
    assert_little_memory(&world);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_of_ten_minutes_passes() {
    let script = StreamScript {
        chunks: 11,
        pace: Pace::Clock { every_ms: 60_000 },
        ..StreamScript::default()
    };
    let (world, token) = world(script).await;
    let mut raw = chat(&world, &token).await;
    assert_eq!(raw.head().await.0, 200);
    let mut text = String::new();
    for chunk in 1..=11 {
        while text.matches("\"content\"").count() < chunk {
            let piece = raw.some().await;
            assert!(!piece.is_empty(), "cut after {text}");
            text.push_str(&String::from_utf8_lossy(&piece));
        }
        world.advance(60);
    }
    let (whole, rest) = chunks_after(&mut raw, text).await;
    assert!(whole);
    assert!(rest.contains("[DONE]"));
}

/// The rest of a chunked body whose beginning was read as it came.
async fn chunks_after(raw: &mut Raw, mut text: String) -> (bool, String) {
    while !text.ends_with("\r\n0\r\n\r\n") {
        let piece = raw.some().await;
        if piece.is_empty() {
            return (false, text);
        }
        text.push_str(&String::from_utf8_lossy(&piece));
    }
    (true, text)
}

#[tokio::test(flavor = "multi_thread")]
async fn silence_ends_a_stream_and_the_log_says_why() {
    let script = StreamScript {
        chunks: 2,
        pace: Pace::Clock { every_ms: 600_000 },
        ..StreamScript::default()
    };
    let (world, token) = world(script).await;
    let mut raw = chat(&world, &token).await;
    assert_eq!(raw.head().await.0, 200);
    let first = raw.some().await;
    assert!(!first.is_empty());
    world.advance(121);
    let (whole, _) = chunks_after(&mut raw, String::from_utf8_lossy(&first).into_owned()).await;
    assert!(!whole, "a cut stream must not look whole");
    world.grid().recorder().left(Endpoint::Chat, 1).await;
    let lines = world.logs.lines();
    assert!(
        lines
            .iter()
            .any(|line| line.line.contains("upstream_silent"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_breaks_off_does_not_look_whole() {
    let (world, token) = world(StreamScript::default()).await;
    for fault in [
        Fault::ResetInBody { after: 20 },
        Fault::CloseInBody { after: 20 },
        Fault::Truncated,
    ] {
        for (endpoint, is_chat) in [(Endpoint::Chat, true), (Endpoint::Modules, false)] {
            // A stream has no length that could be wrong.
            if is_chat && fault == Fault::Truncated {
                continue;
            }
            world.grid().switches().clear_all();
            world.grid().switches().fail_always(endpoint, fault.clone());
            let mut raw = if is_chat {
                chat(&world, &token).await
            } else {
                let mut raw = world.raw().await;
                raw.send_text(&format!(
                    "GET /v1/scaigrid/modules HTTP/1.1\nHost: gate\nAuthorization: Bearer {token}\n\n"
                ))
                .await;
                raw
            };
            // Its end may overtake its beginning.
            let Some((status, headers)) = raw.try_head().await else {
                continue;
            };
            // One that breaks off before anything of it has passed is a failure like any other.
            if status != 200 {
                assert_eq!(status, 502, "{fault:?}");
                continue;
            }
            let whole = match headers.get("content-length") {
                None => chunks(&mut raw).await.0,
                Some(length) => {
                    let length: usize = length.to_str().expect("text").parse().expect("a number");
                    let mut received = 0;
                    loop {
                        let more = raw.some().await;
                        if more.is_empty() {
                            break received == length;
                        }
                        received += more.len();
                    }
                }
            };
            assert!(!whole, "{fault:?} {endpoint:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_leaves_frees_the_connection_to_scaigrid() {
    let (world, token) = world(StreamScript {
        chunks: 1_000,
        ..StreamScript::default()
    })
    .await;
    let recorder = world.grid().recorder();
    // In the middle of a stream that is silent at the moment.
    recorder.hold_at(Endpoint::Chat, Gate::Piece);
    recorder.allow(Endpoint::Chat, Gate::Piece, 1);
    let mut raw = chat(&world, &token).await;
    assert_eq!(raw.head().await.0, 200);
    assert!(!raw.some().await.is_empty());
    recorder.held(Endpoint::Chat, 1).await;
    drop(raw);
    recorder.left(Endpoint::Chat, 1).await;
    let last = recorder.last(Endpoint::Chat).expect("one");
    assert_eq!(last.outcome, Outcome::ClientLeft);
    // In the middle of one that is not.
    recorder.release(Endpoint::Chat);
    let endless = StreamScript {
        chunks: u64::MAX,
        ..StreamScript::default()
    };
    world.grid().switches().change(|b| b.stream = endless);
    let mut raw = chat(&world, &token).await;
    assert_eq!(raw.head().await.0, 200);
    drop(raw);
    recorder.left(Endpoint::Chat, 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_leaves_before_the_answer_holds_the_call_until_its_time_is_up() {
    let (world, token) = world(StreamScript::default()).await;
    let recorder = world.grid().recorder();
    recorder.hold_at(Endpoint::Chat, Gate::After);
    let raw = chat(&world, &token).await;
    recorder.held(Endpoint::Chat, 1).await;
    drop(raw);
    world.advance(121);
    recorder.left(Endpoint::Chat, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_is_passed_on_while_it_comes() {
    let (world, token) = world(StreamScript::default()).await;
    // The emulator reads all of it and keeps a mebibyte, so it makes no sense of the larger one.
    for (size, status) in [(MIB / 2, 200), (9 * MIB, 400)] {
        world.grid().recorder().clear();
        let filler = "x".repeat(usize::try_from(size).expect("a size"));
        let body = CHAT.replace("\"user\"", &format!("\"user\",\"content\":\"{filler}\""));
        let (first, second) = body.split_at(body.len() / 2);
        let mut raw = world.raw().await;
        raw.send_text(&format!(
            "POST /v1/scaigrid/inference/chat HTTP/1.1\nHost: gate\nAuthorization: Bearer {token}\n\
             Content-Type: application/json\nContent-Length: {}\n\n",
            body.len()
        ))
        .await;
        raw.send(first.as_bytes()).await;
        // Half of it is here, and the call is there already.
        world.grid().recorder().arrived(Endpoint::Chat, 1).await;
        raw.send(second.as_bytes()).await;
        assert_eq!(raw.head().await.0, status);
        let last = world.grid().recorder().last(Endpoint::Chat).expect("one");
        assert_eq!(last.body_length, body.len() as u64);
        assert!(last.is_body_complete);
    }
    assert_little_memory(&world);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scaigrid_that_refuses_the_connection_is_told_at_once_whatever_is_sent() {
    let (world, token) = world(StreamScript::default()).await;
    let authority = world.grid().address().to_string();
    world
        .faults
        .set(Target::Outbound(authority), When::Always, Effect::Refuse);
    // No limit of time ends it.
    world.clock.freeze();
    // Several large ones: a connection that closes on a client that is still sending may lose the answer.
    for size in [0, 1, MIB].into_iter().chain([9 * MIB; 10]) {
        let filler = "x".repeat(usize::try_from(size).expect("a size"));
        let body = CHAT.replace("\"user\"", &format!("\"user\",\"content\":\"{filler}\""));
        let answer = world
            .call_raw(
                http::Method::POST,
                "/v1/scaigrid/inference/chat",
                &token,
                body,
            )
            .await;
        answer.assert_problem(502, "scaigrid_unreachable");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_is_too_large_is_refused_announced_or_not() {
    let (world, token) = world(StreamScript::default()).await;
    let head = format!(
        "POST /v1/scaigrid/inference/chat HTTP/1.1\nHost: gate\nAuthorization: Bearer {token}\n\
         Content-Type: application/json\n"
    );
    let mut raw = world.raw().await;
    raw.send_text(&format!("{head}Content-Length: {}\n\n", 10 * MIB + 1))
        .await;
    raw.send(&[b' '; 1024]).await;
    let answer = raw.answer().await;
    answer.assert_problem(413, "payload_too_large");
    assert_eq!(world.grid().recorder().count(Endpoint::Chat), 0);
    let mut raw = world.raw().await;
    raw.send_text(&format!("{head}Transfer-Encoding: chunked\n\n"))
        .await;
    let piece = format!("10000\r\n{}\r\n", " ".repeat(65_536));
    for _ in 0..=160 {
        raw.send(piece.as_bytes()).await;
    }
    let answer = raw.answer().await;
    answer.assert_problem(413, "payload_too_large");
}
