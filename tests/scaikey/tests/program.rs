//! The emulator as a program of its own.

use std::process::Stdio;

use bytes::Bytes;
use http::Request;
use scaikey_emulator::plain_http;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;

#[tokio::test]
async fn program_prints_its_address_serves_and_ends_with_its_parent() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_scaikey-emulator"))
        .args([
            "--control",
            "--redirect-uri",
            "http://127.0.0.1:9/cb",
            "--exit-with-parent",
        ])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let input = child.stdin.take();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let address = lines.next_line().await.unwrap().unwrap();
    let request = Request::get(format!("{address}/_emulator/switches"))
        .body(Bytes::new())
        .unwrap();
    assert_eq!(plain_http::send(request).await.unwrap().status(), 200);
    drop(input);
    assert!(child.wait().await.unwrap().success());
}
