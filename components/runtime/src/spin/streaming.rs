//! Calls to other hosts whose bodies pass through.

use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::{Either, select};
use http::header::CONTENT_LENGTH;
use http::{Request, Response, StatusCode};
use http_body::{Body, Frame};
use scaigate_types::{OutboundError, StreamLimits, Streaming};
use spin_sdk::wasip3::http_compat::IncomingResponseBody;

use super::ports::failed;

/// Calls to the hosts that the manifest grants.
#[derive(Clone, Copy, Debug, Default)]
pub struct SpinStreaming;

impl Streaming for SpinStreaming {
    type Download = SpinDownload;

    async fn exchange<B>(
        &self,
        request: Request<B>,
        limits: StreamLimits,
    ) -> Result<Response<SpinDownload>, OutboundError>
    where
        B: Body<Data = Bytes> + 'static,
        B::Error: std::error::Error + Send + Sync + 'static,
    {
        #[expect(clippy::disallowed_methods, reason = "the other place that calls out")]
        let sending = pin!(spin_sdk::http::send(request));
        let time = pin!(spin_sdk::time::sleep(limits.head));
        let answer = match select(sending, time).await {
            Either::Left((answer, _)) => answer.map_err(|error| failed(&error))?,
            Either::Right(((), _)) => return Err(OutboundError::Timeout),
        };
        // These have no body, whatever they announce.
        let bodiless = matches!(
            answer.status(),
            StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED
        );
        let announced = answer.headers().get(CONTENT_LENGTH);
        let announced = announced
            .and_then(|value| value.to_str().ok()?.parse().ok())
            .filter(|_| !bodiless);
        Ok(answer.map(|body| SpinDownload {
            body: Some(body),
            announced,
            received: 0,
            idle: limits.idle,
            silence: None,
        }))
    }
}

/// The body of an answer. Dropping it closes the connection it comes over.
pub struct SpinDownload {
    body: Option<IncomingResponseBody>,
    announced: Option<u64>,
    received: u64,
    idle: Duration,
    /// Ends when nothing has come for too long.
    silence: Option<Pin<Box<dyn Future<Output = ()>>>>,
}

impl Body for SpinDownload {
    type Data = Bytes;
    type Error = OutboundError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, OutboundError>>> {
        let Some(body) = &mut self.body else {
            return Poll::Ready(None);
        };
        let error = match Pin::new(body).poll_frame(cx) {
            Poll::Pending => {
                let idle = self.idle;
                let silence = self
                    .silence
                    .get_or_insert_with(|| Box::pin(spin_sdk::time::sleep(idle)));
                ready!(silence.as_mut().poll(cx));
                OutboundError::Timeout
            }
            Poll::Ready(Some(Ok(frame))) => {
                self.silence = None;
                let data = frame.data_ref().map_or(0, Bytes::len) as u64;
                self.received = self.received.saturating_add(data);
                return Poll::Ready(Some(Ok(frame)));
            }
            Poll::Ready(Some(Err(error))) => failed(&error),
            // A shorter body than announced is a cut one, however politely it ended.
            Poll::Ready(None) if self.announced.is_some_and(|all| all != self.received) => {
                OutboundError::Interrupted
            }
            Poll::Ready(None) => {
                self.body = None;
                return Poll::Ready(None);
            }
        };
        self.body = None;
        Poll::Ready(Some(Err(error)))
    }
}
