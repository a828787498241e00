use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::fixtures::{answer, base, metadata};

const JSON: &str = "application/json";

fn document() -> Value {
    json!({
        "issuer": "https://scaikey.example",
        "authorization_endpoint": "https://scaikey.example/api/v1/platform/oauth/authorize",
        "token_endpoint": "https://scaikey.example/api/v1/platform/oauth/token",
        "jwks_uri": "https://scaikey.example/api/v1/platform/.well-known/jwks.json",
        "end_session_endpoint": "https://scaikey.example/oauth/logout",
        "revocation_endpoint": "https://scaikey.example/api/v1/platform/oauth/revoke",
        "scopes_supported": ["openid"],
        "userinfo_endpoint": "https://elsewhere.example/me",
        "claims_supported": ["sub"],
    })
}

fn read(base: &BaseUrl, document: &Value) -> Result<Metadata, DiscoveryError> {
    parse_response(base, &answer(200, JSON, &document.to_string()))
}

/// The document with one field set to `value`.
fn with(name: &str, value: Value) -> Result<Metadata, DiscoveryError> {
    let mut document = document();
    document[name] = value;
    read(&base(), &document)
}

#[test]
fn both_flavours_are_asked_the_platforms_first() {
    let base = BaseUrl::parse("https://scaikey.example/sub/", false).unwrap();
    let [platform, standard] = requests(&base);
    assert_eq!(
        platform.uri(),
        "https://scaikey.example/sub/api/v1/platform/oauth/.well-known/openid-configuration"
    );
    assert_eq!(
        standard.uri(),
        "https://scaikey.example/sub/.well-known/openid-configuration"
    );
    assert_eq!(platform.headers()["accept"], "application/json");
}

#[test]
fn a_document_is_read_and_survives_a_store() {
    let read = read(&base(), &document()).unwrap();
    assert_eq!(read, metadata());
    let stored = serde_json::to_vec(&read).unwrap();
    assert_eq!(serde_json::from_slice::<Metadata>(&stored).unwrap(), read);
}

#[test]
fn optional_fields_may_be_missing_null_or_empty() {
    for absent in [Value::Null, json!("")] {
        assert_eq!(
            with("end_session_endpoint", absent.clone())
                .unwrap()
                .end_session_endpoint,
            None
        );
        assert_eq!(
            with("revocation_endpoint", absent)
                .unwrap()
                .revocation_endpoint,
            None
        );
    }
    assert!(
        with("scopes_supported", Value::Null)
            .unwrap()
            .scopes_supported
            .is_empty()
    );
    let declared = "authorization_response_iss_parameter_supported";
    for (value, expected) in [
        (json!(true), true),
        (json!(false), false),
        (Value::Null, false),
    ] {
        assert_eq!(
            with(declared, value).unwrap().iss_parameter_supported,
            expected
        );
    }
}

#[test]
fn n_074_the_issuer_must_be_ours_to_the_byte() {
    for issuer in [
        "https://scaikey.example/",
        "https://ScaiKey.example",
        "HTTPS://scaikey.example",
        "http://scaikey.example",
        "https://scaikey.example:443",
        "https://scaikey.example.evil",
        "https://evil.example",
        "https://scaikey.example/tenants",
        "https://scaikey.example/tenants/",
        "https://scaikey.example/tenants/tnt_1/",
        "https://scaikey.example/tenants/a/b",
        "https://scaikey.example/tenants/..",
        "https://scaikey.example/tenants/a%2fb",
        "https://scaikey.example/tenants/a?x",
        "https://scaikey.example/Tenants/a",
        "https://scaikey.example//tenants/a",
        " https://scaikey.example",
    ] {
        let error = with("issuer", json!(issuer)).unwrap_err();
        let expected = "https://scaikey.example".to_owned();
        let received = issuer.trim().to_owned();
        assert_eq!(
            error,
            DiscoveryError::IssuerMismatch { expected, received },
            "{issuer}"
        );
    }
    let tenant = "https://scaikey.example/tenants/tnt_acme0001";
    assert_eq!(
        with("issuer", json!(tenant)).unwrap().issuer.as_str(),
        tenant
    );
}

#[test]
fn n_013_a_foreign_issuer_is_shown_short_and_printable() {
    let long = format!("https://evil.example/\r\n\u{202e}{}", "x".repeat(5000));
    let Err(DiscoveryError::IssuerMismatch { received, .. }) = with("issuer", json!(long)) else {
        unreachable!("the issuer is foreign")
    };
    assert_eq!(received.len(), 200);
    assert!(received.bytes().all(|byte| (b' '..=b'~').contains(&byte)));
}

