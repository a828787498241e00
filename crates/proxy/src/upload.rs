//! The body of a request on its way to ScaiGrid.

use std::cell::Cell;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::HeaderMap;
use http::header::CONTENT_LENGTH;
use http_body::{Body, Frame, SizeHint};
use scaigate_problem::{Code, Problem};
use thiserror::Error;

/// Most bytes of a body that are passed on.
pub const MAX: u64 = 10 * 1024 * 1024;

/// Why a body was not passed on whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum UploadError {
    /// Longer than [`MAX`].
    #[error("the body is too large")]
    TooLarge,
    /// Longer or shorter than it was announced, or the client went away.
    #[error("the body did not arrive whole")]
    Broken,
}

impl UploadError {
    fn problem(self) -> Problem {
        match self {
            Self::TooLarge => Problem::new(Code::PayloadTooLarge).with("limit_bytes", MAX),
            Self::Broken => Problem::invalid_field("body", "not received whole"),
        }
    }
}

/// What became of a body; the sender keeps it, because a sender's error says only that there was one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Fate(Rc<Cell<Option<UploadError>>>);

impl Fate {
    /// The failure to answer with, if the body failed.
    pub fn problem(&self) -> Option<Problem> {
        self.0.get().map(UploadError::problem)
    }
}

/// A client's body, counted while it passes. Trailers end here: they would be headers that nobody
/// looked at.
#[derive(Debug)]
pub struct Upload<B> {
    inner: Option<B>,
    passed: u64,
    announced: Option<u64>,
    fate: Fate,
}

impl<B> Upload<B> {
    /// Watches `inner`, the body of a request with `headers`.
    ///
    /// # Errors
    /// [`Code::PayloadTooLarge`] or [`Code::InvalidRequest`] by what is announced.
    pub(crate) fn new(inner: B, headers: &HeaderMap) -> Result<(Self, Fate), Problem> {
        let announced = announced(headers).map_err(UploadError::problem)?;
        let fate = Fate::default();
        let upload = Self {
            inner: Some(inner),
            passed: 0,
            announced,
            fate: fate.clone(),
        };
        Ok((upload, fate))
    }

    /// How long it is said to be.
    pub(crate) const fn announced(&self) -> Option<u64> {
        self.announced
    }

    fn fail(&mut self, error: UploadError) -> Poll<Option<Result<Frame<Bytes>, UploadError>>> {
        self.inner = None;
        self.fate.0.set(Some(error));
        Poll::Ready(Some(Err(error)))
    }
}

fn announced(headers: &HeaderMap) -> Result<Option<u64>, UploadError> {
    let Some(value) = headers.get(CONTENT_LENGTH) else {
        return Ok(None);
    };
    let digits = value.to_str().unwrap_or_default();
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(UploadError::Broken);
    }
    match digits.parse() {
        Ok(length) if length <= MAX => Ok(Some(length)),
        _ => Err(UploadError::TooLarge),
    }
}

impl<B: Body<Data = Bytes> + Unpin> Body for Upload<B> {
    type Data = Bytes;
    type Error = UploadError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, UploadError>>> {
        let this = self.get_mut();
        loop {
            let Some(inner) = &mut this.inner else {
                return Poll::Ready(None);
            };
            return match std::task::ready!(Pin::new(inner).poll_frame(cx)) {
                None => {
                    this.inner = None;
                    match this.announced {
                        Some(announced) if announced != this.passed => {
                            this.fail(UploadError::Broken)
                        }
                        _ => Poll::Ready(None),
                    }
                }
                Some(Err(_)) => this.fail(UploadError::Broken),
                Some(Ok(frame)) => {
                    let Ok(data) = frame.into_data() else {
                        continue;
                    };
                    this.passed = this.passed.saturating_add(data.len() as u64);
                    if this.passed > MAX {
                        this.fail(UploadError::TooLarge)
                    } else if this.announced.is_some_and(|most| this.passed > most) {
                        this.fail(UploadError::Broken)
                    } else {
                        Poll::Ready(Some(Ok(Frame::data(data))))
                    }
                }
            };
        }
    }

