//! What the record keeps, byte for byte; gates; control over HTTP.

mod support;

use std::process::Stdio;

use scaigrid_emulator::seed::{ACME, ACME_SCOPE, UMBRA};
use scaigrid_emulator::{Credential, Emulator, Endpoint, Gate, Options, Outcome, PathReading};
use serde_json::{Value, json};
use support::{ACME_KEY, Bench, CHAT, MODELS, SCOPES, START, UMBRA_KEY, Wire, json};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;

#[tokio::test]
async fn the_head_is_kept_as_sent() {
    let bench = Bench::start().await;
    let head = format!(
        "GET /v1/models/..%2F%2e%2e;x=1//a?q=%00&q=2#f HTTP/1.1\r\nHost: Grid.example\r\nX-Twice: 1\r\n\
         AUTHORIZATION: Bearer {ACME_KEY}\r\nx-twice:\t2 \r\nX_Under: \u{e9}\r\nConnection: close\r\n\r\n"
    );
    let mut wire = bench.open().await;
    wire.write(&head).await;
    wire.rest().await;
    let seen = &bench.recorder().requests()[0];
    assert_eq!(seen.head, head.as_bytes());
    assert_eq!(seen.target(), "/v1/models/..%2F%2e%2e;x=1//a?q=%00&q=2#f");
    assert_eq!(seen.path(), "/v1/models/..%2F%2e%2e;x=1//a");
    assert_eq!(seen.query().as_deref(), Some("q=%00&q=2#f"));
    assert_eq!(
        seen.field_names(),
        [
            "host",
            "x-twice",
            "authorization",
            "x-twice",
            "x_under",
            "connection"
        ]
    );
    assert_eq!(seen.fields[2].name, "AUTHORIZATION");
    assert_eq!(seen.headers("X-TWICE"), ["1", "2"]);
    assert_eq!(seen.header("host").as_deref(), Some("Grid.example"));
    assert_eq!((seen.endpoint, seen.status), (Endpoint::Unknown, Some(404)));
    assert_eq!(
        (seen.at, seen.ended_at),
        (START * 1_000, Some(START * 1_000))
    );
}

#[tokio::test]
async fn credential_and_tenant_are_kept_for_canaries() {
    let bench = Bench::start().await;
    bench.get(MODELS, ACME_KEY).await;
    bench.get(MODELS, UMBRA_KEY).await;
    bench.get(MODELS, "sgk_wrong").await;
    let seen = bench.recorder().requests_to(Endpoint::Models);
    assert_eq!(
        seen[0].credential,
        Some(Credential::ApiKey(ACME_KEY.to_owned()))
    );
    assert_eq!(seen[0].tenant_id.as_deref(), Some(ACME));
    assert_eq!(seen[1].tenant_id.as_deref(), Some(UMBRA));
    assert_eq!((&seen[2].tenant_id, seen[2].status), (&None, Some(401)));
    assert_eq!(bench.recorder().mentions(UMBRA_KEY), [1]);
    assert!(bench.recorder().mentions("session").is_empty());
    let jwt = Credential::Token("e30.eyJhdWQiOiJncmlkIn0.x".to_owned());
    assert_eq!(jwt.claims(), Some(json!({"aud": "grid"})));
}

#[tokio::test]
async fn bodies_are_kept_counted_and_unchunked() {
    let bench = Bench::start().await;
    let mut wire = bench.open().await;
    wire.write(format!(
        "POST {SCOPES} HTTP/1.1\r\nAuthorization: Bearer {ACME_KEY}\r\nTransfer-Encoding: chunked\r\n\
         Connection: close\r\n\r\n5\r\n{{\"slu\r\n6;x=y\r\ng\":\"a\"\r\n1\r\n}}\r\n0\r\nX-Trailer: 1\r\n\r\n"
    ))
    .await;
    let answer = wire.rest().await;
    assert!(
        answer.starts_with(b"HTTP/1.1 422"),
        "display_name is missing"
    );
    let seen = bench.recorder().last(Endpoint::CreateScope).unwrap();
    assert_eq!(seen.json(), Some(json!({"slug": "a"})));
    assert_eq!((seen.body_length, seen.is_body_complete), (12, true));
    assert_eq!(seen.trailers[0].text(), "1");

    // Two mebibytes: the first is kept, all are counted.
    let mut wire = bench.open().await;
    let length = 2 << 20;
    wire.write(format!(
        "POST {CHAT} HTTP/1.1\r\nAuthorization: Bearer {ACME_KEY}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
    ))
    .await;
    wire.write(vec![b'x'; length]).await;
    wire.rest().await;
    let seen = bench.recorder().last(Endpoint::Chat).unwrap();
    assert_eq!(
        (seen.body.len(), seen.body_length),
        (1 << 20, length as u64)
    );
}

