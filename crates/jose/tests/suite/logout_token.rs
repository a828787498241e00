//! The rules of OpenID Connect Back-Channel Logout 1.0 §2.6, one by one.

use std::time::Duration;

use scaigate_jose::{
    ClaimError, Jwks, LogoutToken, LogoutTokenError, LogoutTokenExpectation, UnverifiedJwt,
    VerifyError, verify_logout_token,
};
use scaigate_types::{ClientId, Issuer, Timestamp};
use serde_json::{Value, json};

use crate::signer::{Signer, forgeries, keys_of};
use crate::{access_token, changed, id_token};

const ISSUER: &str = "https://scaikey.example";
const CLIENT: &str = "client-1";
const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";
const NOW: u64 = 1_800_000_000;

/// The claims of a good logout token with `changes` made: `null` takes a claim out.
pub fn claims(changes: Value) -> Value {
    let claims = json!({
        "iss": ISSUER, "aud": CLIENT, "sub": "usr_1", "sid": "s-1", "iat": NOW, "jti": "j-1",
        "events": {EVENT: {}},
    });
    changed(claims, &changes)
}

fn verify_with(issuer: &str, keys: &Jwks, token: &str) -> Result<LogoutToken, LogoutTokenError> {
    let expect = LogoutTokenExpectation {
        issuer: &Issuer::parse(issuer).unwrap(),
        client_id: &ClientId::parse(CLIENT).unwrap(),
        now: Timestamp::from_secs(NOW),
        skew: Duration::from_secs(60),
        max_age: Duration::from_secs(120),
    };
    verify_logout_token(&UnverifiedJwt::parse(token).unwrap(), keys, &expect)
}

/// Verifies a token.
pub fn verify(token: &str) -> Result<LogoutToken, LogoutTokenError> {
    verify_with(ISSUER, &keys_of(&Signer::ALL), token)
}

fn error_of_claims(claims: &Value) -> Option<LogoutTokenError> {
    verify(&Signer::Ed25519.token(claims)).err()
}

fn error_of(changes: Value) -> Option<LogoutTokenError> {
    error_of_claims(&claims(changes))
}

fn with_typ(typ: &str) -> Option<LogoutTokenError> {
    let header = changed(Signer::Ed25519.header(), &json!({"typ": typ}));
    verify(&Signer::Ed25519.token_with(&header, &claims(json!({})))).err()
}

fn malformed(name: &'static str) -> Option<LogoutTokenError> {
    Some(ClaimError::Malformed(name).into())
}

fn missing(name: &'static str) -> Option<LogoutTokenError> {
    Some(ClaimError::Missing(name).into())
}

#[test]
fn a_good_token_of_every_algorithm_is_read() {
    for signer in Signer::ALL {
        let token = verify(&signer.token(&claims(json!({"tenant_id": "tnt_1"})))).unwrap();
        assert_eq!(token.issuer.as_str(), ISSUER);
        assert_eq!(token.tenant_id.unwrap().as_str(), "tnt_1");
        assert_eq!(token.subject.unwrap().as_str(), "usr_1");
        assert_eq!(token.sid.as_deref(), Some("s-1"));
        assert_eq!(token.jti, "j-1");
        assert_eq!(token.issued_at.secs(), NOW);
    }
}

#[test]
fn n056_n084_issuer_must_be_the_expected_one_or_the_tokens_own_tenant_there() {
    let issuer = Some(LogoutTokenError::Issuer);
    let tnt_1 = format!("{ISSUER}/tenants/tnt_1");
    let cases = [
        (json!({"iss": tnt_1, "tenant_id": "tnt_1"}), None),
        (json!({"iss": tnt_1, "tenant_id": "tnt_2"}), issuer),
        (json!({"iss": tnt_1}), None),
        (json!({"iss": "https://evil.example"}), issuer),
        (json!({"iss": "https://scaikey.example/"}), issuer),
        (json!({"iss": null}), missing("iss")),
        (json!({"iss": 7}), malformed("iss")),
    ];
    for (changes, expected) in cases {
        assert_eq!(error_of(changes.clone()), expected, "{changes}");
    }
    let other = Signer::Ed25519.token(&claims(json!({"iss": tnt_1, "tenant_id": "tnt_2"})));
    let error = verify_with(&tnt_1, &keys_of(&Signer::ALL), &other).err();
    assert_eq!(error, Some(LogoutTokenError::Tenant));
}

