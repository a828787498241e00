//! The rules of OpenID Connect Core 1.0 §3.1.3.7, one by one.

use std::time::Duration;

use scaigate_jose::{
    ClaimError, IdToken, IdTokenError, IdTokenExpectation, SessionSigner, UnverifiedJwt,
    VerifyError, verify_id_token,
};
use scaigate_types::encoding::base64url;
use scaigate_types::{ClientId, Issuer, Timestamp};
use serde_json::{Value, json};

use crate::changed;
use crate::signer::{Signer, keys_of};

pub const ISSUER: &str = "https://scaikey.example";
pub const CLIENT: &str = "client-1";
const NONCE: &str = "n-0S6_WzA2Mj";
const NOW: u64 = 1_800_000_000;

/// The claims of a good ID token with `changes` made: `null` takes a claim out.
pub fn claims(changes: Value) -> Value {
    let claims = json!({
        "iss": ISSUER, "aud": CLIENT, "sub": "usr_1", "exp": NOW + 300, "iat": NOW, "nonce": NONCE,
    });
    changed(claims, &changes)
}

/// What is expected, as far as tests change it.
struct Login<'a> {
    issuer: &'a str,
    nonce: Option<&'a str>,
    access_token: Option<&'a str>,
    now: u64,
}

impl Default for Login<'_> {
    fn default() -> Self {
        Self {
            issuer: ISSUER,
            nonce: Some(NONCE),
            access_token: None,
            now: NOW,
        }
    }
}

impl Login<'_> {
    fn verify(&self, token: &str) -> Result<IdToken, IdTokenError> {
        let expect = IdTokenExpectation {
            issuer: &Issuer::parse(self.issuer).unwrap(),
            client_id: &ClientId::parse(CLIENT).unwrap(),
            nonce: self.nonce,
            access_token: self.access_token,
            now: Timestamp::from_secs(self.now),
            skew: Duration::from_secs(60),
        };
        verify_id_token(
            &UnverifiedJwt::parse(token).unwrap(),
            &keys_of(&Signer::ALL),
            &expect,
        )
    }

    fn error(&self, changes: Value) -> Option<IdTokenError> {
        self.verify(&Signer::Ed25519.token(&claims(changes))).err()
    }
}

/// Verifies a good token with `changes` made.
pub fn verify(changes: Value) -> Result<IdToken, IdTokenError> {
    Login::default().verify(&Signer::Ed25519.token(&claims(changes)))
}

fn error_of(changes: Value) -> Option<IdTokenError> {
    verify(changes).err()
}

fn malformed(name: &'static str) -> Option<IdTokenError> {
    Some(ClaimError::Malformed(name).into())
}

fn missing(name: &'static str) -> Option<IdTokenError> {
    Some(ClaimError::Missing(name).into())
}

#[test]
fn accepts_a_good_token_of_every_algorithm() {
    for signer in Signer::ALL {
        let token = Login::default()
            .verify(&signer.token(&claims(json!({}))))
            .unwrap();
        assert_eq!(token.issuer.as_str(), ISSUER);
        assert_eq!(token.subject.as_str(), "usr_1");
        assert_eq!(token.issued_at.secs(), NOW);
        assert_eq!(token.expires_at.secs(), NOW + 300);
    }
}

#[test]
fn n056_issuer_must_be_the_expected_one() {
    for issuer in [
        "https://evil.example",
        "https://scaikey.example/",
        "https://SCAIKEY.example",
        "http://scaikey.example",
        "https://scaikey.example.evil.example",
        "https://scaikey.example/tenants/",
        "https://scaikey.example/tenants/a/b",
        "https://evil.example/tenants/tnt_1",
    ] {
        assert_eq!(
            error_of(json!({"iss": issuer})),
            Some(IdTokenError::Issuer),
            "{issuer}"
        );
    }
    assert_eq!(error_of(json!({"iss": null})), missing("iss"));
    for issuer in [json!(7), json!([ISSUER]), json!(""), json!("a b")] {
        assert_eq!(error_of(json!({"iss": issuer})), malformed("iss"));
    }
}