#[tokio::test]
async fn a_body_that_breaks_off_is_a_client_that_left() {
    let bench = Bench::start().await;
    let mut wire = bench.open().await;
    wire.write(format!(
        "POST {SCOPES} HTTP/1.1\r\nContent-Length: 9\r\n\r\nabc"
    ))
    .await;
    bench.recorder().arrived(Endpoint::CreateScope, 1).await;
    drop(wire);
    bench.recorder().left(Endpoint::CreateScope, 1).await;
    let seen = bench.recorder().last(Endpoint::CreateScope).unwrap();
    assert!(!seen.is_body_complete && seen.status.is_none());
    assert_eq!(bench.emulator.grid().scopes.len(), 3, "without effect");
}

#[tokio::test]
async fn what_has_two_readings_is_refused_and_recorded() {
    let bench = Bench::start().await;
    for head in [
        format!(
            "POST {SCOPES} HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n"
        ),
        format!("POST {SCOPES} HTTP/1.1\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\n"),
        "GET / HTTP/1.1\r\nbroken\r\n\r\n".to_owned(),
        "\u{16}\u{3}\u{1}\r\n\r\n".to_owned(),
    ] {
        bench.recorder().clear();
        let mut wire = bench.open().await;
        wire.write(&head).await;
        assert!(wire.rest().await.starts_with(b"HTTP/1.1 400"), "{head:?}");
        let seen = &bench.recorder().requests()[0];
        assert_eq!((&seen.head[..], seen.status), (head.as_bytes(), Some(400)));
    }
}

#[tokio::test]
async fn a_connection_is_kept_pipelined_and_closed_as_asked() {
    let bench = Bench::start().await;
    let mut wire = bench.open().await;
    let get = format!("GET {MODELS} HTTP/1.1\r\nAuthorization: Bearer {ACME_KEY}\r\n\r\n");
    wire.write(format!("{get}{get}")).await;
    wire.get(MODELS).await;
    let answers = String::from_utf8(wire.rest().await).unwrap();
    assert_eq!(answers.matches("HTTP/1.1 200 OK").count(), 3);
    assert_eq!(answers.matches("connection: close").count(), 1);
    let connections: Vec<u64> = bench
        .recorder()
        .requests()
        .iter()
        .map(|r| r.connection)
        .collect();
    assert_eq!(connections, [1, 1, 1]);
    bench.get(MODELS, ACME_KEY).await;
    assert_eq!(bench.recorder().connections_ever(), 2);
    drop(wire);
    bench.recorder().connected(0).await;
}

