//! The emulator as a program of its own.

use std::process::Stdio;

use bytes::Bytes;
use http::Request;
use scaikey_emulator::{plain_http, seed};
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

#[tokio::test]
async fn program_serves_a_directory_of_the_size_asked_for() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_scaikey-emulator"))
        .args(["--users", "300", "--groups", "7", "--memberships", "900"])
        .args(["--tenants", "3", "--exit-with-parent"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let input = child.stdin.take();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let address = lines.next_line().await.unwrap().unwrap();
    let form = format!(
        "grant_type=client_credentials&client_id={}&client_secret={}",
        seed::SERVICE_CLIENT_ID,
        seed::SERVICE_CLIENT_SECRET
    );
    let request = Request::post(format!("{address}/api/v1/platform/oauth/token"))
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Bytes::from(form))
        .unwrap();
    let answer = plain_http::send(request).await.unwrap();
    let answer: serde_json::Value = serde_json::from_slice(answer.body()).unwrap();
    let token = answer["access_token"].as_str().unwrap();
    for (list, total) in [("users", 300), ("groups", 7), ("tenants", 3)] {
        let request = Request::get(format!("{address}/api/v1/admin/{list}/"))
            .header("authorization", format!("Bearer {token}"))
            .body(Bytes::new())
            .unwrap();
        let answer = plain_http::send(request).await.unwrap();
        let answer: serde_json::Value = serde_json::from_slice(answer.body()).unwrap();
        assert_eq!(answer["meta"]["total"], total, "{list}");
    }
    drop(input);
    assert!(child.wait().await.unwrap().success());
}
