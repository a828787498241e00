use http::{HeaderMap, Method, StatusCode};
use proptest::prelude::*;
use scaigate_types::{BaseUrl, Secret};

use super::*;
use crate::error::UpstreamError;
use crate::path::UpstreamPath;

const CANARY: &str = "sgk_canary0123456789abcdefghijklmnop1234";
const TOKEN: &str = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJjYW5hcnkifQ.c2lnbmF0dXJl";

fn api_key(text: &str) -> Result<ApiKey, ApiKeyError> {
    ApiKey::parse(Secret::new(text.to_owned()))
}

fn token(text: &str) -> Result<CallerToken, CallerTokenError> {
    CallerToken::parse(Secret::new(text.to_owned()))
}

fn bound(key: &str, base_url: Option<&str>) -> BoundKey {
    BoundKey {
        key: api_key(key).unwrap(),
        base_url: base_url.map(|url| BaseUrl::parse(url, false).unwrap()),
    }
}

fn deployment_key() -> ApiKey {
    api_key(&format!("sgk_{}", "d".repeat(32))).unwrap()
}

#[test]
fn an_api_key_is_sgk_and_at_least_32_printable_characters() {
    let random = |length| format!("sgk_{}", "a".repeat(length));
    let table = [
        (CANARY.to_owned(), None),
        (random(32), None),
        (random(252), None),
        (format!("sgk_{}", "~!-+/".repeat(7)), None),
        (random(31), Some(ApiKeyError::Length)),
        (random(253), Some(ApiKeyError::Length)),
        ("sgk_".to_owned(), Some(ApiKeyError::Length)),
        (String::new(), Some(ApiKeyError::Prefix)),
        ("a".repeat(40), Some(ApiKeyError::Prefix)),
        (format!("SGK_{}", "a".repeat(32)), Some(ApiKeyError::Prefix)),
        (format!(" {CANARY}"), Some(ApiKeyError::Prefix)),
        (format!("{CANARY} "), Some(ApiKeyError::Character)),
        (format!("{CANARY}\r\nx: y"), Some(ApiKeyError::Character)),
        (format!("{CANARY}\0"), Some(ApiKeyError::Character)),
        (format!("{CANARY}é"), Some(ApiKeyError::Character)),
    ];
    for (text, expected) in table {
        assert_eq!(api_key(&text).err(), expected, "{text:?}");
    }
}

#[test]
fn g8_a_key_shows_four_characters_at_either_end_and_no_more() {
    let key = api_key(CANARY).unwrap();
    assert_eq!(key.masked(), "sgk_…1234");
    let credential = Credential::Key(bound(CANARY, None));
    let chosen = choose(
        Available {
            tenant: Some(bound(CANARY, None)),
            ..Available::default()
        },
        DeployAuth::Unset,
    );
    for shown in [
        format!("{key:?}"),
        format!("{credential:?}"),
        format!("{chosen:?}"),
    ] {
        assert!(!shown.contains("canary"), "{shown}");
    }
    assert_eq!(
        format!("{:?}", credential.authorization().unwrap()),
        "Sensitive"
    );
}

#[test]
fn a_callers_token_is_one_that_fits_a_header_and_is_no_key() {
    let table = [
        (TOKEN.to_owned(), None),
        ("a".repeat(8192), None),
        (String::new(), Some(CallerTokenError::Length)),
        ("a".repeat(8193), Some(CallerTokenError::Length)),
        ("a b".to_owned(), Some(CallerTokenError::Character)),
        ("a\r\nb".to_owned(), Some(CallerTokenError::Character)),
        ("a,b".to_owned(), Some(CallerTokenError::Character)),
        (CANARY.to_owned(), Some(CallerTokenError::ApiKey)),
        ("SGK_x".to_owned(), Some(CallerTokenError::ApiKey)),
    ];
    for (text, expected) in table {
        assert_eq!(token(&text).err(), expected, "{text:?}");
    }
}

#[test]
fn both_kinds_are_bearer_tokens() {
    let table = [
        (Credential::Token(token(TOKEN).unwrap()), TOKEN),
        (Credential::Key(bound(CANARY, None)), CANARY),
    ];
    for (credential, text) in table {
        let value = credential.authorization().unwrap();
        assert_eq!(value.to_str().unwrap(), format!("Bearer {text}"));
        assert!(value.is_sensitive());
    }
}

#[test]
fn n_054_a_key_goes_where_it_was_registered_for_and_a_token_to_the_configured_scaigrid() {
    let configured = BaseUrl::parse("https://scaigrid.example", false).unwrap();
    let elsewhere = "https://other.example";
    let table = [
        (
            Credential::Token(token(TOKEN).unwrap()),
            configured.as_str(),
        ),
        (Credential::Key(bound(CANARY, None)), configured.as_str()),
        (Credential::Key(bound(CANARY, Some(elsewhere))), elsewhere),
    ];
    for (credential, expected) in table {
        assert_eq!(credential.base_url(&configured).as_str(), expected);
    }
}

