//! Key sets, and which key verifies which token.

use scaigate_jose::{ClaimError, Jwks, JwksError, UnverifiedJwt, Verified, VerifyError};
use scaigate_types::encoding::{base64url, from_base64url};
use serde_json::{Value, json};

use crate::published::{
    EDDSA_A4, ES256_A3, P256, RS256_A2, RS256_COOKBOOK, RS256_COOKBOOK_OF_SEVERAL, RSA_A,
};
use crate::signer::{Signer, keys_of, set_of};

fn verify(keys: &Jwks, token: &str) -> Result<Verified, VerifyError> {
    keys.verify(&UnverifiedJwt::parse(token).unwrap())
}

fn error_of(keys: &Jwks, token: &str) -> Option<VerifyError> {
    verify(keys, token).err()
}

fn without_kid(signer: Signer) -> Value {
    let mut jwk = signer.jwk();
    jwk.as_object_mut().unwrap().remove("kid");
    jwk
}

fn parse(set: &Value) -> Option<JwksError> {
    Jwks::parse(set.to_string().as_bytes()).err()
}

#[test]
fn verifies_the_signatures_published_in_rfc_7515() {
    for (signer, token) in [(Signer::RsaA, RS256_A2), (Signer::P256, ES256_A3)] {
        let verified = verify(&keys_of(&[signer]), token).unwrap();
        assert_eq!(verified.text("iss").unwrap(), Some("joe"));
        assert_eq!(verified.date("exp").unwrap().unwrap().secs(), 1_300_819_380);
        assert_eq!(
            verified.claim("http://example.com/is_root"),
            Some(&Value::Bool(true))
        );
    }
}

#[test]
fn verifies_the_signatures_published_in_rfc_7520_and_8037_up_to_their_payload() {
    let mut cookbook = Signer::RsaB.jwk();
    cookbook["kid"] = "bilbo.baggins@hobbiton.example".into();
    for (keys, token) in [
        (set_of(&[cookbook]), RS256_COOKBOOK),
        (keys_of(&[Signer::RsaB]), RS256_COOKBOOK_OF_SEVERAL),
        (keys_of(&[Signer::Ed25519]), EDDSA_A4),
    ] {
        let unreadable = VerifyError::Claims(ClaimError::Unreadable);
        assert_eq!(error_of(&keys, token), Some(unreadable));
    }
}

#[test]
fn verifies_what_another_implementation_signed() {
    let keys = keys_of(&Signer::ALL);
    for signer in Signer::ALL {
        let verified = verify(&keys, &signer.token(&json!({"sub": "me"}))).unwrap();
        assert_eq!(verified.text("sub").unwrap(), Some("me"), "{signer:?}");
    }
}

#[test]
fn n067_refuses_every_changed_part_of_a_token() {
    let keys = keys_of(&Signer::ALL);
    for signer in Signer::ALL {
        let token = signer.token(&json!({"sub": "me"}));
        let parts: Vec<&str> = token.split('.').collect();
        let signature = from_base64url(parts[2]).unwrap();
        let input = format!("{}.{}", parts[0], parts[1]);
        let mut forged = vec![
            format!(
                "{}.{}.{}",
                parts[0],
                base64url(br#"{"sub":"you"}"#),
                parts[2]
            ),
            signer
                .token(&json!({"sub": "you"}))
                .rsplit_once('.')
                .unwrap()
                .0
                .to_owned()
                + "."
                + parts[2],
            format!("{input}.{}", base64url(&signature[1..])),
            format!(
                "{input}.{}",
                base64url(&[&[0], signature.as_slice()].concat())
            ),
            format!("{input}.{}", base64url(&vec![0; signature.len()])),
            format!("{input}.{}", base64url(&vec![255; signature.len()])),
            format!("{input}.AA"),
        ];
        for index in [0, signature.len() / 2, signature.len() - 1] {
            let mut flipped = signature.clone();
            flipped[index] ^= 1;
            forged.push(format!("{input}.{}", base64url(&flipped)));
        }
        for token in forged {
            assert_eq!(
                error_of(&keys, &token),
                Some(VerifyError::Signature),
                "{signer:?} {token}"
            );
        }
    }
}

#[test]
fn n067_refuses_a_der_signature_where_a_fixed_one_belongs() {
    let der = [0x30, 0x06, 0x02, 0x01, 0x01, 0x02, 0x01, 0x01];
    let token = Signer::P256.token(&json!({}));
    let (input, _) = token.rsplit_once('.').unwrap();
    let token = format!("{input}.{}", base64url(&der));
    assert_eq!(
        error_of(&keys_of(&[Signer::P256]), &token),
        Some(VerifyError::Signature)
    );
}

#[test]
fn n066_n067_key_decides_the_algorithm() {
    // A kid of the set, under an algorithm that is not its key's.
    let header = json!({"alg": "ES256", "kid": Signer::RsaA.kid()});
    let token = Signer::P256.token_with(&header, &json!({}));
    let keys = keys_of(&[Signer::RsaA, Signer::P256]);
    assert_eq!(
        error_of(&keys, &token),
        Some(VerifyError::AlgorithmMismatch)
    );

    // HMAC keyed with the public modulus, said to be RS256.
    let input = format!(
        "{}.{}",
        base64url(
            json!({"alg": "RS256", "kid": "rsa-a"})
                .to_string()
                .as_bytes()
        ),
        base64url(b"{}")
    );
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, RSA_A.n.as_bytes());
    let tag = ring::hmac::sign(&key, input.as_bytes());
    let token = format!("{input}.{}", base64url(tag.as_ref()));
    assert_eq!(error_of(&keys, &token), Some(VerifyError::Signature));
}

