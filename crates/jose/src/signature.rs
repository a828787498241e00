//! Public keys and the check of one signature. What else a token needs is decided elsewhere.
//!
//! RSA here uses no private key, so the timing advisory against the `rsa` crate's private
//! operations (RUSTSEC-2023-0071) doesn't apply.

use p256::ecdsa::signature::hazmat::PrehashVerifier;
use rsa::traits::PublicKeyParts;

use crate::digest::sha256;
use crate::jwt::Algorithm;
use crate::rs256::{Rs256Key, SHA256_DIGEST_INFO};

/// RSA modulus, in bits: below is weak (RFC 7518 §3.3), above is a way to make us slow.
const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=4096;

/// A public key, good for exactly one algorithm.
#[derive(Clone)]
pub(crate) enum PublicKey {
    /// RSA as nearly everybody has it. The other variant verifies it too, twenty times slower.
    Rsa2048(Box<Rs256Key>),
    Rsa(rsa::RsaPublicKey),
    P256(p256::ecdsa::VerifyingKey),
    Ed25519(ed25519_compact::PublicKey),
}

impl PublicKey {
    /// An RSA key of big-endian `n` and `e`: 2048 to 4096 bits, both odd, `e` from 3 to 2³³ (the
    /// `rsa` crate checks all but the lower bound of the size).
    pub(crate) fn rsa(n: &[u8], e: &[u8]) -> Option<Self> {
        if let Some(key) = Rs256Key::new(n, e) {
            return Some(Self::Rsa2048(Box::new(key)));
        }
        let [n, e] = [n, e].map(rsa::BigUint::from_bytes_be);
        let key = rsa::RsaPublicKey::new_with_max_size(n, e, *RSA_BITS.end()).ok()?;
        RSA_BITS.contains(&key.n().bits()).then_some(Self::Rsa(key))
    }

    /// A P-256 key of two 32-byte coordinates of a point on the curve.
    pub(crate) fn p256(x: &[u8], y: &[u8]) -> Option<Self> {
        if x.len() != 32 || y.len() != 32 {
            return None;
        }
        let point = [&[4], x, y].concat();
        p256::ecdsa::VerifyingKey::from_sec1_bytes(&point)
            .ok()
            .map(Self::P256)
    }

    /// An Ed25519 key of 32 bytes. A point of low order is refused when it is used.
    pub(crate) fn ed25519(x: &[u8]) -> Option<Self> {
        ed25519_compact::PublicKey::from_slice(x)
            .ok()
            .map(Self::Ed25519)
    }

    pub(crate) const fn algorithm(&self) -> Algorithm {
        match self {
            Self::Rsa2048(_) | Self::Rsa(_) => Algorithm::Rs256,
            Self::P256(_) => Algorithm::Es256,
            Self::Ed25519(_) => Algorithm::EdDsa,
        }
    }

    /// Whether `signature` is this key's over `message`.
    pub(crate) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        match self {
            Self::Rsa2048(key) => key.verifies(&sha256(message), signature),
            Self::Rsa(key) => {
                let scheme = rsa::Pkcs1v15Sign {
                    hash_len: Some(32),
                    prefix: Box::new(SHA256_DIGEST_INFO),
                };
                key.verify(scheme, &sha256(message), signature).is_ok()
            }
            Self::P256(key) => p256::ecdsa::Signature::from_slice(signature)
                .is_ok_and(|signature| key.verify_prehash(&sha256(message), &signature).is_ok()),
            Self::Ed25519(key) => ed25519_compact::Signature::from_slice(signature)
                .is_ok_and(|signature| key.verify(message, &signature).is_ok()),
        }
    }
}

#[cfg(test)]
mod wycheproof;
