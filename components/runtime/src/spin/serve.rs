//! One request, from the first byte to the log line.

use std::cell::RefCell;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::{Either, select};
use http::{HeaderName, Method, Response};
use scaigate_problem::{Code, Problem};
use scaigate_types::{Clock, Timestamp, trace_id};
use serde::Serialize;

use super::dev_headers::carries_dev_headers;
use super::ports::{SpinClock, SpinEntropy};
use super::wire::{self, Body, Unread};
use crate::answer::AnswerBody;
use crate::incoming::MAX_BODY;
use crate::request_id::Fresh;
use crate::{Answer, Incoming, Site};

/// Time for a caller to send its body.
pub(super) const BODY_TIMEOUT: Duration = Duration::from_secs(10);

/// Bytes of a body that is too large that are read and thrown away.
pub(super) const MAX_DISCARDED: u64 = 1_048_576;

const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

thread_local! {
    static IDS: RefCell<Fresh> = const { RefCell::new(Fresh::new()) };
}

/// A component, as its log calls it.
#[derive(Clone, Copy, Debug)]
pub struct Component {
    pub(super) name: &'static str,
    max_body: usize,
}

impl Component {
    /// The component `name`, which takes bodies of up to [`MAX_BODY`] bytes.
    #[must_use]
    pub const fn named(name: &'static str) -> Self {
        Self {
            name,
            max_body: MAX_BODY,
        }
    }

    /// The same, for bodies of up to `max_body` bytes.
    #[must_use]
    pub const fn with_bodies_up_to(self, max_body: usize) -> Self {
        Self { max_body, ..self }
    }

    /// Reads the request, refuses what a foreign page sends, lets `handle` answer, and turns failures
    /// into the one documented body. Logs one line: no query, no header, no token.
    ///
    /// A GET that succeeds is not logged here: the host's own request log has it.
    ///
    /// # Errors
    /// The request is none, or the answer has a header that a component may not send.
    pub async fn respond(
        self,
        request: wire::Request,
        site: &Site,
        handle: impl AsyncFnOnce(&Incoming) -> Result<Answer, Problem>,
    ) -> wire::Reply {
        let started = SpinClock.now();
        let head = wire::head(&request)?;
        let bodyless = matches!(head.method, Method::GET | Method::HEAD | Method::OPTIONS);
        let (body, received) = if bodyless {
            (Ok(Bytes::new()), started)
        } else {
            let body = read_body(Body::of_request(request), self.max_body).await;
            (body, SpinClock.now())
        };
        let (body, refused) = match body {
            Ok(body) => (body, None),
            Err(problem) => (Bytes::new(), Some(problem)),
        };
        let incoming = Incoming::new(head, body, received, || fresh_id(started));
        wire::response(answered(self.name, started, &incoming, refused, site, handle).await)
    }

    /// The same, where a component has settings: without them it answers what is wrong with them.
    ///
    /// # Errors
    /// As [`Component::respond`].
    pub async fn respond_with<R: AsRef<Site>>(
        self,
        request: wire::Request,
        remembered: Result<Rc<R>, Problem>,
        handle: impl AsyncFnOnce(&R, &Incoming) -> Result<Answer, Problem>,
    ) -> wire::Reply {
        let site = site(&remembered);
        let handle = async move |incoming: &Incoming| handle(&*remembered?, incoming).await;
        self.respond(request, &site, handle).await
    }
}

/// The site of a component with these settings.
pub(super) fn site<R: AsRef<Site>>(remembered: &Result<Rc<R>, Problem>) -> Site {
    remembered
        .as_ref()
        .map_or_else(|_| Site::default(), |all| (**all).as_ref().clone())
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
                None => apart(handle(incoming)).await,
            },
        },
    };
    let code = outcome.as_ref().err().map(Problem::code);
    if let Some(code) = code {
        site.note_refusal(incoming, code);
    }
    let mut answer = outcome.unwrap_or_else(|problem| {
        let answer = problem.response(&incoming.path, incoming.request_id());
        answer.map(B::from)
    });
    if let Some(limit) = incoming.limit.get() {
        limit.write(answer.headers_mut());
    }
    site.dress(incoming, &mut answer);
    // Without `env=dev` they mean nothing: whoever sends them takes this for another environment.
    let sent_dev_headers = carries_dev_headers(incoming);
    if code.is_some() || sent_dev_headers || incoming.method != Method::GET {
        let took = SpinClock.now().since(started);
        let status = answer.status().as_u16();
        log(component, incoming, status, code, took, sent_dev_headers);
    }
    answer
}

/// A future by itself. What a component does with a request is large: as a part of all the futures around
/// it, its code and its state would be copied into each.
fn apart<'a, T>(future: impl Future<Output = T> + 'a) -> Pin<Box<dyn Future<Output = T> + 'a>> {
    Box::pin(future)
}

/// Reads a body of up to `max_body` bytes. The rest of a larger one is thrown away, some of it: a caller
/// that is still sending when the connection closes may never see why.
async fn read_body(body: Body, max_body: usize) -> Result<Bytes, Problem> {
    let read = pin!(async {
        match body.whole(max_body).await {
            Ok(body) => Ok(body),
            Err(Unread::Broken(_)) => Err(Problem::invalid_field("body", "not received whole")),
            Err(Unread::TooLarge(rest)) => {
                rest.discard(MAX_DISCARDED).await;
                Err(Problem::new(Code::PayloadTooLarge).with("limit_bytes", max_body))
            }
        }
    });
    match select(read, pin!(SpinClock.sleep(BODY_TIMEOUT))).await {
        Either::Left((outcome, _)) => outcome,
        Either::Right(((), _)) => Err(Problem::invalid_field("body", "not received in time")),
    }
}

/// What is written about a request.
#[derive(Serialize)]
struct Line<'a> {
    component: &'a str,
    method: &'a str,
    path: &'a str,
    status: u16,
    code: Option<&'static str>,
    fault: Option<&'static str>,
    request_id: &'a str,
    trace_id: Option<&'a str>,
    dev_headers: bool,
    ms: u64,
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
    dev_headers: bool,
) {
    let line = Line {
        component,
        method: request.method.as_str(),
        // A path that is not one of ours may hold anything.
        path: match code {
            Some(Code::NotFound) => "-",
            _ => &request.path,
        },
        status,
        code: code.map(Code::as_str),
        fault: code.map(|code| code.fault().as_str()),
        request_id: request.request_id(),
        trace_id: request.header(TRACEPARENT).and_then(trace_id),
        dev_headers,
        ms: u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
    };
    if let Ok(line) = serde_json::to_string(&line) {
        println!("{line}");
    }
}
