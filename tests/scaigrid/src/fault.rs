//! Faults of the transport: what a broken server, proxy or network does to an answer.

use serde::{Deserialize, Serialize};

use crate::source::Source;

/// One fault. Times are real milliseconds, not the settable clock's; where a test can use a gate
/// ([`crate::Gate`]) instead, it should. `{key}` in a text of a fault stands for the credential of the request.
/// Names with `Valid` are unusual HTTP that must be understood.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// This status with the documented error code for it, in ScaiGrid's envelope; the request has no effect.
    Status {
        /// HTTP status, 200..=599. 429 comes with the rate-limit headers.
        code: u16,
        /// Seconds for `Retry-After` and `error.retry_after`.
        #[serde(default)]
        retry_after: Option<u32>,
    },
    /// This error in ScaiGrid's envelope; the request has no effect.
    Error {
        /// HTTP status.
        code: u16,
        /// `error.code`.
        error: String,
        /// `error.message`.
        message: String,
    },
    /// This status with this text as body instead of the answer; the request has no effect.
    Answer {
        /// HTTP status.
        code: u16,
        /// `Content-Type`.
        content_type: String,
        /// The body.
        body: String,
    },
    /// A redirect; the request has no effect.
    Redirect {
        /// HTTP status, 301, 302, 303, 307 or 308.
        code: u16,
        /// `Location`.
        to: String,
    },
    /// 200 and a generated body; the request has no effect.
    Source(Source),

    /// The honest answer after a delay before the headers.
    SlowHeaders {
        /// Delay.
        ms: u64,
    },
    /// The honest answer, its body in pieces of one byte with a pause before each. Streams stay as they are.
    SlowBody {
        /// Pause.
        ms: u64,
    },
    /// The honest answer, its body in pieces that a gate can hold. Streams stay as they are.
    InPieces {
        /// Bytes of a piece.
        size: usize,
    },
    /// Headers of the honest answer, then nothing.
    HangingBody,
    /// No answer; the connection stays open; the request has no effect.
    Hang,
    /// The request takes effect, then no answer comes.
    AnswerNever,
    /// Half a status line and half a header field, then nothing.
    HalfHead,
    /// A header that never ends, as fast as the reader takes it.
    EndlessHead,
    /// 200 and a body that never ends, as fast as the reader takes it; the request has no effect.
    EndlessBody,

    /// The connection is reset before any byte; the request has no effect.
    Reset,
    /// The connection is closed in order before any byte; the request has no effect.
    Close,
    /// The request takes effect, then the connection is reset: the answer is lost.
    AnswerLost,
    /// The connection is reset after the headers.
    ResetAfterHead,
    /// The connection is reset in the body.
    ResetInBody {
        /// Bytes of the body that still go out.
        after: u64,
    },
    /// Chunked, a part of the body, then the connection is closed in order, without a last chunk.
    CloseInBody {
        /// Bytes of the body that still go out.
        after: u64,
    },
    /// The honest answer with a `Content-Length` 64 too large, then the connection closes.
    Truncated,

    /// `Content-Length` is 2^64 - 1, then the honest body, then the connection closes.
    LengthHuge,
    /// `Content-Length` is one more than 64 bits hold.
    LengthOverflow,
    /// `Content-Length` is half of the body's; the rest follows as if it were the next answer.
    LengthTooSmall,
    /// `Content-Length` is `-1`.
    LengthNegative,
    /// `Content-Length` is no number.
    LengthGarbage,
    /// `Content-Length` twice, with different values.
    LengthTwice,
    /// `Content-Length` and `Transfer-Encoding: chunked` (RFC 9112 section 6.3: the latter counts, or an attack).
    LengthAndChunked,
    /// A chunk whose size is no number.
    BadChunk,
    /// Chunked, each chunk with an extension.
    ChunkExtensionsValid,
    /// Chunked, with trailers: harmless ones, `Set-Cookie`, and the caller's `Authorization`.
    TrailersValid,
    /// `HTTP/1.0`, no length: the body ends with the connection.
    CloseDelimitedValid,
    /// `103 Early Hints` with a `Link` and a `Set-Cookie`, then the answer.
    EarlyHintsValid,
    /// `100 Continue` that nobody asked for, then the answer.
    ContinueValid,
    /// 2 000 interim answers, then the answer.
    ManyInterim,
    /// `101 Switching Protocols` that nobody asked for, then bytes of another protocol.
    SwitchingProtocols,
    /// Bytes of another protocol instead of HTTP.
    NotHttp,
    /// The honest answer of an empty body comes before the request's body is read, which never is.
    AnswerEarly,
}
