//! What ScaiKey says about a tenant or a person.

use serde::{Serialize, Serializer};

/// Longest status kept as it is, in bytes.
const MAX: usize = 64;

/// A status, whatever its case. Only [`Status::Active`] may be let in: a status that nobody
/// documented is kept and is not active.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Status {
    /// `ACTIVE`.
    Active,
    /// `SUSPENDED` (`contract/scaikey.md` 4.4).
    Suspended,
    /// `DELETED`: the soft delete of 3.1.
    Deleted,
    /// Any other.
    Other(StatusName),
}

/// A status that is not documented: at most 64 printable ASCII characters, no lower-case letters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusName(String);

impl Status {
    /// Reads a received or stored status. What is no such name (empty, too long, other characters)
    /// counts as `UNREADABLE`.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let known = [Self::Active, Self::Suspended, Self::Deleted]
            .into_iter()
            .find(|status| status.as_str().eq_ignore_ascii_case(text));
        if let Some(status) = known {
            return status;
        }
        let is_printable = |byte: u8| (b' '..=b'~').contains(&byte);
        if text.is_empty() || text.len() > MAX || !text.bytes().all(is_printable) {
            return Self::unreadable();
        }
        Self::Other(StatusName(text.to_ascii_uppercase()))
    }

    /// A status that is there and no text.
    pub(super) fn unreadable() -> Self {
        Self::Other(StatusName("UNREADABLE".to_owned()))
    }

    /// The name, in upper case; [`Status::parse`] reads it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Active => "ACTIVE",
            Self::Suspended => "SUSPENDED",
            Self::Deleted => "DELETED",
            Self::Other(StatusName(name)) => name,
        }
    }
}

impl Serialize for Status {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_active_is_active() {
        let long = "A".repeat(MAX + 1);
        let table = [
            ("ACTIVE", "ACTIVE", true),
            ("active", "ACTIVE", true),
            ("Suspended", "SUSPENDED", false),
            ("deleted", "DELETED", false),
            ("pending_invite", "PENDING_INVITE", false),
            (" ACTIVE", " ACTIVE", false),
            ("INACTIVE", "INACTIVE", false),
            ("actıve", "UNREADABLE", false),
            ("ACTIVE\0", "UNREADABLE", false),
            ("", "UNREADABLE", false),
            (long.as_str(), "UNREADABLE", false),
        ];
        for (text, name, is_active) in table {
            let status = Status::parse(text);
            assert_eq!(status.as_str(), name, "{text:?}");
            assert_eq!(status == Status::Active, is_active, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn a_stored_status_is_read_as_what_it_was(text in any::<String>()) {
            let status = Status::parse(&text);
            prop_assert!(status.as_str().len() <= MAX);
            prop_assert_eq!(Status::parse(status.as_str()), status);
        }
    }
}
