//! Identifiers. Each is bounded, printable ASCII without spaces or quotes, so it is safe in a
//! header, a log line and a key; each is its own type, so one can't stand in for another.

use std::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Why a text is not an identifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum IdError {
    /// Empty, or longer than the type allows.
    #[error("length out of range")]
    Length,
    /// A character outside printable ASCII, or a space, quote, backslash or angle bracket.
    #[error("character not allowed")]
    Character,
}

fn check(text: &str, max: usize) -> Result<(), IdError> {
    if text.is_empty() || text.len() > max {
        return Err(IdError::Length);
    }
    let allowed = |c: u8| c.is_ascii_graphic() && !matches!(c, b'"' | b'\'' | b'\\' | b'<' | b'>');
    if text.bytes().all(allowed) {
        Ok(())
    } else {
        Err(IdError::Character)
    }
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $max:literal) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// Parses a received or stored text.
            ///
            /// # Errors
            /// [`IdError`] when it is empty, too long or holds a character not allowed.
            pub fn parse(text: &str) -> Result<Self, IdError> {
                check(text, $max)?;
                Ok(Self(text.to_owned()))
            }

            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;
            fn try_from(text: String) -> Result<Self, IdError> {
                check(&text, $max)?;
                Ok(Self(text))
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

id!(
    /// An OpenID issuer, compared byte for byte (OpenID Connect Discovery 1.0 §4.3).
    Issuer,
    512
);
id!(
    /// A subject (`sub`): unique only within its issuer, at most 255 characters (OIDC Core §2).
    Subject,
    255
);
id!(
    /// A ScaiKey tenant, `tnt_…`.
    TenantId,
    128
);
id!(
    /// A workspace of a tenant, `ws_…`.
    WorkspaceId,
    64
);
id!(
    /// A person: one (issuer, subject) pair, `per_…`.
    PersonId,
    64
);
id!(
    /// A session (a family of refresh tokens), `sid` in the session token.
    SessionId,
    64
);
id!(
    /// An OAuth client at ScaiKey.
    ClientId,
    256
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_are_bounded_and_printable() {
        assert!(TenantId::parse("tnt_acme0001").is_ok());
        assert_eq!(TenantId::parse(""), Err(IdError::Length));
        assert_eq!(TenantId::parse(&"a".repeat(129)), Err(IdError::Length));
        for bad in ["a b", "a\n", "a\"", "ä", "a\0", "a<b", "a\\b", "a\u{7f}"] {
            assert_eq!(TenantId::parse(bad), Err(IdError::Character), "{bad:?}");
        }
    }
}
