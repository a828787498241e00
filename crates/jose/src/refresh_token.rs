//! Our refresh tokens: derived from the session and its generation, never stored.
//!
//! A token is `sgr_` and base64url of: a version byte (1), the length of the session id in one
//! byte, the session id, the generation as 4 bytes big-endian, and HMAC-SHA256 over all of that.
//! Every caller that rotates one generation computes the same successor (product.md, section 4).

use std::fmt;

use hmac_sha256::HMAC;
use scaigate_types::encoding::{base64url, from_base64url};
use scaigate_types::{Secret, SessionId};
use thiserror::Error;
use zeroize::Zeroizing;

use crate::digest::constant_time_eq;
use crate::keyring::{KeyRing, Purpose};

const PREFIX: &str = "sgr_";
const VERSION: u8 = 1;
const TAG_BYTES: usize = 32;
/// Longest token: the prefix, and base64url of 102 bytes.
const MAX_TEXT: usize = 4 + 136;

/// Why a text is not a refresh token of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum RefreshTokenError {
    /// Not of the form.
    #[error("not a refresh token")]
    Malformed,
    /// Not authenticated by a configured key.
    #[error("the refresh token is not authentic")]
    Rejected,
}

/// Makes and checks refresh tokens. Prepared once from the key ring.
#[derive(Clone)]
pub struct RefreshSigner {
    keys: Vec<Secret<[u8; 32]>>,
}

impl RefreshSigner {
    /// A signer whose first key makes and all of whose keys verify.
    #[must_use]
    pub fn new(keys: &KeyRing) -> Self {
        Self {
            keys: keys.derive(Purpose::RefreshToken),
        }
    }
}

impl fmt::Debug for RefreshSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RefreshSigner")
            .field("keys", &self.keys.len())
            .finish()
    }
}

/// What a refresh token says: the session, and which of its successive tokens this is. Whether
/// that generation is still good is for the session's row to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefreshToken {
    /// The session (the family).
    pub sid: SessionId,
    /// Counts rotations, from 0.
    pub generation: u32,
}

impl RefreshToken {
    /// The token of one generation of a session.
    #[must_use]
    pub fn issue(signer: &RefreshSigner, sid: &SessionId, generation: u32) -> Secret<String> {
        let mut bytes = Zeroizing::new(vec![VERSION]);
        // `SessionId` is at most 64 bytes.
        bytes.push(u8::try_from(sid.as_str().len()).unwrap_or(u8::MAX));
        bytes.extend_from_slice(sid.as_str().as_bytes());
        bytes.extend_from_slice(&generation.to_be_bytes());
        // A ring is never empty; without a key the token would have no tag and never verify.
        if let Some(key) = signer.keys.first() {
            let tag = HMAC::mac(bytes.as_slice(), key.expose());
            bytes.extend_from_slice(&tag);
        }
        Secret::new(format!("{PREFIX}{}", *Zeroizing::new(base64url(&bytes))))
    }

    /// Checks a presented token.
    ///
    /// # Errors
    /// [`RefreshTokenError`].
    pub fn verify(signer: &RefreshSigner, text: &str) -> Result<Self, RefreshTokenError> {
        if text.len() > MAX_TEXT {
            return Err(RefreshTokenError::Malformed);
        }
        let bytes = text
            .strip_prefix(PREFIX)
            .and_then(from_base64url)
            .map(Zeroizing::new)
            .ok_or(RefreshTokenError::Malformed)?;
        let (content, tag) = bytes
            .split_last_chunk::<TAG_BYTES>()
            .ok_or(RefreshTokenError::Malformed)?;
        // Nothing is read from it before it is authenticated.
        let authentic =
            |key: &Secret<[u8; 32]>| constant_time_eq(HMAC::mac(content, key.expose()), tag);
        if !signer.keys.iter().any(authentic) {
            return Err(RefreshTokenError::Rejected);
        }
        content
            .split_first()
            .and_then(Self::read)
            .ok_or(RefreshTokenError::Malformed)
    }

    /// Whether a text has the form of our refresh tokens and not of ScaiKey's.
    #[must_use]
    pub fn looks_like(text: &str) -> bool {
        text.starts_with(PREFIX)
    }

    fn read((version, rest): (&u8, &[u8])) -> Option<Self> {
        let (length, rest) = rest.split_first()?;
        let (sid, generation) = rest.split_last_chunk::<4>()?;
        if *version != VERSION || usize::from(*length) != sid.len() {
            return None;
        }
        let sid = SessionId::parse(std::str::from_utf8(sid).ok()?).ok()?;
        Some(Self {
            sid,
            generation: u32::from_be_bytes(*generation),
        })
    }
}