#[test]
fn the_pin_is_read_exactly_or_refused() {
    let table = [
        ("", Ok(DeployAuth::Unset)),
        ("  ", Ok(DeployAuth::Unset)),
        ("user_jwt", Ok(DeployAuth::UserJwt)),
        (" api_key\n", Ok(DeployAuth::ApiKey)),
        ("API_KEY", Err(UnknownDeployAuth)),
        ("jwt", Err(UnknownDeployAuth)),
        ("user_jwt,api_key", Err(UnknownDeployAuth)),
    ];
    for (text, expected) in table {
        assert_eq!(DeployAuth::parse(text), expected, "{text:?}");
    }
}

#[test]
fn s_06_the_first_that_exists_is_chosen_in_the_documented_order() {
    use DeployAuth::{ApiKey as Key, Unset, UserJwt};
    use Source::{CallerToken, DeploymentKey, TenantKey};
    // caller, tenant, deployment: what there is; then the choice by pin unset, user_jwt, api_key.
    let table = [
        (
            [true, true, true],
            [Some(CallerToken), Some(CallerToken), Some(TenantKey)],
        ),
        (
            [true, true, false],
            [Some(CallerToken), Some(CallerToken), Some(TenantKey)],
        ),
        (
            [true, false, true],
            [Some(CallerToken), Some(CallerToken), Some(DeploymentKey)],
        ),
        (
            [true, false, false],
            [Some(CallerToken), Some(CallerToken), None],
        ),
        (
            [false, true, true],
            [Some(TenantKey), None, Some(TenantKey)],
        ),
        (
            [false, true, false],
            [Some(TenantKey), None, Some(TenantKey)],
        ),
        (
            [false, false, true],
            [Some(DeploymentKey), None, Some(DeploymentKey)],
        ),
        ([false, false, false], [None, None, None]),
    ];
    for (there, expected) in table {
        for (pin, expected) in [Unset, UserJwt, Key].into_iter().zip(expected) {
            let [caller, tenant, deployment] = there;
            let available = Available {
                caller: caller.then(|| token(TOKEN).unwrap()),
                tenant: tenant.then(|| bound(CANARY, None)),
                deployment: deployment.then(deployment_key),
            };
            let chosen = choose(available, pin);
            let source = chosen.as_ref().map(Chosen::source);
            assert_eq!(source.ok(), expected, "{there:?} {pin:?}");
            if let Err(missing) = chosen {
                assert_eq!(missing, MissingCredentials { pin });
                continue;
            }
            let sent = chosen.unwrap().credential().authorization().unwrap();
            let sent = sent.to_str().unwrap().to_owned();
            assert_eq!(
                sent.ends_with(TOKEN),
                expected == Some(CallerToken),
                "{there:?}"
            );
            assert_eq!(
                sent.ends_with(CANARY),
                expected == Some(TenantKey),
                "{there:?}"
            );
        }
    }
}

