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
