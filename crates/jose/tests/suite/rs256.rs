//! The verifier for RSA of 2048 bits against other implementations.
//! `cargo run --release -p scaigate-jose --example rs256_agreement` compares as many inputs as one
//! has time for.

use rsa::BigUint;
use scaigate_jose::rs256::{BYTES, Rs256Key};
use scaigate_jose::sha256;
use scaigate_types::encoding::from_base64url;

use crate::agreement::{Implementations, PrivateKey, Random, compare, edge_moduli, edges};
use crate::published::{RS256_A2, RSA_A, RSA_B, RsaNumbers};

fn bytes(text: &str) -> Vec<u8> {
    from_base64url(text).unwrap()
}

fn private(key: &RsaNumbers) -> PrivateKey {
    let [p, q] = [key.p, key.q].map(|prime| BigUint::from_bytes_be(&bytes(prime)));
    let e = BigUint::from(65_537_u32);
    PrivateKey::new(rsa::RsaPrivateKey::from_p_q(p, q, e).unwrap())
}

#[test]
fn n067_agrees_with_two_other_implementations_on_random_inputs() {
    let keys = [RSA_A, RSA_B].map(|key| private(&key));
    let tally = compare(&keys, &mut Random::new(1), 800);
    assert!(tally.inputs() >= 800, "{tally:?}");
}

#[test]
fn n067_agrees_with_two_other_implementations_at_the_edges() {
    let published = [RSA_A, RSA_B].map(|key| bytes(key.n).try_into().unwrap());
    for n in edge_moduli().into_iter().chain(published) {
        let key = Implementations::new(&n);
        for signature in edges(&key) {
            assert!(!key.agree(b"", &signature));
        }
    }
}

#[test]
fn zero_and_one_and_the_greatest_number_are_their_own_powers() {
    for n in edge_moduli() {
        let key = Rs256Key::new(&n, &[1, 0, 1]).unwrap();
        let mut greatest = n;
        greatest[BYTES - 1] -= 1;
        let mut one = [0; BYTES];
        one[BYTES - 1] = 1;
        for number in [[0; BYTES], one, greatest] {
            assert_eq!(key.encoded(&number), Some(number));
        }
        assert_eq!(key.encoded(&n), None);
    }
}

#[test]
fn n067_a_signature_plus_the_modulus_is_refused() {
    let key = private(&RSA_A);
    // One message in three has a signature small enough that the sum still has 256 bytes.
    let (message, signature, sum) = (0..=u8::MAX)
        .find_map(|message| {
            let signature = key.sign(&[message]);
            Some(([message], signature, key.plus_modulus(&signature)?))
        })
        .unwrap();
    assert!(key.public.agree(&message, &signature));
    assert!(!key.public.agree(&message, &sum));
}

#[test]
fn only_moduli_of_2048_bits_and_the_exponent_65537_are_taken() {
    let n = bytes(RSA_A.n);
    let e = [1, 0, 1];
    let even = [&n[..BYTES - 1], &[0]].concat();
    let longer = [&[1], n.as_slice()].concat();
    let zeros = [&[0; 3], n.as_slice()].concat();
    let cases: [(&[u8], &[u8], bool); 12] = [
        (&n, &e, true),
        (&zeros, &[0, 0, 1, 0, 1], true),
        (&n, &[3], false),
        (&n, &[1, 0, 0], false),
        (&n, &[1, 0, 1, 0], false),
        (&n, &[], false),
        (&n[1..], &e, false),
        (&n[128..], &e, false),
        (&longer, &e, false),
        (&even, &e, false),
        (&[0; BYTES], &e, false),
        (&[], &e, false),
    ];
    for (index, (n, e, taken)) in cases.into_iter().enumerate() {
        assert_eq!(Rs256Key::new(n, e).is_some(), taken, "case {index}");
    }
    let with_zero_bit = [&[0x7f], &n[1..]].concat();
    assert!(Rs256Key::new(&with_zero_bit, &e).is_none());
}

#[test]
fn n067_a_signature_has_256_bytes() {
    let (input, signature) = RS256_A2.rsplit_once('.').unwrap();
    let digest = sha256(input);
    let signature = bytes(signature);
    for n in [bytes(RSA_A.n), [vec![0], bytes(RSA_A.n)].concat()] {
        let key = Rs256Key::new(&n, &[1, 0, 1]).unwrap();
        assert!(key.verifies(&digest, &signature));
        assert!(!key.verifies(&digest, &[&[0], signature.as_slice()].concat()));
        assert!(!key.verifies(&digest, &[signature.as_slice(), &[0]].concat()));
        assert!(!key.verifies(&digest, &signature[1..]));
        assert!(!key.verifies(&digest, &signature[..255]));
        assert!(!key.verifies(&digest, &[]));
    }
}
