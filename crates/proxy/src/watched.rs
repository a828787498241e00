//! The body of an answer on its way to the client.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};
use http_body::{Body, Frame};
use http_body_util::BodyExt;
use scaigate_scaigrid::Credential;
use scaigate_scaigrid::credential::Reflection;
use scaigate_types::OutboundError;
use thiserror::Error;

/// Why an answer ended before its end. The client sees a broken connection, never a complete answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Cut {
    /// ScaiGrid's side failed.
    #[error(transparent)]
    Upstream(#[from] OutboundError),
    /// It began to repeat the credential (N-120).
    #[error("ScaiGrid's answer repeats the credential")]
    Reflected,
}

impl Cut {
    /// A word for the log.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Upstream(OutboundError::Timeout) => "upstream_silent",
            Self::Upstream(OutboundError::TooLarge) => "upstream_too_large",
            Self::Upstream(
                OutboundError::Refused | OutboundError::Interrupted | OutboundError::Denied,
            ) => "upstream_cut",
            Self::Reflected => "credential_reflected",
        }
    }
}

/// ScaiGrid's body, watched for the credential while it passes, piece by piece. Trailers end here: they
/// would be headers that nobody looked at. Dropping it ends the exchange with ScaiGrid.
pub struct Watched<B> {
    /// What has been read ahead.
    ahead: Option<Bytes>,
    inner: Option<B>,
    reflection: Option<Reflection>,
}

impl<B> std::fmt::Debug for Watched<B> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Watched").finish_non_exhaustive()
    }
}

impl<B> Watched<B> {
    pub(crate) fn new(inner: B, credential: &Credential) -> Self {
        Self {
            ahead: None,
            inner: Some(inner),
            reflection: Some(Reflection::of(credential)),
        }
    }
}

impl<B: Body<Data = Bytes, Error = OutboundError> + Unpin> Watched<B> {
    /// Reads ahead: `least` bytes, or the whole body if it is shorter. A body that fails by then fails
    /// before the client has seen anything of it.
    pub(crate) async fn read_ahead(&mut self, least: u64) -> Result<(), Cut> {
        let mut read = BytesMut::new();
        while (read.len() as u64) < least {
            let Some(frame) = self.frame().await else {
                break;
            };
            if let Ok(data) = frame?.into_data() {
                read.extend_from_slice(&data);
            }
        }
        self.ahead = Some(read.freeze()).filter(|read| !read.is_empty());
        Ok(())
    }
}

impl<B: Body<Data = Bytes, Error = OutboundError> + Unpin> Body for Watched<B> {
    type Data = Bytes;
    type Error = Cut;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Cut>>> {
        let this = self.get_mut();
        if let Some(ahead) = this.ahead.take() {
            return Poll::Ready(Some(Ok(Frame::data(ahead))));
        }
        loop {
            let (Some(inner), Some(reflection)) = (&mut this.inner, &mut this.reflection) else {
                return Poll::Ready(None);
            };
            let cut = match std::task::ready!(Pin::new(inner).poll_frame(cx)) {
                None => {
                    this.inner = None;
                    let held = this.reflection.take().map(Reflection::end);
                    let held = held.filter(|held| !held.is_empty());
                    return Poll::Ready(held.map(|held| Ok(Frame::data(held))));
                }
                Some(Err(error)) => Cut::Upstream(error),
                Some(Ok(frame)) => {
                    let Ok(data) = frame.into_data() else {
                        continue;
                    };
                    match reflection.pass(&data) {
                        Ok(ready) if ready.is_empty() => continue,
                        Ok(ready) => return Poll::Ready(Some(Ok(Frame::data(ready)))),
                        Err(_) => Cut::Reflected,
                    }
                }
            };
            // The connection to ScaiGrid ends here and now.
            this.inner = None;
            return Poll::Ready(Some(Err(cut)));
        }
    }
}
