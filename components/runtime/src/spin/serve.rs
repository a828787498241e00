//! One request, from the first byte to the log line.

use std::cell::RefCell;
use std::pin::pin;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::future::{Either, select};
use http::request::Parts;
use http::{Method, Response};
use http_body_util::BodyExt;
use scaigate_problem::{Code, Problem};
use scaigate_signin::authenticate::DEV_HEADERS;
use scaigate_types::{Clock, Timestamp};
use serde_json::json;
use spin_sdk::http::{FullBody, Request};
use spin_sdk::wasip3::http_compat::IncomingRequestBody;

use super::ports::{SpinClock, SpinEntropy};
use super::wire;
use crate::answer::AnswerBody;
use crate::incoming::MAX_BODY;
use crate::request_id::Fresh;
use crate::{Answer, Incoming, Site};

/// What goes back to Spin.
pub type Reply = Response<FullBody<Bytes>>;

/// Time for a caller to send its body.
const BODY_TIMEOUT: Duration = Duration::from_secs(10);

/// Bytes of a body that is too large that are read and thrown away, see [`discard`].
pub(super) const MAX_DISCARDED: u64 = 1_048_576;

thread_local! {
    static IDS: RefCell<Fresh> = const { RefCell::new(Fresh::new()) };
}

/// Reads the request, refuses what a foreign page sends, lets `handle` answer, and turns failures
/// into the one documented body. Logs one line: no query, no header, no token.
///
/// A GET that succeeds is not logged here: the host's own request log has it.
pub async fn serve(
    component: &'static str,
    request: Request,
    site: &Site,
    handle: impl AsyncFnOnce(&Incoming) -> Result<Answer, Problem>,
) -> Reply {
    serve_up_to(MAX_BODY, component, request, site, handle).await
}

/// As [`serve`], for bodies of up to `max_body` bytes.
pub async fn serve_up_to(
    max_body: usize,
    component: &'static str,
    request: Request,
    site: &Site,
    handle: impl AsyncFnOnce(&Incoming) -> Result<Answer, Problem>,
) -> Reply {
    let (parts, body) = request.into_parts();
    let body = async move || read_body(body, max_body).await;
    answer(component, parts, body, site, handle)
        .await
        .map(FullBody::new)
}

/// [`serve`], for a request as Spin hands it over ([`service!`](crate::service)).
///
/// # Errors
/// The request is none, or the answer has a header that a component may not send.
pub async fn respond(
    component: &'static str,
    request: wire::Request,
    site: &Site,
    handle: impl AsyncFnOnce(&Incoming) -> Result<Answer, Problem>,
) -> Result<wire::Response, wire::ErrorCode> {
    let parts = wire::parts(&request)?;
    let body = async move || match IncomingRequestBody::new(request) {
        Ok(body) => read_body(body, MAX_BODY).await,
        Err(_) => Err(Problem::invalid_field("body", "of no sane length")),
    };
    wire::response(answer(component, parts, body, site, handle).await)
}

async fn answer(
    component: &'static str,
    parts: Parts,
    body: impl AsyncFnOnce() -> Result<Bytes, Problem>,
    site: &Site,
    handle: impl AsyncFnOnce(&Incoming) -> Result<Answer, Problem>,
) -> Answer {
    let started = SpinClock.now();
    let bodyless = matches!(parts.method, Method::GET | Method::HEAD | Method::OPTIONS);
    let (body, refused) = if bodyless {
        (Bytes::new(), None)
    } else {
        match body().await {
            Ok(body) => (body, None),
            Err(problem) => (Bytes::new(), Some(problem)),
        }
    };
    let incoming = Incoming::new(parts, body, || fresh_id(started));
    answered(component, started, &incoming, refused, site, handle).await
}

/// An id for a request that began at `started`.
pub(super) fn fresh_id(started: Timestamp) -> String {
    IDS.with_borrow_mut(|ids| ids.id(&SpinEntropy, started))
}

