//! A client for the tests: one connection a request, nothing hidden.

use bytes::Bytes;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper_util::rt::TokioIo;
use scaigate_host::Host;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: String,
}

/// Posts `body` to the probe's operation `target` (`name?argument`).
pub async fn probe(host: &Host, target: &str, body: &str) -> Answer {
    post(host, &format!("/probe/{target}"), body).await
}

/// The same of the probe of WASI 0.2.
pub async fn older(host: &Host, target: &str, body: &str) -> Answer {
    post(host, &format!("/older/{target}"), body).await
}

async fn post(host: &Host, path: &str, body: &str) -> Answer {
    let request = Request::post(path)
        .body(Full::new(Bytes::copy_from_slice(body.as_bytes())))
        .expect("a request");
    send(host, request).await.expect("an answer")
}

/// The body of a 200 from the probe's operation.
pub async fn ok(host: &Host, target: &str, body: &str) -> String {
    body_of(target, probe(host, target, body).await)
}

/// The body of a 200 from the operation of the probe of WASI 0.2.
pub async fn older_ok(host: &Host, target: &str, body: &str) -> String {
    body_of(target, older(host, target, body).await)
}

fn body_of(target: &str, answer: Answer) -> String {
    assert_eq!(answer.status, StatusCode::OK, "{target}: {}", answer.body);
    answer.body
}

pub async fn get(host: &Host, path: &str) -> Answer {
    let request = Request::get(path).body(Full::default()).expect("a request");
    send(host, request).await.expect("an answer")
}

pub async fn send(host: &Host, mut request: Request<Full<Bytes>>) -> anyhow::Result<Answer> {
    let stream = TcpStream::connect(host.address()).await?;
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    // Ends with the connection; the answer tells the rest.
    tokio::spawn(async move { connection.await.is_ok() });
    if !request.headers().contains_key("host") {
        request
            .headers_mut()
            .insert("host", host.address().to_string().parse()?);
    }
    let response = sender.send_request(request).await?;
    let (parts, body) = response.into_parts();
    let body = body.collect().await?.to_bytes();
    Ok(Answer {
        status: parts.status,
        headers: parts.headers,
        body: String::from_utf8_lossy(&body).into_owned(),
    })
}

/// A connection on which bytes are sent as they are.
pub struct Raw {
    stream: TcpStream,
    seen: Vec<u8>,
}

impl Raw {
    pub async fn send(host: &Host, bytes: &str) -> Self {
        let stream = TcpStream::connect(host.address())
            .await
            .expect("a connection");
        let seen = Vec::new();
        let mut raw = Self { stream, seen };
        raw.write(bytes).await;
        raw
    }

    pub async fn write(&mut self, bytes: &str) {
        let written = self.stream.write_all(bytes.as_bytes()).await;
        written.expect("a write");
    }

    /// Reads until `text` has come.
    pub async fn read_until(&mut self, text: &str) {
        while !String::from_utf8_lossy(&self.seen).contains(text) {
            let read = self.stream.read_buf(&mut self.seen).await.expect("a read");
            assert_ne!(read, 0, "{}", String::from_utf8_lossy(&self.seen));
        }
    }

    /// Reads what else comes until the host closes.
    pub async fn read_to_end(&mut self) -> String {
        let mut rest = Vec::new();
        // Cut or closed: what came before counts.
        let _ = self.stream.read_to_end(&mut rest).await;
        String::from_utf8_lossy(&rest).into_owned()
    }
}
