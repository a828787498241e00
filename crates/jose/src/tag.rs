//! Confirming what is kept where others may write.

use hmac_sha256::HMAC;
use scaigate_types::Secret;
use scaigate_types::encoding::base64url;

use crate::digest::{constant_time_eq, length_prefixed};
use crate::{KeyRing, Purpose};

/// Keys that confirm texts: the first does, all are asked whether they did (HMAC-SHA256, RFC 2104).
#[derive(Clone, Debug)]
pub struct Tagger(Vec<Secret<[u8; 32]>>);

impl Tagger {
    /// The keys that seal the audit log.
    #[must_use]
    pub fn of_audit_log(keys: &KeyRing) -> Self {
        Self(keys.derive(Purpose::AuditSeal))
    }

    /// The first key's word for `parts`: 43 characters of base64url.
    #[must_use]
    pub fn tag(&self, parts: &[&[u8]]) -> String {
        self.0
            .first()
            .map(|key| with(key, parts))
            .unwrap_or_default()
    }

    /// Whether `tag` is a key's word for `parts`.
    #[must_use]
    pub fn holds(&self, parts: &[&[u8]], tag: &str) -> bool {
        self.0
            .iter()
            .any(|key| constant_time_eq(with(key, parts), tag))
    }
}

fn with(key: &Secret<[u8; 32]>, parts: &[&[u8]]) -> String {
    base64url(&HMAC::mac(length_prefixed(parts), key.expose()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: &str = "b2xkLW9sZC1vbGQtb2xkLW9sZC1vbGQtb2xkLW9sZC0=";
    const NEW: &str = "bmV3LW5ldy1uZXctbmV3LW5ldy1uZXctbmV3LW5ldy0=";

    #[expect(clippy::expect_used, reason = "a key ring of the tests")]
    fn tagger(setting: &str) -> Tagger {
        Tagger::of_audit_log(&KeyRing::parse(setting).expect("a key ring"))
    }

    #[test]
    fn a_tag_holds_for_what_it_was_made_of_with_any_key_of_the_ring() {
        let tag = tagger(OLD).tag(&[b"ab", b"c"]);
        assert_eq!(tag.len(), 43);
        for (setting, parts, holds) in [
            (OLD.to_owned(), [&b"ab"[..], b"c"], true),
            (format!("{NEW},{OLD}"), [b"ab", b"c"], true),
            (NEW.to_owned(), [b"ab", b"c"], false),
            (OLD.to_owned(), [b"a", b"bc"], false),
        ] {
            assert_eq!(tagger(&setting).holds(&parts, &tag), holds, "{setting}");
        }
        assert!(!tagger(OLD).holds(&[b"ab", b"c"], ""));
    }
}