/// What every request goes through once it has been read: the checks, `handle`, the documented body of
/// a failure, the headers, and the log line.
pub(super) async fn answered<B: AnswerBody>(
    component: &'static str,
    started: Timestamp,
    incoming: &Incoming,
    refused: Option<Problem>,
    site: &Site,
    handle: impl AsyncFnOnce(&Incoming) -> Result<Response<B>, Problem>,
) -> Response<B> {
    let outcome = match refused {
        Some(problem) => Err(problem),
        None => match site.check(incoming) {
            Err(problem) => Err(problem),
            Ok(()) => match site.preflight(incoming) {
                Some(answer) => Ok(answer.map(B::from)),
                None => handle(incoming).await,
            },
        },
    };
    let code = outcome.as_ref().err().map(Problem::code);
    if let Some(code) = code {
        site.note_refusal(incoming, code);
    }
    let mut answer = outcome.unwrap_or_else(|problem| {
        let answer = problem.response(&incoming.path, &incoming.request_id);
        answer.map(B::from)
    });
    site.dress(incoming, &mut answer);
    // Without `env=dev` they mean nothing: whoever sends them takes this for another environment.
    let sent_dev_headers = incoming
        .headers
        .keys()
        .any(|name| DEV_HEADERS.contains(&name.as_str()));
    if code.is_some() || sent_dev_headers || incoming.method != Method::GET {
        let took = SpinClock.now().since(started);
        let status = answer.status().as_u16();
        log(component, incoming, status, code, took, sent_dev_headers);
    }
    answer
}

pub(super) async fn read_body(
    mut body: impl http_body::Body<Data = Bytes> + Unpin,
    max_body: usize,
) -> Result<Bytes, Problem> {
    let read = pin!(async {
        let mut collected = BytesMut::new();
        while let Some(frame) = body.frame().await {
            let Ok(frame) = frame else {
                return Err(Problem::invalid_field("body", "not received whole"));
            };
            let Ok(data) = frame.into_data() else {
                continue;
            };
            if collected.len().saturating_add(data.len()) > max_body {
                drain(&mut body, MAX_DISCARDED).await;
                return Err(Problem::new(Code::PayloadTooLarge).with("limit_bytes", max_body));
            }
            collected.extend_from_slice(&data);
        }
        Ok(collected.freeze())
    });
    match select(read, pin!(SpinClock.sleep(BODY_TIMEOUT))).await {
        Either::Left((outcome, _)) => outcome,
        Either::Right(((), _)) => Err(Problem::invalid_field("body", "not received in time")),
    }
}

/// Reads the rest of a refused request's body and throws it away, `most` bytes of it and no longer than
/// a body may take: a caller that is still sending when the connection closes may never see why.
pub(super) async fn discard(body: impl http_body::Body<Data = Bytes> + Unpin, most: u64) {
    select(pin!(drain(body, most)), pin!(SpinClock.sleep(BODY_TIMEOUT))).await;
}

async fn drain(mut body: impl http_body::Body<Data = Bytes> + Unpin, most: u64) {
    let mut received = 0_u64;
    while received <= most
        && let Some(Ok(frame)) = body.frame().await
    {
        let length = frame.data_ref().map_or(0, Bytes::len);
        received = received.saturating_add(u64::try_from(length).unwrap_or(u64::MAX));
    }
}

#[expect(
    clippy::print_stdout,
    reason = "a component's log is its standard output"
)]
fn log(
    component: &str,
    request: &Incoming,
    status: u16,
    code: Option<Code>,
    took: Duration,
    sent_dev_headers: bool,
) {
    // A path that is not one of ours may hold anything.
    let path = if code == Some(Code::NotFound) {
        "-"
    } else {
        request.path.as_str()
    };
    let line = json!({
        "component": component,
        "method": request.method.as_str(),
        "path": path,
        "status": status,
        "code": code.map(Code::as_str),
        "fault": code.map(|code| code.fault().as_str()),
        "request_id": request.request_id,
        "dev_headers": sent_dev_headers,
        "ms": u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
    });
    println!("{line}");
}
