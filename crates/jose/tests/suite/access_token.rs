//! Which tokens are an access token of ScaiKey for us, and good now.

use std::time::Duration;

use scaigate_jose::{
    AccessToken, AccessTokenError, AccessTokenExpectation, ClaimError, Jwks, Party, UnverifiedJwt,
    VerifyError, verify_access_token,
};
use scaigate_types::{Issuer, Timestamp};
use serde_json::{Value, json};

use crate::signer::{Signer, forgeries, keys_of, set_of};
use crate::{changed, id_token, logout_token};

pub const ISSUER: &str = "https://scaikey.example";
pub const CLIENT: &str = "client-1";
pub const OTHER: &str = "client-2";
const NOW: u64 = 1_800_000_000;

/// The claims of a good access token of a person with `changes` made: `null` takes a claim out.
pub fn claims(changes: Value) -> Value {
    let claims = json!({
        "iss": ISSUER, "aud": CLIENT, "sub": "usr_1", "client_id": "app-1", "scope": "openid",
        "tenant_id": "tnt_1", "exp": NOW + 300, "iat": NOW,
    });
    changed(claims, &changes)
}

/// The same for a service.
pub fn service(changes: Value) -> Value {
    let service = json!({
        "sub": "svc-1", "client_id": "svc-1", "token_type": "client_credentials", "tenant_id": null,
    });
    changed(claims(service), &changes)
}

/// What is expected, as far as tests change it.
struct Door<'a> {
    issuer: &'a str,
    audiences: &'a [&'a str],
    now: u64,
    keys: Jwks,
}

impl Default for Door<'_> {
    fn default() -> Self {
        Self {
            issuer: ISSUER,
            audiences: &[CLIENT, OTHER],
            now: NOW,
            keys: keys_of(&Signer::ALL),
        }
    }
}

impl Door<'_> {
    fn verify(&self, token: &str) -> Result<AccessToken, AccessTokenError> {
        let audiences: Vec<String> = self.audiences.iter().map(ToString::to_string).collect();
        let expect = AccessTokenExpectation {
            issuer: &Issuer::parse(self.issuer).unwrap(),
            audiences: &audiences,
            now: Timestamp::from_secs(self.now),
            skew: Duration::from_secs(60),
        };
        verify_access_token(&UnverifiedJwt::parse(token).unwrap(), &self.keys, &expect)
    }
}

/// Verifies a token.
pub fn verify_token(token: &str) -> Result<AccessToken, AccessTokenError> {
    Door::default().verify(token)
}

/// Verifies a token of these claims.
pub fn verify(claims: &Value) -> Result<AccessToken, AccessTokenError> {
    verify_token(&Signer::Ed25519.token(claims))
}

pub fn read(changes: Value) -> AccessToken {
    verify(&claims(changes)).unwrap()
}

pub fn error_of(changes: Value) -> Option<AccessTokenError> {
    verify(&claims(changes)).err()
}

fn with_typ(typ: &str, claims: &Value) -> Result<AccessToken, AccessTokenError> {
    let header = changed(Signer::Ed25519.header(), &json!({"typ": typ}));
    Door::default().verify(&Signer::Ed25519.token_with(&header, claims))
}

pub fn malformed(name: &'static str) -> Option<AccessTokenError> {
    Some(ClaimError::Malformed(name).into())
}

pub fn missing(name: &'static str) -> Option<AccessTokenError> {
    Some(ClaimError::Missing(name).into())
}

pub fn is_user(party: &Party) -> bool {
    matches!(party, Party::User { subject } if subject.as_str() == "usr_1")
}

#[test]
fn a_good_token_of_every_algorithm_is_read() {
    for signer in Signer::ALL {
        let token = Door::default()
            .verify(&signer.token(&claims(json!({"sid": "s-1"}))))
            .unwrap();
        assert_eq!(token.issuer.as_str(), ISSUER);
        assert!(is_user(&token.party), "{signer:?}");
        assert_eq!(token.tenant_id.unwrap().as_str(), "tnt_1");
        assert_eq!(token.client_id.unwrap().as_str(), "app-1");
        assert_eq!(token.audience, [CLIENT]);
        assert_eq!(token.scopes, ["openid"]);
        assert_eq!(token.sid.as_deref(), Some("s-1"));
        assert_eq!(token.issued_at.secs(), NOW);
        assert_eq!(token.expires_at.secs(), NOW + 300);
        assert!(token.actors.is_empty());
    }
}