#[test]
fn n059_n060_n084_audience_must_be_this_client_alone() {
    let audience = Some(LogoutTokenError::Audience);
    let cases = [
        (json!([CLIENT]), None),
        (json!([CLIENT, CLIENT]), None),
        (json!("client-2"), audience),
        (json!([CLIENT, "client-2"]), audience),
        (json!(["client-2", CLIENT]), audience),
        (json!("CLIENT-1"), audience),
        (json!(""), audience),
        (Value::Null, missing("aud")),
        (json!([]), missing("aud")),
        (json!([7]), malformed("aud")),
        (json!(vec![CLIENT; 17]), malformed("aud")),
    ];
    for (aud, expected) in cases {
        assert_eq!(error_of(json!({"aud": aud})), expected, "{aud}");
    }
}

#[test]
fn n061_n062_n063_n086_times_are_kept_give_or_take_the_skew() {
    let (old, ahead) = (LogoutTokenError::TooOld, LogoutTokenError::NotYetValid);
    let cases = [
        (json!({"iat": null}), missing("iat")),
        (json!({"iat": NOW - 180}), None),
        (json!({"iat": NOW - 181}), Some(old)),
        (json!({"iat": 0}), Some(old)),
        (json!({"iat": NOW - 181, "exp": NOW + 300}), Some(old)),
        (json!({"iat": NOW + 60}), None),
        (json!({"iat": NOW + 61}), Some(ahead)),
        (json!({"iat": NOW + 61, "nbf": NOW}), Some(ahead)),
        (json!({"nbf": NOW + 60}), None),
        (json!({"nbf": NOW + 61}), Some(ahead)),
        (json!({"exp": NOW - 60}), None),
        (json!({"exp": NOW - 61}), Some(LogoutTokenError::Expired)),
    ];
    for (changes, expected) in cases {
        assert_eq!(error_of(changes.clone()), expected, "{changes}");
    }
    for name in ["exp", "iat", "nbf"] {
        for bad in [
            json!("1800000000"),
            json!(1_800_000_000.5),
            json!(-1),
            json!(u64::MAX),
        ] {
            assert_eq!(
                error_of(json!({name: bad})),
                malformed(name),
                "{name} {bad}"
            );
        }
    }
}

#[test]
fn n084_n065_n066_n067_n070_forgeries_are_refused() {
    for (what, token) in forgeries(&claims(json!({}))) {
        let refused = match UnverifiedJwt::parse(&token) {
            Ok(_) => matches!(verify(&token), Err(LogoutTokenError::Verify(_))),
            Err(_) => true,
        };
        assert!(refused, "{what}");
    }
}

#[test]
fn n067_signature_comes_before_every_claim() {
    let bad = claims(json!({"iss": "https://evil.example", "events": null, "aud": null}));
    let forged = Signer::RsaB.token_with(&Signer::RsaA.header(), &bad);
    assert_eq!(verify(&forged).err(), Some(VerifyError::Signature.into()));
}

#[test]
fn n068_a_token_without_kid_is_checked_with_the_keys_that_fit() {
    for signer in Signer::ALL {
        let token = signer.token_with(&json!({"alg": signer.alg()}), &claims(json!({})));
        assert!(verify(&token).is_ok(), "{signer:?}");
        assert!(verify_with(ISSUER, &keys_of(&[signer]), &token).is_ok());
    }
}

