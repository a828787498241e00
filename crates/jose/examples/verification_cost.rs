//! What a public key and a signature cost, in microseconds, natively and in WebAssembly:
//! `cargo run --release -p scaigate-jose --example verification_cost`, or the same with
//! `--target wasm32-wasip2` and a runtime for it. The fastest of eleven
//! rounds.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "an example is run by hand"
)]

#[path = "../tests/suite/published.rs"]
#[expect(dead_code, reason = "the private halves are for the suite")]
mod published;

use std::hint::black_box;
use std::time::Instant;

use p256::ecdsa::signature::hazmat::PrehashVerifier;
use published::{ED25519, EDDSA_A4, ES256_A3, P256, RS256_A2, RSA_A};
use rsa::BigUint;
use scaigate_jose::rs256::Rs256Key;
use scaigate_jose::{Jwks, KeyRing, SessionClaims, SessionSigner, UnverifiedJwt, sha256};
use scaigate_types::encoding::from_base64url;
use scaigate_types::{
    Issuer, PersonId, SessionId, Subject, TenantId, Timestamp, WorkspaceId, WorkspaceRole,
};

const ROUNDS: usize = 11;
const PER_ROUND: u32 = 20;
const E: [u8; 3] = [1, 0, 1];

fn main() {
    print!("{}", report());
}

/// One line per back end: import of a key, check of a signature.
fn report() -> String {
    let (message, signature) = signed(RS256_A2);
    let digest = sha256(message);
    let n = bytes(RSA_A.n);
    let mut lines = vec![line(
        "RS256 2048, own",
        || Rs256Key::new(black_box(&n), &E).unwrap(),
        |key| key.verifies(&digest, black_box(&signature)),
    )];
    lines.push(library("RS256 2048, rsa", &n, &digest, &signature));
    for (what, file) in [
        (
            "RS256 3072, rsa",
            include_str!("../tests/wycheproof/rsa_3072_sha256.txt"),
        ),
        (
            "RS256 4096, rsa",
            include_str!("../tests/wycheproof/rsa_4096_sha256.txt"),
        ),
    ] {
        let (n, digest, signature) = first_valid(file);
        lines.push(library(what, &n, &digest, &signature));
    }

    let (message, signature) = signed(ES256_A3);
    let digest = sha256(message);
    let point = [vec![4], bytes(P256[0]), bytes(P256[1])].concat();
    lines.push(line(
        "ES256, p256",
        || p256::ecdsa::VerifyingKey::from_sec1_bytes(black_box(&point)).unwrap(),
        |key| {
            let signature = p256::ecdsa::Signature::from_slice(black_box(&signature)).unwrap();
            key.verify_prehash(&digest, &signature).is_ok()
        },
    ));

    let (message, signature) = signed(EDDSA_A4);
    let point = bytes(ED25519[0]);
    lines.push(line(
        "EdDSA, ed25519-compact",
        || ed25519_compact::PublicKey::from_slice(black_box(&point)).unwrap(),
        |key| {
            let signature = ed25519_compact::Signature::from_slice(black_box(&signature)).unwrap();
            key.verify(message, &signature).is_ok()
        },
    ));

    let set = format!(
        r#"{{"keys":[{{"kty":"RSA","n":"{}","e":"AQAB"}}]}}"#,
        RSA_A.n
    );
    lines.push(line(
        "RS256 2048, key set and token",
        || Jwks::parse(black_box(set.as_bytes())).unwrap(),
        |keys| {
            let token = UnverifiedJwt::parse(black_box(RS256_A2)).unwrap();
            keys.verify(&token).is_ok()
        },
    ));
    lines.push(session());
    lines.concat()
}

