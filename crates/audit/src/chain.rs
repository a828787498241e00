//! What a hash and a seal are.

use scaigate_jose::{Tagger, sha256};
use scaigate_kv::audit::Entry;
use scaigate_kv::audit::sealing::Seal;

/// The hash of a row: SHA-256, in lower-case hexadecimal, over the hash of the one before it (nothing for
/// the first), a line feed, and the row's canonical form.
#[must_use]
pub fn hash(previous: &str, entry: &Entry) -> String {
    let digest = sha256(format!("{previous}\n{}", entry.canonical()));
    let mut text = String::with_capacity(64);
    for byte in digest {
        for half in [byte >> 4, byte & 15] {
            text.extend(char::from_digit(u32::from(half), 16));
        }
    }
    text
}

/// What the key confirms of a seal.
fn parts(seal: &Seal) -> [Vec<u8>; 3] {
    [
        seal.seq.to_be_bytes().to_vec(),
        seal.hash.clone().into_bytes(),
        seal.from.to_be_bytes().to_vec(),
    ]
}

/// The seal with the key's word.
pub(crate) fn tagged(tagger: &Tagger, mut seal: Seal) -> Seal {
    let parts = parts(&seal);
    seal.tag = tagger.tag(&parts.each_ref().map(Vec::as_slice));
    seal
}

/// Whether one of the keys made that seal.
#[must_use]
pub fn tag_holds(tagger: &Tagger, seal: &Seal) -> bool {
    let parts = parts(seal);
    tagger.holds(&parts.each_ref().map(Vec::as_slice), &seal.tag)
}
