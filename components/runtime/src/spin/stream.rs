//! One request whose body, or whose answer's, passes through piece by piece.

use std::cell::RefCell;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::{Either, select};
use http::{Method, Response};
use http_body::{Body, Frame};
use http_body_util::BodyExt;
use scaigate_problem::{Code, Problem};
use scaigate_proxy::{Cut, MAX_UPLOAD};
use scaigate_types::Clock;
use serde_json::json;
use spin_sdk::wasip3::http::types::ErrorCode;
use spin_sdk::wasip3::http_compat::{BodyWriter, IncomingRequestBody};
use spin_sdk::wasip3::wit_bindgen::StreamResult;

use super::ports::SpinClock;
use super::serve::{BODY_TIMEOUT, Component, MAX_DISCARDED, answered, fresh_id, site};
use super::wire;
use crate::answer::AnswerBody;
use crate::{Incoming, Site};

/// How often a silent stream is asked whether its client is still there.
const LOOK: Duration = Duration::from_secs(1);
/// How long a client may take nothing.
const STUCK: Duration = Duration::from_secs(120);

/// The body of an answer.
pub enum StreamBody {
    /// All of it.
    Whole(Bytes),
    /// One that comes piece by piece.
    Pieces(Pin<Box<dyn Body<Data = Bytes, Error = Cut>>>),
}

impl From<Bytes> for StreamBody {
    fn from(bytes: Bytes) -> Self {
        Self::Whole(bytes)
    }
}

impl AnswerBody for StreamBody {
    fn length(&self) -> Option<usize> {
        match self {
            Self::Whole(bytes) => Some(bytes.len()),
            Self::Pieces(_) => None,
        }
    }
}

/// An answer.
pub type StreamAnswer = Response<StreamBody>;

impl Component {
    /// As [`Component::respond_with`], with the body of the request as it comes, and of the answer as
    /// `handle` gives it. What `handle` has not read of a refused request's body is read and thrown away,
    /// as much of it as may be sent and a little more: a caller that is still sending when the connection
    /// closes may never see why.
    ///
    /// # Errors
    /// The request is none, or the answer has a header that a component may not send.
    pub async fn stream_with<R: AsRef<Site>>(
        self,
        request: wire::Request,
        remembered: Result<Rc<R>, Problem>,
        handle: impl AsyncFnOnce(&R, &Incoming, Arriving) -> Result<StreamAnswer, Problem>,
    ) -> wire::Reply {
        let started = SpinClock.now();
        let head = wire::head(&request)?;
        let body = IncomingRequestBody::new(request);
        let incoming = Incoming::new(head, Bytes::new(), started, || fresh_id(started));
        let (arriving, refused) = match body {
            Ok(body) => (Some(Arriving::new(body)), None),
            Err(_) => (
                None,
                Some(Problem::invalid_field("body", "of no sane length")),
            ),
        };
        let rest = arriving.clone();
        let site = site(&remembered);
        let handle = async |incoming: &Incoming| match arriving {
            Some(arriving) => handle(&*remembered?, incoming, arriving).await,
            None => Err(Problem::new(Code::Internal)),
        };
        let answer = answered(self.name, started, &incoming, refused, &site, handle).await;
        let failed = answer.status().is_client_error() || answer.status().is_server_error();
        let bodyless = matches!(
            incoming.method,
            Method::GET | Method::HEAD | Method::OPTIONS
        );
        if failed
            && !bodyless
            && let Some(rest) = rest.and_then(|arriving| arriving.take_back())
        {
            discard(rest).await;
        }
        let (parts, body) = answer.into_parts();
        match body {
            StreamBody::Whole(bytes) => wire::response(Response::from_parts(parts, bytes)),
            StreamBody::Pieces(pieces) => {
                let (writer, contents, outcome) = BodyWriter::new();
                let fields = wire::fields(&parts.headers)?;
                let (response, _sent) = wire::Response::new(fields, Some(contents), outcome);
                let _ = response.set_status_code(parts.status.as_u16());
                let trail = incoming.trail;
                spin_sdk::wasip3::spawn(async move {
                    if let Some(cut) = forward(writer, pieces).await {
                        log_cut(self.name, &trail.request_id, cut);
                    }
                });
                Ok(response)
            }
        }
    }
}

