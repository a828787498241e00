use super::*;
use crate::fixtures::answer;
use crate::token::parse_response;

const JSON: &str = "application/json";

fn read(status: u16, content_type: &str, body: &str) -> TokenError {
    parse_response(&answer(status, content_type, body)).unwrap_err()
}

fn refused(error: OAuthError, description: Option<&str>) -> TokenError {
    TokenError::Refused {
        error,
        description: description.map(str::to_owned),
    }
}

#[test]
fn n_048_refusals_are_told_from_failures() {
    use OAuthError::{InvalidClient, InvalidGrant, InvalidRequest, Other};
    let table = [
        (
            400,
            r#"{"error":"invalid_grant"}"#,
            refused(InvalidGrant, None),
        ),
        (
            400,
            r#"{"error":"invalid_grant","error_description":"code already used"}"#,
            refused(InvalidGrant, Some("code already used")),
        ),
        (
            401,
            r#"{"error":"invalid_client"}"#,
            refused(InvalidClient, None),
        ),
        (
            404,
            r#"{"error":"invalid_grant"}"#,
            refused(InvalidGrant, None),
        ),
        (
            400,
            r#"{"error":"slow_down"}"#,
            refused(Other, Some("slow_down")),
        ),
        (
            400,
            r#"{"error":"INVALID_GRANT"}"#,
            refused(Other, Some("INVALID_GRANT")),
        ),
        (
            400,
            r#"{"error":"x","error_description":"y"}"#,
            refused(Other, Some("x: y")),
        ),
        (
            400,
            r#"{"error":"invalid_grant","error_description":7}"#,
            refused(InvalidGrant, None),
        ),
        (
            400,
            r#"{"detail":{"error":"invalid_grant","error_description":"used"}}"#,
            refused(InvalidGrant, Some("used")),
        ),
        (
            400,
            r#"{"detail":"invalid_grant: code already used"}"#,
            refused(InvalidGrant, Some("code already used")),
        ),
        (
            401,
            r#"{"detail":"Unknown client"}"#,
            refused(InvalidClient, Some("Unknown client")),
        ),
        (
            403,
            r#"{"detail":"Not allowed"}"#,
            refused(Other, Some("Not allowed")),
        ),
        (
            422,
            r#"{"detail":[{"loc":["body","code",1],"msg":"field required","type":"missing"}]}"#,
            refused(InvalidRequest, Some("body.code: field required")),
        ),
        (400, "{}", TokenError::Unavailable { status: 400 }),
        (400, "[]", TokenError::Unavailable { status: 400 }),
        (400, "", TokenError::Unavailable { status: 400 }),
        (
            400,
            r#"{"error":""}"#,
            TokenError::Unavailable { status: 400 },
        ),
        (
            400,
            r#"{"error":["invalid_grant"]}"#,
            TokenError::Unavailable { status: 400 },
        ),
        (
            400,
            r#"{"error":"server_error","error":"invalid_grant"}"#,
            TokenError::Unavailable { status: 400 },
        ),
        (
            422,
            r#"{"detail":[]}"#,
            TokenError::Unavailable { status: 422 },
        ),
        (
            404,
            r#"{"detail":"Not Found"}"#,
            TokenError::Unavailable { status: 404 },
        ),
        (
            404,
            r#"{"error":"Not Found"}"#,
            TokenError::Unavailable { status: 404 },
        ),
        (
            408,
            r#"{"error":"timeout"}"#,
            TokenError::Unavailable { status: 408 },
        ),
        (
            500,
            r#"{"error":"invalid_grant"}"#,
            TokenError::Unavailable { status: 500 },
        ),
        (
            503,
            r#"{"error":"temporarily_unavailable"}"#,
            TokenError::Unavailable { status: 503 },
        ),
        (999, "", TokenError::Unavailable { status: 999 }),
        (
            429,
            r#"{"error":"invalid_grant"}"#,
            TokenError::RateLimited { retry_after: None },
        ),
        (
            201,
            r#"{"access_token":"a","token_type":"Bearer"}"#,
            TokenError::Malformed,
        ),
        (204, "", TokenError::Malformed),
    ];
    for (status, body, expected) in table {
        assert_eq!(read(status, JSON, body), expected, "{status} {body}");
    }
    let page = read(400, "text/html", r#"{"error":"invalid_grant"}"#);
    assert_eq!(page, TokenError::Unavailable { status: 400 });
}

#[test]
fn every_code_of_the_standards_has_its_name() {
    for error in OAuthError::ALL
        .into_iter()
        .filter(|error| *error != OAuthError::Other)
    {
        let body = format!(r#"{{"error":"{}"}}"#, error.as_str());
        assert_eq!(read(400, JSON, &body), refused(error, None));
    }
}

#[test]
fn n_045_redirects_are_not_followed() {
    for status in [301, 302, 303, 307, 308, 304] {
        assert_eq!(read(status, JSON, ""), TokenError::Redirected, "{status}");
    }
}

#[test]
fn n_143_the_wait_of_a_limited_rate_is_passed_on() {
    let mut answer = answer(429, JSON, "");
    answer
        .headers_mut()
        .insert("retry-after", "7".parse().unwrap());
    let retry_after = Some(Duration::from_secs(7));
    assert_eq!(
        parse_response(&answer).unwrap_err(),
        TokenError::RateLimited { retry_after }
    );
}

#[test]
fn s_32_a_redirect_mismatch_stays_recognisable() {
    let table = [
        (
            r#"{"error":"invalid_grant","error_description":"redirect_uri mismatch"}"#,
            true,
        ),
        (
            r#"{"error":"invalid_request","error_description":"Redirect URI is not registered"}"#,
            true,
        ),
        (r#"{"error":"redirect_uri_mismatch"}"#, true),
        (r#"{"detail":"redirect_uri does not match"}"#, true),
        (
            r#"{"detail":[{"loc":["body","redirect_uri"],"msg":"bad"}]}"#,
            true,
        ),
        (
            r#"{"error":"invalid_grant","error_description":"code already used"}"#,
            false,
        ),
        (r#"{"error":"invalid_grant"}"#, false),
        ("", false),
    ];
    for (body, expected) in table {
        assert_eq!(
            read(400, JSON, body).is_redirect_mismatch(),
            expected,
            "{body}"
        );
    }
    assert!(!TokenError::Redirected.is_redirect_mismatch());
}

#[test]
fn n_055_a_refusal_repeats_no_credential() {
    let body = r#"{"error":"invalid_grant","error_description":"code dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk is used\r\n\u202e"}"#;
    let error = read(400, JSON, body);
    assert_eq!(
        error,
        refused(OAuthError::InvalidGrant, Some("code [removed] is used"))
    );
    assert_eq!(error.to_string(), "ScaiKey refused: invalid_grant");
}
