//! Our session token.

use std::time::Duration;

use ring::hmac;
use scaigate_jose::{
    KeyRing, MAX_TOKEN, Purpose, RefreshSigner, RefreshToken, SessionClaims, SessionSigner,
    SessionTokenError, SignError,
};
use scaigate_types::encoding::{base64url, from_base64url};
use scaigate_types::{
    AdminRole, Issuer, PersonId, SessionId, Subject, TenantId, Timestamp, WorkspaceId,
    WorkspaceRole,
};
use serde_json::{Value, json};

use crate::ring_of;
use crate::signer::Signer;

const PUBLIC_URL: &str = "https://gate.example";
/// Of a session token's, in base64url.
const LONGEST_HEADER: usize = 256;
const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);

fn claims() -> SessionClaims {
    SessionClaims {
        issuer: PUBLIC_URL.to_owned(),
        subject: Subject::parse("usr_1").unwrap(),
        subject_issuer: Issuer::parse("https://scaikey.example").unwrap(),
        person_id: PersonId::parse("per_1").unwrap(),
        tenant_id: TenantId::parse("tnt_1").unwrap(),
        workspace_id: WorkspaceId::parse("ws_1").unwrap(),
        role: WorkspaceRole::Author,
        admin_role: Some(AdminRole::TenantAdmin),
        personal_workspace_id: Some(WorkspaceId::parse("ws_own").unwrap()),
        email: Some("ada@example.com".to_owned()),
        name: Some("Ada \u{1f980}".to_owned()),
        sid: SessionId::parse("ses_1").unwrap(),
        generation: 7,
        jti: "01J".to_owned(),
        issued_at: NOW,
        expires_at: NOW.plus(Duration::from_secs(900)),
    }
}

fn signer() -> SessionSigner {
    SessionSigner::new(&ring_of(&[1]))
}

fn part(token: &str, index: usize) -> Value {
    let part = token.split('.').nth(index).unwrap();
    serde_json::from_slice(&from_base64url(part).unwrap()).unwrap()
}

/// Signs any header and payload with the key of `ring`, by another implementation.
fn forge(ring: &KeyRing, header: &Value, payload: &[u8]) -> String {
    let input = format!(
        "{}.{}",
        base64url(header.to_string().as_bytes()),
        base64url(payload)
    );
    let key = hmac::Key::new(
        hmac::HMAC_SHA256,
        ring.derive(Purpose::SessionToken)[0].expose(),
    );
    format!(
        "{input}.{}",
        base64url(hmac::sign(&key, input.as_bytes()).as_ref())
    )
}

#[test]
fn what_was_signed_is_read_back() {
    let full = claims();
    let bare = SessionClaims {
        admin_role: None,
        personal_workspace_id: None,
        email: None,
        name: None,
        ..claims()
    };
    for claims in [full, bare] {
        let token = signer().sign(&claims).unwrap();
        assert!(SessionSigner::recognises(&token));
        assert_eq!(signer().verify(&token, PUBLIC_URL, NOW), Ok(claims));
    }
}

