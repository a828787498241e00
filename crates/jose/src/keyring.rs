//! The configured secrets and what is derived from them.

use std::fmt;

use hmac_sha256::HKDF;
use scaigate_types::Secret;
use scaigate_types::encoding::{base64url, from_base64_setting};
use thiserror::Error;
use zeroize::Zeroizing;

/// Most secrets of one ring.
const MAX_SECRETS: usize = 8;
/// Bytes of one decoded secret: at least what HMAC-SHA256 can use (RFC 7518 §3.2).
const SECRET_BYTES: std::ops::RangeInclusive<usize> = 32..=1024;
/// Makes keys of this product unlike those of any other program with the same secret.
const SALT: &[u8] = b"scaigate/v1";

/// What a derived key is for. Keys of different purposes are unrelated, so nothing made for one
/// purpose verifies for another (RFC 8725 §3.12).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// Signing session tokens.
    SessionToken,
    /// Authenticating refresh tokens.
    RefreshToken,
    /// Sealing what is stored.
    Seal,
    /// Authenticating the state of a pending login.
    LoginState,
    /// Authenticating the cookie that ties logins to a browser.
    BrowserCookie,
    /// Confirming the chain of the audit log.
    AuditSeal,
}

impl Purpose {
    /// Part of every key: never changed, never used twice.
    const fn label(self) -> &'static str {
        match self {
            Self::SessionToken => "session-token",
            Self::RefreshToken => "refresh-token",
            Self::Seal => "seal",
            Self::LoginState => "login-state",
            Self::BrowserCookie => "browser-cookie",
            Self::AuditSeal => "audit-seal",
        }
    }
}

/// Why a setting is not a key ring. Positions count from 1; nothing of the secret is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum KeyRingError {
    /// The setting is empty.
    #[error("no secret is set")]
    Empty,
    /// More than eight secrets.
    #[error("more than 8 secrets")]
    TooMany,
    /// A secret is not base64.
    #[error("secret {0} is not base64")]
    NotBase64(usize),
    /// A secret has fewer than 32 bytes, or more than 1024.
    #[error("secret {0} has fewer than 32 bytes or more than 1024")]
    Length(usize),
    /// A secret is there twice.
    #[error("secret {0} is there already")]
    Duplicate(usize),
}

#[derive(Clone)]
struct Entry {
    id: KeyId,
    /// HKDF's pseudo-random key of the secret (RFC 5869 §2.2).
    extracted: Secret<[u8; 32]>,
}

/// The public name of a secret: 6 bytes derived from it.
pub(crate) type KeyId = [u8; 6];

/// Secrets for signing and sealing: the first makes, all verify and open, so that one can be
/// replaced without ending what the old one made.
#[derive(Clone)]
pub struct KeyRing {
    entries: Vec<Entry>,
}

impl KeyRing {
    /// Reads a setting: one to eight secrets, separated by commas, each base64 in any alphabet of
    /// 32 to 1024 bytes.
    ///
    /// # Errors
    /// [`KeyRingError`] names the first fault.
    pub fn parse(setting: &str) -> Result<Self, KeyRingError> {
        if setting.trim().is_empty() {
            return Err(KeyRingError::Empty);
        }
        let mut entries: Vec<Entry> = Vec::new();
        for (index, text) in setting.split(',').enumerate() {
            let position = index + 1;
            if index == MAX_SECRETS {
                return Err(KeyRingError::TooMany);
            }
            let secret = from_base64_setting(text.trim())
                .map(Zeroizing::new)
                .ok_or(KeyRingError::NotBase64(position))?;
            if !SECRET_BYTES.contains(&secret.len()) {
                return Err(KeyRingError::Length(position));
            }
            let extracted = Secret::new(HKDF::extract(SALT, secret.as_slice()));
            let id = expand::<6>(&extracted, "kid");
            if entries.iter().any(|entry| entry.id == id) {
                return Err(KeyRingError::Duplicate(position));
            }
            entries.push(Entry { id, extracted });
        }
        Ok(Self { entries })
    }

    /// The keys for `purpose`, 256 bits each, in the order of the setting (HKDF-SHA256, RFC 5869).
    #[must_use]
    pub fn derive(&self, purpose: Purpose) -> Vec<Secret<[u8; 32]>> {
        self.derive_with_ids(purpose)
            .into_iter()
            .map(|(_, key)| key)
            .collect()
    }

    /// The public names of the secrets, in the order of the setting: 8 characters of base64url.
    pub fn key_ids(&self) -> impl Iterator<Item = String> {
        self.entries.iter().map(|entry| base64url(&entry.id))
    }

    pub(crate) fn derive_with_ids(&self, purpose: Purpose) -> Vec<(KeyId, Secret<[u8; 32]>)> {
        self.entries
            .iter()
            .map(|entry| {
                (
                    entry.id,
                    Secret::new(expand(&entry.extracted, purpose.label())),
                )
            })
            .collect()
    }
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyRing")
            .field("secrets", &self.entries.len())
            .finish()
    }
}

fn expand<const N: usize>(extracted: &Secret<[u8; 32]>, label: &str) -> [u8; N] {
    let mut bytes = [0; N];
    HKDF::expand(&mut bytes, extracted.expose(), label);
    bytes
}