#[test]
fn n068_token_without_kid_is_checked_with_every_suitable_key() {
    let token =
        |signer: Signer| signer.token_with(&json!({"alg": signer.alg()}), &json!({"sub": "me"}));
    // One key, with a kid and without.
    for jwk in [Signer::RsaA.jwk(), without_kid(Signer::RsaA)] {
        assert!(verify(&set_of(&[jwk]), &token(Signer::RsaA)).is_ok());
    }
    // Several.
    let keys = keys_of(&Signer::ALL);
    for signer in Signer::ALL {
        assert!(verify(&keys, &token(signer)).is_ok(), "{signer:?}");
    }
    // None that made it.
    let others = keys_of(&[Signer::RsaB, Signer::P256]);
    assert_eq!(
        error_of(&others, &token(Signer::RsaA)),
        Some(VerifyError::Signature)
    );
    // None of its algorithm.
    assert_eq!(
        error_of(&others, &token(Signer::Ed25519)),
        Some(VerifyError::UnknownKey)
    );
    // Too many to try.
    let many: Vec<Value> = (0..5)
        .map(|n| {
            let mut jwk = Signer::P256.jwk();
            jwk["kid"] = n.to_string().into();
            jwk
        })
        .collect();
    assert_eq!(
        error_of(&set_of(&many), &token(Signer::P256)),
        Some(VerifyError::AmbiguousKey)
    );
    assert!(verify(&set_of(&many[..4]), &token(Signer::P256)).is_ok());
}

#[test]
fn kid_must_name_one_key() {
    let mut second = Signer::RsaB.jwk();
    second["kid"] = Signer::RsaA.kid().into();
    let token = Signer::RsaA.token(&json!({}));
    let twice = set_of(&[Signer::RsaA.jwk(), second]);
    assert_eq!(error_of(&twice, &token), Some(VerifyError::AmbiguousKey));

    // The same kid for another type of key is allowed (RFC 7517 §4.5).
    let mut other = Signer::P256.jwk();
    other["kid"] = Signer::RsaA.kid().into();
    assert!(verify(&set_of(&[Signer::RsaA.jwk(), other]), &token).is_ok());

    // A named key is the only one tried, and a key without a name is no named one.
    assert_eq!(
        error_of(&keys_of(&[Signer::RsaB]), &token),
        Some(VerifyError::UnknownKey)
    );
    let nameless = set_of(&[without_kid(Signer::RsaA)]);
    assert_eq!(error_of(&nameless, &token), Some(VerifyError::UnknownKey));
}

#[test]
fn n070_keys_and_addresses_inside_the_token_are_never_used() {
    let header = json!({
        "alg": "RS256", "jwk": Signer::RsaB.jwk(), "jku": "https://evil.example/jwks",
        "x5u": "https://evil.example/cert", "x5c": ["MIIB"], "x5t": "AAAA",
    });
    let keys = keys_of(&[Signer::RsaA]);
    let forged = Signer::RsaB.token_with(&header, &json!({}));
    assert_eq!(error_of(&keys, &forged), Some(VerifyError::Signature));
    // Not believed, but no reason to refuse what the known key signed.
    assert!(verify(&keys, &Signer::RsaA.token_with(&header, &json!({}))).is_ok());
}

