//! What passes through as it is: reads that are no lists of ours, and the calls that are allowed.

use std::pin::pin;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::future::{Either, select};
use http::header::CONTENT_LENGTH;
use http::{Response, StatusCode};
use http_body::Body;
use http_body_util::{BodyExt, Empty};
use scaigate_problem::{Code, Problem};
use scaigate_scaigrid::error;
use scaigate_scaigrid::headers::{ResponseHeaders, Verdict, judge};
use scaigate_scaigrid::{Admitted, Chosen, UpstreamError};
use scaigate_signin::Ports;
use scaigate_types::{Clock, OutboundError, StreamLimits, Streaming};

use crate::failure;
use crate::lookup::may_repeat;
use crate::settings::Settings;
use crate::upload::Upload;
use crate::watched::Watched;

/// A read answers soon; a model may think.
const HEAD_OF_READ: Duration = Duration::from_secs(30);
const HEAD_OF_CALL: Duration = Duration::from_secs(120);
/// Streams may last; silence may not.
const IDLE: Duration = Duration::from_secs(120);
/// Most of an answer that is read before its head leaves.
const AHEAD: u64 = 64 * 1024;
/// Time for the few bytes of a refusal.
const REFUSAL: Duration = Duration::from_secs(5);

/// The ports of the flows, and calls whose bodies stream.
pub trait GridPorts: Ports {
    /// Calls whose bodies stream.
    type Streaming: Streaming;

    /// Calls whose bodies stream.
    fn streaming(&self) -> &Self::Streaming;
}

/// An answer that passes through.
#[derive(Debug)]
pub struct Passed<B> {
    /// Its status, a success.
    pub status: StatusCode,
    /// Its headers that go on.
    pub headers: ResponseHeaders,
    /// Its body.
    pub body: Watched<B>,
}

pub(crate) type Download<P> = <<P as GridPorts>::Streaming as Streaming>::Download;

/// One exchange.
pub(crate) struct Pass<'a, P> {
    pub ports: &'a P,
    pub settings: &'a Settings,
    pub chosen: Chosen,
    pub request_id: &'a str,
}

impl<P: GridPorts> Pass<'_, P> {
    /// Reads; once more when the connection fails.
    pub async fn read(self, admitted: &Admitted) -> Result<Passed<Download<P>>, Problem> {
        let limits = StreamLimits {
            head: HEAD_OF_READ,
            idle: IDLE,
        };
        let mut again = true;
        loop {
            let request = self.request(admitted, Empty::<Bytes>::new())?;
            match self.ports.streaming().exchange(request, limits).await {
                Ok(answer) => return self.deliver(admitted, answer).await,
                Err(error) if again && may_repeat(error) => again = false,
                Err(error) => return Err(failure::outbound(error)),
            }
        }
    }

    /// Calls, once: it spends or changes something.
    pub async fn call<U>(
        self,
        admitted: &Admitted,
        client: &http::HeaderMap,
        body: U,
    ) -> Result<Passed<Download<P>>, Problem>
    where
        U: Body<Data = Bytes> + Unpin + 'static,
    {
        let limits = StreamLimits {
            head: HEAD_OF_CALL,
            idle: IDLE,
        };
        let (upload, fate) = Upload::new(body, client)?;
        let announced = upload.announced();
        let mut request = self.request(admitted, upload)?;
        if let Some(length) = announced {
            request.headers_mut().insert(CONTENT_LENGTH, length.into());
        }
        match self.ports.streaming().exchange(request, limits).await {
            Ok(answer) => self.deliver(admitted, answer).await,
            Err(error) => Err(fate.problem().unwrap_or_else(|| failure::outbound(error))),
        }
    }

    fn request<B>(&self, admitted: &Admitted, body: B) -> Result<http::Request<B>, Problem> {
        let base_url = &self.settings.grid.base_url;
        admitted
            .request(base_url, self.chosen.credential(), self.request_id, body)
            .map(scaigate_scaigrid::UpstreamRequest::into_http)
            .map_err(|_| Problem::new(Code::Internal))
    }

    async fn deliver(
        &self,
        admitted: &Admitted,
        answer: Response<Download<P>>,
    ) -> Result<Passed<Download<P>>, Problem> {
        let credential = self.chosen.credential();
        let route = admitted.path().route();
        match judge(route, credential, answer.status(), answer.headers()) {
            Verdict::Deliver(headers) => {
                let status = answer.status();
                let mut body = Watched::new(answer.into_body(), credential);
                // Events are not waited for.
                if !headers.is_stream() {
                    let reading = pin!(body.read_ahead(ahead(&headers)));
                    let time = pin!(self.ports.clock().sleep(HEAD_OF_READ));
                    match select(reading, time).await {
                        Either::Left((read, _)) => read.map_err(failure::cut)?,
                        Either::Right(((), _)) => {
                            return Err(failure::outbound(OutboundError::Timeout));
                        }
                    }
                }
                Ok(Passed {
                    status,
                    headers,
                    body,
                })
            }
            Verdict::Refuse(error) => Err(failure::invalid(error.into())),
            Verdict::Explain => {
                let (parts, body) = answer.into_parts();
                let reading = pin!(some(body));
                let time = pin!(self.ports.clock().sleep(REFUSAL));
                // Without its body a refusal is known by its status.
                let body = match select(reading, time).await {
                    Either::Left((body, _)) => body,
                    Either::Right(((), _)) => Bytes::new(),
                };
                let error = UpstreamError::read(parts.status, &parts.headers, &body);
                Err(failure::refused(&error, self.chosen.source()))
            }
        }
    }
}

/// How much of an answer is there before its head leaves: all of a short one, else something.
fn ahead(headers: &ResponseHeaders) -> u64 {
    let announced = headers.as_map().get(CONTENT_LENGTH);
    let announced = announced.and_then(|value| value.to_str().ok()?.parse().ok());
    announced.map_or(1, |announced: u64| announced.min(AHEAD))
}

/// As much of a body as is worth reading.
async fn some(mut body: impl Body<Data = Bytes, Error = OutboundError> + Unpin) -> Bytes {
    let mut read = BytesMut::new();
    while let Some(Ok(frame)) = body.frame().await {
        if let Ok(data) = frame.into_data() {
            read.extend_from_slice(&data);
        }
        if read.len() > error::MAX_BODY {
            return Bytes::new();
        }
    }
    read.freeze()
}
