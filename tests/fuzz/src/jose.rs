//! Tokens and keys of others.

use std::sync::LazyLock;
use std::time::Duration;

use ed25519_compact::{KeyPair, Seed};
use scaigate_jose::{
    AccessTokenExpectation, IdTokenExpectation, Jwks, LogoutTokenExpectation, MAX_TOKEN,
    UnverifiedJwt, verify_access_token, verify_id_token, verify_logout_token,
};
use scaigate_types::encoding::base64url;
use serde_json::Value;

use crate::fixed::{NOW, SKEW, assert_sentence, client_id, issuer};
use crate::lines::{first, text};

/// Public keys whose private halves were thrown away once they had signed [`SIGNED`].
static KEYS: LazyLock<Jwks> = LazyLock::new(|| {
    let keys = Jwks::parse(include_bytes!("keys.json")).expect("the key set");
    for compact in SIGNED {
        let token = UnverifiedJwt::parse(compact).expect("a token");
        assert!(keys.verify(&token).is_ok());
        assert_eq!(at_most_one_kind(&token, &keys), 1);
    }
    keys
});

/// All that these keys have ever signed.
const SIGNED: [&str; 4] = [
    include_str!("../../../fuzz/corpus/jwt/signed_rs256"),
    include_str!("../../../fuzz/corpus/jwt/signed_es256"),
    include_str!("../../../fuzz/corpus/jwt/signed_eddsa"),
    include_str!("../../../fuzz/corpus/jwt/signed_without_kid"),
];

/// Signs whatever it is given.
static SIGNER: LazyLock<(KeyPair, Jwks)> = LazyLock::new(|| {
    let pair = KeyPair::from_seed(Seed::new([7; 32]));
    let x = base64url(pair.pk.as_ref());
    let set = format!(r#"{{"keys":[{{"kty":"OKP","crv":"Ed25519","x":"{x}"}}]}}"#);
    let keys = Jwks::parse(set.as_bytes()).expect("the signer's key set");
    (pair, keys)
});

/// A compact token from anywhere: what verifies was signed.
pub fn jwt(input: &[u8]) {
    let Some(compact) = text(input) else { return };
    let token = match UnverifiedJwt::parse(compact) {
        Ok(token) => token,
        Err(error) => return assert_sentence(&error),
    };
    assert!(compact.len() <= MAX_TOKEN && compact.split('.').count() == 3);
    assert!(token.kid().is_none_or(|kid| kid.len() <= 256));
    assert!(!format!("{token:?}").contains(compact));
    if let Some(issuer) = token.unverified_issuer() {
        assert!(!issuer.as_str().is_empty());
    }
    match KEYS.verify(&token) {
        Ok(_) => {
            assert!(KEYS.has_key_for(&token));
            // Whoever knows a signature of ES256 can make another one of the same bytes.
            let input = |token: &str| token.rsplit_once('.').map(|(input, _)| input.to_owned());
            let known = SIGNED.iter().any(|own| input(own) == input(compact));
            assert!(known, "nobody has signed this");
        }
        Err(error) => assert_sentence(&error),
    }
    at_most_one_kind(&token, &KEYS);
}

/// A header in the first line and claims behind it, signed: of one kind of token, or of none.
pub fn claims(input: &[u8]) {
    token_kinds(input);
}

/// As [`claims`]; says of how many kinds the token is, one or none.
pub fn token_kinds(input: &[u8]) -> usize {
    let (header, payload) = first(input);
    let (pair, keys) = &*SIGNER;
    let signed = format!("{}.{}", base64url(header), base64url(payload));
    let signature = pair.sk.sign(signed.as_bytes(), None);
    let compact = format!("{signed}.{}", base64url(signature.as_ref()));
    let Ok(token) = UnverifiedJwt::parse(&compact) else {
        return 0;
    };
    let verified = match keys.verify(&token) {
        Ok(verified) => verified,
        Err(error) => {
            assert_sentence(&error);
            return 0;
        }
    };
    // What is read is what any reader of JSON would read.
    let value: Value = serde_json::from_slice(payload).expect("verified claims are JSON");
    let own = value.get("sub").filter(|value| !value.is_null());
    assert_eq!(verified.claim("sub"), own);
    if let Ok(audience) = verified.audience() {
        assert!((1..=16).contains(&audience.len()));
    }
    at_most_one_kind(&token, keys)
}

/// A token is an ID token, an access token, a logout token, or nothing (RFC 8725 §3.11).
fn at_most_one_kind(token: &UnverifiedJwt<'_>, keys: &Jwks) -> usize {
    let (issuer, client_id) = (issuer(), client_id());
    let id = verify_id_token(
        token,
        keys,
        &IdTokenExpectation {
            issuer: &issuer,
            client_id: &client_id,
            nonce: Some("nonce-1"),
            access_token: None,
            now: NOW,
            skew: SKEW,
        },
    );
    let access = verify_access_token(
        token,
        keys,
        &AccessTokenExpectation {
            issuer: &issuer,
            audiences: &["app_1".to_owned()],
            now: NOW,
            skew: SKEW,
        },
    );
    let logout = verify_logout_token(
        token,
        keys,
        &LogoutTokenExpectation {
            issuer: &issuer,
            client_id: &client_id,
            now: NOW,
            skew: SKEW,
            max_age: Duration::from_secs(300),
        },
    );
    let kinds = [id.is_ok(), access.is_ok(), logout.is_ok()];
    let accepted = kinds.iter().filter(|accepted| **accepted).count();
    assert!(accepted <= 1, "{kinds:?}");
    let expirations = [
        id.as_ref().ok().map(|id| id.expires_at),
        access.as_ref().ok().map(|access| access.expires_at),
    ];
    for expires_at in expirations.into_iter().flatten() {
        assert!(expires_at.plus(SKEW) >= NOW);
    }
    if let Ok(id) = &id {
        assert_ne!(id.subject.as_str(), "app_1");
        assert_eq!(id.nonce.as_deref(), Some("nonce-1"));
    }
    id.err().iter().for_each(assert_sentence);
    access.err().iter().for_each(assert_sentence);
    logout.err().iter().for_each(assert_sentence);
    accepted
}

/// A key set: what verifies with it verifies with a key that is written in it.
pub fn jwks(input: &[u8]) {
    let keys = match Jwks::parse(input) {
        Ok(keys) => keys,
        Err(error) => return assert_sentence(&error),
    };
    let value: Value = serde_json::from_slice(input).expect("a key set is JSON");
    let list = value["keys"].as_array().expect("a key set has a list");
    assert!(input.len() <= Jwks::MAX_BYTES && list.len() <= 64);
    let public = |key: &&Value| key.get("d").is_none() && key.get("k").is_none();
    assert!(list.iter().any(|key| public(&key)));
    let own: Value = serde_json::from_slice(include_bytes!("keys.json")).expect("JSON");
    let own = own["keys"].as_array().expect("a list");
    for compact in SIGNED {
        let token = UnverifiedJwt::parse(compact).expect("a token");
        if keys.verify(&token).is_ok() {
            let same = |key: &Value| {
                let member = if key["kty"] == "RSA" { "n" } else { "x" };
                public(&key) && own.iter().any(|own| own[member] == key[member])
            };
            assert!(list.iter().any(same), "no key of the set has signed this");
            assert!(keys.has_key_for(&token));
        }
    }
}