#[test]
fn n085_event_must_be_a_logout() {
    let refused = Some(LogoutTokenError::Event);
    for (events, expected) in [
        (Value::Null, refused),
        (json!({}), refused),
        (json!([]), refused),
        (json!([EVENT]), refused),
        (json!(EVENT), refused),
        (
            json!({"http://schemas.openid.net/event/other": {}}),
            refused,
        ),
        (json!({EVENT.to_uppercase(): {}}), refused),
        (json!({EVENT: null}), refused),
        (json!({EVENT: true}), refused),
        (json!({EVENT: []}), refused),
        (json!({EVENT: "{}"}), refused),
        (json!({EVENT: {"reason": "x"}}), None),
        (json!({EVENT: {}, "https://example.com/event": {}}), None),
    ] {
        assert_eq!(error_of(json!({"events": events})), expected, "{events}");
    }
}

#[test]
fn n085_there_must_be_no_nonce_of_any_type() {
    for nonce in [json!("n"), json!(""), json!(7), json!({}), Value::Null] {
        let mut claims = claims(json!({}));
        claims["nonce"] = nonce.clone();
        assert_eq!(
            error_of_claims(&claims),
            Some(LogoutTokenError::Nonce),
            "{nonce}"
        );
    }
}

#[test]
fn n085_n057_a_subject_or_a_session_must_be_named() {
    let cases = [
        (json!({"sub": null}), None),
        (json!({"sid": null}), None),
        (
            json!({"sub": null, "sid": null}),
            Some(LogoutTokenError::NoTarget),
        ),
        (json!({"sub": ""}), malformed("sub")),
        (json!({"sub": "", "sid": null}), malformed("sub")),
        (json!({"sub": 7}), malformed("sub")),
        (json!({"sub": "s".repeat(256)}), malformed("sub")),
        (json!({"sid": ""}), malformed("sid")),
        (json!({"sub": null, "sid": ""}), malformed("sid")),
        (json!({"sid": ["s-1"]}), malformed("sid")),
        (json!({"sid": "s".repeat(257)}), malformed("sid")),
    ];
    for (changes, expected) in cases {
        assert_eq!(error_of(changes.clone()), expected, "{changes}");
    }
}

#[test]
fn n086_jti_must_be_there() {
    assert_eq!(error_of(json!({"jti": null})), missing("jti"));
    assert_eq!(error_of(json!({"jti": "j".repeat(256)})), None);
    for jti in [json!(""), json!("j".repeat(257)), json!(7), json!(["j-1"])] {
        assert_eq!(error_of(json!({"jti": jti})), malformed("jti"), "{jti}");
    }
}

#[test]
fn n076_typ_must_be_that_of_a_logout_token() {
    for typ in [
        "JWT",
        "jwt",
        "logout+jwt",
        "LOGOUT+JWT",
        "application/logout+jwt",
    ] {
        assert_eq!(with_typ(typ), None, "{typ}");
    }
    for typ in [
        "at+jwt",
        "application/at+jwt",
        "secevent+jwt",
        "dpop+jwt",
        "scaigate-session+jwt",
        "",
    ] {
        assert_eq!(with_typ(typ), Some(LogoutTokenError::Type), "{typ}");
    }
}

#[test]
fn n087_n076_an_id_token_or_access_token_is_no_logout_token() {
    let added = json!({"jti": "j-1", "sid": "s-1"});
    for token in [
        id_token::claims(json!({})),
        id_token::claims(json!({"nonce": null})),
        access_token::claims(json!({})),
    ] {
        assert_eq!(error_of_claims(&token), Some(LogoutTokenError::Event));
        let token = changed(token, &added);
        assert_eq!(error_of_claims(&token), Some(LogoutTokenError::Event));
    }
}

#[test]
fn n055_debug_shows_nothing_personal() {
    let token = verify(&Signer::Ed25519.token(&claims(json!({})))).unwrap();
    let shown = format!("{token:?}");
    for text in ["usr_1", "s-1", "j-1"] {
        assert!(!shown.contains(text), "{shown}");
    }
}