#[test]
fn n_054_n_075_what_we_call_is_on_the_base_origin() {
    for address in [
        "https://evil.example/token",
        "https://scaikey.example.evil/token",
        "https://scaikey.example@evil.example/token",
        "https://evil.example\\@scaikey.example/",
        "http://scaikey.example/token",
        "https://scaikey.example:8443/token",
        "https://scaikey.example:443/token",
        "https://SCAIKEY.example/token",
        "https://scaikey%2eexample/token",
        "https://169.254.169.254/latest",
        "https://127.0.0.1/token",
        "https://[::1]/token",
        "https:scaikey.example/token",
        "https:///scaikey.example/token",
        "//scaikey.example/token",
        "/token",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "https://scaikey.example/to ken",
        "https://scaikey.example/token\n",
        "https://scaikey.example/t#f",
        "https://scaikey.example/é",
        &format!("https://scaikey.example/{}", "x".repeat(2048)),
    ] {
        for which in ["token_endpoint", "jwks_uri", "revocation_endpoint"] {
            let error = with(which, json!(address)).unwrap_err();
            assert_eq!(
                error,
                DiscoveryError::ForeignEndpoint { which },
                "{which} {address:?}"
            );
        }
    }
    for address in ["https://scaikey.example", "https://scaikey.example/t?a=1"] {
        assert_eq!(
            with("token_endpoint", json!(address))
                .unwrap()
                .token_endpoint,
            address
        );
    }
}

#[test]
fn browsers_are_sent_to_https_or_to_the_base_origin() {
    for which in ["authorization_endpoint", "end_session_endpoint"] {
        for address in [
            "https://login.example/authorize?x=1",
            "https://scaikey.example:8443/a",
        ] {
            assert!(with(which, json!(address)).is_ok(), "{which} {address}");
        }
        for address in [
            "http://login.example/authorize",
            "javascript:alert(1)//https://",
            "data:text/html,x",
            "https://user@login.example/",
            "https://login.example/#x",
            "https://login.example/\r\nset-cookie:x",
            "https:login.example",
            "authorize",
        ] {
            let error = with(which, json!(address)).unwrap_err();
            assert_eq!(
                error,
                DiscoveryError::ForeignEndpoint { which },
                "{which} {address:?}"
            );
        }
    }
}

#[test]
fn plain_http_is_taken_only_on_a_base_that_was_allowed_it() {
    let base = BaseUrl::parse("http://127.0.0.1:8080", false).unwrap();
    let text = document()
        .to_string()
        .replace("https://scaikey.example", base.as_str());
    let mut document: Value = serde_json::from_str(&text).unwrap();
    assert!(read(&base, &document).is_ok());
    document["authorization_endpoint"] = json!("http://127.0.0.1:8081/authorize");
    let which = "authorization_endpoint";
    assert_eq!(
        read(&base, &document).unwrap_err(),
        DiscoveryError::ForeignEndpoint { which }
    );
}

#[test]
fn n_054_a_stored_document_of_another_base_is_noticed() {
    let other = BaseUrl::parse("https://other.example", false).unwrap();
    assert_eq!(metadata().check(&base()), Ok(()));
    assert!(matches!(
        metadata().check(&other),
        Err(DiscoveryError::IssuerMismatch { .. })
    ));
    let moved = Metadata {
        token_endpoint: "https://other.example/t".to_owned(),
        ..metadata()
    };
    let which = "token_endpoint";
    assert_eq!(
        moved.check(&base()),
        Err(DiscoveryError::ForeignEndpoint { which })
    );
}

#[test]
fn what_is_missing_is_named() {
    for which in [
        "issuer",
        "authorization_endpoint",
        "token_endpoint",
        "jwks_uri",
    ] {
        for absent in [Value::Null, json!("")] {
            let error = with(which, absent).unwrap_err();
            assert_eq!(error, DiscoveryError::Missing { which });
        }
        let mut document = document();
        document.as_object_mut().unwrap().remove(which);
        assert_eq!(
            read(&base(), &document).unwrap_err(),
            DiscoveryError::Missing { which }
        );
    }
}

