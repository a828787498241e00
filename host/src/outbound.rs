//! HTTP requests components send: checked against what the component may call,
//! answered by a sister component or by the network.

use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};
use std::time::Duration;

use anyhow::Context as _;
use bytes::{Buf as _, Bytes};
use http::header::HOST;
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{Request, Response, Uri};
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt as _;
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::{Connected, Connection};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use wasmtime_wasi_http::{Error, ForbiddenHeaderFilter, RequestOptions, WasiBody, WasiHttpHooks};

use crate::allowed_hosts::internal_component;
use crate::clock::HostClock;
use crate::faults::{Target, Verdict};
use crate::instance::ComponentState;

/// For each of connecting, the first byte, and between bytes (Spin's number).
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(600);
/// Idle connections kept to one host.
const MAX_IDLE_CONNECTIONS: usize = 32;
/// The host under which a component calls its own application.
const SELF_HOST: &str = "self.alt";

type Answer = (Response<WasiBody>, Box<dyn Future<Output = Result<(), Error>> + Send>);

/// The outbound side of one instance.
pub(crate) struct Outbound {
    component: Arc<ComponentState>,
}

impl Outbound {
    pub(crate) fn new(component: Arc<ComponentState>) -> Self {
        Self { component }
    }
}

/// How requests reach a component of WASI 0.3: with every header, `Host` too,
/// as under Spin 4.1. (wasmtime 48 would take out what a component may not send.)
pub(crate) struct Inbound;

impl WasiHttpHooks for Inbound {
    fn forbidden_header_filter(&mut self) -> ForbiddenHeaderFilter {
        Arc::new(|_| false)
    }

    fn send_request(
        &mut self,
        _: Request<WasiBody>,
        _: Option<RequestOptions>,
        _: Box<dyn Future<Output = Result<(), Error>> + Send>,
    ) -> Box<dyn Future<Output = Result<Answer, Error>> + Send> {
        Box::new(async { Err(Error::HttpRequestDenied) })
    }
}

impl WasiHttpHooks for Outbound {
    fn send_request(
        &mut self,
        request: Request<WasiBody>,
        options: Option<RequestOptions>,
        _: Box<dyn Future<Output = Result<(), Error>> + Send>,
    ) -> Box<dyn Future<Output = Result<Answer, Error>> + Send> {
        let component = self.component.clone();
        Box::new(async move {
            let response = send(&component, request, options.unwrap_or_default()).await?;
            let done: Box<dyn Future<Output = Result<(), Error>> + Send> = Box::new(async { Ok(()) });
            Ok((response, done))
        })
    }
}

async fn send(
    component: &Arc<ComponentState>,
    mut request: Request<WasiBody>,
    options: RequestOptions,
) -> Result<Response<WasiBody>, Error> {
    let clock = component.app.clock.clone();
    let between_bytes = options.between_bytes_timeout.unwrap_or(DEFAULT_TIMEOUT);
    address(component, &mut request)?;
    // Set again from the URI by the client. Calls between components have none.
    request.headers_mut().remove(HOST);

    let authority = authority_with_port(request.uri())?;
    let operation = known_method(request.method());
    let path = request.uri().path().to_owned();
    let attempt = async {
        let verdict = component
            .meet(Target::Outbound(authority), operation, &path)
            .await;
        if verdict == Verdict::Refuse {
            return Err(Error::ConnectionRefused);
        }
        let internal = request.uri().host().and_then(internal_component);
        let response = match internal.map(str::to_owned) {
            Some(callee) => call_component(component, &callee, request).await?,
            None => component.app.client.send(&clock, request, options).await?,
        };
        match verdict {
            Verdict::LoseAnswer => Err(Error::ConnectionTerminated),
            Verdict::CutBody(after) => Ok((response, Some(after))),
            Verdict::Proceed | Verdict::Refuse => Ok((response, None)),
        }
    };
    let first_byte = options.first_byte_timeout.unwrap_or(DEFAULT_TIMEOUT);
    let (response, cut) = clock
        .timeout(first_byte, attempt)
        .await
        .unwrap_or(Err(Error::ConnectionReadTimeout))?;
    Ok(response.map(|body| {
        WatchedBody {
            body: Some(body),
            clock,
            between_bytes,
            waiting: None,
            left: cut,
        }
        .boxed_unsync()
    }))
}

/// Checks the address and resolves calls of the application to itself.
fn address(component: &ComponentState, request: &mut Request<WasiBody>) -> Result<(), Error> {
    let host = request.uri().host().unwrap_or_default();
    if host.is_empty() || host == SELF_HOST {
        if !component.allowed_hosts.allows_self() {
            return Err(Error::HttpRequestDenied);
        }
        let address = component
            .app
            .server()
            .map(|server| server.address())
            .ok_or(Error::HttpRequestUriInvalid)?;
        let mut parts = std::mem::take(request.uri_mut()).into_parts();
        parts.scheme = Some(Scheme::HTTP);
        parts.authority = Authority::try_from(address.to_string()).ok();
        if parts.path_and_query.is_none() {
            parts.path_and_query = Some(PathAndQuery::from_static("/"));
        }
        *request.uri_mut() = Uri::from_parts(parts).map_err(|_| Error::HttpRequestUriInvalid)?;
        return Ok(());
    }
    if component.allowed_hosts.allows(&request.uri().to_string()) {
        return Ok(());
    }
    // Scheme and authority only: a path may carry a credential.
    component.log(&format!(
        "outbound request refused: {}://{} is not in allowed_outbound_hosts",
        request.uri().scheme_str().unwrap_or_default(),
        request.uri().authority().map_or("", |authority| {
            authority.as_str().rsplit('@').next().unwrap_or_default()
        }),
    ));
    Err(Error::HttpRequestDenied)
}

