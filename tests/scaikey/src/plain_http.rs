//! A minimal client for plain HTTP: one connection per request, no redirects, no retries.

use anyhow::Context;
use bytes::Bytes;
use http::header::{HOST, HeaderValue};
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use url::Url;

/// Sends one request to an absolute `http` address and reads the whole answer.
///
/// # Errors
/// When the address is not plain HTTP, the connection fails, or the answer breaks off.
pub async fn send(request: Request<Bytes>) -> anyhow::Result<Response<Bytes>> {
    let url = Url::parse(&request.uri().to_string()).context("the address is not absolute")?;
    anyhow::ensure!(url.scheme() == "http", "only plain http is spoken here");
    let host = url.host_str().context("no host")?;
    let port = url.port_or_known_default().unwrap_or(80);
    let stream = TcpStream::connect((host, port))
        .await
        .context("cannot connect")?;
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    let (mut parts, body) = request.into_parts();
    let path = parts
        .uri
        .path_and_query()
        .map_or("/", |p| p.as_str())
        .to_owned();
    parts.uri = path.parse()?;
    if !parts.headers.contains_key(HOST) {
        parts
            .headers
            .insert(HOST, HeaderValue::from_str(&format!("{host}:{port}"))?);
    }
    let answer = async {
        let response = sender
            .send_request(Request::from_parts(parts, Full::new(body)))
            .await?;
        let (parts, body) = response.into_parts();
        let body = body.collect().await?.to_bytes();
        anyhow::Ok(Response::from_parts(parts, body))
    };
    let mut connection = std::pin::pin!(connection);
    let mut answer = std::pin::pin!(answer);
    tokio::select! {
        biased;
        answer = &mut answer => answer,
        ended = &mut connection => {
            ended?;
            answer.await
        }
    }
}
