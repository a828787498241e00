//! Connections to the network.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use anyhow::Context as _;
use http::uri::Scheme;
use http::{Request, Response, Uri};
use http_body_util::BodyExt as _;
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::{Connected, Connection};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use wasmtime_wasi_http::{Error, WasiBody};

use crate::clock::HostClock;

/// Idle connections kept to one host.
const MAX_IDLE_CONNECTIONS: usize = 32;

/// Connections of a host to the network, kept and used again as in Spin.
pub(crate) struct Client {
    plain: legacy::Client<Connector, WasiBody>,
    tls: legacy::Client<Connector, WasiBody>,
}

tokio::task_local! {
    /// How long the current request waits for a connection. The client makes
    /// connections by itself and passes nothing on.
    static CONNECT: (HostClock, Duration);
}

impl Client {
    /// `authorities` are certificates (DER) that servers may be vouched for by,
    /// besides those of the web.
    pub(crate) fn new(authorities: &[Vec<u8>]) -> anyhow::Result<Self> {
        let client = |tls| {
            legacy::Client::builder(TokioExecutor::new())
                .pool_max_idle_per_host(MAX_IDLE_CONNECTIONS)
                .build(Connector { tls })
        };
        Ok(Self {
            plain: client(None),
            tls: client(Some(tls_connector(authorities)?)),
        })
    }

    /// Sends a request; `connect_limit` bounds the making of a connection.
    pub(super) async fn send(
        &self,
        clock: &HostClock,
        request: Request<WasiBody>,
        connect_limit: Duration,
    ) -> Result<Response<WasiBody>, Error> {
        let client = if request.uri().scheme() == Some(&Scheme::HTTPS) {
            &self.tls
        } else {
            &self.plain
        };
        let response = CONNECT
            .scope((clock.clone(), connect_limit), client.request(request))
            .await
            .map_err(|error| client_error(&error))?;
        Ok(response.map(|body| body.map_err(Error::from).boxed_unsync()))
    }
}

fn client_error(error: &legacy::Error) -> Error {
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        if let Some(ConnectFailure(kind)) = cause.downcast_ref() {
            return match kind {
                FailureKind::Timeout => Error::ConnectionTimeout,
                FailureKind::Refused => Error::ConnectionRefused,
                FailureKind::Unresolved => Error::DnsError {
                    rcode: Some("address not available".to_owned()),
                    info_code: Some(0),
                },
                FailureKind::Tls => Error::TlsProtocolError,
                FailureKind::Address => Error::HttpRequestUriInvalid,
            };
        }
        source = cause.source();
    }
    Error::HttpProtocolError
}

fn tls_connector(authorities: &[Vec<u8>]) -> anyhow::Result<TlsConnector> {
    let mut roots = rustls::RootCertStore {
        roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
    };
    for authority in authorities {
        roots
            .add(authority.clone().into())
            .context("an authority for outbound requests")?;
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .context("TLS for outbound requests")?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(TlsConnector::from(Arc::new(config)))
}

#[derive(Debug, Clone, Copy)]
enum FailureKind {
    Timeout,
    Refused,
    Unresolved,
    Tls,
    Address,
}

#[derive(Debug)]
struct ConnectFailure(FailureKind);

impl std::fmt::Display for ConnectFailure {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "no connection: {:?}", self.0)
    }
}

impl std::error::Error for ConnectFailure {}

#[derive(Clone)]
struct Connector {
    tls: Option<TlsConnector>,
}

impl tower_service::Service<Uri> for Connector {
    type Response = TokioIo<Stream>;
    type Error = ConnectFailure;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, ConnectFailure>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), ConnectFailure>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let tls = self.tls.clone();
        let limit = CONNECT.try_with(Clone::clone).ok();
        Box::pin(async move {
            let connecting = connect(tls, &uri);
            match limit {
                Some((clock, limit)) => clock
                    .timeout(limit, connecting)
                    .await
                    .unwrap_or(Err(ConnectFailure(FailureKind::Timeout))),
                None => connecting.await,
            }
        })
    }
}

async fn connect(tls: Option<TlsConnector>, uri: &Uri) -> Result<TokioIo<Stream>, ConnectFailure> {
    let failed = |kind| move |_| ConnectFailure(kind);
    let host = uri.host().ok_or(ConnectFailure(FailureKind::Address))?;
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let default = if tls.is_some() { 443 } else { 80 };
    let port = uri.port_u16().unwrap_or(default);
    let addresses: Vec<_> = tokio::net::lookup_host((host, port))
        .await
        .map_err(failed(FailureKind::Unresolved))?
        .collect();
    let stream = TcpStream::connect(&*addresses)
        .await
        .map_err(failed(FailureKind::Refused))?;
    // Small requests go out at once.
    let _ = stream.set_nodelay(true);
    let Some(tls) = tls else {
        return Ok(TokioIo::new(Stream::Plain(stream)));
    };
    let name = rustls::pki_types::ServerName::try_from(host.to_owned())
        .map_err(|_| ConnectFailure(FailureKind::Unresolved))?;
    let stream = tls
        .connect(name, stream)
        .await
        .map_err(failed(FailureKind::Tls))?;
    Ok(TokioIo::new(Stream::Tls(Box::new(stream))))
}

enum Stream {
    Plain(TcpStream),
    Tls(Box<tokio_rustls::client::TlsStream<TcpStream>>),
}

impl Connection for Stream {
    fn connected(&self) -> Connected {
        match self {
            Self::Tls(stream) if stream.get_ref().1.alpn_protocol() == Some(b"h2") => {
                Connected::new().negotiated_h2()
            }
            Self::Plain(_) | Self::Tls(_) => Connected::new(),
        }
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_read(cx, buffer),
            Self::Tls(stream) => Pin::new(stream).poll_read(cx, buffer),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write(cx, bytes),
            Self::Tls(stream) => Pin::new(stream).poll_write(cx, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Self::Tls(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}
