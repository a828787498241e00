//! Why an event is refused that ScaiKey signed and that is of a type we know.

use thiserror::Error;

/// Why an event that we know can't be applied. Answered as `webhook_malformed`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum EventError {
    /// An id without which it means nothing is not there.
    #[error("{0} is missing")]
    Incomplete(&'static str),
    /// A field of another type, too long, or with characters that it can't have.
    #[error("{0} is malformed")]
    Malformed(&'static str),
    /// Two places name different ones.
    #[error("{0} is given twice and differs")]
    Ambiguous(&'static str),
}

impl EventError {
    /// The field that was refused.
    #[must_use]
    pub const fn field(&self) -> &'static str {
        match self {
            Self::Incomplete(field) | Self::Malformed(field) | Self::Ambiguous(field) => field,
        }
    }
}
