//! The state of a user, a tenant or a partner.

use std::fmt;

use serde_json::{Map, Value};

use super::event_error::EventError;
use super::member::present;

/// Longest status, in bytes.
const MAX: usize = 32;

/// As ScaiKey writes it, in capitals.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Status {
    /// `ACTIVE`.
    Active,
    /// `SUSPENDED`.
    Suspended,
    /// `DELETED`.
    Deleted,
    /// None that is documented: 1 to 32 of `A-Z`, `0-9`, `_` and `-`. It is not `ACTIVE`.
    Other(String),
}

impl Status {
    /// Reads a status in any case; `None` when it can't be one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let allowed = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'_' | b'-');
        if !(1..=MAX).contains(&text.len()) || !text.bytes().all(allowed) {
            return None;
        }
        let text = text.to_ascii_uppercase();
        Some(match text.as_str() {
            "ACTIVE" => Self::Active,
            "SUSPENDED" => Self::Suspended,
            "DELETED" => Self::Deleted,
            _ => Self::Other(text),
        })
    }

    /// The name in capitals.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Active => "ACTIVE",
            Self::Suspended => "SUSPENDED",
            Self::Deleted => "DELETED",
            Self::Other(text) => text,
        }
    }

    /// The `status` of a row; `None` when it says nothing about it.
    pub(super) fn of(row: &Map<String, Value>) -> Result<Option<Self>, EventError> {
        present(row, "status")
            .map(|status| {
                let status = status.as_str().and_then(Self::parse);
                status.ok_or(EventError::Malformed("status"))
            })
            .transpose()
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_is_read_in_any_case_and_shown_in_capitals() {
        for (text, status, shown) in [
            ("ACTIVE", Status::Active, "ACTIVE"),
            ("active", Status::Active, "ACTIVE"),
            ("Suspended", Status::Suspended, "SUSPENDED"),
            ("deleted", Status::Deleted, "DELETED"),
            (
                "invited_2",
                Status::Other("INVITED_2".to_owned()),
                "INVITED_2",
            ),
        ] {
            let read = Status::parse(text).unwrap();
            assert_eq!(read, status);
            assert_eq!(read.to_string(), shown);
            assert_eq!(Status::parse(shown), Some(read));
        }
        let long = "A".repeat(33);
        for bad in ["", " ACTIVE", "ACTIVE\n", "not active", "AKTİV", &long] {
            assert_eq!(Status::parse(bad), None, "{bad:?}");
        }
    }
}