#[test]
fn n056_issuer_must_be_the_expected_one_or_the_tokens_own_tenant_there() {
    let issuer = Some(AccessTokenError::Issuer);
    let tenant = |tenant: &str| format!("{ISSUER}/tenants/{tenant}");
    let cases = [
        (json!({"iss": tenant("tnt_1")}), None),
        (json!({"iss": tenant("tnt_2")}), issuer.clone()),
        // An issuer that names its tenant needs no claim to say so again.
        (json!({"iss": tenant("tnt_1"), "tenant_id": null}), None),
        (json!({"iss": tenant("tnt_1/")}), issuer.clone()),
        (json!({"iss": "https://evil.example"}), issuer.clone()),
        (json!({"iss": "https://scaikey.example/"}), issuer.clone()),
        (json!({"iss": "https://SCAIKEY.example"}), issuer),
        (json!({"iss": null}), missing("iss")),
        (json!({"iss": [ISSUER]}), malformed("iss")),
        (json!({"iss": ""}), malformed("iss")),
        (json!({"tenant_id": 7}), malformed("tenant_id")),
        (json!({"tenant_id": "a/b"}), malformed("tenant_id")),
    ];
    for (changes, expected) in cases {
        assert_eq!(error_of(changes.clone()), expected, "{changes}");
    }
}

#[test]
fn n056_n009_a_tenants_issuer_takes_no_other_tenants_token() {
    let own = "https://scaikey.example/tenants/tnt_1";
    let door = Door {
        issuer: own,
        ..Door::default()
    };
    let of = |issuer: &str, tenant: Value| {
        door.verify(&Signer::Ed25519.token(&claims(json!({"iss": issuer, "tenant_id": tenant}))))
            .map(|token| token.tenant_id.map(String::from))
    };
    let tnt_1 = Some("tnt_1".to_owned());
    assert_eq!(of(own, json!("tnt_1")), Ok(tnt_1.clone()));
    assert_eq!(of(own, Value::Null), Ok(tnt_1));
    assert_eq!(of(own, json!("tnt_2")), Err(AccessTokenError::Tenant));
    assert_eq!(of(ISSUER, json!("tnt_1")), Err(AccessTokenError::Issuer));
}

#[test]
fn n059_n060_one_audience_must_be_ours() {
    let refused = |received: &[&str]| {
        Some(AccessTokenError::Audience {
            received: received.iter().map(ToString::to_string).collect(),
        })
    };
    let cases = [
        (json!([CLIENT]), None),
        (json!(OTHER), None),
        (json!(["client-3", OTHER]), None),
        (json!("client-3"), refused(&["client-3"])),
        (
            json!(["client-3", "client-4"]),
            refused(&["client-3", "client-4"]),
        ),
        (json!("CLIENT-1"), refused(&["CLIENT-1"])),
        (json!("client-1 "), refused(&["client-1 "])),
        (json!(""), refused(&[])),
        (Value::Null, missing("aud")),
        (json!([]), missing("aud")),
        (json!(7), malformed("aud")),
        (json!([CLIENT, 7]), malformed("aud")),
        (json!(vec![CLIENT; 17]), malformed("aud")),
    ];
    for (audience, expected) in cases {
        assert_eq!(error_of(json!({"aud": audience})), expected, "{audience}");
    }
    // What is told of a foreign audience is bounded and printable.
    let hostile = json!([
        "a\nb",
        "ä",
        "\u{202e}a",
        "a".repeat(257),
        "a".repeat(256),
        "\u{0}"
    ]);
    assert_eq!(
        error_of(json!({"aud": hostile})),
        refused(&[&"a".repeat(256)])
    );
}

#[test]
fn n082_without_audiences_of_ours_no_token_is_good() {
    for audiences in [&[][..], &[""]] {
        let door = Door {
            audiences,
            ..Door::default()
        };
        for audience in [json!(CLIENT), json!("")] {
            let token = Signer::Ed25519.token(&claims(json!({"aud": audience})));
            assert!(matches!(
                door.verify(&token),
                Err(AccessTokenError::Audience { .. })
            ));
        }
    }
}

