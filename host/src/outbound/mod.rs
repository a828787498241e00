//! HTTP requests components send: checked against what the component may call,
//! answered by a sister component or by the network.

mod body;
mod client;

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use http::header::HOST;
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{Request, Response, Uri};
use http_body_util::BodyExt as _;
use wasmtime_wasi_http::{Error, ForbiddenHeaderFilter, RequestOptions, WasiBody, WasiHttpHooks};

use self::body::WatchedBody;
pub(crate) use self::client::Client;
use crate::allowed_hosts::internal_component;
use crate::faults::{Target, Verdict};
use crate::instance::ComponentState;

/// For each of connecting, the first byte, and between bytes (Spin's number).
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(600);
/// The host under which a component calls its own application.
const SELF_HOST: &str = "self.alt";

type Answer = (
    Response<WasiBody>,
    Box<dyn Future<Output = Result<(), Error>> + Send>,
);

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
            let done: Box<dyn Future<Output = Result<(), Error>> + Send> =
                Box::new(async { Ok(()) });
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
            None => {
                let limit = options.connect_timeout.unwrap_or(DEFAULT_TIMEOUT);
                component.app.client.send(&clock, request, limit).await?
            }
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
    Ok(response.map(|body| WatchedBody::new(body, clock, between_bytes, cut).boxed_unsync()))
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
    let default = if uri.scheme() == Some(&Scheme::HTTPS) {
        443
    } else {
        80
    };
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