#[tokio::test]
async fn an_old_client_gets_no_chunks() {
    let bench = Bench::start().await;
    let body = r#"{"model":"openai/gpt-4o","messages":[{}],"stream":true}"#;
    let mut wire = bench.open().await;
    wire.write(format!(
        "POST {CHAT} HTTP/1.0\r\nAuthorization: Bearer {ACME_KEY}\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    ))
    .await;
    let answer = String::from_utf8(wire.rest().await).unwrap();
    assert!(answer.contains("connection: close") && !answer.contains("chunked"));
    assert!(answer.ends_with("data: [DONE]\n\n"));
}

#[tokio::test]
async fn a_client_that_waits_for_continue_gets_it() {
    let bench = Bench::start().await;
    let mut wire = bench.open().await;
    wire.write(format!(
        "POST {SCOPES} HTTP/1.1\r\nAuthorization: Bearer {ACME_KEY}\r\nExpect: 100-continue\r\n\
         Content-Length: 2\r\nConnection: close\r\n\r\n"
    ))
    .await;
    assert_eq!(
        wire.until("\r\n\r\n").await,
        "HTTP/1.1 100 Continue\r\n\r\n"
    );
    wire.write("{}").await;
    assert!(wire.rest().await.starts_with(b"HTTP/1.1 422"));
}

#[tokio::test]
async fn gates_hold_and_count_before_and_after_the_effect() {
    let bench = Bench::start().await;
    let recorder = bench.recorder();
    let scope = json!({"slug": "new", "display_name": "New"});
    for (gate, made) in [(Gate::Before, 3), (Gate::After, 4)] {
        recorder.hold_at(Endpoint::CreateScope, gate);
        let call = bench.post(SCOPES, ACME_KEY, &scope);
        let opener = async {
            recorder.held(Endpoint::CreateScope, 1).await;
            assert_eq!(bench.emulator.grid().scopes.len(), made);
            assert_eq!(recorder.last(Endpoint::CreateScope).unwrap().status, None);
            bench.emulator.grid().scopes.truncate(3);
            recorder.release(Endpoint::CreateScope);
        };
        let (answer, ()) = tokio::join!(call, opener);
        assert_eq!(answer.status(), 201, "{gate:?}");
        bench.emulator.grid().scopes.truncate(3);
    }
    assert_eq!(recorder.waiting(Endpoint::CreateScope), 0);
}

#[tokio::test]
async fn a_gate_lets_as_many_through_as_it_is_told() {
    let bench = Bench::start().await;
    let recorder = bench.recorder();
    recorder.allow(Endpoint::Models, Gate::Before, 1);
    assert_eq!(bench.get(MODELS, ACME_KEY).await.status(), 200);
    let calls = async { tokio::join!(bench.get(MODELS, ACME_KEY), bench.get(MODELS, ACME_KEY)) };
    let opener = async {
        recorder.held(Endpoint::Models, 2).await;
        recorder.allow(Endpoint::Models, Gate::Before, 1);
        recorder.ended(Endpoint::Models, 2).await;
        recorder.held(Endpoint::Models, 1).await;
        recorder.release(Endpoint::Models);
    };
    tokio::join!(calls, opener);
    recorder.ended(Endpoint::Models, 3).await;
}

#[tokio::test]
async fn a_client_that_goes_away_leaves_the_gate() {
    let bench = Bench::start().await;
    let recorder = bench.recorder();
    for gate in [
        Gate::Upload,
        Gate::Before,
        Gate::After,
        Gate::Body,
        Gate::Piece,
    ] {
        recorder.clear();
        recorder.hold_at(Endpoint::Models, gate);
        let mut wire = bench.open().await;
        wire.get(MODELS).await;
        recorder.held(Endpoint::Models, 1).await;
        drop(wire);
        recorder.left(Endpoint::Models, 1).await;
        recorder.held(Endpoint::Models, 0).await;
        recorder.release(Endpoint::Models);
    }
}

#[tokio::test]
async fn an_upload_is_not_read_while_its_gate_is_shut() {
    let bench = Bench::start().await;
    let recorder = bench.recorder();
    recorder.hold_at(Endpoint::Chat, Gate::Upload);
    let mut wire = bench.open().await;
    let length = 64 << 20;
    wire.write(format!(
        "POST {CHAT} HTTP/1.1\r\nAuthorization: Bearer {ACME_KEY}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
    ))
    .await;
    recorder.held(Endpoint::Chat, 1).await;
    let upload = async {
        wire.write(vec![b'x'; length]).await;
        wire.rest().await
    };
    let mut upload = std::pin::pin!(upload);
    // Far more than buffers hold: the upload can't end.
    let stuck = tokio::time::timeout(std::time::Duration::from_millis(100), &mut upload).await;
    assert!(stuck.is_err());
    assert_eq!(recorder.last(Endpoint::Chat).unwrap().body_length, 0);
    recorder.release(Endpoint::Chat);
    assert!(upload.await.starts_with(b"HTTP/1.1 422"));
    assert_eq!(
        recorder.last(Endpoint::Chat).unwrap().body_length,
        length as u64
    );
}

#[tokio::test]
async fn a_loose_upstream_is_where_path_tricks_lead() {
    let bench = Bench::start().await;
    let trick = format!("{SCOPES}/..%2f..%2f..%2fapi-keys");
    assert_eq!(bench.get(&trick, ACME_KEY).await.status(), 404);
    bench
        .switches()
        .change(|b| b.path_reading = PathReading::Normalising);
    assert_eq!(bench.get(&trick, ACME_KEY).await.status(), 200);
    assert_eq!(bench.recorder().count(Endpoint::ApiKeys), 1);
}

#[tokio::test]
async fn control_steers_over_http_and_is_not_recorded() {
    let bench = Bench::start().await;
    let path = "/_emulator/switches";
    let command = json!({
        "behaviour": {"models_form": "open_ai", "stream": {"chunks": 2}},
        "set": [{"header": ["models", "set_cookie"]}, {"stream": "no_done"}],
        "once": [{"body": ["scopes", "html"]}],
        "faults": [{"endpoint": "bunkers", "fault": {"status": {"code": 503}}, "times": 1}],
        "hold": [{"endpoint": "chat", "gate": "piece", "allow": 2}],
    });
    let answer = bench.post(path, "", &command).await;
    assert_eq!(answer.status(), 200);
    assert_eq!(json(&answer)["behaviour"]["stream"]["chunks"], 2);
    let models = bench.get(MODELS, ACME_KEY).await;
    assert_eq!(json(&models)["object"], "list");
    assert!(models.headers().contains_key("set-cookie"));
    assert_eq!(
        bench.get(SCOPES, ACME_KEY).await.headers()["content-type"],
        "text/html; charset=utf-8"
    );
    assert_eq!(
        bench.get(SCOPES, ACME_KEY).await.headers()["content-type"],
        "application/json"
    );
    assert_eq!(bench.get(support::BUNKERS, ACME_KEY).await.status(), 503);

    let rows = json(&bench.get("/_emulator/requests?endpoint=scopes", "").await);
    assert_eq!(rows["requests"].as_array().unwrap().len(), 2);
    assert_eq!(rows["requests"][0]["target"], SCOPES);
    assert_eq!(rows["requests"][0]["outcome"], "complete");
    assert_eq!(bench.recorder().count(Endpoint::Control), 0);
    let revoked = bench
        .post("/_emulator/keys/key_0007/revoke", "", &Value::Null)
        .await;
    assert_eq!(revoked.status(), 204);
    assert_eq!(bench.get(MODELS, UMBRA_KEY).await.status(), 401);
    assert_eq!(
        bench
            .send("DELETE", "/_emulator/requests", "", None)
            .await
            .status(),
        204
    );
    assert_eq!(bench.recorder().total(), 0);

    for bad in [
        json!({"behaviour": {"nothing": 1}}),
        json!({"set": ["nothing"]}),
        json!({"x": 1}),
    ] {
        assert_eq!(bench.post(path, "", &bad).await.status(), 422, "{bad}");
    }
    let reset = json(&bench.post(path, "", &json!({"reset": true})).await);
    assert_eq!(reset["deviations"], json!([]));
    assert_eq!(reset["behaviour"]["models_form"], "items");
}

#[tokio::test]
async fn control_is_off_by_default_and_stopping_drops_everything() {
    let emulator = Emulator::start(Options::default()).await.unwrap();
    let mut wire = Wire::open(&emulator).await;
    wire.get("/_emulator/switches").await;
    assert!(wire.rest().await.starts_with(b"HTTP/1.1 404"));
    emulator.recorder().hold(Endpoint::Models);
    let mut wire = Wire::open(&emulator).await;
    wire.get(MODELS).await;
    emulator.recorder().held(Endpoint::Models, 1).await;
    assert_eq!(
        emulator.recorder().last(Endpoint::Models).unwrap().outcome,
        Outcome::Open
    );
    emulator.stop().await;
    assert!(wire.rest().await.is_empty());
}

#[tokio::test]
async fn program_prints_its_address_serves_and_ends_with_its_parent() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_scaigrid-emulator"))
        .args(["--control", "--no-rate-limits", "--exit-with-parent"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let input = child.stdin.take();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let address = lines.next_line().await.unwrap().unwrap();
    let key = lines.next_line().await.unwrap().unwrap();
    assert!(key.contains(ACME_KEY));
    let request = http::Request::get(format!("{address}{SCOPES}/{ACME_SCOPE}"))
        .header("authorization", format!("Bearer {ACME_KEY}"))
        .body(bytes::Bytes::new())
        .unwrap();
    let answer = scaikey_emulator::plain_http::send(request).await.unwrap();
    assert_eq!(answer.status(), 200);
    drop(input);
    assert!(child.wait().await.unwrap().success());
}