#[test]
fn n061_n062_n063_times_are_kept_give_or_take_the_skew() {
    let (expired, ahead) = (AccessTokenError::Expired, AccessTokenError::NotYetValid);
    let cases = [
        (json!({"exp": NOW - 60, "iat": NOW - 900}), None),
        (
            json!({"exp": NOW - 61, "iat": NOW - 900}),
            Some(expired.clone()),
        ),
        (json!({"exp": 0}), Some(expired)),
        (json!({"exp": null}), missing("exp")),
        (json!({"iat": NOW + 60}), None),
        (json!({"iat": NOW + 61}), Some(ahead.clone())),
        (json!({"iat": NOW + 61, "nbf": NOW}), Some(ahead.clone())),
        (json!({"iat": NOW - 86_400}), None),
        (json!({"iat": null}), missing("iat")),
        (json!({"nbf": NOW + 60}), None),
        (json!({"nbf": NOW + 61}), Some(ahead)),
    ];
    for (changes, expected) in cases {
        assert_eq!(error_of(changes.clone()), expected, "{changes}");
    }
    for name in ["exp", "iat", "nbf"] {
        for bad in [
            json!("1800000300"),
            json!(1_800_000_300.5),
            json!(-1),
            json!(true),
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
fn n065_n066_n067_n070_forgeries_are_refused() {
    let door = Door::default();
    for claims in [claims(json!({})), service(json!({}))] {
        for (what, token) in forgeries(&claims) {
            let refused = match UnverifiedJwt::parse(&token) {
                Ok(_) => matches!(door.verify(&token), Err(AccessTokenError::Verify(_))),
                Err(_) => true,
            };
            assert!(refused, "{what}");
        }
    }
}

#[test]
fn n067_signature_comes_before_every_claim() {
    let bad = claims(json!({"iss": "https://evil.example", "aud": "client-3", "exp": 1}));
    let forged = Signer::RsaB.token_with(&Signer::RsaA.header(), &bad);
    let error = Door::default().verify(&forged).err();
    assert_eq!(error, Some(VerifyError::Signature.into()));
}

#[test]
fn n059_a_foreign_issuers_token_is_told_no_audience() {
    let error = error_of(json!({"iss": "https://evil.example", "aud": "client-3"}));
    assert_eq!(error, Some(AccessTokenError::Issuer));
}

#[test]
fn n068_a_token_without_kid_is_checked_with_the_keys_that_fit() {
    for signer in Signer::ALL {
        let token = signer.token_with(&json!({"alg": signer.alg()}), &claims(json!({})));
        let with = |keys: Jwks| {
            Door {
                keys,
                ..Door::default()
            }
            .verify(&token)
            .err()
        };
        assert_eq!(with(keys_of(&[signer])), None, "{signer:?}");
        assert_eq!(with(keys_of(&Signer::ALL)), None, "{signer:?}");
        let ambiguous = set_of(&vec![signer.jwk(); 5]);
        assert_eq!(with(ambiguous), Some(VerifyError::AmbiguousKey.into()));
    }
}

#[test]
fn n076_typ_must_be_that_of_an_access_token() {
    for typ in [
        "JWT",
        "jwt",
        "at+jwt",
        "AT+JWT",
        "application/at+jwt",
        "Application/AT+JWT",
    ] {
        assert!(with_typ(typ, &claims(json!({}))).is_ok(), "{typ}");
    }
    for typ in [
        "logout+jwt",
        "application/logout+jwt",
        "secevent+jwt",
        "dpop+jwt",
        "scaigate-session+jwt",
        "id_token+jwt",
        "application/jwt",
        "at+jwt ",
        "JOSE",
        "",
    ] {
        let error = with_typ(typ, &claims(json!({}))).err();
        assert_eq!(error, Some(AccessTokenError::Type), "{typ}");
    }
}

#[test]
fn n076_an_id_token_is_no_access_token() {
    let refused = Some(AccessTokenError::NotAnAccessToken);
    let id = id_token::claims(json!({"exp": NOW + 300, "iat": NOW}));
    assert_eq!(verify(&id).err(), refused);
    // One of a refresh has no nonce.
    assert_eq!(
        verify(&changed(id.clone(), &json!({"nonce": null}))).err(),
        refused
    );
    for changes in [
        json!({"nonce": "n"}),
        json!({"nonce": 7}),
        json!({"at_hash": "h"}),
        json!({"c_hash": "h"}),
        json!({"events": {}}),
    ] {
        assert_eq!(error_of(changes.clone()), refused, "{changes}");
        assert_eq!(with_typ("at+jwt", &claims(changes)).err(), refused);
    }
}

#[test]
fn n076_what_says_nowhere_that_it_is_an_access_token_is_none() {
    let silent = claims(json!({"scope": null, "client_id": null}));
    let refused = Some(AccessTokenError::NotAnAccessToken);
    assert_eq!(verify(&silent).err(), refused);
    assert_eq!(with_typ("JWT", &silent).err(), refused);
    assert!(with_typ("at+jwt", &silent).is_ok());
    assert_eq!(error_of(json!({"scope": null})), None);
    assert_eq!(error_of(json!({"client_id": null})), None);
}

#[test]
fn n076_n087_a_logout_token_is_no_access_token() {
    let logout = logout_token::claims(json!({"client_id": "app-1", "exp": NOW + 300}));
    assert_eq!(
        verify(&logout).err(),
        Some(AccessTokenError::NotAnAccessToken)
    );
}

#[test]
fn n083_a_token_bound_to_a_key_is_no_bearer_token() {
    for bound in [
        json!({"jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"}),
        json!({"x5t#S256": "bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2"}),
        json!({}),
        json!("jkt"),
        json!(false),
    ] {
        for claims in [
            claims(json!({"cnf": bound})),
            service(json!({"cnf": bound})),
        ] {
            assert_eq!(
                verify(&claims).err(),
                Some(AccessTokenError::Bound),
                "{claims}"
            );
        }
    }
}
