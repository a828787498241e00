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

#[cfg(test)]
#[expect(
    clippy::unwrap_used,
    reason = "a test that meets the unexpected should stop there"
)]
mod tests {
    use std::collections::VecDeque;

    use futures::executor::block_on;
    use http::HeaderMap;
    use scaigate_scaigrid::CallerToken;
    use scaigate_types::Secret;

    use super::*;

    const TOKEN: &str = "eyJ.canary-token.sig";

    /// The frames of an answer. Who asks again after its end or its failure stops the test.
    struct Frames(Option<VecDeque<Result<Frame<Bytes>, OutboundError>>>);

    impl Body for Frames {
        type Data = Bytes;
        type Error = OutboundError;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, OutboundError>>> {
            let next = self.0.as_mut().unwrap().pop_front();
            if !matches!(next, Some(Ok(_))) {
                self.0 = None;
            }
            Poll::Ready(next)
        }
    }

    fn data(text: &'static str) -> Result<Frame<Bytes>, OutboundError> {
        Ok(Frame::data(Bytes::from_static(text.as_bytes())))
    }

    fn watched<const N: usize>(
        frames: [Result<Frame<Bytes>, OutboundError>; N],
    ) -> Watched<Frames> {
        let token = CallerToken::parse(Secret::new(TOKEN.to_owned())).unwrap();
        Watched::new(Frames(Some(frames.into())), &Credential::Token(token))
    }

    /// The pieces that came, and how it ended; asked three times more after that.
    fn came(mut body: Watched<Frames>) -> (Vec<String>, Option<Cut>) {
        let mut pieces = Vec::new();
        let mut cut = None;
        while let Some(frame) = block_on(body.frame()) {
            match frame {
                Ok(frame) => {
                    let piece = frame.into_data().unwrap();
                    pieces.push(String::from_utf8(piece.to_vec()).unwrap());
                }
                Err(error) => cut = Some(error),
            }
        }
        for _ in 0..3 {
            assert!(block_on(body.frame()).is_none());
        }
        (pieces, cut)
    }

    #[test]
    fn trailers_end_here() {
        let mut trailers = HeaderMap::new();
        trailers.insert("x-token", TOKEN.parse().unwrap());
        let body = watched([data("a"), Ok(Frame::trailers(trailers)), data("b")]);
        assert_eq!(came(body), (vec!["a".to_owned(), "b".to_owned()], None));
    }

    #[test]
    fn n_120_what_may_be_the_credentials_beginning_waits_until_it_is_not() {
        for (frames, pieces, cut) in [
            // Nothing is passed on for a piece that is held whole.
            (
                [data("eyJ."), data("can"), data("-")],
                vec!["eyJ.can-"],
                None,
            ),
            ([data("a"), data("eyJ"), data("")], vec!["a", "eyJ"], None),
            (
                [data("a"), data("eyJ.canary-"), data("token.sig")],
                vec!["a"],
                Some(Cut::Reflected),
            ),
            (
                [data("a"), data("eyJ"), Err(OutboundError::Interrupted)],
                vec!["a"],
                Some(Cut::Upstream(OutboundError::Interrupted)),
            ),
        ] {
            let expected = pieces.into_iter().map(str::to_owned).collect();
            assert_eq!(came(watched(frames)), (expected, cut));
        }
    }

    #[test]
    fn what_is_read_ahead_comes_first_and_once() {
        for (least, pieces) in [
            (0, vec!["a", "bc", "d"]),
            (1, vec!["a", "bc", "d"]),
            (2, vec!["abc", "d"]),
            (4, vec!["abcd"]),
            (99, vec!["abcd"]),
        ] {
            let mut body = watched([data("a"), data("bc"), data("d")]);
            assert_eq!(block_on(body.read_ahead(least)), Ok(()));
            let expected = pieces.into_iter().map(str::to_owned).collect();
            assert_eq!(came(body), (expected, None), "{least}");
        }
        let mut body = watched([data("a"), data(TOKEN)]);
        assert_eq!(block_on(body.read_ahead(2)), Err(Cut::Reflected));
        assert_eq!(came(body), (Vec::new(), None));
    }

    #[test]
    fn the_log_has_a_word_for_each_end_and_nothing_shows_the_body() {
        for (error, word) in [
            (OutboundError::Timeout, "upstream_silent"),
            (OutboundError::TooLarge, "upstream_too_large"),
            (OutboundError::Refused, "upstream_cut"),
            (OutboundError::Interrupted, "upstream_cut"),
            (OutboundError::Denied, "upstream_cut"),
        ] {
            assert_eq!(Cut::from(error).as_str(), word);
        }
        assert_eq!(Cut::Reflected.as_str(), "credential_reflected");
        let mut body = watched([data("canary-body"), data(TOKEN)]);
        assert_eq!(block_on(body.read_ahead(1)), Ok(()));
        let shown = format!("{body:?}");
        assert!(!shown.contains("canary"), "{shown}");
    }
}