#[test]
fn n056_tenant_issuer_must_be_of_the_tokens_own_tenant() {
    let of = |issuer: &str, tenant: &str| {
        verify(json!({"iss": format!("{ISSUER}{issuer}"), "tenant_id": tenant}))
            .map(|token| token.tenant_id.unwrap().as_str().to_owned())
    };
    assert_eq!(of("", "tnt_1"), Ok("tnt_1".to_owned()));
    assert_eq!(of("/tenants/tnt_1", "tnt_1"), Ok("tnt_1".to_owned()));
    for (issuer, tenant) in [
        ("/tenants/tnt_2", "tnt_1"),
        ("/tenants/tnt_1/", "tnt_1"),
        ("/tenants/tnt_1/tenants/tnt_1", "tnt_1"),
        ("/tenant/tnt_1", "tnt_1"),
        ("//tenants/tnt_1", "tnt_1"),
    ] {
        assert_eq!(
            of(issuer, tenant),
            Err(IdTokenError::Issuer),
            "{issuer} {tenant}"
        );
    }
    for tenant in [
        "",
        "a/b",
        "tnt_1?x",
        "tnt_1#x",
        "tnt%31",
        "a b",
        &"t".repeat(129),
    ] {
        let error = of(&format!("/tenants/{tenant}"), tenant).err();
        assert!(
            error == malformed("tenant_id") || error == malformed("iss"),
            "{tenant}"
        );
    }
    assert_eq!(error_of(json!({"tenant_id": 7})), malformed("tenant_id"));
}

#[test]
fn n009_a_tenants_issuer_takes_no_other_tenants_token() {
    let login = Login {
        issuer: "https://scaikey.example/tenants/tnt_1",
        ..Login::default()
    };
    let of = |issuer: &str, tenant: Value| {
        login
            .verify(&Signer::Ed25519.token(&claims(json!({"iss": issuer, "tenant_id": tenant}))))
            .map(|token| token.tenant_id.map(|tenant| tenant.as_str().to_owned()))
    };
    let own = "https://scaikey.example/tenants/tnt_1";
    assert_eq!(of(own, json!("tnt_1")), Ok(Some("tnt_1".to_owned())));
    assert_eq!(of(own, Value::Null), Ok(Some("tnt_1".to_owned())));
    assert_eq!(of(own, json!("tnt_2")), Err(IdTokenError::Tenant));
    for (issuer, tenant) in [
        ("https://scaikey.example", "tnt_1"),
        ("https://scaikey.example/tenants/tnt_2", "tnt_2"),
        (
            "https://scaikey.example/tenants/tnt_1/tenants/tnt_2",
            "tnt_2",
        ),
    ] {
        assert_eq!(
            of(issuer, json!(tenant)),
            Err(IdTokenError::Issuer),
            "{issuer}"
        );
    }
}

#[test]
fn n057_subject_must_be_there() {
    assert_eq!(error_of(json!({"sub": null})), missing("sub"));
    for subject in [
        json!(""),
        json!(42),
        json!(["a"]),
        json!("a".repeat(256)),
        json!("a\u{0}b"),
    ] {
        assert_eq!(error_of(json!({"sub": subject})), malformed("sub"));
    }
}

#[test]
fn n058_a_service_is_no_person() {
    let refused = Some(IdTokenError::NotAPerson);
    assert_eq!(error_of(json!({"sub": CLIENT})), refused);
    assert_eq!(
        error_of(json!({"sub": "client-2", "client_id": "client-2"})),
        refused
    );
    assert_eq!(error_of(json!({"client_id": CLIENT})), None);
}

#[test]
fn n059_audience_must_be_this_client() {
    for audience in [
        json!("client-2"),
        json!(["client-2"]),
        json!("client-1 "),
        json!("CLIENT-1"),
    ] {
        assert_eq!(
            error_of(json!({"aud": audience})),
            Some(IdTokenError::Audience),
            "{audience}"
        );
    }
    assert_eq!(error_of(json!({"aud": null})), missing("aud"));
    assert_eq!(error_of(json!({"aud": []})), missing("aud"));
    for audience in [
        json!(7),
        json!({"client-1": 1}),
        json!([7]),
        json!(vec![CLIENT; 17]),
    ] {
        assert_eq!(
            error_of(json!({"aud": audience})),
            malformed("aud"),
            "{audience}"
        );
    }
}

#[test]
fn n060_audience_lists_hold_this_client_alone() {
    let party = Some(IdTokenError::AuthorizedParty);
    let cases = [
        (json!({"aud": [CLIENT]}), None),
        (json!({"aud": [CLIENT], "azp": CLIENT}), None),
        (json!({"azp": CLIENT}), None),
        (
            json!({"aud": [CLIENT, "client-2"]}),
            Some(IdTokenError::Audience),
        ),
        (
            json!({"aud": [CLIENT, "client-2"], "azp": CLIENT}),
            Some(IdTokenError::Audience),
        ),
        (
            json!({"aud": ["client-2", CLIENT]}),
            Some(IdTokenError::Audience),
        ),
        (json!({"aud": [CLIENT, CLIENT]}), party),
        (json!({"aud": [CLIENT, CLIENT], "azp": CLIENT}), None),
        (json!({"azp": "client-2"}), party),
        (json!({"azp": ""}), party),
        (json!({"azp": [CLIENT]}), malformed("azp")),
    ];
    for (changes, expected) in cases {
        assert_eq!(error_of(changes.clone()), expected, "{changes}");
    }
}

