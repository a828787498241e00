//! A server for the probe to call.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Request, Response};
use http_body::{Body, Frame};
use http_body_util::{BodyExt as _, Full};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::sync::Notify;

pub struct Upstream {
    pub address: SocketAddr,
    /// A request has arrived.
    pub arrived: Arc<Notify>,
}

impl Upstream {
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Answers `/ok`, `/headers`; never answers `/slow`; never ends `/stalls`.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let arrived = Arc::new(Notify::new());
        let notify = arrived.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let notify = notify.clone();
                let service = service_fn(move |request| answer(request, notify.clone()));
                tokio::spawn(async move {
                    hyper::server::conn::http1::Builder::new()
                        .serve_connection(TokioIo::new(stream), service)
                        .await
                        .is_ok()
                });
            }
        });
        Self { address, arrived }
    }
}

pub type Answered = http_body_util::combinators::BoxBody<Bytes, Infallible>;

/// Answers one request.
pub async fn answer(
    request: Request<hyper::body::Incoming>,
    arrived: Arc<Notify>,
) -> Result<Response<Answered>, Infallible> {
    arrived.notify_one();
    let body = match request.uri().path() {
        "/headers" => {
            let mut lines: Vec<String> = request
                .headers()
                .iter()
                .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap_or_default()))
                .collect();
            lines.sort();
            Full::new(Bytes::from(lines.join("\n"))).boxed()
        }
        "/slow" => std::future::pending().await,
        "/stalls" => Stalls(Some(Bytes::from_static(b"begin"))).boxed(),
        _ => Full::new(Bytes::from_static(b"0123456789")).boxed(),
    };
    Ok(Response::new(body))
}

/// One frame, and nothing after it.
struct Stalls(Option<Bytes>);

impl Body for Stalls {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match self.0.take() {
            Some(bytes) => Poll::Ready(Some(Ok(Frame::data(bytes)))),
            None => Poll::Pending,
        }
    }
}
