//! Answers HTTP requests with the components of an application.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use anyhow::Context as _;
use bytes::Bytes;
use http::uri::Scheme;
use http::{HeaderValue, Request, Response, StatusCode};
use http_body::{Body, Frame, SizeHint};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use wasmtime_wasi_http::handler::ProxyHandler;
use wasmtime_wasi_http::{Error, WasiBody};

use crate::app::App;
use crate::request_headers::{append_spin_headers, make_absolute, strip_forbidden};
use crate::routes::{RouteMatch, Router, WELL_KNOWN_PREFIX};
use crate::worker::Instances;

/// Connections served at once; more wait to be accepted.
const MAX_CONNECTIONS: usize = 4_096;
/// How long a client may take to send a request's headers.
const HEADER_TIMEOUT: Duration = Duration::from_secs(30);
/// Where the benchmark asks how much memory a component has used.
const PEAK_MEMORY_PREFIX: &str = "/.well-known/scaigate-host/peak-memory/";
/// How long running requests get when the host stops.
const DRAIN: Duration = Duration::from_secs(1);
/// The client address of a call from another component, as under Spin.
const INTERNAL_CLIENT: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0);

pub(crate) struct Server {
    pub app: Arc<App>,
    pub router: Router,
    pub components: BTreeMap<String, ProxyHandler<Instances>>,
    pub address: SocketAddr,
    /// The body of `/.well-known/spin/info`.
    pub info: Bytes,
}

impl Server {
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until `stop` turns true, then lets running requests end for a
    /// moment.
    pub(crate) async fn run(
        self: Arc<Self>,
        listener: TcpListener,
        mut stop: watch::Receiver<bool>,
    ) {
        let permits = Arc::new(Semaphore::new(MAX_CONNECTIONS));
        let mut connections = JoinSet::new();
        loop {
            // Finished ones are forgotten as we go.
            while connections.try_join_next().is_some() {}
            let accepted = async {
                let permit = permits.clone().acquire_owned().await;
                (listener.accept().await, permit)
            };
            let (accepted, permit) = tokio::select! {
                accepted = accepted => accepted,
                () = stopped(&mut stop) => break,
            };
            let Ok((stream, client)) = accepted else {
                // Out of file handles, most likely: wait for some to be closed.
                tokio::time::sleep(Duration::from_millis(10)).await;
                continue;
            };
            let server = self.clone();
            let stop = stop.clone();
            connections.spawn(async move {
                server.serve(stream, client, stop).await;
                drop(permit);
            });
        }
        drop(listener);
        let drained = async { while connections.join_next().await.is_some() {} };
        // What is not done by then is cut below.
        let _ = tokio::time::timeout(DRAIN, drained).await;
        connections.shutdown().await;
        self.app.kill_instances();
    }

    async fn serve(
        self: Arc<Self>,
        stream: TcpStream,
        client: SocketAddr,
        mut stop: watch::Receiver<bool>,
    ) {
        // An answer in two writes would otherwise wait for the client's
        // acknowledgement of the first.
        let _ = stream.set_nodelay(true);
        let mut builder = auto::Builder::new(TokioExecutor::new());
        builder
            .http1()
            .timer(TokioTimer::new())
            .header_read_timeout(HEADER_TIMEOUT);
        let service = service_fn(move |request| {
            let server = self.clone();
            async move { server.answer(request, client).await }
        });
        let connection = builder.serve_connection(TokioIo::new(stream), service);
        let mut connection = std::pin::pin!(connection);
        // How a connection ended is the client's to know.
        tokio::select! {
            _ = connection.as_mut() => {}
            () = stopped(&mut stop) => {
                connection.as_mut().graceful_shutdown();
                let _ = connection.await;
            }
        }
    }

