//! Nothing received makes the readers panic, and what is sealed or derived is exact.

use proptest::prelude::*;
use scaigate_jose::{
    Jwks, KeyRing, RefreshSigner, RefreshToken, SealContext, Sealer, SessionSigner, UnverifiedJwt,
    constant_time_eq, token_hash,
};
use scaigate_simulated::Seeded;
use scaigate_types::encoding::base64url;
use scaigate_types::{SessionId, Timestamp};

use crate::signer::{Signer, keys_of};
use crate::{access_token, id_token, logout_token, ring_of};

/// JSON-like text: mostly well-formed pieces in a wrong order.
fn jsonish() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("{".to_owned()),
        Just("}".to_owned()),
        Just("[".to_owned()),
        Just("]".to_owned()),
        Just(",".to_owned()),
        Just(":".to_owned()),
        Just("\"alg\":\"RS256\"".to_owned()),
        Just("\"keys\":[".to_owned()),
        Just("\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQAB\"".to_owned()),
        Just("\"exp\"".to_owned()),
        Just("\"\\ud800\"".to_owned()),
        "-?[0-9]{1,25}(\\.[0-9]{1,3})?(e[0-9]{1,4})?",
        "\"[a-z\\\\]{0,5}\"",
    ];
    proptest::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

/// Any JSON value of a few levels.
fn json_value() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        any::<u64>().prop_map(Into::into),
        any::<f64>().prop_map(Into::into),
        ".{0,12}".prop_map(Into::into),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Into::into),
            proptest::collection::hash_map(".{0,6}", inner, 0..4).prop_map(|members| members
                .into_iter()
                .collect::<serde_json::Map<_, _>>()
                .into()),
        ]
    })
}

