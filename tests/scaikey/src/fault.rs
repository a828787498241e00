//! Faults of the transport: what a broken server, proxy or network does to an answer.

use serde::{Deserialize, Serialize};

/// One fault. Times are real milliseconds, not the settable clock's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// This status instead of the answer, with `Retry-After: <seconds>` when given; the request has no effect.
    Status {
        /// HTTP status, 200..=599.
        code: u16,
        /// Seconds for `Retry-After`.
        #[serde(default)]
        retry_after: Option<u32>,
    },
    /// This status with this JSON text as body instead of the answer; the request has no effect.
    Answer {
        /// HTTP status.
        code: u16,
        /// The body, sent as `application/json`.
        body: String,
    },
    /// 302 to this address; the request has no effect.
    Redirect {
        /// `Location`.
        to: String,
    },
    /// 307 to this address, which would make a client post its credentials there; the request has no effect.
    RedirectKeepingMethod {
        /// `Location`.
        to: String,
    },
    /// 200 `application/json` with bytes that are neither JSON nor UTF-8; the request has no effect.
    Garbage,
    /// The honest answer as `text/html`.
    WrongContentType,
    /// The honest answer with a `Content-Length` 64 too large, then the connection closes.
    Truncated,
    /// 200 and a body that never ends, as fast as the reader takes it; the request has no effect.
    EndlessBody,
    /// The honest answer after a delay before the headers.
    SlowHeaders {
        /// Delay.
        ms: u64,
    },
    /// The honest answer, its body in pieces of one byte with a pause before each.
    SlowBody {
        /// Pause.
        ms: u64,
    },
    /// Headers of the honest answer, then nothing.
    HangingBody,
    /// No answer; the connection stays open; the request has no effect.
    Hang,
    /// The connection is reset at once; the request has no effect.
    Reset,
    /// The request takes effect, then the connection is reset: the answer is lost.
    AnswerLost,
    /// The request takes effect, then no answer comes.
    AnswerNever,
}

/// A fault in the queue of its endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Planned {
    /// Which.
    pub fault: Fault,
    /// How many requests meet it; `None`: all.
    pub times: Option<u32>,
    /// How many requests pass before.
    pub after: u32,
    /// Only requests for this page of a list.
    pub page: Option<u64>,
}

impl Planned {
    pub(crate) fn next(fault: Fault, times: Option<u32>) -> Self {
        Self {
            fault,
            times,
            after: 0,
            page: None,
        }
    }

    /// One request comes by.
    pub(crate) fn meet(&mut self) -> Option<Fault> {
        if self.after > 0 {
            self.after -= 1;
            return None;
        }
        if let Some(times) = &mut self.times {
            *times = times.saturating_sub(1);
        }
        Some(self.fault.clone())
    }
}
