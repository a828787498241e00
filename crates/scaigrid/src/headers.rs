//! Which headers go through, in either direction. Both lists say what passes; everything else is
//! dropped, so a header that nobody thought of never gets through (N-111 to N-113, N-117).

mod request;
mod response;

pub use request::{HeaderError, RequestHeaders};
pub use response::{AnswerError, ResponseHeaders, Verdict, judge};

pub(crate) use response::upstream_request_id;