#[test]
fn n061_n145_expiry_must_be_ahead() {
    let expired = Some(IdTokenError::Expired);
    for (expires_at, expected) in [
        (NOW + 1, None),
        (NOW - 60, None),
        (NOW - 61, expired),
        (NOW - 301, expired),
        (0, expired),
    ] {
        let changes = json!({"exp": expires_at, "iat": NOW - 1000});
        assert_eq!(error_of(changes), expected, "{expires_at}");
    }
    assert_eq!(error_of(json!({"exp": null})), missing("exp"));
}

#[test]
fn n043_n061_n063_dates_are_whole_seconds_in_range() {
    for name in ["exp", "iat", "nbf", "auth_time", "session_expiry"] {
        for bad in [
            json!("1800000300"),
            json!("never"),
            json!(1_800_000_300.5),
            json!(1_800_000_300.0),
            json!(1e300),
            json!(-1),
            json!(-1e9),
            json!(u64::MAX),
            json!(i64::MIN),
            json!(253_402_300_800_u64),
            json!(1_800_000_300_000_u64),
            json!(true),
            json!([1_800_000_300]),
            json!({"secs": 1_800_000_300}),
        ] {
            assert_eq!(
                error_of(json!({name: bad})),
                malformed(name),
                "{name} {bad}"
            );
        }
    }
    // The last second of the year 9999 is still a date.
    assert_eq!(error_of(json!({"exp": 253_402_300_799_u64})), None);
}

#[test]
fn n062_n145_issue_time_must_be_there_and_not_ahead() {
    let ahead = Some(IdTokenError::NotYetValid);
    for (issued_at, expected) in [
        (NOW - 86_400, None),
        (NOW + 60, None),
        (NOW + 61, ahead),
        (NOW + 86_400, ahead),
    ] {
        let changes = json!({"iat": issued_at, "exp": NOW + 100_000});
        assert_eq!(error_of(changes), expected, "{issued_at}");
    }
    assert_eq!(error_of(json!({"iat": null})), missing("iat"));
}

#[test]
fn n063_n145_not_before_must_have_come() {
    let ahead = Some(IdTokenError::NotYetValid);
    for (not_before, expected) in [
        (0, None),
        (NOW, None),
        (NOW + 60, None),
        (NOW + 61, ahead),
        (NOW + 200, ahead),
    ] {
        assert_eq!(
            error_of(json!({"nbf": not_before})),
            expected,
            "{not_before}"
        );
    }
}

#[test]
fn n145_a_clock_that_goes_backwards_refuses() {
    let login = Login {
        now: NOW - 3600,
        ..Login::default()
    };
    assert_eq!(login.error(json!({})), Some(IdTokenError::NotYetValid));
    let login = Login {
        now: 0,
        ..Login::default()
    };
    assert_eq!(login.error(json!({})), Some(IdTokenError::NotYetValid));
}

#[test]
fn n064_nonce_must_be_that_of_the_login() {
    let wrong = Some(IdTokenError::Nonce);
    for nonce in [
        Value::Null,
        json!(""),
        json!("other"),
        json!("n-0S6_WzA2M"),
        json!("N-0S6_WzA2Mj"),
    ] {
        assert_eq!(error_of(json!({"nonce": nonce})), wrong, "{nonce}");
    }
    assert_eq!(error_of(json!({"nonce": [NONCE]})), malformed("nonce"));
    // Another login's nonce, sent again.
    let other = Login {
        nonce: Some("another"),
        ..Login::default()
    };
    assert_eq!(other.error(json!({})), wrong);
    // Nothing was sent, nothing is asked.
    let none = Login {
        nonce: None,
        ..Login::default()
    };
    assert_eq!(none.error(json!({"nonce": null})), None);
    assert_eq!(none.error(json!({})), None);
}

#[test]
fn n067_signature_comes_before_every_claim() {
    // Everything about it is wrong; it is the signature that is named.
    let bad = claims(json!({"iss": "https://evil.example", "exp": 1, "aud": null}));
    let forged = Signer::RsaB.token_with(&Signer::RsaA.header(), &bad);
    let error = Login::default().verify(&forged).err();
    assert_eq!(error, Some(IdTokenError::Verify(VerifyError::Signature)));
}

