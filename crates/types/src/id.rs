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
impl Issuer {
    /// The tenant that an issuer of the form `…/tenants/{tenant}` names.
    #[must_use]
    pub fn named_tenant(&self) -> Option<TenantId> {
        let (_, tenant) = self.as_str().rsplit_once("/tenants/")?;
        if tenant.contains('/') {
            None
        } else {
            TenantId::parse(tenant).ok()
        }
    }

    /// The issuer of a tenant's people: this one if it names a tenant, else
    /// `{issuer}/tenants/{tenant_id}`. ScaiKey writes either into its tokens
    /// (`contract/scaikey.md` 8.7); both are the same person.
    ///
    /// # Errors
    /// [`IdError`] when the tenant is not one segment of a path, or the result is too long.
    pub fn of_tenant(&self, tenant_id: &TenantId) -> Result<Self, IdError> {
        if self.named_tenant().is_some() {
            return Ok(self.clone());
        }
        if tenant_id.as_str().contains(['/', '?', '#', '%']) {
            return Err(IdError::Character);
        }
        Self::parse(&format!("{self}/tenants/{tenant_id}"))
    }
}

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
    /// A ScaiKey partner, `prt_…` (`ptn_…` in some documents, `contract/scaikey.md` 8.12).
    PartnerId,
    128
);
id!(
    /// A ScaiKey group, `grp_…`.
    GroupId,
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
id!(
    /// A flow, `flow_…`.
    FlowId,
    64
);
id!(
    /// A package of a tenant's catalog, named by its author.
    PackageId,
    100
);

#[cfg(test)]
#[expect(
    clippy::unwrap_used,
    reason = "a test that meets the unexpected should stop there"
)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_of_an_issuer_name_the_same_person() {
        let base = Issuer::parse("https://scaikey.example").unwrap();
        let acme = TenantId::parse("tnt_acme").unwrap();
        let of_acme = base.of_tenant(&acme).unwrap();
        assert_eq!(of_acme.as_str(), "https://scaikey.example/tenants/tnt_acme");
        assert_eq!(of_acme.named_tenant(), Some(acme.clone()));
        assert_eq!(of_acme.of_tenant(&acme), Ok(of_acme.clone()));
        assert_eq!(base.named_tenant(), None);
        for bad in ["a/b", "a?b", "a#b", "a%2fb"] {
            let tenant = TenantId::parse(bad).unwrap();
            assert_eq!(base.of_tenant(&tenant), Err(IdError::Character), "{bad}");
        }
        let long = Issuer::parse(&format!("https://{}", "a".repeat(500))).unwrap();
        assert_eq!(long.of_tenant(&acme), Err(IdError::Length));
    }

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
