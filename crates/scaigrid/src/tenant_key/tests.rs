use serde_json::json;

use super::*;

const CANARY: &str = "sgk_canary0123456789abcdefghijklmnop1234";

fn configured() -> BaseUrl {
    BaseUrl::parse("https://scaigrid.example", false).unwrap()
}

fn parsed(body: &str) -> Result<BoundKey, TenantKeyError> {
    let also = [Origin::of("https://eu.scaigrid.example").unwrap()];
    BoundKey::parse(body.as_bytes(), &configured(), &also)
}

fn with_address(address: &str) -> Result<Option<String>, TenantKeyError> {
    let body = json!({ "api_key": CANARY, "base_url": address }).to_string();
    parsed(&body).map(|key| key.base_url.map(|url| url.as_str().to_owned()))
}

#[test]
fn the_documented_body_is_read() {
    let key = parsed(&json!({ "api_key": CANARY }).to_string()).unwrap();
    assert_eq!(key.key.expose(), CANARY);
    assert_eq!(key.base_url, None);
    let body = json!({ "api_key": CANARY, "base_url": null, "note": "x" });
    assert_eq!(parsed(&body.to_string()).unwrap().base_url, None);
}

#[test]
fn n_141_any_other_body_is_refused_with_the_member() {
    let long = format!(r#"{{"api_key":"{CANARY}","x":"{}"}}"#, "x".repeat(8192));
    let deep = format!(
        r#"{{"api_key":"{CANARY}","x":{}{}}}"#,
        "[".repeat(9),
        "]".repeat(9)
    );
    let twice = format!(r#"{{"api_key":"{CANARY}","api_key":"{CANARY}"}}"#);
    let padded = format!(r#"{{"api_key":"{CANARY}\n"}}"#);
    let number = format!(r#"{{"api_key":"{CANARY}","base_url":1}}"#);
    let table = [
        ("", TenantKeyError::Body),
        ("[]", TenantKeyError::Body),
        ("api_key=sgk_x", TenantKeyError::Body),
        (&long, TenantKeyError::Body),
        (&deep, TenantKeyError::Body),
        (&twice, TenantKeyError::Body),
        ("{}", TenantKeyError::NoKey),
        (r#"{"api_key":null}"#, TenantKeyError::NoKey),
        (r#"{"api_key":1}"#, TenantKeyError::NoKey),
        (r#"{"apiKey":"sgk_x"}"#, TenantKeyError::NoKey),
        (
            r#"{"api_key":""}"#,
            TenantKeyError::Key(ApiKeyError::Prefix),
        ),
        (
            r#"{"api_key":"sgk_short"}"#,
            TenantKeyError::Key(ApiKeyError::Length),
        ),
        (&padded, TenantKeyError::Key(ApiKeyError::Character)),
        (&number, TenantKeyError::Address),
    ];
    for (body, expected) in table {
        let error = parsed(body).unwrap_err();
        assert_eq!(error, expected, "{body}");
        assert!(
            ["body", "api_key", "base_url"].contains(&error.field()),
            "{body}"
        );
        assert!(!format!("{error} {error:?}").contains("canary"), "{body}");
    }
}

#[test]
fn n_116_an_address_is_one_of_this_deployments() {
    let ours = "https://scaigrid.example";
    let table = [
        (ours, Ok(ours)),
        ("https://scaigrid.example/", Ok(ours)),
        ("https://SCAIGRID.example:443", Ok(ours)),
        (
            "https://eu.scaigrid.example",
            Ok("https://eu.scaigrid.example"),
        ),
        ("https://evil.example", Err(TenantKeyError::ForeignAddress)),
        (
            "https://scaigrid.example.evil.example",
            Err(TenantKeyError::ForeignAddress),
        ),
        (
            "https://evil-scaigrid.example",
            Err(TenantKeyError::ForeignAddress),
        ),
        (
            "https://sub.scaigrid.example",
            Err(TenantKeyError::ForeignAddress),
        ),
        (
            "https://scaigrid.example.",
            Err(TenantKeyError::ForeignAddress),
        ),
        (
            "https://scaigrid.example:8443",
            Err(TenantKeyError::ForeignAddress),
        ),
        (
            "https://169.254.169.254",
            Err(TenantKeyError::ForeignAddress),
        ),
        ("https://[::1]", Err(TenantKeyError::ForeignAddress)),
        ("https://localhost", Err(TenantKeyError::ForeignAddress)),
        ("http://scaigrid.example", Err(TenantKeyError::Address)),
        ("http://127.0.0.1:8080", Err(TenantKeyError::Address)),
        ("http://localhost", Err(TenantKeyError::Address)),
        ("https://scaigrid.example/v1", Err(TenantKeyError::Address)),
        ("https://scaigrid.example/..", Err(TenantKeyError::Address)),
        ("https://scaigrid.example//", Err(TenantKeyError::Address)),
        ("https://scaigrid.example?x=1", Err(TenantKeyError::Address)),
        ("https://scaigrid.example#x", Err(TenantKeyError::Address)),
        (
            "https://user@scaigrid.example",
            Err(TenantKeyError::Address),
        ),
        (
            "https://scaigrid.example@evil.example",
            Err(TenantKeyError::Address),
        ),
        (
            "https://evil.example\\@scaigrid.example",
            Err(TenantKeyError::Address),
        ),
        ("https:scaigrid.example", Err(TenantKeyError::Address)),
        ("//scaigrid.example", Err(TenantKeyError::Address)),
        ("scaigrid.example", Err(TenantKeyError::Address)),
        ("file:///etc/passwd", Err(TenantKeyError::Address)),
        ("javascript:alert(1)", Err(TenantKeyError::Address)),
        ("", Err(TenantKeyError::Address)),
        (
            "https://scaigrid.ex\u{430}mple",
            Err(TenantKeyError::Address),
        ),
    ];
    for (address, expected) in table {
        let expected = expected.map(|url| Some(url.to_owned()));
        assert_eq!(with_address(address), expected, "{address}");
    }
}

#[test]
fn a_development_scaigrid_on_a_loopback_host_may_be_named() {
    let configured = BaseUrl::parse("http://127.0.0.1:9000", false).unwrap();
    let named = |address: &str| {
        let body = json!({ "api_key": CANARY, "base_url": address }).to_string();
        BoundKey::parse(body.as_bytes(), &configured, &[]).map(|key| key.base_url)
    };
    assert_eq!(
        named("http://127.0.0.1:9000/"),
        Ok(Some(configured.clone()))
    );
    assert_eq!(
        named("http://127.0.0.1:9001").unwrap_err(),
        TenantKeyError::Address
    );
}

#[test]
fn g8_the_status_is_the_documented_one_and_masks_the_key() {
    let status = |key: Option<&BoundKey>| {
        serde_json::to_value(CredentialStatus::of(key, &configured())).unwrap()
    };
    assert_eq!(
        status(None),
        json!({ "configured": false, "base_url": null, "masked_key": null })
    );
    let key = parsed(&json!({ "api_key": CANARY }).to_string()).unwrap();
    assert_eq!(
        status(Some(&key)),
        json!({
            "configured": true,
            "base_url": "https://scaigrid.example",
            "masked_key": "sgk_…1234",
        })
    );
    let body = json!({ "api_key": CANARY, "base_url": "https://eu.scaigrid.example" });
    let key = parsed(&body.to_string()).unwrap();
    assert_eq!(
        status(Some(&key))["base_url"],
        "https://eu.scaigrid.example"
    );
    assert!(!format!("{key:?}").contains("canary"));
}
