//! Inside WebAssembly, as the parsers run when they ship: 32 bits, and a panic is a trap.
//!
//! The component must have been built; `cargo xtask build --test-components` does it.

use std::path::Path;

use http_body_util::{BodyExt as _, Full};
use hyper_util::rt::TokioIo;
use scaigate_fuzz::TARGETS;
use scaigate_host::{Host, HostOptions};
use tokio::net::TcpStream;

use crate::corpus;

/// Inputs made of each of the corpus.
const MUTATIONS: u32 = 100;

async fn host() -> Host {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let component = folder.join("../../target/wasm32-wasip2/release/scaigate_fuzz_component.wasm");
    assert!(
        component.exists(),
        "target/wasm32-wasip2/release/scaigate_fuzz_component.wasm is missing: \
         run `cargo xtask build --test-components`"
    );
    let options = HostOptions {
        cache: Some(Path::new(env!("CARGO_TARGET_TMPDIR")).join("code")),
        ..HostOptions::new(folder.join("spin.toml"))
    };
    Host::start(options).await.expect("the host starts")
}

/// Status and text of what a target says to `input` and `MUTATIONS` of it.
async fn run(host: &Host, target: &str, input: Vec<u8>) -> (u16, String) {
    let stream = TcpStream::connect(host.address())
        .await
        .expect("a connection");
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .expect("HTTP/1.1");
    // Ends with the connection; the answer tells the rest.
    tokio::spawn(async move { connection.await.is_ok() });
    let request = http::Request::post(format!("/{target}?mutations={MUTATIONS}"))
        .header("host", host.address().to_string())
        .body(Full::new(bytes::Bytes::from(input)))
        .expect("a request");
    let answer = sender.send_request(request).await.expect("an answer");
    let status = answer.status().as_u16();
    let body = answer
        .into_body()
        .collect()
        .await
        .expect("a body")
        .to_bytes();
    (status, String::from_utf8_lossy(&body).into_owned())
}

#[tokio::test]
async fn every_target_takes_its_corpus_inside_webassembly() {
    let host = host().await;
    for (name, _) in TARGETS {
        for (file, input) in corpus(name) {
            let answer = run(&host, name, input).await;
            assert_eq!(answer, (200, (MUTATIONS + 1).to_string()), "{name}, {file}");
        }
    }
    let unknown = run(&host, "unknown", Vec::new()).await;
    assert_eq!(unknown.0, 404);
    let broken = run(&host, "broken", Vec::new()).await;
    assert_eq!(broken.0, 500, "a panic would go unnoticed");
}
