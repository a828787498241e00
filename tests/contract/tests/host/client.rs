//! A client for the tests: one connection a request.

use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::{BodyExt as _, Empty};
use hyper_util::rt::TokioIo;
use scaigate_host::Host;
use serde_json::Value;
use tokio::net::TcpStream;

/// Status and body of a GET.
pub async fn get(host: &Host, target: &str) -> (StatusCode, Value) {
    let stream = TcpStream::connect(host.address())
        .await
        .expect("a connection");
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .expect("HTTP/1.1");
    // Ends with the connection; the answer tells the rest.
    tokio::spawn(async move { connection.await.is_ok() });
    let request = Request::get(target)
        .header("host", host.address().to_string())
        .body(Empty::<Bytes>::new())
        .expect("a request");
    let response = sender.send_request(request).await.expect("an answer");
    let status = response.status();
    let body = response
        .into_body()
        .collect()
        .await
        .expect("a body")
        .to_bytes();
    // The host's own failures are no JSON.
    (status, serde_json::from_slice(&body).unwrap_or(Value::Null))
}

/// The body of a 200.
pub async fn ok(host: &Host, target: &str) -> Value {
    let (status, body) = get(host, target).await;
    assert_eq!(status, StatusCode::OK, "{target}: {body}");
    body
}