#[test]
fn n071_says_when_the_set_should_be_fetched_again() {
    let token = Signer::RsaB.token(&json!({}));
    let jwt = UnverifiedJwt::parse(&token).unwrap();
    let old = keys_of(&[Signer::RsaA]);
    assert!(!old.has_key_for(&jwt));
    assert_eq!(old.verify(&jwt).err(), Some(VerifyError::UnknownKey));
    let new = keys_of(&[Signer::RsaA, Signer::RsaB]);
    assert!(new.has_key_for(&jwt));
    assert!(new.verify(&jwt).is_ok());

    let nameless = Signer::P256.token_with(&json!({"alg": "ES256"}), &json!({}));
    let jwt = UnverifiedJwt::parse(&nameless).unwrap();
    assert!(!old.has_key_for(&jwt));
    assert!(keys_of(&[Signer::P256]).has_key_for(&jwt));
}

#[test]
fn keys_that_must_not_verify_are_left_out() {
    let n = from_base64url(RSA_A.n).unwrap();
    let changed = |signer: Signer, member: &str, value: Value| {
        let mut jwk = signer.jwk();
        jwk[member] = value;
        jwk
    };
    let mut even = n.clone();
    *even.last_mut().unwrap() &= 0xfe;
    let not_on_curve = base64url(&[7; 32]);
    let [x, y, _] = P256.map(|coordinate| from_base64url(coordinate).unwrap());
    // The bytes of the point, divided elsewhere.
    let mut divided_elsewhere = Signer::P256.jwk();
    divided_elsewhere["x"] = json!(base64url(&x[..31]));
    divided_elsewhere["y"] = json!(base64url(&[&x[31..], &y].concat()));
    let left_out = [
        ("encryption", changed(Signer::RsaA, "use", json!("enc"))),
        (
            "use of another type",
            changed(Signer::RsaA, "use", json!(1)),
        ),
        (
            "no verify in key_ops",
            changed(Signer::RsaA, "key_ops", json!(["encrypt"])),
        ),
        (
            "key_ops of another type",
            changed(Signer::RsaA, "key_ops", json!("verify")),
        ),
        ("other hash", changed(Signer::RsaA, "alg", json!("RS512"))),
        (
            "other padding",
            changed(Signer::RsaA, "alg", json!("PS256")),
        ),
        (
            "alg of another type of key",
            changed(Signer::RsaA, "alg", json!("ES256")),
        ),
        (
            "kid of another type",
            changed(Signer::RsaA, "kid", json!(7)),
        ),
        (
            "kid too long",
            changed(Signer::RsaA, "kid", json!("k".repeat(257))),
        ),
        (
            "private half published",
            changed(Signer::RsaA, "d", json!("AQAB")),
        ),
        (
            "modulus of 1024 bits",
            changed(Signer::RsaA, "n", json!(base64url(&n[128..]))),
        ),
        (
            "modulus of 2040 bits",
            changed(Signer::RsaA, "n", json!(base64url(&n[1..]))),
        ),
        (
            "modulus of 4104 bits",
            changed(Signer::RsaA, "n", json!(base64url(&[255; 513]))),
        ),
        ("modulus padded with zeros", {
            let padded = [vec![0; 400], n[128..].to_vec()].concat();
            changed(Signer::RsaA, "n", json!(base64url(&padded)))
        }),
        (
            "even modulus",
            changed(Signer::RsaA, "n", json!(base64url(&even))),
        ),
        ("exponent 1", changed(Signer::RsaA, "e", json!("AQ"))),
        ("even exponent", changed(Signer::RsaA, "e", json!("AQAA"))),
        ("exponent 0", changed(Signer::RsaA, "e", json!("AA"))),
        (
            "exponent over 33 bits",
            changed(Signer::RsaA, "e", json!(base64url(&[255; 8]))),
        ),
        (
            "modulus with padding characters",
            changed(Signer::RsaA, "n", json!("AQAB==")),
        ),
        ("no modulus", changed(Signer::RsaA, "n", Value::Null)),
        ("other curve", changed(Signer::P256, "crv", json!("P-384"))),
        (
            "point off the curve",
            changed(Signer::P256, "x", json!(not_on_curve)),
        ),
        (
            "short coordinate",
            changed(Signer::P256, "y", json!(base64url(&[7; 31]))),
        ),
        (
            "long coordinate",
            changed(Signer::P256, "y", json!(base64url(&[7; 33]))),
        ),
        ("coordinates of 31 and 33 bytes", divided_elsewhere),
        ("no curve", changed(Signer::P256, "crv", Value::Null)),
        ("X25519", changed(Signer::Ed25519, "crv", json!("X25519"))),
        (
            "short Ed25519 key",
            changed(Signer::Ed25519, "x", json!(base64url(&[7; 31]))),
        ),
        (
            "symmetric",
            json!({"kty": "oct", "k": base64url(&[7; 32]), "kid": "rsa-a"}),
        ),
        ("unknown type", json!({"kty": "AKP", "kid": "rsa-a"})),
        (
            "no type",
            json!({"kid": "rsa-a", "n": RSA_A.n, "e": "AQAB"}),
        ),
        ("not an object", json!("key")),
    ];
    for (what, jwk) in left_out {
        assert_eq!(
            parse(&json!({"keys": [jwk]})),
            Some(JwksError::NoUsableKey),
            "{what}"
        );
        // Beside a good key it does no harm.
        assert!(
            verify(
                &set_of(&[jwk, Signer::RsaB.jwk()]),
                &Signer::RsaB.token(&json!({}))
            )
            .is_ok()
        );
    }
}

