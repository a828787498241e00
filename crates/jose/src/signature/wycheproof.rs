//! The vectors of Wycheproof (`tests/wycheproof/README.md`) against every kind of key.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a vector that can't be read is a failure"
)]

use scaigate_types::encoding::from_base64url;

use super::PublicKey;

/// What a file holds, counted: valid, invalid, acceptable.
type Counts = [usize; 3];

/// Checks every vector of a file: what is `valid` verifies, nothing else does. `acceptable` is, in
/// these files, a `DigestInfo` without its NULL, which RFC 8017 §9.2 has us refuse. Returns how
/// many keys were seen, the ones of our own verifier first, and how many vectors of each result.
fn check(file: &str, read: fn(&[Vec<u8>]) -> Option<PublicKey>) -> ([usize; 2], Counts) {
    let mut keys = [0; 2];
    let mut counts = [0; 3];
    let mut key = None;
    for line in file.lines() {
        let fields: Vec<&str> = line.split(' ').collect();
        if let ["key", parts @ ..] = fields.as_slice() {
            let parts: Vec<Vec<u8>> = parts.iter().map(|part| decoded(part)).collect();
            let read = read(&parts).unwrap();
            keys[usize::from(!matches!(read, PublicKey::Rsa2048(_)))] += 1;
            key = Some(read);
            continue;
        }
        let [id, result, message, signature] = fields.as_slice() else {
            panic!("not a vector: {line}");
        };
        let counter = match *result {
            "valid" => 0,
            "invalid" => 1,
            "acceptable" => 2,
            _ => panic!("not a result: {result}"),
        };
        counts[counter] += 1;
        let verified = key
            .as_ref()
            .unwrap()
            .verifies(&decoded(message), &decoded(signature));
        assert_eq!(verified, *result == "valid", "vector {id}");
    }
    (keys, counts)
}

fn decoded(text: &str) -> Vec<u8> {
    if text == "-" {
        return Vec::new();
    }
    from_base64url(text).unwrap()
}

fn rsa(parts: &[Vec<u8>]) -> Option<PublicKey> {
    let [n, e] = parts else { return None };
    PublicKey::rsa(n, e)
}

#[test]
fn n067_rsa_of_2048_bits() {
    // Two of the three keys have the exponent 3, which the `rsa` crate verifies.
    assert_eq!(
        check(
            include_str!("../../tests/wycheproof/rsa_2048_sha256.txt"),
            rsa
        ),
        ([1, 2], [9, 249, 1])
    );
}

#[test]
fn n067_rsa_of_3072_bits() {
    assert_eq!(
        check(
            include_str!("../../tests/wycheproof/rsa_3072_sha256.txt"),
            rsa
        ),
        ([0, 2], [8, 250, 1])
    );
}

#[test]
fn n067_rsa_of_4096_bits() {
    assert_eq!(
        check(
            include_str!("../../tests/wycheproof/rsa_4096_sha256.txt"),
            rsa
        ),
        ([0, 1], [7, 250, 1])
    );
}

#[test]
fn n067_ecdsa_on_p256() {
    let key = |parts: &[Vec<u8>]| {
        let [x, y] = parts else { return None };
        PublicKey::p256(x, y)
    };
    assert_eq!(
        check(
            include_str!("../../tests/wycheproof/ecdsa_p256_sha256.txt"),
            key
        ),
        ([0, 112], [173, 89, 0])
    );
}

#[test]
fn n067_ed25519() {
    let key = |parts: &[Vec<u8>]| {
        let [x] = parts else { return None };
        PublicKey::ed25519(x)
    };
    assert_eq!(
        check(include_str!("../../tests/wycheproof/ed25519.txt"), key),
        ([0, 78], [88, 63, 0])
    );
}
