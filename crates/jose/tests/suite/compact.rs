//! The form of a token, before anything is believed.

use scaigate_jose::{Algorithm, JwtError, MAX_TOKEN, UnverifiedJwt};
use scaigate_types::encoding::base64url;
use serde_json::json;

use crate::published::HS256_A1;

fn of_header(header: &str) -> String {
    format!(
        "{}.{}.{}",
        base64url(header.as_bytes()),
        base64url(b"{}"),
        base64url(b"signature")
    )
}

fn error_of(token: &str) -> Option<JwtError> {
    UnverifiedJwt::parse(token).err()
}

#[test]
fn reads_algorithm_kid_and_typ() {
    for (name, algorithm) in [
        ("RS256", Algorithm::Rs256),
        ("ES256", Algorithm::Es256),
        ("EdDSA", Algorithm::EdDsa),
        ("Ed25519", Algorithm::EdDsa),
    ] {
        let token = of_header(&json!({"alg": name, "kid": "k", "typ": "JWT"}).to_string());
        let jwt = UnverifiedJwt::parse(&token).unwrap();
        assert_eq!(
            (jwt.algorithm(), jwt.kid(), jwt.typ()),
            (algorithm, Some("k"), Some("JWT"))
        );
    }
    let token = of_header(r#"{"alg":"RS256"}"#);
    let jwt = UnverifiedJwt::parse(&token).unwrap();
    assert_eq!((jwt.kid(), jwt.typ()), (None, None));
}

#[test]
fn n141_refuses_what_is_not_three_strict_base64url_parts() {
    let good = of_header(r#"{"alg":"RS256"}"#);
    assert_eq!(error_of(&good), None);
    let (header, rest) = good.split_once('.').unwrap();
    let (payload, signature) = rest.split_once('.').unwrap();
    let cases = [
        String::new(),
        ".".to_owned(),
        "..".to_owned(),
        header.to_owned(),
        format!("{header}.{payload}"),
        format!("{header}.{payload}."),
        format!("{header}..{signature}"),
        format!(".{payload}.{signature}"),
        format!("{good}."),
        format!(".{good}"),
        format!("{good}.{signature}"),
        format!("{header}.{payload}.{signature}.{signature}.{signature}"),
        format!("{header}=.{payload}.{signature}"),
        format!("{header}.{payload}.{signature}=="),
        format!("{header}.{payload}.+/{signature}"),
        format!(" {good}"),
        format!("{good}\n"),
        format!("{header}. {payload}.{signature}"),
        // Bits behind the last byte that are not zero: two texts for one token.
        format!("{header}.{payload}.AB"),
        format!("{header}.{payload}.{}", base64url(&[0; 513])),
    ];
    for token in cases {
        assert_eq!(error_of(&token), Some(JwtError::Compact), "{token:?}");
    }
}

#[test]
fn n141_refuses_tokens_over_8192_bytes() {
    let token = |length: usize| {
        let mut token = of_header(r#"{"alg":"RS256"}"#);
        token.extend(std::iter::repeat_n('A', length - token.len()));
        token
    };
    assert_eq!(error_of(&token(MAX_TOKEN + 1)), Some(JwtError::TooLong));
    assert_ne!(error_of(&token(MAX_TOKEN)), Some(JwtError::TooLong));
}

#[test]
fn n065_refuses_none_in_every_spelling_and_a_missing_alg() {
    for header in [
        r#"{"alg":"none"}"#,
        r#"{"alg":"None"}"#,
        r#"{"alg":"nOnE"}"#,
        r#"{"alg":"NONE"}"#,
        r#"{"alg":""}"#,
        r#"{"alg":null}"#,
        r#"{"alg":["RS256"]}"#,
        r#"{"alg":256}"#,
        r#"{"typ":"JWT"}"#,
        "{}",
    ] {
        assert_eq!(
            error_of(&of_header(header)),
            Some(JwtError::Algorithm),
            "{header}"
        );
    }
    let unsigned = of_header(r#"{"alg":"none"}"#);
    let unsigned = &unsigned[..=unsigned.rfind('.').unwrap()];
    assert_eq!(error_of(unsigned), Some(JwtError::Compact));
}

#[test]
fn n066_n067_refuses_algorithms_off_the_list() {
    assert_eq!(error_of(HS256_A1), Some(JwtError::Algorithm));
    for name in [
        "HS256",
        "HS384",
        "HS512",
        "RS384",
        "RS512",
        "PS256",
        "ES384",
        "ES512",
        "ES256K",
        "Ed448",
        "rs256",
        "RS256 ",
        "RSA-OAEP",
        "dir",
        "ML-DSA-44",
    ] {
        let header = json!({"alg": name}).to_string();
        assert_eq!(
            error_of(&of_header(&header)),
            Some(JwtError::Algorithm),
            "{name}"
        );
    }
}

#[test]
fn n070_refuses_extensions_that_change_the_meaning() {
    for header in [
        r#"{"alg":"RS256","crit":["exp"]}"#,
        r#"{"alg":"RS256","crit":[]}"#,
        r#"{"alg":"RS256","crit":["b64"],"b64":false}"#,
        r#"{"alg":"RS256","crit":null}"#,
        r#"{"alg":"RS256","b64":true}"#,
        r#"{"alg":"RS256","zip":"DEF"}"#,
        r#"{"alg":"RS256","enc":"A256GCM"}"#,
        r#"{"alg":"RS256","\u0063rit":["x"]}"#,
    ] {
        assert_eq!(
            error_of(&of_header(header)),
            Some(JwtError::Extension),
            "{header}"
        );
    }
}

#[test]
fn n141_refuses_headers_that_are_bombs_or_ambiguous() {
    let many: String = (0..100).map(|n| format!(r#","p{n}":0"#)).collect();
    let deep = format!(
        r#"{{"alg":"RS256","x":{}1{}}}"#,
        "[".repeat(200),
        "]".repeat(200)
    );
    let long = format!(r#"{{"alg":"RS256","kid":"{}"}}"#, "k".repeat(257));
    let cases = [
        r#"{"alg":"RS256","alg":"none"}"#,
        r#"{"alg":"none","\u0061lg":"RS256"}"#,
        r#"{"alg":"RS256","kid":1}"#,
        r#"{"alg":"RS256","kid":null}"#,
        r#"{"alg":"RS256","typ":["JWT"]}"#,
        r#"{"alg":"RS256""#,
        r#"{"alg":"RS256"}{}"#,
        r#"["RS256"]"#,
        r#""RS256""#,
        "null",
        "\u{feff}{\"alg\":\"RS256\"}",
        &format!(r#"{{"alg":"RS256"{many}}}"#),
        &deep,
        &long,
    ];
    for header in cases {
        assert_eq!(
            error_of(&of_header(header)),
            Some(JwtError::Header),
            "{header}"
        );
    }
}

#[test]
fn unverified_issuer_is_only_ever_an_issuer() {
    let cases = [
        (
            r#"{"iss":"https://scaikey.example"}"#,
            Some("https://scaikey.example"),
        ),
        (r#"{"iss":""}"#, None),
        (r#"{"iss":7}"#, None),
        (r#"{"iss":"a b"}"#, None),
        (r#"{"iss":"a","iss":"b"}"#, None),
        ("{}", None),
        ("not json", None),
    ];
    for (payload, expected) in cases {
        let header = base64url(br#"{"alg":"RS256"}"#);
        let token = format!("{header}.{}.AAAA", base64url(payload.as_bytes()));
        let issuer = UnverifiedJwt::parse(&token).unwrap().unverified_issuer();
        assert_eq!(
            issuer.as_ref().map(|issuer| issuer.as_str()),
            expected,
            "{payload}"
        );
    }
}