#[test]
fn keys_are_taken_in_every_usual_spelling() {
    let n = from_base64url(RSA_A.n).unwrap();
    for (member, value) in [
        ("alg", Value::Null),
        ("use", Value::Null),
        ("key_ops", json!(["verify"])),
        ("x5c", json!(["MIIB"])),
        ("n", json!(base64url(&[&[0], n.as_slice()].concat()))),
        ("e", json!(base64url(&[0, 1, 0, 1]))),
    ] {
        let mut jwk = Signer::RsaA.jwk();
        if value.is_null() {
            jwk.as_object_mut().unwrap().remove(member);
        } else {
            jwk[member] = value;
        }
        assert!(
            verify(&set_of(&[jwk]), &Signer::RsaA.token(&json!({}))).is_ok(),
            "{member}"
        );
    }
}

#[test]
fn ed25519_key_of_low_order_verifies_nothing() {
    // The neutral element: with it, a signature of zeros would fit any message.
    let mut jwk = Signer::Ed25519.jwk();
    jwk["x"] = base64url(&[&[1], [0; 31].as_slice()].concat()).into();
    let token = Signer::Ed25519.token(&json!({}));
    let (input, _) = token.rsplit_once('.').unwrap();
    for signature in [[0; 64].to_vec(), [[1].as_slice(), &[0; 63]].concat()] {
        let token = format!("{input}.{}", base64url(&signature));
        assert_eq!(
            error_of(&set_of(&[jwk.clone()]), &token),
            Some(VerifyError::Signature)
        );
    }
}

#[test]
fn n141_key_sets_are_bounded_and_unambiguous() {
    let key = Signer::RsaA.jwk();
    let cases = [
        (
            json!({"keys": vec![key.clone(); 65]}).to_string(),
            JwksError::TooManyKeys,
        ),
        (json!({"keys": []}).to_string(), JwksError::NoUsableKey),
        (json!({"keys": {}}).to_string(), JwksError::Unreadable),
        (json!([key]).to_string(), JwksError::Unreadable),
        ("{}".to_owned(), JwksError::Unreadable),
        (String::new(), JwksError::Unreadable),
        (
            format!(r#"{{"keys":[],"keys":[{key}]}}"#),
            JwksError::Unreadable,
        ),
        (format!(r#"{{"keys":[{key}]}}x"#), JwksError::Unreadable),
        (
            format!(r#"{{"x":{}1{}}}"#, "[".repeat(9), "]".repeat(9)),
            JwksError::Unreadable,
        ),
        (
            format!(r#"{{"x":[{}1]}}"#, "1,".repeat(5000)),
            JwksError::Unreadable,
        ),
        (" ".repeat(Jwks::MAX_BYTES + 1), JwksError::TooLong),
    ];
    for (text, error) in cases {
        assert_eq!(
            Jwks::parse(text.as_bytes()).err(),
            Some(error),
            "{}",
            &text[..text.len().min(60)]
        );
    }
    let largest = json!({"keys": vec![key; 64]}).to_string();
    let keys = Jwks::parse(largest.as_bytes()).unwrap();
    assert_eq!(format!("{keys:?}"), "Jwks { keys: 64 }");
    let longest = format!("{largest}{}", " ".repeat(Jwks::MAX_BYTES - largest.len()));
    assert!(Jwks::parse(longest.as_bytes()).is_ok());
}