fn denied(status: u16, code: &str) -> UpstreamError {
    let body = format!(r#"{{"status":"error","error":{{"code":"{code}","message":"no"}}}}"#);
    let status = StatusCode::from_u16(status).unwrap();
    UpstreamError::read(status, &HeaderMap::new(), body.as_bytes())
}

#[test]
fn the_tenants_key_steps_in_only_for_a_403_on_the_callers_token_on_a_lookup() {
    let chosen = |caller: bool, tenant: bool, pin| {
        choose(
            Available {
                caller: caller.then(|| token(TOKEN).unwrap()),
                tenant: tenant.then(|| bound(CANARY, None)),
                deployment: Some(deployment_key()),
            },
            pin,
        )
        .unwrap()
    };
    let route = |target: &str| {
        let method = if target.ends_with("invoke") {
            Method::POST
        } else {
            Method::GET
        };
        UpstreamPath::parse(&method, target)
            .unwrap()
            .route()
            .clone()
    };
    let lookup = "/v1/scaiqueue/scopes";
    let both = chosen(true, true, DeployAuth::Unset);
    let table = [
        (&both, denied(403, "AUTHZ_PERMISSION_DENIED"), lookup, true),
        (&both, denied(403, "AUTH_INSUFFICIENT_SCOPE"), lookup, true),
        (&both, denied(403, ""), "/v1/scaigrid/models", true),
        (&both, denied(403, "MODULE_NOT_ENABLED"), lookup, false),
        (&both, denied(401, "AUTH_TOKEN_INVALID"), lookup, false),
        (&both, denied(404, ""), lookup, false),
        (&both, denied(429, "RATE_LIMITED"), lookup, false),
        (&both, denied(500, ""), lookup, false),
        (&both, denied(403, ""), "/v1/scaiqueue/scopes/sc_1", false),
        (
            &both,
            denied(403, ""),
            "/v1/scaibunker/bunkers/bnk_1",
            false,
        ),
        (&both, denied(403, ""), "/v1/scaigrid/models/m", false),
        (&both, denied(403, ""), "/v1/scaicore/cores/c/invoke", false),
        (
            &chosen(true, false, DeployAuth::Unset),
            denied(403, ""),
            lookup,
            false,
        ),
        (
            &chosen(false, true, DeployAuth::Unset),
            denied(403, ""),
            lookup,
            false,
        ),
        (
            &chosen(true, true, DeployAuth::UserJwt),
            denied(403, ""),
            lookup,
            false,
        ),
        (
            &chosen(true, true, DeployAuth::ApiKey),
            denied(403, ""),
            lookup,
            false,
        ),
    ];
    for (chosen, error, target, expected) in table {
        let next = chosen.after(&error, &route(target));
        let shown = format!("{:?} {error:?} {target}", chosen.source());
        assert_eq!(next.is_some(), expected, "{shown}");
        if let Some(next) = next {
            assert_eq!(next.source(), Source::TenantKey);
            assert!(
                next.after(&error, &route(target)).is_none(),
                "{shown}: once"
            );
        }
    }
}

#[test]
fn n_120_a_credential_in_an_answer_is_found() {
    let credential = Credential::Key(bound(CANARY, None));
    assert!(credential.occurs_in(format!("{{\"echo\":\"Bearer {CANARY}\"}}").as_bytes()));
    assert!(credential.occurs_in(CANARY.as_bytes()));
    assert!(!credential.occurs_in(b"") && !credential.occurs_in(&CANARY.as_bytes()[1..]));
}

/// What comes out of a watched body, and whether it was stopped.
fn watched(credential: &Credential, chunks: &[&[u8]]) -> (Vec<u8>, bool) {
    let mut reflection = Reflection::of(credential);
    let mut out = Vec::new();
    for chunk in chunks {
        match reflection.pass(&bytes::Bytes::copy_from_slice(chunk)) {
            Ok(passed) => out.extend_from_slice(&passed),
            Err(Reflected) => return (out, true),
        }
    }
    out.extend_from_slice(&reflection.end());
    (out, false)
}

#[test]
fn n_120_a_credential_in_a_stream_is_stopped_before_any_of_it_is_out() {
    let credential = Credential::Key(bound(CANARY, None));
    let (before, after) = CANARY.split_at(10);
    let table: [(&[&str], &str, bool); 7] = [
        (
            &["data: hello\n\n", "data: [DONE]\n\n"],
            "data: hello\n\ndata: [DONE]\n\n",
            false,
        ),
        (&["data: sg", "k_", "x"], "data: sgk_x", false),
        (&["data: sgk_"], "data: sgk_", false),
        (&[], "", false),
        (&["data: ", CANARY], "data: ", true),
        (&["a", before, after, "b"], "a", true),
        (&["sgk_can", "sgk_", &CANARY[4..]], "sgk_can", true),
    ];
    for (chunks, expected, stopped) in table {
        let chunks: Vec<&[u8]> = chunks.iter().map(|chunk| chunk.as_bytes()).collect();
        let (out, was_stopped) = watched(&credential, &chunks);
        assert_eq!(String::from_utf8_lossy(&out), expected, "{chunks:?}");
        assert_eq!(was_stopped, stopped, "{chunks:?}");
    }
}

fn repetitive(pieces: std::ops::Range<usize>) -> impl Strategy<Value = String> {
    let piece = proptest::sample::select(vec!["a", "s", "sgk_", "sgk_a", "sgk_sgk_a"]);
    proptest::collection::vec(piece, pieces).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Keys that repeat their own beginning, so that beginnings of them are everywhere.
    #[test]
    fn n_120_streams_are_untouched_without_the_credential_and_never_hold_it(
        needle in repetitive(16..24),
        text in repetitive(0..8),
        shown in 0_usize..=256,
        behind in repetitive(0..8),
        cuts in proptest::collection::vec(0_usize..256, 0..6),
    ) {
        let key = format!("sgk_{needle}{}", "a".repeat(16));
        let beginning = &key[..shown.min(key.len())];
        let body = format!("{text}{beginning}{behind}");
        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(body.len())).collect();
        cuts.extend([0, body.len()]);
        cuts.sort_unstable();
        let chunks: Vec<&[u8]> = cuts
            .windows(2)
            .map(|pair| &body.as_bytes()[pair[0]..pair[1]])
            .collect();
        let credential = Credential::Key(bound(&key, None));
        let (out, stopped) = watched(&credential, &chunks);
        match body.find(&key) {
            Some(at) => {
                prop_assert!(stopped);
                prop_assert!(body.as_bytes()[..at].starts_with(&out));
            }
            None => {
                prop_assert!(!stopped);
                prop_assert_eq!(out, body.as_bytes());
            }
        }
    }
}