    /// An error here closes the connection without an answer, as in Spin.
    async fn answer(
        self: Arc<Self>,
        request: Request<Incoming>,
        client: SocketAddr,
    ) -> anyhow::Result<Response<WasiBody>> {
        let mut request = request.map(|body| body.map_err(Error::from).boxed_unsync());
        strip_forbidden(request.headers_mut());
        let path = request.uri().path();
        if let Some(known) = path.strip_prefix(WELL_KNOWN_PREFIX) {
            return Ok(match known {
                "health" => Response::new(full(Bytes::from_static(b"OK"))),
                "info" => {
                    let mut response = Response::new(full(self.info.clone()));
                    response.headers_mut().insert(
                        http::header::CONTENT_TYPE,
                        HeaderValue::from_static("application/json"),
                    );
                    response
                }
                _ => status(StatusCode::NOT_FOUND),
            });
        }
        if let Some(component) = path.strip_prefix(PEAK_MEMORY_PREFIX) {
            return Ok(match self.take_peak_memory(component) {
                Some(bytes) => Response::new(full(bytes.to_string().into())),
                None => status(StatusCode::NOT_FOUND),
            });
        }
        match self.router.find(path) {
            Some(route) => self.dispatch(request, &route, client).await,
            None => Ok(status(StatusCode::NOT_FOUND)),
        }
    }

    /// The most memory that an instance of the component has had since this was last asked, in bytes.
    pub(crate) fn take_peak_memory(&self, component: &str) -> Option<usize> {
        let handler = self.components.get(component)?;
        Some(handler.state().component.peak.take())
    }

    /// A call from another component to `<callee>.spin.internal`.
    ///
    /// # Errors
    ///
    /// There is no such component, or it has no HTTP trigger.
    pub(crate) async fn handle_internal(
        self: Arc<Self>,
        callee: &str,
        request: Request<WasiBody>,
    ) -> anyhow::Result<Response<WasiBody>> {
        let route = RouteMatch::internal(callee, request.uri().path());
        self.dispatch(request, &route, INTERNAL_CLIENT).await
    }

    async fn dispatch(
        &self,
        request: Request<WasiBody>,
        route: &RouteMatch,
        client: SocketAddr,
    ) -> anyhow::Result<Response<WasiBody>> {
        let (mut parts, body) = request.into_parts();
        make_absolute(&mut parts, Scheme::HTTP)?;
        let handler = self
            .components
            .get(&route.component)
            .with_context(|| format!("unknown component {:?}", route.component))?;
        let component = &handler.state().component;
        if let Err(error) = append_spin_headers(&mut parts, route, client) {
            component.log(&format!("request not passed on: {error:#}"));
            return Ok(status(StatusCode::INTERNAL_SERVER_ERROR));
        }
        let generation = *self.app.generation.borrow();
        match handler.handle((), Request::from_parts(parts, body)).await {
            Ok(response) => Ok(response.map(|body| {
                CutWhenKilled {
                    body,
                    app: self.app.clone(),
                    generation,
                }
                .boxed_unsync()
            })),
            Err(error) => {
                component.log(&format!("request failed: {error:?}"));
                Ok(status(StatusCode::INTERNAL_SERVER_ERROR))
            }
        }
    }
}

async fn stopped(stop: &mut watch::Receiver<bool>) {
    // A sender that is gone has stopped, too.
    let _ = stop.wait_for(|stop| *stop).await;
}

fn full(bytes: Bytes) -> WasiBody {
    Full::new(bytes)
        .map_err(|never| match never {})
        .boxed_unsync()
}

fn status(status: StatusCode) -> Response<WasiBody> {
    let mut response = Response::new(full(Bytes::new()));
    *response.status_mut() = status;
    response
}

/// A body that ends in an error when its instance was killed meanwhile: the body
/// of an instance that is gone just ends, as if it were complete.
struct CutWhenKilled {
    body: WasiBody,
    app: Arc<App>,
    generation: u64,
}

impl Body for CutWhenKilled {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        if frame.is_none() && *self.app.generation.borrow() != self.generation {
            return Poll::Ready(Some(Err(Error::ConnectionTerminated)));
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
