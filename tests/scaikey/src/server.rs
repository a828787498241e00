//! The accept loop, and what every request goes through: record, gate, fault, handler, gate, fault.

use std::collections::HashMap;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Body;
use axum::extract::{FromRequestParts, RawPathParams};
use bytes::Bytes;
use http::{HeaderValue, Request, Response, header};
use http_body::{Body as HttpBody, Frame, SizeHint};
use http_body_util::{BodyExt, Limited};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;
use tokio::time::{Sleep, sleep};
use tower::ServiceExt;

use crate::endpoint::Endpoint;
use crate::exchange::{Call, Reply};
use crate::fault::Fault;
use crate::recorder::Recorded;
use crate::world::World;
use scaigate_emulation::Gate;
use scaigate_emulation::http_date;

/// Largest request body.
const MAX_BODY: usize = 1 << 20;

/// Told to the connection by a request that wants it reset.
#[derive(Clone)]
struct ResetConnection(Arc<Notify>);

/// Accepts until `stop` changes; then every connection is dropped.
pub(crate) async fn serve(
    listener: TcpListener,
    router: axum::Router,
    mut stop: watch::Receiver<bool>,
) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            _ = stop.changed() => return,
            accepted = listener.accept() => if let Ok((stream, _)) = accepted {
                connections.spawn(connection(stream, router.clone()));
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn connection(stream: TcpStream, router: axum::Router) {
    // A failure here costs a few milliseconds and nothing else.
    let _ = stream.set_nodelay(true);
    let reset = Arc::new(Notify::new());
    let service = service_fn({
        let reset = reset.clone();
        move |mut request: Request<hyper::body::Incoming>| {
            request
                .extensions_mut()
                .insert(ResetConnection(reset.clone()));
            let router = router.clone();
            let answer: Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>> =
                Box::pin(router.oneshot(request.map(Body::new)));
            answer
        }
    });
    let mut conn = http1::Builder::new()
        .timer(TokioTimer::new())
        // `finish` sets it, by the emulator's clock.
        .auto_date_header(false)
        .serve_connection(TokioIo::new(stream), service);
    tokio::select! {
        // A client that went away or sent rubbish: its problem.
        _ = Pin::new(&mut conn) => {}
        () = reset.notified() => {
            // Without linger the close sends RST instead of FIN.
            let _ = conn.into_parts().io.into_inner().set_zero_linger();
        }
    }
}

/// What a route does with a request.
pub(crate) type Handler = fn(&World, &Call) -> Reply;

/// One request from its arrival to its answer.
pub(crate) async fn handle(
    world: Arc<World>,
    endpoint: Endpoint,
    handler: Handler,
    request: Request<Body>,
) -> Response<Body> {
    let reset = request.extensions().get::<ResetConnection>().cloned();
    let Some(call) = read(request).await else {
        return finish(&world, Reply::detail(413, "Request body too large"), None);
    };
    let index = world.recorder.record(Recorded {
        index: 0,
        endpoint,
        method: call.method.clone(),
        path: call.path.clone(),
        query: call.query.clone(),
        headers: call.headers.clone(),
        form: call.form.clone(),
        body: call.body.clone(),
        at: world.now_millis(),
        status: None,
    });
    world.recorder.pass(endpoint, Gate::Before).await;
    let fault = world.switches.draw_fault(endpoint, call.query("page"));
    match &fault {
        Some(Fault::Hang) => return std::future::pending().await,
        Some(Fault::Reset) => return reset_connection(reset).await,
        Some(Fault::SlowHeaders { ms }) => sleep(Duration::from_millis(*ms)).await,
        _ => {}
    }
    let reply = match fault.as_ref().and_then(instead) {
        Some(reply) => reply,
        None => handler(&world, &call),
    };
    world.recorder.pass(endpoint, Gate::After).await;
    match &fault {
        Some(Fault::AnswerLost) => return reset_connection(reset).await,
        Some(Fault::AnswerNever) => return std::future::pending().await,
        _ => {}
    }
    world.recorder.answered(index, endpoint, reply.status);
    finish(&world, reply, fault.as_ref())
}

async fn reset_connection(reset: Option<ResetConnection>) -> Response<Body> {
    if let Some(ResetConnection(notify)) = reset {
        notify.notify_one();
    }
    std::future::pending().await
}

async fn read(request: Request<Body>) -> Option<Call> {
    let (mut parts, body) = request.into_parts();
    let params: HashMap<String, String> =
        match RawPathParams::from_request_parts(&mut parts, &()).await {
            Ok(params) => params
                .iter()
                .map(|(key, value)| (key.to_owned(), value.to_owned()))
                .collect(),
            Err(_) => HashMap::new(),
        };
    let body = Limited::new(body, MAX_BODY)
        .collect()
        .await
        .ok()?
        .to_bytes();
    let pairs = |bytes: &[u8]| {
        url::form_urlencoded::parse(bytes)
            .into_owned()
            .collect::<Vec<_>>()
    };
    let content_type = parts
        .headers
        .get(header::CONTENT_TYPE)
        .and_then(|v| v.to_str().ok());
    let is_form = content_type.is_some_and(|v| {
        v.to_ascii_lowercase()
            .starts_with("application/x-www-form-urlencoded")
    });
    Some(Call {
        query: pairs(parts.uri.query().unwrap_or_default().as_bytes()),
        form: if is_form { pairs(&body) } else { Vec::new() },
        path: parts.uri.path().to_owned(),
        method: parts.method,
        headers: parts.headers,
        params,
        body,
    })
}

/// Faults that replace the answer.
fn instead(fault: &Fault) -> Option<Reply> {
    match fault {
        Fault::Status { code, retry_after } => {
            let reply = Reply::detail(*code, "a fault of the emulator");
            Some(match retry_after {
                Some(seconds) => reply.with("retry-after", &seconds.to_string()),
                None => reply,
            })
        }
        Fault::Answer { code, body } => {
            let mut reply = Reply::empty(*code).with("content-type", "application/json");
            reply.body = body.clone().into();
            Some(reply)
        }
        Fault::Redirect { to } => Some(Reply::redirect(302, to)),
        Fault::RedirectKeepingMethod { to } => Some(Reply::redirect(307, to)),
        Fault::Garbage => {
            let mut reply = Reply::empty(200).with("content-type", "application/json");
            reply.body = Bytes::from_static(b"\xff\xfe{]\x00 not json \x80");
            Some(reply)
        }
        Fault::EndlessBody => Some(Reply::empty(200).with("content-type", "application/json")),
        _ => None,
    }
}

fn finish(world: &World, reply: Reply, fault: Option<&Fault>) -> Response<Body> {
    let length = reply.body.len();
    let body = match fault {
        Some(Fault::EndlessBody) => Body::new(Faulty {
            kind: Kind::Endless,
        }),
        Some(Fault::Truncated) => Body::new(Faulty {
            kind: Kind::Truncated(Some(reply.body)),
        }),
        Some(Fault::HangingBody) => Body::new(Faulty {
            kind: Kind::Hanging,
        }),
        Some(Fault::SlowBody { ms }) => {
            let pause = Duration::from_millis(*ms);
            let rest = reply.body;
            Body::new(Faulty {
                kind: Kind::Slow {
                    rest,
                    pause,
                    wait: Box::pin(sleep(pause)),
                },
            })
        }
        _ => Body::from(reply.body),
    };
    let mut response = Response::new(body);
    *response.status_mut() = http::StatusCode::from_u16(reply.status).unwrap_or_default();
    let headers = response.headers_mut();
    for (name, value) in reply.headers {
        headers.append(name, value);
    }
    // Clients measure their clock skew by this header, so it follows the emulator's clock.
    let behaviour = world.switches.behaviour();
    let told = world.now().saturating_add(behaviour.date_skew_seconds);
    if behaviour.date_header
        && let Ok(date) = HeaderValue::from_str(&http_date(told))
    {
        headers.insert(header::DATE, date);
    }
    match fault {
        Some(Fault::WrongContentType) => {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html"));
        }
        Some(Fault::Truncated) => {
            headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length + 64));
        }
        Some(Fault::HangingBody | Fault::SlowBody { .. }) => {
            headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
        }
        _ => {}
    }
    response
}

/// A body that misbehaves.
struct Faulty {
    kind: Kind,
}

enum Kind {
    Endless,
    /// The bytes, then an error that makes the server close the connection.
    Truncated(Option<Bytes>),
    Hanging,
    Slow {
        rest: Bytes,
        pause: Duration,
        wait: Pin<Box<Sleep>>,
    },
}

impl HttpBody for Faulty {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        match &mut self.kind {
            Kind::Endless => {
                Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(&[b' '; 16_384])))))
            }
            Kind::Truncated(bytes) => Poll::Ready(Some(match bytes.take() {
                Some(bytes) if !bytes.is_empty() => Ok(Frame::data(bytes)),
                _ => Err(std::io::Error::other(
                    "truncated by a fault of the emulator",
                )),
            })),
            Kind::Hanging => Poll::Pending,
            Kind::Slow { rest, pause, wait } => {
                if rest.is_empty() {
                    return Poll::Ready(None);
                }
                std::task::ready!(wait.as_mut().poll(cx));
                *wait = Box::pin(sleep(*pause));
                Poll::Ready(Some(Ok(Frame::data(rest.split_to(1)))))
            }
        }
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::default()
    }
}