fn authority_with_port(uri: &Uri) -> Result<String, Error> {
    let host = uri.host().ok_or(Error::HttpRequestUriInvalid)?;
    let default = if uri.scheme() == Some(&Scheme::HTTPS) { 443 } else { 80 };
    Ok(format!("{host}:{}", uri.port_u16().unwrap_or(default)))
}

fn known_method(method: &http::Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PUT" => "PUT",
        "PATCH" => "PATCH",
        "DELETE" => "DELETE",
        "OPTIONS" => "OPTIONS",
        _ => "other",
    }
}

async fn call_component(
    caller: &ComponentState,
    callee: &str,
    request: Request<WasiBody>,
) -> Result<Response<WasiBody>, Error> {
    let server = caller.app.server().ok_or(Error::ConnectionTerminated)?;
    // Boxed: a component can call one that calls it.
    let answer: Pin<Box<dyn Future<Output = _> + Send>> =
        Box::pin(server.handle_internal(callee, request));
    answer
        .await
        .map_err(|error| Error::InternalError(Some(format!("{error:#}"))))
}

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
    pub(crate) fn new() -> anyhow::Result<Self> {
        let client = |tls| {
            legacy::Client::builder(TokioExecutor::new())
                .pool_max_idle_per_host(MAX_IDLE_CONNECTIONS)
                .build(Connector { tls })
        };
        Ok(Self {
            plain: client(None),
            tls: client(Some(tls_connector()?)),
        })
    }

    async fn send(
        &self,
        clock: &HostClock,
        request: Request<WasiBody>,
        options: RequestOptions,
    ) -> Result<Response<WasiBody>, Error> {
        let client = if request.uri().scheme() == Some(&Scheme::HTTPS) {
            &self.tls
        } else {
            &self.plain
        };
        let limit = options.connect_timeout.unwrap_or(DEFAULT_TIMEOUT);
        let response = CONNECT
            .scope((clock.clone(), limit), client.request(request))
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

fn tls_connector() -> anyhow::Result<TlsConnector> {
    static CONFIG: OnceLock<Result<Arc<rustls::ClientConfig>, String>> = OnceLock::new();
    let config = CONFIG
        .get_or_init(|| {
            let roots = rustls::RootCertStore {
                roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
            };
            let provider = Arc::new(rustls::crypto::ring::default_provider());
            let mut config = rustls::ClientConfig::builder_with_provider(provider)
                .with_safe_default_protocol_versions()
                .map_err(|error| error.to_string())?
                .with_root_certificates(roots)
                .with_no_client_auth();
            config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
            Ok(Arc::new(config))
        })
        .clone()
        .map_err(anyhow::Error::msg)
        .context("TLS for outbound requests")?;
    Ok(TlsConnector::from(config))
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

/// A body that fails when nothing comes for too long, or after the bytes a rule
/// lets through.
struct WatchedBody {
    /// `None` once it failed: the connection is given up.
    body: Option<WasiBody>,
    clock: HostClock,
    between_bytes: Duration,
    waiting: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
    left: Option<usize>,
}

impl Body for WatchedBody {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        if self.left == Some(0) {
            self.body = None;
            self.left = None;
            return Poll::Ready(Some(Err(Error::ConnectionTerminated)));
        }
        let Some(body) = &mut self.body else {
            return Poll::Ready(None);
        };
        match Pin::new(body).poll_frame(cx) {
            Poll::Ready(frame) => {
                self.waiting = None;
                let Some(left) = self.left else {
                    return Poll::Ready(frame);
                };
                match frame {
                    Some(Ok(frame)) => match frame.into_data() {
                        Ok(mut data) => {
                            data.truncate(left);
                            self.left = Some(left.saturating_sub(data.remaining()));
                            Poll::Ready(Some(Ok(Frame::data(data))))
                        }
                        Err(trailers) => Poll::Ready(Some(Ok(trailers))),
                    },
                    // Shorter than the cut: cut at its end.
                    None => {
                        self.body = None;
                        self.left = None;
                        Poll::Ready(Some(Err(Error::ConnectionTerminated)))
                    }
                    error => Poll::Ready(error),
                }
            }
            Poll::Pending => {
                let clock = self.clock.clone();
                let limit = self.between_bytes;
                let waiting = self
                    .waiting
                    .get_or_insert_with(|| Box::pin(clock.sleep(limit)));
                if waiting.as_mut().poll(cx).is_pending() {
                    return Poll::Pending;
                }
                self.body = None;
                Poll::Ready(Some(Err(Error::ConnectionReadTimeout)))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.left.is_none() && self.body.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        match (&self.body, self.left) {
            (Some(body), None) => body.size_hint(),
            _ => SizeHint::default(),
        }
    }
}
