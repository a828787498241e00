//! Randomness that is the same each time.

use std::cell::Cell;

use scaigate_types::Entropy;

/// A generator (SplitMix64).
#[derive(Debug, Default)]
pub struct Seeded(Cell<u64>);

impl Seeded {
    /// One that begins otherwise for every `seed`.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(Cell::new(seed))
    }

    /// Begins anew, as [`Seeded::new`] does.
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

    /// One of `0..end`, which must not be empty.
    pub fn below(&self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    /// `true` so many times of a hundred.
    pub fn chance(&self, percent: usize) -> bool {
        self.below(100) < percent
    }

    /// One of `from`.
    pub fn pick<'a, T>(&self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }
}

impl Entropy for Seeded {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            chunk.copy_from_slice(&self.next().to_le_bytes()[..chunk.len()]);
        }
    }
}
