//! Sealing what is stored: XChaCha20-Poly1305 with a random nonce, bound to its place.
//!
//! A sealed value is a version byte (1), 6 bytes that name the key, 24 bytes of nonce, and the
//! ciphertext with its 16-byte tag. 192 bits of randomness make nonces safe without a counter
//! that instances would have to share.

use std::fmt;

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use scaigate_types::{Entropy, Secret};
use thiserror::Error;

use crate::digest::length_prefixed;
use crate::keyring::{KeyId, KeyRing, Purpose};

const VERSION: u8 = 1;
const NONCE_BYTES: usize = 24;
/// Longest sealed value opened, in bytes.
const MAX_SEALED: usize = 1 << 20;

/// Where a sealed value belongs. It opens only with the same purpose and owner.
#[derive(Clone, Copy, Debug)]
pub struct SealContext<'a> {
    /// What kind of value it is.
    pub purpose: &'static str,
    /// Whose it is: the id of the session, tenant or row that holds it.
    pub owner: &'a str,
}

impl SealContext<'_> {
    fn associated_data(&self) -> Vec<u8> {
        length_prefixed(&[&[VERSION], self.purpose.as_bytes(), self.owner.as_bytes()])
    }
}

/// Why a sealed value does not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum OpenError {
    /// Too short, too long, or of another version.
    #[error("not a sealed value of this version")]
    Malformed,
    /// The key it was sealed with is no longer configured.
    #[error("sealed with a key that is not configured")]
    UnknownKey,
    /// Altered, or sealed for another purpose or owner.
    #[error("altered, or sealed for another place")]
    Rejected,
}

/// Seals and opens. Prepared once from the key ring.
#[derive(Clone)]
pub struct Sealer {
    keys: Vec<(KeyId, Secret<[u8; 32]>)>,
}

impl Sealer {
    /// A sealer whose first key seals and all of whose keys open.
    #[must_use]
    pub fn new(keys: &KeyRing) -> Self {
        Self {
            keys: keys.derive_with_ids(Purpose::Seal),
        }
    }

    /// Seals `plaintext` for `context`. The result is 47 bytes longer.
    #[must_use]
    pub fn seal(
        &self,
        entropy: &impl Entropy,
        context: &SealContext<'_>,
        plaintext: &[u8],
    ) -> Vec<u8> {
        let nonce: [u8; NONCE_BYTES] = entropy.bytes();
        let aad = context.associated_data();
        // Neither can fail: a ring has a key, and no plaintext here nears the cipher's 256 GiB.
        // Were it otherwise, the empty value is one that never opens.
        let sealed = self.keys.first().and_then(|(id, key)| {
            let payload = Payload {
                msg: plaintext,
                aad: &aad,
            };
            let ciphertext = cipher(key).encrypt(&XNonce::from(nonce), payload).ok()?;
            Some([&[VERSION], id.as_slice(), &nonce, &ciphertext].concat())
        });
        sealed.unwrap_or_default()
    }

    /// Whether `sealed` says that the first key sealed it. What says otherwise is due to be sealed anew,
    /// once it has opened.
    #[must_use]
    pub fn is_current(&self, sealed: &[u8]) -> bool {
        let named = sealed
            .split_first()
            .and_then(|(_, rest)| rest.first_chunk());
        self.keys.first().is_some_and(|(id, _)| named == Some(id))
    }

    /// Opens a sealed value of at most 1 MiB.
    ///
    /// # Errors
    /// [`OpenError`]; nothing is decrypted before it is authenticated.
    pub fn open(
        &self,
        context: &SealContext<'_>,
        sealed: &[u8],
    ) -> Result<Secret<Vec<u8>>, OpenError> {
        if sealed.len() > MAX_SEALED {
            return Err(OpenError::Malformed);
        }
        let (version, rest) = sealed.split_first().ok_or(OpenError::Malformed)?;
        if *version != VERSION {
            return Err(OpenError::Malformed);
        }
        let (id, rest) = rest.split_first_chunk::<6>().ok_or(OpenError::Malformed)?;
        let (nonce, ciphertext) = rest
            .split_first_chunk::<NONCE_BYTES>()
            .ok_or(OpenError::Malformed)?;
        let (_, key) = self
            .keys
            .iter()
            .find(|(known, _)| known == id)
            .ok_or(OpenError::UnknownKey)?;
        let aad = context.associated_data();
        cipher(key)
            .decrypt(
                &XNonce::from(*nonce),
                Payload {
                    msg: ciphertext,
                    aad: &aad,
                },
            )
            .map(Secret::new)
            .map_err(|_| OpenError::Rejected)
    }
}

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sealer")
            .field("keys", &self.keys.len())
            .finish()
    }
}

fn cipher(key: &Secret<[u8; 32]>) -> XChaCha20Poly1305 {
    XChaCha20Poly1305::new(&Key::from(*key.expose()))
}
