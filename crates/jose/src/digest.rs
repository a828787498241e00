//! SHA-256 and what is built from it without a key.

use std::hint::black_box;

use hmac_sha256::Hash;
use scaigate_types::encoding::base64url;

/// SHA-256 of `bytes`.
#[must_use]
pub fn sha256(bytes: impl AsRef<[u8]>) -> [u8; 32] {
    Hash::hash(bytes.as_ref())
}

/// Writes each part behind its length, so that no two lists of parts give the same bytes.
pub(crate) fn length_prefixed(parts: &[&[u8]]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(parts.iter().map(|part| part.len() + 8).sum());
    for part in parts {
        bytes.extend_from_slice(&(part.len() as u64).to_be_bytes());
        bytes.extend_from_slice(part);
    }
    bytes
}

/// The name under which a secret text is stored: base64url (43 characters) of SHA-256 over
/// `purpose` and `token`, each behind its length. Of use only for texts of 128 bits of randomness
/// or more: it is neither slow nor salted.
#[must_use]
pub fn token_hash(purpose: &'static str, token: &str) -> String {
    base64url(&sha256(length_prefixed(&[
        purpose.as_bytes(),
        token.as_bytes(),
    ])))
}

/// The S256 code challenge of a PKCE verifier (RFC 7636 §4.2).
#[must_use]
pub fn pkce_challenge(verifier: &str) -> String {
    base64url(&sha256(verifier))
}

/// Whether `a` and `b` are equal, in time that depends only on their lengths.
#[must_use]
pub fn constant_time_eq(a: impl AsRef<[u8]>, b: impl AsRef<[u8]>) -> bool {
    let (a, b) = (a.as_ref(), b.as_ref());
    if a.len() != b.len() {
        return false;
    }
    let difference = a
        .iter()
        .zip(b)
        .fold(0, |seen, (x, y)| black_box(seen | (x ^ y)));
    black_box(difference) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn n029_length_prefixes_keep_lists_of_parts_apart() {
        let lists: [&[&[u8]]; 6] = [
            &[b"ab", b"c"],
            &[b"a", b"bc"],
            &[b"abc"],
            &[b"", b"abc"],
            &[b"abc", b""],
            &[],
        ];
        for (index, one) in lists.iter().enumerate() {
            for other in lists.iter().skip(index + 1) {
                assert_ne!(length_prefixed(one), length_prefixed(other));
            }
        }
    }
}