#[test]
fn n065_n067_a_signer_that_has_seen_a_header_refuses_what_it_refused_before() {
    let signer = SessionSigner::new(&ring_of(&[2, 1]));
    let new = signer.sign(&claims()).unwrap();
    let old = SessionSigner::new(&ring_of(&[1])).sign(&claims()).unwrap();
    let with_head = |head: &str, token: &str| {
        let (_, rest) = token.split_once('.').unwrap();
        format!("{head}.{rest}")
    };
    let head = |token: &str| token.split_once('.').unwrap().0.to_owned();
    let none = base64url(br#"{"alg":"none","typ":"scaigate-session+jwt","kid":"x"}"#);
    let unknown = base64url(br#"{"alg":"HS256","typ":"scaigate-session+jwt","kid":"x"}"#);
    for _ in 0..2 {
        for (token, other) in [(&new, &old), (&old, &new)] {
            let verify = |token: &str| signer.verify(token, PUBLIC_URL, NOW).err();
            assert_eq!(verify(token), None);
            let swapped = with_head(&head(other), token);
            assert_eq!(verify(&swapped), Some(SessionTokenError::Signature));
            let unsigned = with_head(&none, token);
            assert_eq!(verify(&unsigned), Some(SessionTokenError::Malformed));
            let foreign = with_head(&unknown, token);
            assert_eq!(verify(&foreign), Some(SessionTokenError::UnknownKey));
        }
    }
}

#[test]
fn token_carries_the_documented_header_and_claims() {
    let token = signer().sign(&claims()).unwrap();
    let kid = ring_of(&[1]).key_ids().next().unwrap();
    let header = json!({"alg": "HS256", "typ": "scaigate-session+jwt", "kid": kid});
    assert_eq!(part(&token, 0), header);
    let expected = json!({
        "iss": PUBLIC_URL, "aud": PUBLIC_URL, "sub": "usr_1", "sub_iss": "https://scaikey.example",
        "person_id": "per_1", "tenant_id": "tnt_1", "workspace_id": "ws_1", "role": "author",
        "admin_role": "tenant_admin", "personal_workspace_id": "ws_own", "email": "ada@example.com", "name": "Ada \u{1f980}",
        "sid": "ses_1", "gen": 7, "jti": "01J", "iat": NOW.secs(), "exp": NOW.secs() + 900,
    });
    assert_eq!(part(&token, 1), expected);
    // And another implementation finds its signature right.
    let key = ring_of(&[1]).derive(Purpose::SessionToken);
    let key = hmac::Key::new(hmac::HMAC_SHA256, key[0].expose());
    let (input, tag) = token.rsplit_once('.').unwrap();
    assert!(hmac::verify(&key, input.as_bytes(), &from_base64url(tag).unwrap()).is_ok());
}

#[test]
fn n032_n145_times_are_kept_to_five_seconds() {
    let token = signer().sign(&claims()).unwrap();
    let at = |seconds: u64| {
        signer()
            .verify(&token, PUBLIC_URL, Timestamp::from_secs(seconds))
            .err()
    };
    let (issued, expires) = (NOW.secs(), NOW.secs() + 900);
    let cases = [
        (issued - 3600, Some(SessionTokenError::NotYetValid)),
        (issued - 6, Some(SessionTokenError::NotYetValid)),
        (issued - 5, None),
        (issued, None),
        (expires, None),
        (expires + 5, None),
        (expires + 6, Some(SessionTokenError::Expired)),
        (u64::MAX, Some(SessionTokenError::Expired)),
        // A clock set back to the epoch doesn't revive anything.
        (0, Some(SessionTokenError::NotYetValid)),
    ];
    for (time, expected) in cases {
        assert_eq!(at(time), expected, "{time}");
    }
}

#[test]
fn tokens_of_other_deployments_are_refused() {
    let token = signer().sign(&claims()).unwrap();
    for url in [
        "https://gate.example/",
        "https://GATE.example",
        "http://gate.example",
        "",
    ] {
        let error = signer().verify(&token, url, NOW).err();
        assert_eq!(error, Some(SessionTokenError::Audience), "{url}");
    }
}

#[test]
fn issuer_and_audience_must_both_be_this_deployment() {
    let ring = ring_of(&[1]);
    let kid = ring.key_ids().next().unwrap();
    let header = json!({"alg": "HS256", "typ": "scaigate-session+jwt", "kid": kid});
    for name in ["iss", "aud"] {
        let mut payload = part(&signer().sign(&claims()).unwrap(), 1);
        payload[name] = "https://other.example".into();
        let token = forge(&ring, &header, payload.to_string().as_bytes());
        let error = signer().verify(&token, PUBLIC_URL, NOW).err();
        assert_eq!(error, Some(SessionTokenError::Audience), "{name}");
    }
}

#[test]
fn an_older_key_verifies_until_it_is_taken_away() {
    let token = signer().sign(&claims()).unwrap();
    let verify = |ring: &[u8]| SessionSigner::new(&ring_of(ring)).verify(&token, PUBLIC_URL, NOW);
    assert!(verify(&[2, 1]).is_ok());
    assert_eq!(verify(&[2]).err(), Some(SessionTokenError::UnknownKey));
    assert!(SessionSigner::recognises(&token));
}

#[test]
fn n065_n066_forged_and_foreign_tokens_are_refused() {
    let ring = ring_of(&[1]);
    let kid = ring.key_ids().next().unwrap();
    let good = json!({"alg": "HS256", "typ": "scaigate-session+jwt", "kid": kid});
    let with = |member: &str, value: Value| {
        let mut header = good.clone();
        header[member] = value;
        header
    };
    let payload = part(&signer().sign(&claims()).unwrap(), 1).to_string();
    let verify = |token: &str| signer().verify(token, PUBLIC_URL, NOW).err();
    assert_eq!(verify(&forge(&ring, &good, payload.as_bytes())), None);

    let malformed = Some(SessionTokenError::Malformed);
    let headers = [
        (with("alg", json!("none")), malformed),
        (with("alg", json!("HS512")), malformed),
        (with("alg", json!("RS256")), malformed),
        (with("typ", json!("JWT")), malformed),
        (with("typ", json!("SCAIGATE-SESSION+JWT")), malformed),
        (
            with("kid", json!("AAAAAAAA")),
            Some(SessionTokenError::UnknownKey),
        ),
        (with("kid", Value::Null), malformed),
        (with("crit", json!(["exp"])), malformed),
        (with("jwk", json!({"kty": "oct", "k": "AAAA"})), malformed),
    ];
    for (header, expected) in headers {
        assert_eq!(
            verify(&forge(&ring, &header, payload.as_bytes())),
            expected,
            "{header}"
        );
    }
    let foreign = forge(&ring_of(&[2]), &good, payload.as_bytes());
    assert_eq!(verify(&foreign), Some(SessionTokenError::Signature));

    let token = signer().sign(&claims()).unwrap();
    let (input, tag) = token.rsplit_once('.').unwrap();
    for text in [
        String::new(),
        "a.b.c".to_owned(),
        input.to_owned(),
        format!("{input}."),
        format!("{input}.{}", &tag[..20]),
        format!("{token}.{tag}"),
        format!("{token}="),
        format!(" {token}"),
        format!("{token}{}", "A".repeat(8192)),
        Signer::RsaA.token(&json!({})),
    ] {
        assert!(verify(&text).is_some(), "{text}");
    }
}

#[test]
fn n031_what_was_derived_for_another_purpose_signs_no_session() {
    let ring = ring_of(&[1]);
    let kid = ring.key_ids().next().unwrap();
    let header = json!({"alg": "HS256", "typ": "scaigate-session+jwt", "kid": kid});
    let payload = part(&signer().sign(&claims()).unwrap(), 1).to_string();
    for purpose in [Purpose::RefreshToken, Purpose::Seal, Purpose::LoginState] {
        let input = format!(
            "{}.{}",
            base64url(header.to_string().as_bytes()),
            base64url(payload.as_bytes())
        );
        let key = hmac::Key::new(hmac::HMAC_SHA256, ring.derive(purpose)[0].expose());
        let token = format!(
            "{input}.{}",
            base64url(hmac::sign(&key, input.as_bytes()).as_ref())
        );
        let error = signer().verify(&token, PUBLIC_URL, NOW).err();
        assert_eq!(error, Some(SessionTokenError::Signature), "{purpose:?}");
    }
    let refresh = RefreshToken::issue(&RefreshSigner::new(&ring), &claims().sid, 0);
    assert!(!SessionSigner::recognises(refresh.expose()));
}

#[test]
fn rightly_signed_tokens_still_need_their_claims() {
    let ring = ring_of(&[1]);
    let kid = ring.key_ids().next().unwrap();
    let header = json!({"alg": "HS256", "typ": "scaigate-session+jwt", "kid": kid});
    let payload = part(&signer().sign(&claims()).unwrap(), 1);
    let missing = [
        "iss",
        "aud",
        "exp",
        "iat",
        "sub",
        "sub_iss",
        "person_id",
        "tenant_id",
        "workspace_id",
        "role",
        "sid",
        "jti",
    ];
    let refused = Some(SessionTokenError::Claims);
    for name in missing {
        let mut changed = payload.clone();
        changed.as_object_mut().unwrap().remove(name);
        let token = forge(&ring, &header, changed.to_string().as_bytes());
        assert_eq!(
            signer().verify(&token, PUBLIC_URL, NOW).err(),
            refused,
            "{name}"
        );
    }
    let wrong = [
        ("role", json!("owner")),
        ("admin_role", json!("root")),
        ("sub", json!("")),
        ("tenant_id", json!("a b")),
        ("exp", json!("tomorrow")),
        ("exp", json!(-1)),
        ("iat", json!("now")),
        ("aud", json!([PUBLIC_URL, "https://other.example"])),
        ("aud", json!([PUBLIC_URL])),
    ];
    for (name, value) in wrong {
        let mut changed = payload.clone();
        changed[name] = value;
        let token = forge(&ring, &header, changed.to_string().as_bytes());
        assert_eq!(
            signer().verify(&token, PUBLIC_URL, NOW).err(),
            refused,
            "{name}"
        );
    }
    for payload in [
        "[]",
        "null",
        "{}",
        "not json",
        &format!(r#"{{"iss":"x",{}"#, &payload.to_string()[1..]),
    ] {
        let token = forge(&ring, &header, payload.as_bytes());
        assert_eq!(
            signer().verify(&token, PUBLIC_URL, NOW).err(),
            refused,
            "{payload}"
        );
    }
}

#[test]
fn n043_lifetimes_that_would_wrap_are_never_signed() {
    let year_2200 = Timestamp::from_secs(7_258_118_400);
    let cases = [
        SessionClaims {
            expires_at: Timestamp::MAX,
            ..claims()
        },
        SessionClaims {
            expires_at: year_2200,
            ..claims()
        },
        SessionClaims {
            issued_at: year_2200,
            expires_at: year_2200,
            ..claims()
        },
        SessionClaims {
            expires_at: NOW.minus(Duration::from_secs(1)),
            ..claims()
        },
    ];
    for claims in cases {
        assert_eq!(signer().sign(&claims).err(), Some(SignError::Lifetime));
    }
}

#[test]
fn n141_tokens_that_no_header_could_carry_are_never_signed() {
    let claims = SessionClaims {
        name: Some("n".repeat(8192)),
        ..claims()
    };
    assert_eq!(signer().sign(&claims).err(), Some(SignError::TooLong));
}

#[test]
fn n141_the_longest_token_that_is_signed_is_read_back() {
    let tokens = (5000..8192).map_while(|length| {
        let claims = SessionClaims {
            name: Some("n".repeat(length)),
            ..claims()
        };
        signer().sign(&claims).ok()
    });
    let longest = tokens.last().unwrap();
    // One more can't be: the length that is left for the claims is that of no base64url.
    assert_eq!(longest.len(), MAX_TOKEN - 1);
    assert!(signer().verify(&longest, PUBLIC_URL, NOW).is_ok());
    let (input, tag) = longest.rsplit_once('.').unwrap();
    let longer = format!("{input}AA.{tag}");
    let refused = signer().verify(&longer, PUBLIC_URL, NOW).err();
    assert_eq!(refused, Some(SessionTokenError::Malformed));
}

#[test]
fn n043_a_lifetime_of_nothing_is_one() {
    let claims = SessionClaims {
        expires_at: NOW,
        ..claims()
    };
    let token = signer().sign(&claims).unwrap();
    assert!(signer().verify(&token, PUBLIC_URL, NOW).is_ok());
}

#[test]
fn recognises_only_its_own_typ() {
    let of = |header: &str| format!("{}.e30.AAAA", base64url(header.as_bytes()));
    let ours = r#"{"alg":"HS256","typ":"scaigate-session+jwt","kid":"k"}"#;
    assert!(SessionSigner::recognises(&of(ours)));
    // The longest header that is read, and a longer one.
    let named = |more: usize| of(&ours.replace("\"k\"", &format!("\"k{}\"", "k".repeat(more))));
    let more = LONGEST_HEADER / 4 * 3 - ours.len();
    assert!(SessionSigner::recognises(&named(more)));
    assert!(!SessionSigner::recognises(&named(more + 1)));
    for token in [
        of(r#"{"alg":"HS256","typ":"JWT","kid":"k"}"#),
        of(r#"{"alg":"HS256","kid":"k"}"#),
        of(r#"{"alg":"HS256","typ":"JWT","typ":"scaigate-session+jwt","kid":"k"}"#),
        format!("{}{}", of(ours), "A".repeat(8192)),
        "scaigate-session+jwt".to_owned(),
        String::new(),
    ] {
        assert!(!SessionSigner::recognises(&token), "{token}");
    }
}
