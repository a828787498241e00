use proptest::prelude::*;

use super::*;
use crate::fixtures::answer;

const JSON: &str = "application/json";

fn read(body: &str) -> Result<TokenResponse, TokenError> {
    parse_response(&answer(200, JSON, body))
}

fn with(fields: &str) -> String {
    format!(r#"{{"access_token":"at","token_type":"Bearer"{fields}}}"#)
}

fn malformed(body: &str) {
    assert_eq!(read(body).unwrap_err(), TokenError::Malformed, "{body}");
}

#[test]
fn a_full_answer_is_read() {
    let body = with(
        r#","refresh_token":"rt","id_token":"a.b.c","expires_in":900,"scope":"openid x","extra":[1]"#,
    );
    let tokens = read(&body).unwrap();
    assert_eq!(tokens.access_token.expose(), "at");
    assert_eq!(tokens.refresh_token.unwrap().expose(), "rt");
    assert_eq!(tokens.id_token.unwrap().expose(), "a.b.c");
    assert_eq!(tokens.expires_in, Duration::from_secs(900));
    assert_eq!(tokens.scope.as_deref(), Some("openid x"));
}

#[test]
fn null_is_as_good_as_missing() {
    let fields = [
        "refresh_token",
        "id_token",
        "expires_in",
        "scope",
        "issued_token_type",
    ];
    let nulls: String = fields.map(|name| format!(r#","{name}":null"#)).concat();
    let tokens = read(&with(&nulls)).unwrap();
    assert!(tokens.refresh_token.is_none() && tokens.id_token.is_none() && tokens.scope.is_none());
    assert_eq!(tokens.expires_in, DEFAULT_LIFETIME);
}

#[test]
fn n_041_token_type_is_bearer_in_any_case() {
    for (kind, accepted) in [
        (r#""Bearer""#, true),
        (r#""bearer""#, true),
        (r#""BEARER""#, true),
        (r#""mac""#, false),
        (r#""DPoP""#, false),
        (r#""bearer ""#, false),
        (r#""N_A""#, false),
        (r#""""#, false),
        ("null", false),
    ] {
        let outcome = read(&format!(r#"{{"access_token":"at","token_type":{kind}}}"#));
        match outcome {
            Ok(_) => assert!(accepted, "{kind}"),
            Err(error) => assert!(
                !accepted && error == TokenError::TokenType,
                "{kind}: {error}"
            ),
        }
    }
    assert_eq!(
        read(r#"{"access_token":"at"}"#).unwrap_err(),
        TokenError::TokenType
    );
    malformed(r#"{"access_token":"at","token_type":7}"#);
}

#[test]
fn n_042_a_missing_lifetime_is_the_stated_default() {
    assert_eq!(
        read(&with("")).unwrap().expires_in,
        Duration::from_secs(3600)
    );
}

#[test]
fn n_043_lifetimes_saturate_or_are_refused_and_never_wrap() {
    let month = 30 * 24 * 3600;
    for (value, seconds) in [
        ("0", 0),
        ("1", 1),
        ("3600.9", 3600),
        ("0.5", 0),
        ("-0.0", 0),
        ("1e3", 1000),
        ("2592000", month),
        ("2592001", month),
        ("18446744073709551615", month),
        ("18446744073709551616", month),
        ("99999999999999999999999999", month),
        ("1e300", month),
    ] {
        let life = read(&with(&format!(r#","expires_in":{value}"#)))
            .unwrap()
            .expires_in;
        assert_eq!(life, Duration::from_secs(seconds), "{value}");
    }
    for value in [
        "-1", "-0.1", "-1e300", "1e400", "\"3600\"", "\"\"", "true", "[3600]", "{}", "NaN",
    ] {
        malformed(&with(&format!(r#","expires_in":{value}"#)));
    }
}

#[test]
fn n_141_only_one_small_object_with_usable_tokens_is_an_answer() {
    for body in [
        "",
        "{}",
        "[]",
        r#"["at","Bearer"]"#,
        "null",
        "not json",
        r#"{"access_token":"","token_type":"Bearer"}"#,
        r#"{"access_token":7,"token_type":"Bearer"}"#,
        r#"{"access_token":null,"token_type":"Bearer"}"#,
        r#"{"access_token":"a b","token_type":"Bearer"}"#,
        r#"{"access_token":"a\r\nx: y","token_type":"Bearer"}"#,
        r#"{"access_token":"é","token_type":"Bearer"}"#,
        r#"{"access_token":"a","access_token":"b","token_type":"Bearer"}"#,
        r#"{"access_token":"at","token_type":"Bearer""#,
    ] {
        malformed(body);
    }
    for fields in [
        r#","refresh_token":"""#,
        r#","id_token":"a\n""#,
        r#","scope":["openid"]"#,
        r#","scope":"a\u0000""#,
        r#","error":"server_error""#,
        &format!(r#","scope":"{}""#, "x".repeat(4097)),
        &format!(r#","x":"{}""#, "x".repeat(MAX_BYTES)),
        &format!(r#","x":{}{}"#, "[".repeat(2000), "]".repeat(2000)),
    ] {
        malformed(&with(fields));
    }
}

#[test]
fn n_045_an_answer_must_be_declared_as_json() {
    let body = with("");
    for content_type in [
        "text/html",
        "text/plain",
        "application/x-www-form-urlencoded",
    ] {
        let outcome = parse_response(&answer(200, content_type, &body));
        assert_eq!(
            outcome.unwrap_err(),
            TokenError::ContentType,
            "{content_type}"
        );
    }
    assert!(parse_response(&answer(200, "application/json;charset=UTF-8", &body)).is_ok());
}

#[test]
fn n_130_an_exchange_must_give_the_type_asked_for() {
    let kind = |name: &str| {
        with(&format!(
            r#","refresh_token":"rt","issued_token_type":"urn:ietf:params:oauth:token-type:{name}""#
        ))
    };
    for (body, accepted) in [
        (kind("access_token"), true),
        (kind("jwt"), false),
        (kind("refresh_token"), false),
        (kind("Access_token"), false),
        (with(""), false),
    ] {
        match parse_exchange_response(&answer(200, JSON, &body)) {
            Ok(tokens) => {
                assert!(accepted, "{body}");
                assert!(
                    tokens.refresh_token.is_none(),
                    "n_127: the refresh token was kept"
                );
            }
            Err(error) => assert!(
                !accepted && error == TokenError::TokenType,
                "{body}: {error}"
            ),
        }
    }
    let refused = parse_exchange_response(&answer(400, JSON, r#"{"error":"invalid_target"}"#));
    assert!(matches!(refused, Err(TokenError::Refused { .. })));
}

#[test]
fn n_055_no_token_is_shown() {
    let body = r#"{"access_token":"canary1","token_type":"Bearer","refresh_token":"canary2","id_token":"canary3"}"#;
    // Nor where an answer repeats one.
    let repeated =
        r#","refresh_token":"canary2","scope":"x canary2","issued_token_type":"canary2""#;
    for body in [body, &with(repeated)] {
        let shown = format!("{:?}", read(body).unwrap());
        assert!(
            shown.contains("[redacted]") && !shown.contains("canary"),
            "{shown}"
        );
    }
}

proptest! {
    #[test]
    fn no_answer_makes_the_reader_panic_or_exceeds_the_bounds(
        status in 100_u16..1000,
        body in r#"(\{?("access_token":"[!-~]{0,4}"|"token_type":"bearer"|"expires_in":-?[0-9]{1,30}(e[0-9]{1,3})?|"error":".{0,6}"|.{0,3}),?){0,6}\}?"#,
    ) {
        if let Ok(tokens) = parse_response(&answer(status, JSON, &body)) {
            prop_assert_eq!(status, 200);
            prop_assert!(tokens.expires_in <= MAX_LIFETIME);
        }
    }

    #[test]
    fn every_number_of_seconds_gives_a_bounded_life(seconds in any::<f64>()) {
        prop_assume!(seconds.is_finite());
        match read(&with(&format!(r#","expires_in":{seconds:e}"#))) {
            Ok(tokens) => prop_assert!(seconds >= 0.0 && tokens.expires_in <= MAX_LIFETIME),
            Err(error) => prop_assert!(seconds < 0.0 && error == TokenError::Malformed),
        }
    }
}
