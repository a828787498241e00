//! The body of an answer, watched.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Buf as _, Bytes};
use http_body::{Body, Frame, SizeHint};
use wasmtime_wasi_http::{Error, WasiBody};

use crate::clock::HostClock;

/// A body that fails when nothing comes for too long, or after the bytes a rule
/// lets through.
pub(super) struct WatchedBody {
    /// `None` once it failed: the connection is given up.
    body: Option<WasiBody>,
    clock: HostClock,
    between_bytes: Duration,
    waiting: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
    left: Option<usize>,
}

impl WatchedBody {
    /// `between_bytes` is the longest wait for a part; `cut` the bytes after which
    /// the body fails.
    pub(super) fn new(
        body: WasiBody,
        clock: HostClock,
        between_bytes: Duration,
        cut: Option<usize>,
    ) -> Self {
        Self {
            body: Some(body),
            clock,
            between_bytes,
            waiting: None,
            left: cut,
        }
    }
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