fn configuration() -> ProptestConfig {
    ProptestConfig {
        cases: 256,
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(configuration())]

    #[test]
    fn n141_no_text_makes_a_reader_panic(text in ".{0,400}") {
        let _ = UnverifiedJwt::parse(&text);
        let _ = SessionSigner::recognises(&text);
        let _ = KeyRing::parse(&text);
        let ring = ring_of(&[1]);
        prop_assert!(SessionSigner::new(&ring).verify(&text, "u", Timestamp::MAX).is_err());
        prop_assert!(RefreshToken::verify(&RefreshSigner::new(&ring), &text).is_err());
    }

    #[test]
    fn n141_no_parts_make_a_reader_panic(
        header in prop_oneof![jsonish(), Just(r#"{"alg":"EdDSA"}"#.to_owned())],
        payload in jsonish(),
        signature in proptest::collection::vec(any::<u8>(), 0..600),
    ) {
        let parts = [header.as_bytes(), payload.as_bytes(), &signature].map(base64url);
        let token = parts.join(".");
        if let Ok(jwt) = UnverifiedJwt::parse(&token) {
            let _ = jwt.unverified_issuer();
            prop_assert!(keys_of(&Signer::ALL).verify(&jwt).is_err());
        }
        let session = SessionSigner::new(&ring_of(&[1]));
        prop_assert!(session.verify(&token, "u", Timestamp::MAX).is_err());
    }

    #[test]
    fn n141_no_bytes_make_the_key_set_reader_panic(
        bytes in proptest::collection::vec(any::<u8>(), 0..300),
        text in jsonish(),
    ) {
        let _ = Jwks::parse(&bytes);
        let _ = Jwks::parse(text.as_bytes());
    }

    #[test]
    fn n141_no_member_makes_the_key_reader_panic(
        member in prop::sample::select(vec!["kty", "crv", "n", "e", "x", "y", "use", "alg", "kid"]),
        value in json_value(),
        signer in prop::sample::select(Signer::ALL.to_vec()),
    ) {
        let mut jwk = signer.jwk();
        jwk[member] = value;
        let _ = Jwks::parse(serde_json::json!({"keys": [jwk]}).to_string().as_bytes());
    }

    #[test]
    fn n141_no_rightly_signed_claim_makes_the_reader_panic(
        name in prop::sample::select(vec![
            "iss", "aud", "sub", "exp", "iat", "nbf", "nonce", "azp", "tenant_id", "client_id",
            "email", "email_verified", "name", "first_name", "role", "roles", "groups", "sid",
            "auth_time", "session_expiry",
        ]),
        value in json_value(),
    ) {
        let _ = id_token::verify(serde_json::json!({name: value}));
    }

    #[test]
    fn n141_no_rightly_signed_claim_makes_another_kind_of_token_panic(
        name in prop::sample::select(vec![
            "iss", "aud", "sub", "exp", "iat", "nbf", "nonce", "tenant_id", "client_id", "scope",
            "token_type", "platform_token", "act", "cnf", "permissions", "role", "sid", "events",
            "jti",
        ]),
        value in json_value(),
    ) {
        let changes = serde_json::json!({name: value});
        let _ = access_token::verify(&access_token::claims(changes.clone()));
        let _ = logout_token::verify(&Signer::Ed25519.token(&logout_token::claims(changes)));
    }

    #[test]
    fn n067_no_token_with_one_byte_changed_verifies(
        signer in prop::sample::select(Signer::ALL.to_vec()),
        position in any::<prop::sample::Index>(),
        other in 0..128_u8,
    ) {
        for claims in [
            access_token::claims(serde_json::json!({})),
            logout_token::claims(serde_json::json!({})),
        ] {
            let token = signer.token(&claims);
            let mut changed = token.clone().into_bytes();
            let position = position.index(changed.len());
            prop_assume!(changed[position] != other);
            changed[position] = other;
            let changed = String::from_utf8(changed).unwrap();
            if UnverifiedJwt::parse(&changed).is_ok() {
                prop_assert!(access_token::verify_token(&changed).is_err());
                prop_assert!(logout_token::verify(&changed).is_err());
            }
        }
    }

    #[test]
    fn seals_open_where_they_were_made_and_nowhere_else(
        plaintext in proptest::collection::vec(any::<u8>(), 0..300),
        owner in "[a-z0-9_]{0,20}",
        other in "[a-z0-9_]{0,20}",
        position in any::<prop::sample::Index>(),
        bit in 0..8_u32,
    ) {
        let sealer = Sealer::new(&ring_of(&[1]));
        let here = SealContext { purpose: "p", owner: &owner };
        let sealed = sealer.seal(&Seeded::default(), &here, &plaintext);
        let opened = sealer.open(&here, &sealed).unwrap();
        prop_assert_eq!(opened.expose(), &plaintext);
        if owner != other {
            let there = SealContext { purpose: "p", owner: &other };
            prop_assert!(sealer.open(&there, &sealed).is_err());
        }
        let elsewhere = SealContext { purpose: "q", owner: &owner };
        prop_assert!(sealer.open(&elsewhere, &sealed).is_err());
        let mut changed = sealed.clone();
        changed[position.index(sealed.len())] ^= 1 << bit;
        prop_assert!(sealer.open(&here, &changed).is_err());
        let _ = sealer.open(&here, &plaintext);
    }

    #[test]
    fn refresh_tokens_round_trip(sid in "[!#-&(-;=?-\\[\\]-~]{1,64}", generation in any::<u32>()) {
        let signer = RefreshSigner::new(&ring_of(&[1, 2]));
        let sid = SessionId::parse(&sid).unwrap();
        let token = RefreshToken::issue(&signer, &sid, generation);
        let read = RefreshToken::verify(&signer, token.expose()).unwrap();
        prop_assert_eq!(read, RefreshToken { sid, generation });
    }

    #[test]
    fn n147_constant_time_comparison_is_comparison(a in "[ab]{0,4}", b in "[ab]{0,4}") {
        prop_assert_eq!(constant_time_eq(&a, &b), a == b);
        prop_assert_eq!(token_hash("p", &a) == token_hash("p", &b), a == b);
    }
}
