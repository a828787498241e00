use super::*;
use crate::credential::Source;

const CANARY: &str = "sgk_canary0123456789abcdefghijklmnop1234";

fn headers(lines: &[(&'static str, &str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in lines {
        headers.append(*name, value.parse().unwrap());
    }
    headers
}

fn read(status: u16, lines: &[(&'static str, &str)], body: &str) -> UpstreamError {
    let status = StatusCode::from_u16(status).unwrap();
    UpstreamError::read(status, &headers(lines), body.as_bytes())
}

fn code(body: &str) -> Option<String> {
    read(400, &[], body).code.map(|code| code.to_string())
}

#[test]
fn s_22_a_rate_limit_says_how_much_and_until_when() {
    let body = r#"{"status":"error","error":{"code":"RATE_LIMITED","message":"slow down","retry_after":30}}"#;
    let lines = [
        ("retry-after", "12"),
        ("x-scaigrid-ratelimit-limit", "60"),
        ("x-scaigrid-ratelimit-remaining", "0"),
        ("x-scaigrid-ratelimit-reset", "1795384496"),
    ];
    let error = read(429, &lines, body);
    assert_eq!(error.known_code(), Some(KnownCode::RateLimited));
    assert_eq!(error.retry_after, Some(Duration::from_secs(12)));
    let expected = RateLimit {
        limit: Some(60),
        remaining: Some(0),
        reset: Some(1_795_384_496),
    };
    assert_eq!(error.rate_limit, expected);
    // Without the header, the body says it.
    assert_eq!(
        read(429, &[], body).retry_after,
        Some(Duration::from_secs(30))
    );
}

#[test]
fn n_143_a_wait_is_bounded() {
    let table = [
        ("0", Some(0)),
        ("3601", Some(3600)),
        ("999999999999999", Some(3600)),
        ("9999999999999999", None),
        ("-1", None),
        ("1.5", None),
        ("Wed, 21 Oct 2026 07:28:00 GMT", None),
    ];
    for (text, expected) in table {
        let error = read(429, &[("retry-after", text)], "");
        assert_eq!(
            error.retry_after,
            expected.map(Duration::from_secs),
            "{text}"
        );
    }
    let table = [
        ("7", Some(7)),
        ("1.2", Some(2)),
        ("1e300", Some(3600)),
        ("18446744073709551615", Some(3600)),
        ("-1", None),
        ("\"7\"", None),
        ("null", None),
    ];
    for (value, expected) in table {
        let body = format!(r#"{{"error":{{"code":"RATE_LIMITED","retry_after":{value}}}}}"#);
        let error = read(429, &[], &body);
        assert_eq!(
            error.retry_after,
            expected.map(Duration::from_secs),
            "{value}"
        );
    }
}

#[test]
fn every_form_of_a_failure_is_read() {
    let table = [
        (
            r#"{"status":"error","error":{"code":"MODEL_NOT_FOUND","message":"m","details":[{"field":"f","message":"m"}]},"meta":{"request_id":"req_9"}}"#,
            Some("MODEL_NOT_FOUND"),
        ),
        (r#"{"error":{"code":"RATE_LIMITED"}}"#, Some("RATE_LIMITED")),
        (
            r#"{"detail":{"error":"scaiqueue_auth","message":"permission_denied"}}"#,
            Some("scaiqueue_auth"),
        ),
        (r#"{"detail":{"code":"NEW_CODE"}}"#, Some("NEW_CODE")),
        (r#"{"detail":"Not authenticated"}"#, None),
        (
            r#"{"detail":[{"loc":["query","limit"],"msg":"value is not a valid integer","type":"x"}]}"#,
            None,
        ),
        (r#"{"error":"invalid_token"}"#, None),
        (r#"{"error":{"code":404}}"#, None),
        ("<html><body>502 Bad Gateway</body></html>", None),
        ("upstream connect error", None),
        ("", None),
        ("null", None),
        ("[]", None),
        (r#"{"error":{"code":"A_B","code":"C_D"}}"#, None),
    ];
    for (body, expected) in table {
        assert_eq!(code(body).as_deref(), expected, "{body}");
    }
    assert_eq!(
        code(&format!(
            r#"{{"error":{{"code":"A"}},"x":"{}"}}"#,
            "x".repeat(MAX_BODY)
        )),
        None
    );
    assert_eq!(
        code(&format!(
            r#"{{"error":{{"code":"A"}},"x":{}}}"#,
            "[".repeat(100)
        )),
        None
    );
}

#[test]
fn the_id_of_the_request_is_found_in_either_place() {
    let body = r#"{"meta":{"request_id":"req_body"}}"#;
    assert_eq!(read(500, &[], body).request_id.as_deref(), Some("req_body"));
    let error = read(500, &[("x-request-id", "req_head")], body);
    assert_eq!(error.request_id.as_deref(), Some("req_head"));
    let long = "a".repeat(65);
    for bad in ["a b", "<script>", &long, CANARY] {
        let body = format!(r#"{{"meta":{{"request_id":"{bad}"}}}}"#);
        assert_eq!(read(500, &[], &body).request_id, None, "{bad}");
        assert_eq!(
            read(500, &[("x-request-id", bad)], "").request_id,
            None,
            "{bad}"
        );
    }
}

#[test]
fn n_055_n_120_nothing_of_a_failure_can_hold_a_credential_or_words() {
    let token = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJjYW5hcnkifQ.c2lnbmF0dXJl";
    for secret in [CANARY, &CANARY[4..], token, &CANARY.to_uppercase()] {
        for body in [
            format!(
                r#"{{"status":"error","error":{{"code":"{secret}","message":"{secret}","details":[{{"field":"{secret}"}}]}},"meta":{{"request_id":"sgk_{secret}"}}}}"#
            ),
            format!(
                r#"{{"detail":{{"error":"{secret}","message":"{secret}","code":"{secret}"}}}}"#
            ),
            format!(r#"{{"detail":"{secret}"}}"#),
            format!("<h1>{secret}</h1>"),
        ] {
            let error = read(401, &[("www-authenticate", secret)], &body);
            let shown = format!(
                "{error} {error:?} {:?}",
                error.code.as_ref().map(UpstreamCode::as_str)
            );
            assert!(!shown.to_lowercase().contains("canary"), "{shown}");
            assert!(!shown.contains("eyJ"), "{shown}");
        }
    }
}

#[test]
fn codes_are_words_of_one_case() {
    let long = ["ABCDEFGHIJKLMNOP"; 4].join("_");
    let (longest, longer) = (&long[..64], &long[..65]);
    let many = ["A"; 9].join("_");
    for good in [
        "X",
        "SOMETHING_NEW",
        "permission_denied",
        "HTTP_404",
        "V2_ERROR",
        "A_B_C_D_E_F_G_H",
        longest,
    ] {
        assert_eq!(
            code(&format!(r#"{{"error":{{"code":"{good}"}}}}"#)).as_deref(),
            Some(good)
        );
    }
    for bad in [
        "",
        "_",
        "A_",
        "_A",
        "A__B",
        "Mixed_Case",
        "A-B",
        "A B",
        "A\\nB",
        "Ä",
        "ABCDEFGHIJKLMNOPQ",
        "A12345",
        "404",
        "sgk_abc",
        "SGK_ABC",
        "<b>",
        longer,
        &many,
    ] {
        assert_eq!(
            code(&format!(r#"{{"error":{{"code":"{bad}"}}}}"#)),
            None,
            "{bad}"
        );
    }
    // What is documented is known as it is, however long.
    for known in KnownCode::ALL {
        let body = format!(r#"{{"error":{{"code":"{}"}}}}"#, known.as_str());
        assert_eq!(read(400, &[], &body).known_code(), Some(*known));
    }
}

#[test]
fn s_04_s_22_every_failure_is_told_by_its_code_or_by_its_status() {
    use Refusal::{
        BackendFailed, BackendRateLimited, BackendTimeout, Conflict, Failed, Forbidden,
        ModuleNotEnabled, NotFound, QuotaExceeded, RateLimited, Rejected, TokenRefused,
        Unavailable,
    };
    let source = Source::CallerToken;
    let table = [
        (401, "AUTH_TOKEN_MISSING", TokenRefused),
        (401, "AUTH_TOKEN_INVALID", TokenRefused),
        (401, "AUTH_FLOW_INVALID", TokenRefused),
        (401, "SESSION_EXPIRED", TokenRefused),
        (401, "SERVICE_TOKEN_INVALID", TokenRefused),
        (401, "", TokenRefused),
        (402, "", QuotaExceeded),
        (403, "AUTH_INSUFFICIENT_SCOPE", Forbidden { source }),
        (403, "AUTHZ_PERMISSION_DENIED", Forbidden { source }),
        (403, "MODEL_ACCESS_DENIED", Forbidden { source }),
        (403, "MODULE_NOT_ENABLED", ModuleNotEnabled),
        (403, "SOMETHING_NEW", Forbidden { source }),
        (404, "AUTH_IDENTITY_NOT_FOUND", Forbidden { source }),
        (404, "MODEL_NOT_FOUND", NotFound),
        (404, "", NotFound),
        (405, "", Rejected),
        (407, "", Failed),
        (408, "", Failed),
        (409, "", Conflict),
        (409, "SLUG_CONFLICT", Conflict),
        (409, "PROVIDER_HAS_BACKENDS", Conflict),
        (409, "SCAIQUEUE_QUEUE_FULL", Conflict),
        (410, "", NotFound),
        (422, "VALIDATION_ERROR", Rejected),
        (423, "", Conflict),
        // F-pub and G-errcodes disagree about the status; the code decides.
        (400, "VALIDATION_ERROR", Rejected),
        (400, "", Rejected),
        (413, "", Rejected),
        (429, "RATE_LIMITED", RateLimited { source }),
        (429, "", RateLimited { source }),
        (429, "BACKEND_RATE_LIMITED", BackendRateLimited),
        (429, "QUOTA_EXCEEDED", QuotaExceeded),
        (403, "BUDGET_EXCEEDED", QuotaExceeded),
        (502, "BACKEND_ERROR", BackendFailed),
        (502, "UPSTREAM_SHAPE_MISMATCH", BackendFailed),
        (504, "BACKEND_TIMEOUT", BackendTimeout),
        (503, "MODEL_UNAVAILABLE", Unavailable),
        (503, "WORKER_UNAVAILABLE", Unavailable),
        (503, "", Failed),
        (500, "", Failed),
        (502, "", Failed),
        (504, "", Failed),
        (599, "", Failed),
        (999, "", Failed),
    ];
    for (status, code, expected) in table {
        let error = read(status, &[], &format!(r#"{{"error":{{"code":"{code}"}}}}"#));
        assert_eq!(Refusal::of(&error, source), expected, "{status} {code}");
    }
}

#[test]
fn a_refused_key_is_told_from_a_refused_token() {
    for source in [Source::TenantKey, Source::DeploymentKey] {
        let refused = Refusal::of(&read(401, &[], ""), source);
        assert_eq!(refused, Refusal::KeyRefused { source });
        let limited = Refusal::of(&read(429, &[], ""), source);
        assert_eq!(limited, Refusal::RateLimited { source });
    }
}
