//! Where credentials go, and what of an answer is read.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::thread;

use serde_json::json;

use crate::bench::{Bench, TOKEN};
use crate::stub::{Answer, Stub};

#[test]
fn credentials_go_over_https_or_stay_on_this_machine() {
    for url in [
        "http://id.acme.example",
        "http://10.0.0.1:3000",
        "http://0.0.0.0:1",
    ] {
        for line in [
            "admin users",
            "sync",
            "webhooks test --secret canary-webhook-secret",
        ] {
            let ran = Bench::at(url).run(line);
            ran.failed(
                2,
                "usage: --url or PUBLIC_URL is not usable",
                "--insecure-http",
            );
        }
        let bench = Bench::new().with("SCAIKEY_BASE_URL", url);
        bench
            .run("sync --url http://127.0.0.1:1 ")
            .failed(2, "usage: ", "--insecure-http");
        bench
            .run("scaikey-register --email a@b.c --public-url https://id.acme.example")
            .failed(2, "usage: ", "--insecure-http");
    }
    // Typed, it is tried. Nobody listens there.
    let ran = Bench::at("http://0.0.0.0:1").run("admin users --insecure-http");
    ran.failed(5, "no_connection: ", "can be reached from here");
}

#[test]
fn an_address_that_is_none_is_refused() {
    for url in [
        "id.acme.example",
        "ftp://h",
        "https://user@h",
        "https://h/?a=b",
        "file:///etc",
    ] {
        let ran = Bench::new().run(&format!("admin users --url {url} --token {TOKEN}"));
        ran.failed(2, "usage: --url", "https://id.example");
    }
}

#[test]
fn a_redirect_is_not_followed() {
    let other = Stub::saying(Answer::json(200, &json!({ "users": [] })));
    for status in [301, 302, 303, 307, 308] {
        let to = format!("{}/v1/admin/users", other.url());
        let stub = Stub::saying(Answer::empty(status).with("location", &to));
        let bench = Bench::at(&stub.url());
        for line in ["admin users", "sync"] {
            bench
                .run(line)
                .failed(1, &format!("http_{status}: "), "Check --url");
        }
    }
    assert!(other.asked().is_empty());
}

#[test]
fn an_answer_that_is_too_large_is_given_up() {
    let stub = Stub::saying(Answer::bytes(
        200,
        "application/json",
        vec![b' '; (8 << 20) + 1],
    ));
    let ran = Bench::at(&stub.url()).run("admin users");
    ran.failed(1, "no_answer: ", "can be reached");
    assert!(
        ran.stderr.contains("larger than eight megabytes"),
        "{ran:?}"
    );
    let mut body = json!({ "users": [], "total": 0 }).to_string().into_bytes();
    body.resize(8 << 20, b' ');
    let stub = Stub::saying(Answer::bytes(200, "application/json", body));
    Bench::at(&stub.url()).run("admin users").done();
}

/// A server that says `bytes` to whoever comes, once.
fn blurting(bytes: &'static [u8]) -> (String, thread::JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let server = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        // The request is to arrive before the connection is closed.
        let _ = stream.read(&mut [0; 4096]);
        let _ = stream.write_all(bytes);
    });
    (url, server)
}

#[test]
fn what_is_no_answer_is_told_as_such() {
    for bytes in [
        &b""[..],
        b"SSH-2.0-OpenSSH_9.9\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n{}",
    ] {
        let (url, server) = blurting(bytes);
        let ran = Bench::at(&url).run("admin users");
        // Wakes it, should nobody have come.
        let _ = TcpStream::connect(url.trim_start_matches("http://"));
        server.join().unwrap();
        ran.failed(5, "no_answer: ", "can be reached from here");
    }
}

#[test]
fn somebody_else_in_front_of_scaigate_is_named() {
    for (status, number) in [(404, 3), (403, 4), (502, 1)] {
        let page = b"<html>canary-token-1</html>".to_vec();
        let stub = Stub::saying(Answer::bytes(status, "text/html", page));
        let ran = Bench::at(&stub.url()).run("admin users");
        ran.failed(number, &format!("http_{status}: "), "Check --url");
    }
}

#[test]
fn a_secret_that_comes_back_is_not_shown() {
    let echo = format!("you sent Bearer {TOKEN}");
    let stub = Stub::saying(Answer::problem(
        400,
        "invalid_request",
        &json!({ "reason": echo }),
    ));
    let bench = Bench::at(&stub.url());
    let ran = bench.run("admin users");
    assert!(
        ran.stderr.contains("reason: you sent Bearer [removed]"),
        "{ran:?}"
    );
    let ran = bench.run("admin users --json");
    assert_eq!(
        ran.json()["error"]["details"]["reason"],
        "you sent Bearer [removed]"
    );
}

#[test]
fn a_token_is_read_from_standard_input() {
    let stub = Stub::saying(Answer::json(200, &json!({ "users": [], "total": 0 })));
    let bench = Bench::new();
    let line = format!("admin users --token - --url {}", stub.url());
    bench.run_with_input(&line, "canary-typed-token\n").done();
    assert_eq!(
        stub.asked()[0].headers["authorization"],
        "Bearer canary-typed-token"
    );
    for bad in ["", "two canary-words", "canary\u{7f}"] {
        bench
            .run_with_input(&line, bad)
            .failed_without_fix(2, "usage: SCAIGATE_TOKEN");
    }
    assert_eq!(stub.asked().len(), 1);
}

#[test]
fn certificates_to_trust_have_to_be_some() {
    let bench = Bench::at("https://127.0.0.1:1");
    bench.write("ca.pem", "no certificate\n");
    for file in ["ca.pem", "missing.pem"] {
        let ran = bench.run(&format!("admin users --ca-file {file}"));
        ran.failed(2, "usage: ", "BEGIN CERTIFICATE");
    }
}

#[test]
fn a_result_that_can_not_be_printed_is_no_success() {
    let stub = Stub::saying(Answer::json(200, &json!({ "users": [], "total": 0 })));
    let bench = Bench::at(&stub.url());
    let full = std::fs::File::create("/dev/full").unwrap();
    assert_eq!(bench.run_into("admin users", full.into()), 1);
    // Whoever reads it may leave.
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    assert_eq!(bench.run_into("admin users", writer.into()), 0);
}
