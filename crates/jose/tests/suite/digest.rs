//! Hashes and comparisons.

use scaigate_jose::{constant_time_eq, pkce_challenge, sha256, token_hash};
use scaigate_types::encoding::hex;

#[test]
fn sha256_is_that_of_fips_180() {
    let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    assert_eq!(hex(&sha256("abc")), abc);
}

#[test]
fn pkce_challenge_is_that_of_rfc_7636_appendix_b() {
    let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    assert_eq!(
        pkce_challenge(verifier),
        "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
    );
}

#[test]
fn n029_n031_token_hash_keeps_purposes_and_tokens_apart() {
    let hash = token_hash("code", "abc");
    assert_eq!(hash.len(), 43);
    assert_eq!(hash, token_hash("code", "abc"));
    for (purpose, token) in [
        ("codea", "bc"),
        ("cod", "eabc"),
        ("", "codeabc"),
        ("codeabc", ""),
    ] {
        assert_ne!(hash, token_hash(purpose, token), "{purpose} {token}");
    }
}

#[test]
fn n147_comparison_finds_any_difference() {
    let a = [7_u8; 33];
    assert!(constant_time_eq(a, a));
    assert!(constant_time_eq("", ""));
    assert!(!constant_time_eq(a, [7_u8; 32]));
    assert!(!constant_time_eq("", "a"));
    for index in 0..a.len() {
        for bit in 0..8 {
            let mut b = a;
            b[index] ^= 1 << bit;
            assert!(!constant_time_eq(a, b), "{index} {bit}");
        }
    }
}
