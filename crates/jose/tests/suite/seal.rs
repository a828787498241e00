//! Sealed values open only where they belong.

use scaigate_jose::{OpenError, SealContext, Sealer};
use scaigate_simulated::Seeded;

use crate::ring_of;

const HERE: SealContext<'static> = SealContext {
    purpose: "upstream-tokens",
    owner: "ses_1",
};

fn open(sealer: &Sealer, context: &SealContext<'_>, sealed: &[u8]) -> Result<Vec<u8>, OpenError> {
    sealer
        .open(context, sealed)
        .map(|plaintext| plaintext.expose().clone())
}

#[test]
fn n031_opens_only_for_its_purpose_and_owner() {
    let sealer = Sealer::new(&ring_of(&[1]));
    let sealed = sealer.seal(&Seeded::default(), &HERE, b"tokens");
    assert_eq!(open(&sealer, &HERE, &sealed), Ok(b"tokens".to_vec()));
    for (purpose, owner) in [
        ("upstream-tokens", "ses_2"),
        ("upstream-token", "ses_1"),
        ("tenant-key", "ses_1"),
        ("upstream-tokensses_1", ""),
        ("", "upstream-tokensses_1"),
        ("ses_1", "upstream-tokens"),
    ] {
        let context = SealContext { purpose, owner };
        assert_eq!(
            open(&sealer, &context, &sealed),
            Err(OpenError::Rejected),
            "{context:?}"
        );
    }
}

#[test]
fn n030_any_changed_or_missing_byte_is_refused() {
    let sealer = Sealer::new(&ring_of(&[1]));
    let sealed = sealer.seal(&Seeded::default(), &HERE, b"tokens");
    for index in 0..sealed.len() {
        for bit in 0..8 {
            let mut changed = sealed.clone();
            changed[index] ^= 1 << bit;
            let expected = match index {
                0 => OpenError::Malformed,
                1..=6 => OpenError::UnknownKey,
                _ => OpenError::Rejected,
            };
            assert_eq!(
                open(&sealer, &HERE, &changed),
                Err(expected),
                "{index} {bit}"
            );
        }
        assert!(open(&sealer, &HERE, &sealed[..index]).is_err(), "{index}");
    }
    let longer = [sealed.as_slice(), &[0]].concat();
    assert_eq!(open(&sealer, &HERE, &longer), Err(OpenError::Rejected));
    let huge = [sealed.as_slice(), &vec![0; 1 << 20]].concat();
    assert_eq!(open(&sealer, &HERE, &huge), Err(OpenError::Malformed));
    let around = sealed.len() - b"tokens".len();
    let largest = vec![7; (1 << 20) - around];
    let sealed = sealer.seal(&Seeded::default(), &HERE, &largest);
    assert_eq!(open(&sealer, &HERE, &sealed), Ok(largest));
}

#[test]
fn an_older_key_opens_until_it_is_taken_away() {
    let old = Sealer::new(&ring_of(&[1]));
    let both = Sealer::new(&ring_of(&[2, 1]));
    let new = Sealer::new(&ring_of(&[2]));
    let entropy = Seeded::default();
    let sealed = old.seal(&entropy, &HERE, b"tokens");
    assert_eq!(open(&both, &HERE, &sealed), Ok(b"tokens".to_vec()));
    assert_eq!(open(&new, &HERE, &sealed), Err(OpenError::UnknownKey));
    let resealed = both.seal(&entropy, &HERE, b"tokens");
    assert_eq!(open(&new, &HERE, &resealed), Ok(b"tokens".to_vec()));
    assert_eq!(open(&old, &HERE, &resealed), Err(OpenError::UnknownKey));
    assert!(both.is_current(&resealed), "nothing to seal anew");
    assert!(!both.is_current(&sealed));
    assert!(!both.is_current(b""));
}

#[test]
fn n139_the_same_value_never_seals_to_the_same_bytes() {
    let sealer = Sealer::new(&ring_of(&[1]));
    let entropy = Seeded::default();
    let first = sealer.seal(&entropy, &HERE, b"tokens");
    assert_ne!(first, sealer.seal(&entropy, &HERE, b"tokens"));
    assert_eq!(first.len(), b"tokens".len() + 47);
}
