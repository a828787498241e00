//! How a case says what it found.

use std::fmt;

use scaigate_types::StoreError;

/// What a case found.
pub type Verdict = Result<(), Failure>;

/// How the stores misbehaved, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure(String);

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self(format!("a call failed: {error}"))
    }
}

impl Failure {
    /// A failure with a text.
    pub(super) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

/// `actual` must be `expected`; `what` says what was asked.
pub(super) fn same<T: PartialEq + fmt::Debug>(what: &str, actual: T, expected: T) -> Verdict {
    if actual == expected {
        Ok(())
    } else {
        Err(Failure(format!(
            "{what}: {actual:?} instead of {expected:?}"
        )))
    }
}

/// `condition` must hold; `what` says which.
pub(super) fn holds(what: &str, condition: bool) -> Verdict {
    if condition {
        Ok(())
    } else {
        Err(Failure(format!("does not hold: {what}")))
    }
}