    fn size_hint(&self) -> SizeHint {
        self.announced
            .map(|announced| SizeHint::with_exact(announced.saturating_sub(self.passed)))
            .unwrap_or_default()
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
    use http_body_util::BodyExt;
    use scaigate_types::OutboundError;

    use super::*;

    const MIB: usize = 1024 * 1024;

    /// The frames of a client.
    struct Frames(VecDeque<Result<Frame<Bytes>, OutboundError>>);

    impl Body for Frames {
        type Data = Bytes;
        type Error = OutboundError;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, OutboundError>>> {
            Poll::Ready(self.0.pop_front())
        }
    }

    fn data(length: usize) -> Result<Frame<Bytes>, OutboundError> {
        Ok(Frame::data(Bytes::from(vec![b'x'; length])))
    }

    fn upload(
        announced: Option<&str>,
        frames: impl IntoIterator<Item = Result<Frame<Bytes>, OutboundError>>,
    ) -> (Upload<Frames>, Fate) {
        let mut headers = HeaderMap::new();
        if let Some(length) = announced {
            headers.insert(CONTENT_LENGTH, length.parse().unwrap());
        }
        Upload::new(Frames(frames.into_iter().collect()), &headers).unwrap()
    }

    /// How many bytes passed, why no more did, and what the sender answers with then.
    fn passed(
        (mut upload, fate): (Upload<Frames>, Fate),
    ) -> (usize, Option<UploadError>, Option<Code>) {
        let (mut length, mut error) = (0, None);
        while let Some(frame) = block_on(upload.frame()) {
            match frame {
                Ok(frame) => length += frame.into_data().unwrap().len(),
                Err(failed) => error = Some(failed),
            }
        }
        assert!(block_on(upload.frame()).is_none());
        (length, error, fate.problem().map(|problem| problem.code()))
    }

    #[test]
    fn a_body_passes_whole_or_is_a_failure_that_the_sender_knows() {
        let broken = |length| {
            let code = Some(Code::InvalidRequest);
            (length, Some(UploadError::Broken), code)
        };
        let gone = || Err(OutboundError::Interrupted);
        for (what, body, expected) in [
            ("none", upload(None, []), (0, None, None)),
            (
                "announced",
                upload(Some("3"), [data(1), data(2)]),
                (3, None, None),
            ),
            (
                "not announced",
                upload(None, [data(1), data(2)]),
                (3, None, None),
            ),
            ("shorter", upload(Some("4"), [data(1), data(2)]), broken(3)),
            (
                "longer",
                upload(Some("2"), [data(1), data(2), data(1)]),
                broken(1),
            ),
            (
                "cut off",
                upload(Some("3"), [data(1), gone(), data(2)]),
                broken(1),
            ),
        ] {
            assert_eq!(passed(body), expected, "{what}");
        }
    }

    #[test]
    fn a_body_that_announces_nothing_is_bounded_while_it_passes() {
        let whole = upload(None, (0..10).map(|_| data(MIB)));
        assert_eq!(passed(whole), (10 * MIB, None, None));
        let more = upload(None, (0..10).map(|_| data(MIB)).chain([data(1), data(1)]));
        let code = Some(Code::PayloadTooLarge);
        let expected = (10 * MIB, Some(UploadError::TooLarge), code);
        assert_eq!(passed(more), expected);
    }

    #[test]
    fn trailers_end_here_and_what_is_left_is_known() {
        let trailers = Ok(Frame::trailers(HeaderMap::new()));
        let (mut body, fate) = upload(Some("3"), [data(1), trailers, data(2)]);
        assert_eq!(body.size_hint().exact(), Some(3));
        assert!(block_on(body.frame()).unwrap().unwrap().is_data());
        assert_eq!(body.size_hint().exact(), Some(2));
        assert_eq!(passed((body, fate)), (2, None, None));
        let (unknown, _) = upload(None, [data(1)]);
        assert_eq!(unknown.size_hint().exact(), None);
    }
}
