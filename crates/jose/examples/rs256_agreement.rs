//! Compares scaigate's RS256 verifier with the `rsa` crate and `ring` on random inputs:
//! `cargo run --release -p scaigate-jose --example rs256_agreement -- [INPUTS [SEED]]`.
//! Panics, with the input, at the first disagreement.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "an example is run by hand"
)]

#[path = "../tests/suite/agreement.rs"]
mod agreement;

use std::time::Instant;

use agreement::{Implementations, PrivateKey, Random, compare, edge_moduli, edges};
use scaigate_jose::rs256::BYTES;

fn main() {
    let mut arguments = std::env::args().skip(1).map(|text| text.parse().unwrap());
    let count = arguments.next().unwrap_or(10_000);
    let seed = arguments.next().unwrap_or(1);
    let start = Instant::now();
    let mut random = Random::new(seed);
    let keys: Vec<PrivateKey> = (0..16)
        .map(|_| PrivateKey::new(rsa::RsaPrivateKey::new(&mut random, BYTES * 8).unwrap()))
        .collect();

    let mut at_edges = 0;
    for n in edge_moduli() {
        let key = Implementations::new(&n);
        for signature in edges(&key) {
            assert!(!key.agree(b"", &signature));
            at_edges += 1;
        }
    }
    let tally = compare(&keys, &mut random, usize::try_from(count).unwrap());
    println!(
        "seed {seed}: {} inputs and {at_edges} edges, no disagreement, {} s",
        tally.inputs(),
        start.elapsed().as_secs()
    );
    println!("{tally:#?}");
}