#[test]
fn n_015_what_is_declared_must_hold_what_we_need() {
    let grant = "the authorization_code grant";
    let code = "the response type code";
    let table = [
        (
            "code_challenge_methods_supported",
            json!(["S256", "plain"]),
            None,
        ),
        (
            "code_challenge_methods_supported",
            json!(["plain"]),
            Some(DiscoveryError::PkceUnsupported),
        ),
        (
            "code_challenge_methods_supported",
            json!(["s256"]),
            Some(DiscoveryError::PkceUnsupported),
        ),
        (
            "code_challenge_methods_supported",
            json!([]),
            Some(DiscoveryError::PkceUnsupported),
        ),
        (
            "grant_types_supported",
            json!(["authorization_code", "password"]),
            None,
        ),
        (
            "grant_types_supported",
            json!(["client_credentials"]),
            Some(DiscoveryError::Missing { which: grant }),
        ),
        (
            "response_types_supported",
            json!(["code", "id_token"]),
            None,
        ),
        (
            "response_types_supported",
            json!(["code id_token"]),
            Some(DiscoveryError::Missing { which: code }),
        ),
    ];
    for (name, value, expected) in table {
        assert_eq!(with(name, value.clone()).err(), expected, "{name} {value}");
    }
}

#[test]
fn n_141_only_a_small_well_typed_object_is_a_document() {
    let malformed = Err(DiscoveryError::Malformed);
    let valid = document().to_string();
    let twice = valid.replacen('{', r#"{"issuer":"https://scaikey.example","#, 1);
    let deep = valid.replacen(
        '{',
        &format!(r#"{{"x":{}{},"#, "[".repeat(99), "]".repeat(99)),
        1,
    );
    for body in [
        "",
        "[]",
        "null",
        "{",
        "<html>",
        &format!("[{valid}]"),
        &twice,
        &deep,
    ] {
        assert_eq!(
            parse_response(&base(), &answer(200, JSON, body)),
            malformed,
            "{body}"
        );
    }
    for (name, value) in [
        ("issuer", json!(7)),
        ("issuer", json!(["https://scaikey.example"])),
        ("jwks_uri", json!({})),
        ("scopes_supported", json!("openid")),
        ("scopes_supported", json!([1])),
        ("scopes_supported", json!(["a\nb"])),
        ("scopes_supported", json!(["x".repeat(257)])),
        ("scopes_supported", json!(vec!["x"; 257])),
        (
            "authorization_response_iss_parameter_supported",
            json!("true"),
        ),
    ] {
        assert_eq!(with(name, value.clone()), malformed, "{name} {value}");
    }
    let large = with("x", json!("x".repeat(MAX_BYTES)));
    assert_eq!(large, Err(DiscoveryError::TooLarge));
}

#[test]
fn n_045_status_and_content_type_are_looked_at_first() {
    let body = document().to_string();
    let table = [
        (404, JSON, DiscoveryError::NotFound),
        (302, JSON, DiscoveryError::Status(302)),
        (204, JSON, DiscoveryError::Status(204)),
        (401, JSON, DiscoveryError::Status(401)),
        (503, JSON, DiscoveryError::Status(503)),
        (429, JSON, DiscoveryError::RateLimited { retry_after: None }),
        (200, "text/html", DiscoveryError::ContentType),
    ];
    for (status, content_type, expected) in table {
        let outcome = parse_response(&base(), &answer(status, content_type, &body));
        assert_eq!(outcome, Err(expected), "{status} {content_type}");
    }
    let mut limited = answer(429, JSON, "");
    limited
        .headers_mut()
        .insert("retry-after", "60".parse().unwrap());
    let retry_after = Some(Duration::from_secs(60));
    assert_eq!(
        parse_response(&base(), &limited),
        Err(DiscoveryError::RateLimited { retry_after })
    );
}

proptest! {
    #[test]
    fn no_document_leads_our_calls_elsewhere(
        token in "(https?:/{0,3})?(scaikey\\.example|evil\\.example|.{0,4})[@:/?#\\\\]?(scaikey\\.example)?.{0,8}"
    ) {
        if let Ok(metadata) = with("token_endpoint", json!(token)) {
            let uri = Uri::try_from(metadata.token_endpoint.as_str()).unwrap();
            prop_assert_eq!(uri.scheme_str(), Some("https"));
            prop_assert_eq!(uri.authority().unwrap().as_str(), "scaikey.example");
            let url = url::Url::parse(&metadata.token_endpoint).unwrap();
            prop_assert_eq!(url.host_str(), Some("scaikey.example"));
        }
    }

    #[test]
    fn no_bytes_make_the_reader_panic(body in prop::collection::vec(any::<u8>(), 0..64)) {
        let answer = Response::builder().header("content-type", JSON).body(Bytes::from(body)).unwrap();
        prop_assert!(parse_response(&base(), &answer).is_err());
    }
}
