//! RSASSA-PKCS1-v1_5 with SHA-256 (RS256) for the one kind of RSA key that is everywhere: a modulus
//! of 2048 bits and the exponent 65537. Other keys are the `rsa` crate's.
//!
//! Everything here is public (key, message, signature), so time may depend on it. What is expected
//! is built and compared whole, never parsed (RFC 8017 §8.2.2): no padding, however odd, is read.

mod montgomery;

use montgomery::Modulus;

/// Bytes of a modulus and of a signature.
pub const BYTES: usize = 256;

/// DER of `DigestInfo` up to the digest, for SHA-256 (RFC 8017 §9.2, note 1).
pub(crate) const SHA256_DIGEST_INFO: [u8; 19] = [
    0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05,
    0x00, 0x04, 0x20,
];

/// A public key of 2048 bits with the exponent 65537.
#[derive(Clone)]
pub struct Rs256Key {
    modulus: Modulus,
}

impl Rs256Key {
    /// A key of big-endian `n` and `e`, with any zeros in front. `None` for every other kind of
    /// key: `n` is not of 2048 bits or is even, or `e` is not 65537.
    #[must_use]
    pub fn new(n: &[u8], e: &[u8]) -> Option<Self> {
        if without_zeros(e) != [1, 0, 1] {
            return None;
        }
        let n = without_zeros(n).try_into().ok()?;
        Modulus::new(n).map(|modulus| Self { modulus })
    }

    /// Whether `signature` is this key's over the message whose SHA-256 is `digest`. A signature is
    /// 256 bytes and, as a number, below the modulus (RFC 8017 §8.2.2 step 1, §5.2.2 step 1).
    #[must_use]
    pub fn verifies(&self, digest: &[u8; 32], signature: &[u8]) -> bool {
        signature
            .try_into()
            .is_ok_and(|signature| self.encoded(signature) == Some(encoded_message(digest)))
    }

    /// RSAVP1 (RFC 8017 §5.2.2): `signature` to the power of 65537 modulo `n`, big-endian; `None`
    /// when `signature` is not below `n`. By itself it proves nothing.
    #[must_use]
    pub fn encoded(&self, signature: &[u8; BYTES]) -> Option<[u8; BYTES]> {
        self.modulus.power_65537(signature)
    }
}

/// EMSA-PKCS1-v1_5 (RFC 8017 §9.2): `00 01 ff … ff 00`, `DigestInfo`, digest.
fn encoded_message(digest: &[u8; 32]) -> [u8; BYTES] {
    let mut message = [0xff; BYTES];
    let (front, tail) = message.split_at_mut(BYTES - SHA256_DIGEST_INFO.len() - digest.len());
    if let [zero, one, .., end] = front {
        (*zero, *one, *end) = (0, 1, 0);
    }
    let (info, hash) = tail.split_at_mut(SHA256_DIGEST_INFO.len());
    info.copy_from_slice(&SHA256_DIGEST_INFO);
    hash.copy_from_slice(digest);
    message
}

fn without_zeros(number: &[u8]) -> &[u8] {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    number.get(zeros..).unwrap_or_default()
}