/// Reads the rest of a refused request's body and throws it away, no longer than a body may take.
async fn discard(mut rest: IncomingRequestBody) {
    let drained = pin!(async {
        let mut left = MAX_UPLOAD + MAX_DISCARDED;
        while left > 0
            && let Some(Ok(frame)) = rest.frame().await
        {
            let length = frame.data_ref().map_or(0, Bytes::len);
            left = left.saturating_sub(u64::try_from(length).unwrap_or(u64::MAX));
        }
    });
    select(drained, pin!(SpinClock.sleep(BODY_TIMEOUT))).await;
}

/// The body of a request as it comes. One reads it at a time: whoever passes it on, until it is taken
/// back. (Two that poll one body would take each other's wake-ups.)
#[derive(Clone)]
pub struct Arriving(Rc<RefCell<Shared>>);

struct Shared {
    /// `None` once it is taken back.
    body: Option<IncomingRequestBody>,
    /// Who waits for more of it.
    reader: Option<Waker>,
}

impl Arriving {
    fn new(body: IncomingRequestBody) -> Self {
        Self(Rc::new(RefCell::new(Shared {
            body: Some(body),
            reader: None,
        })))
    }

    /// What has not been read. For whoever has read it so far it breaks off here.
    fn take_back(&self) -> Option<IncomingRequestBody> {
        let mut shared = self.0.borrow_mut();
        if let Some(reader) = shared.reader.take() {
            reader.wake();
        }
        shared.body.take()
    }
}

impl Body for Arriving {
    type Data = Bytes;
    type Error = ErrorCode;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, ErrorCode>>> {
        let mut shared = self.0.borrow_mut();
        let Some(body) = &mut shared.body else {
            return Poll::Ready(Some(Err(ErrorCode::ConnectionTerminated)));
        };
        let frame = Pin::new(body).poll_frame(cx);
        shared.reader = frame.is_pending().then(|| cx.waker().clone());
        frame
    }
}

/// Hands the pieces on as they come, until they end, are cut, or the client leaves: then they are
/// dropped, and with them the connection they come over. Says why they were cut.
async fn forward(
    writer: BodyWriter,
    mut pieces: Pin<Box<dyn Body<Data = Bytes, Error = Cut>>>,
) -> Option<Cut> {
    let BodyWriter {
        mut stream_writer,
        result_writer,
        ..
    } = writer;
    let ended = 'pieces: loop {
        let frame = {
            let mut next = pin!(pieces.frame());
            loop {
                match select(next.as_mut(), pin!(spin_sdk::time::sleep(LOOK))).await {
                    Either::Left((frame, _)) => break frame,
                    Either::Right(((), _)) => {
                        // A write of nothing tells whether there is a reader. One that takes nothing
                        // at the moment is there all the same.
                        let write = pin!(stream_writer.write(Vec::new()));
                        let moment = pin!(spin_sdk::time::sleep(Duration::ZERO));
                        if let Either::Left(((StreamResult::Dropped, _), _)) =
                            select(write, moment).await
                        {
                            return None;
                        }
                    }
                }
            }
        };
        match frame {
            None => break 'pieces Ok(()),
            Some(Err(cut)) => break 'pieces Err(cut),
            Some(Ok(frame)) => {
                let Ok(data) = frame.into_data() else {
                    continue;
                };
                let write = pin!(stream_writer.write_all(data.into()));
                match select(write, pin!(spin_sdk::time::sleep(STUCK))).await {
                    Either::Left((unwritten, _)) if unwritten.is_empty() => {}
                    // The client has left, or takes nothing.
                    Either::Left(_) | Either::Right(_) => return None,
                }
            }
        }
    };
    // First: who reads the outcome waits for the end of the pieces.
    drop(stream_writer);
    drop(pieces);
    let (outcome, cut) = match ended {
        Ok(()) => (Ok(None), None),
        Err(cut) => (Err(ErrorCode::HttpResponseIncomplete), Some(cut)),
    };
    let _ = result_writer.write(outcome).await;
    cut
}

#[expect(
    clippy::print_stdout,
    reason = "a component's log is its standard output"
)]
fn log_cut(component: &str, request_id: &str, cut: Cut) {
    let line = json!({
        "component": component,
        "event": "answer_cut",
        "reason": cut.as_str(),
        "request_id": request_id,
    });
    println!("{line}");
}
