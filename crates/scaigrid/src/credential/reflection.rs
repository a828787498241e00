//! A credential that comes back in an answer (N-120, G8).

use bytes::Bytes;
use thiserror::Error;
use zeroize::Zeroizing;

use super::Credential;

/// The answer repeats the credential that was sent. End the answer here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("ScaiGrid's answer repeats the credential")]
pub struct Reflected;

/// Watches a body that streams through for the credential, across its chunks, and holds back only
/// bytes that may be its beginning: usually none, so events are not late.
///
/// It finds the credential as it was sent. Encoded otherwise (base64, JSON escapes) it is not found.
pub struct Reflection {
    needle: Zeroizing<Vec<u8>>,
    /// For each length that matched: the next shorter one that also matches (Knuth, Morris, Pratt).
    shorter: Vec<usize>,
    /// How many bytes of the needle the last bytes seen are; they have not been passed on.
    held: usize,
}

impl Reflection {
    /// Watches for `credential`.
    #[must_use]
    pub fn of(credential: &Credential) -> Self {
        let needle = Zeroizing::new(credential.text().as_bytes().to_vec());
        let mut shorter = vec![0; needle.len()];
        let mut length = 0;
        for (at, byte) in needle.iter().enumerate().skip(1) {
            length = step(&needle, &shorter, length, *byte);
            if let Some(slot) = shorter.get_mut(at) {
                *slot = length;
            }
        }
        Self {
            needle,
            shorter,
            held: 0,
        }
    }

    /// Takes the next chunk and gives what may be passed on.
    ///
    /// # Errors
    /// [`Reflected`]; no byte of it has been passed on. Take nothing more from the answer.
    pub fn pass(&mut self, chunk: &Bytes) -> Result<Bytes, Reflected> {
        let before = self.held;
        for byte in chunk {
            self.held = step(&self.needle, &self.shorter, self.held, *byte);
            if self.held == self.needle.len() {
                return Err(Reflected);
            }
        }
        if before == 0 {
            return Ok(chunk.slice(..chunk.len().saturating_sub(self.held)));
        }
        // What was held is a beginning of the needle, so it need not be kept apart.
        let mut ready = self.needle.get(..before).unwrap_or_default().to_vec();
        ready.extend_from_slice(chunk);
        ready.truncate(ready.len().saturating_sub(self.held));
        Ok(ready.into())
    }

    /// What was held back, at the end of the body.
    #[must_use]
    pub fn end(self) -> Bytes {
        Bytes::copy_from_slice(self.needle.get(..self.held).unwrap_or_default())
    }
}

/// How much of `needle` matches when `byte` follows a match of `length`.
fn step(needle: &[u8], shorter: &[usize], mut length: usize, byte: u8) -> usize {
    loop {
        if needle.get(length) == Some(&byte) {
            return length + 1;
        }
        let Some(next) = length.checked_sub(1) else {
            return 0;
        };
        length = shorter.get(next).copied().unwrap_or_default();
    }
}