/// Our own session token: no key to import, one HMAC and the claims.
fn session() -> String {
    let keys = KeyRing::parse("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=").unwrap();
    let now = Timestamp::from_secs(1_800_000_000);
    let claims = SessionClaims {
        issuer: "https://gate.example".to_owned(),
        subject: Subject::parse("usr_ada").unwrap(),
        subject_issuer: Issuer::parse("https://scaikey.example/tenants/tnt_acme").unwrap(),
        person_id: PersonId::parse("per_AAAAAAAAAAAAAAAAAAAAAA").unwrap(),
        tenant_id: TenantId::parse("tnt_acme").unwrap(),
        workspace_id: WorkspaceId::parse("ws_AAAAAAAAAAAAAAAAAAAAAA").unwrap(),
        role: WorkspaceRole::Author,
        admin_role: None,
        personal_workspace_id: None,
        email: Some("ada@acme.example".to_owned()),
        name: Some("Ada".to_owned()),
        sid: SessionId::parse("ses_AAAAAAAAAAAAAAAAAAAAAA").unwrap(),
        generation: 3,
        jti: "AAAAAAAAAAAAAAAAAAAAAA".to_owned(),
        issued_at: now,
        expires_at: now.plus(std::time::Duration::from_secs(900)),
    };
    let signer = SessionSigner::new(&keys);
    let token = signer.sign(&claims).unwrap();
    line(
        "HS256, session token",
        || SessionSigner::new(black_box(&keys)),
        |signer| {
            let token = black_box(token.as_str());
            signer.verify(token, "https://gate.example", now).is_ok()
        },
    )
}

fn library(what: &str, n: &[u8], digest: &[u8; 32], signature: &[u8]) -> String {
    line(
        what,
        || {
            let [n, e] = [n, &E].map(BigUint::from_bytes_be);
            rsa::RsaPublicKey::new(black_box(n), e).unwrap()
        },
        |key| {
            let scheme = rsa::Pkcs1v15Sign {
                hash_len: Some(32),
                prefix: Box::new([
                    48, 49, 48, 13, 6, 9, 96, 134, 72, 1, 101, 3, 4, 2, 1, 5, 0, 4, 32,
                ]),
            };
            key.verify(scheme, digest, black_box(signature)).is_ok()
        },
    )
}

fn line<Key>(what: &str, import: impl Fn() -> Key, verifies: impl Fn(&Key) -> bool) -> String {
    let key = import();
    assert!(verifies(&key), "{what}");
    let import = fastest(|| {
        black_box(import());
    });
    let check = fastest(|| {
        black_box(verifies(black_box(&key)));
    });
    format!("{what:30} import {import:8.2}  check {check:8.2}\n")
}

/// The shortest time says most about the code, the others more about what else the machine did.
fn fastest(mut work: impl FnMut()) -> f64 {
    (0..ROUNDS)
        .map(|_| {
            let start = Instant::now();
            for _ in 0..PER_ROUND {
                work();
            }
            start.elapsed().as_secs_f64() * 1e6 / f64::from(PER_ROUND)
        })
        .fold(f64::INFINITY, f64::min)
}

/// The signing input and the signature of a compact token.
fn signed(token: &str) -> (&str, Vec<u8>) {
    let (input, signature) = token.rsplit_once('.').unwrap();
    (input, bytes(signature))
}

/// Modulus, digest and signature of a file's first vector that verifies and has a message.
fn first_valid(file: &str) -> (Vec<u8>, [u8; 32], Vec<u8>) {
    let (key, rest) = file.split_once('\n').unwrap();
    let vector = rest
        .lines()
        .find(|line| line.contains(" valid ") && !line.contains(" - "))
        .unwrap();
    let fields: Vec<&str> = vector.split(' ').collect();
    let [_, _, message, signature] = fields.as_slice() else {
        unreachable!("a vector has four fields")
    };
    (
        bytes(key.split(' ').nth(1).unwrap()),
        sha256(bytes(message)),
        bytes(signature),
    )
}

fn bytes(text: &str) -> Vec<u8> {
    from_base64url(text).unwrap()
}
