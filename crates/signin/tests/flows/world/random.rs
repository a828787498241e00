//! Reproducible randomness.

use std::cell::Cell;

use scaigate_types::Entropy;

/// A generator (SplitMix64) that begins the same in every test.
#[derive(Default)]
pub struct Seeded(Cell<u64>);

impl Seeded {
    /// Begins anew, otherwise for every `seed`.
    pub fn reseed(&self, seed: u64) {
        self.0.set(seed);
    }

    /// The next number.
    pub fn next(&self) -> u64 {
        self.0.set(self.0.get().wrapping_add(0x9e37_79b9_7f4a_7c15));
        let mut z = self.0.get();
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

impl Entropy for Seeded {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            chunk.copy_from_slice(&self.next().to_le_bytes()[..chunk.len()]);
        }
    }
}