#[test]
fn n076_other_kinds_of_token_are_no_id_token() {
    for typ in [
        "at+jwt",
        "AT+JWT",
        "application/at+jwt",
        "logout+jwt",
        "secevent+jwt",
        "dpop+jwt",
        "scaigate-session+jwt",
        "JOSE",
        "",
    ] {
        let header = json!({"alg": "EdDSA", "kid": "ed25519", "typ": typ});
        let token = Signer::Ed25519.token_with(&header, &claims(json!({})));
        assert_eq!(
            Login::default().verify(&token).err(),
            Some(IdTokenError::Type),
            "{typ}"
        );
    }
    for typ in ["JWT", "jwt"] {
        let header = json!({"alg": "EdDSA", "kid": "ed25519", "typ": typ});
        let token = Signer::Ed25519.token_with(&header, &claims(json!({})));
        assert!(Login::default().verify(&token).is_ok(), "{typ}");
        // And an ID token is no session of ours.
        assert!(!SessionSigner::recognises(&token));
    }
}

#[test]
fn n078_access_token_hash_must_belong_to_the_access_token() {
    const ACCESS_TOKEN: &str = "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y";
    // The example of OpenID Connect Core 1.0 appendix A.3.
    const SHA256_HALF: &str = "77QmUPtjPfzWtF2AnpK9RQ";
    let sha512 = ring::digest::digest(&ring::digest::SHA512, ACCESS_TOKEN.as_bytes());
    let sha512_half = base64url(&sha512.as_ref()[..32]);
    for signer in Signer::ALL {
        let right = if signer == Signer::Ed25519 {
            &sha512_half
        } else {
            SHA256_HALF
        };
        let full = base64url(&scaigate_jose::sha256(ACCESS_TOKEN));
        let check = |hash: Value, access_token| {
            let login = Login {
                access_token,
                ..Login::default()
            };
            login
                .verify(&signer.token(&claims(json!({"at_hash": hash}))))
                .err()
        };
        let wrong = Some(IdTokenError::AccessTokenHash);
        assert_eq!(check(json!(right), Some(ACCESS_TOKEN)), None, "{signer:?}");
        assert_eq!(check(json!(right), Some("another")), wrong);
        assert_eq!(check(json!(full), Some(ACCESS_TOKEN)), wrong);
        assert_eq!(check(json!(&right[1..]), Some(ACCESS_TOKEN)), wrong);
        assert_eq!(check(json!(""), Some(ACCESS_TOKEN)), wrong);
        assert_eq!(check(json!(7), Some(ACCESS_TOKEN)), malformed("at_hash"));
        // Optional in the code flow, and without an access token there is nothing to compare.
        assert_eq!(check(Value::Null, Some(ACCESS_TOKEN)), None);
        assert_eq!(check(json!(right), None), None);
    }
}

#[test]
fn n141_claims_that_are_bombs_or_ambiguous_are_unreadable() {
    let good = claims(json!({})).to_string();
    let good = good.trim_end_matches('}');
    let cases = [
        format!(r#"{good},"sub":"usr_2"}}"#),
        format!(r#"{good},"\u0073ub":"usr_2"}}"#),
        format!(r#"{good},"x":{}1{}}}"#, "[".repeat(100), "]".repeat(100)),
        format!(
            r#"{good},"x":{}1{}}}"#,
            r#"{"y":"#.repeat(100),
            "}".repeat(100)
        ),
        format!(r#"{good},"x":[{}1]}}"#, "1,".repeat(2100)),
        format!(r#"{good},"x":1e999}}"#),
        format!("{good}}}{{}}"),
        good.to_owned(),
        "[]".to_owned(),
        "null".to_owned(),
        "\"claims\"".to_owned(),
    ];
    for payload in cases {
        let header = Signer::Ed25519.header().to_string();
        let token = Signer::Ed25519.token_of(header.as_bytes(), payload.as_bytes());
        let unreadable = VerifyError::Claims(ClaimError::Unreadable);
        let error = Login::default().verify(&token).err();
        assert_eq!(
            error,
            Some(IdTokenError::Verify(unreadable)),
            "{:.300}",
            payload
        );
    }
}

#[test]
fn a_claim_that_is_null_counts_as_absent() {
    let with_null = |name: &str| {
        let mut claims = claims(json!({}));
        claims[name] = Value::Null;
        Login::default()
            .verify(&Signer::Ed25519.token(&claims))
            .err()
    };
    for name in [
        "azp",
        "nbf",
        "tenant_id",
        "at_hash",
        "sid",
        "auth_time",
        "email",
        "groups",
    ] {
        assert_eq!(with_null(name), None, "{name}");
    }
    for name in ["iss", "sub", "aud", "exp", "iat"] {
        assert_eq!(with_null(name), missing(name));
    }
    assert_eq!(with_null("nonce"), Some(IdTokenError::Nonce));
}
