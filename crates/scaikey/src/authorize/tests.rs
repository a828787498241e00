use std::collections::BTreeMap;

use proptest::prelude::*;
use url::Url;

use super::*;
use crate::fixtures::{client, metadata};

fn full<'a>(client_id: &'a ClientId) -> AuthorizeRequest<'a> {
    AuthorizeRequest {
        client_id,
        redirect_uri: "https://gate.example/v1/auth/callback",
        scope: "openid profile",
        state: "st",
        nonce: "no",
        code_challenge: "ch",
        login_hint: Some("alice+x@acme.example"),
        prompt: Some(Prompt::Login),
        idp_hint: Some("idp_1"),
    }
}

fn parameters(url: &str) -> BTreeMap<String, String> {
    let pairs: Vec<_> = Url::parse(url)
        .unwrap()
        .query_pairs()
        .into_owned()
        .collect();
    let map: BTreeMap<_, _> = pairs.iter().cloned().collect();
    assert_eq!(map.len(), pairs.len(), "a parameter occurs twice: {url}");
    map
}

#[test]
fn n_015_every_request_asks_for_a_code_with_pkce_s256() {
    let client = client();
    let url = full(&client.id).url(&metadata());
    assert!(
        url.starts_with("https://scaikey.example/api/v1/platform/oauth/authorize?"),
        "{url}"
    );
    let expected = [
        ("response_type", "code"),
        ("client_id", "app_1"),
        ("redirect_uri", "https://gate.example/v1/auth/callback"),
        ("scope", "openid profile"),
        ("state", "st"),
        ("nonce", "no"),
        ("code_challenge", "ch"),
        ("code_challenge_method", "S256"),
        ("login_hint", "alice+x@acme.example"),
        ("prompt", "login"),
        ("idp_hint", "idp_1"),
    ];
    let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!(parameters(&url), BTreeMap::from(expected));
}

#[test]
fn what_is_optional_is_left_out() {
    let client = client();
    let request = AuthorizeRequest {
        login_hint: None,
        prompt: None,
        idp_hint: None,
        ..full(&client.id)
    };
    let parameters = parameters(&request.url(&metadata()));
    for name in ["login_hint", "prompt", "idp_hint"] {
        assert!(!parameters.contains_key(name), "{name}");
    }
}

#[test]
fn the_endpoints_own_query_is_kept_but_cannot_replace_ours() {
    let client = client();
    let metadata = Metadata {
        authorization_endpoint: "https://k.example/a?tenant=acme&state=evil&client_id=evil".into(),
        ..metadata()
    };
    let parameters = parameters(&full(&client.id).url(&metadata));
    assert_eq!(parameters["tenant"], "acme");
    assert_eq!(parameters["state"], "st");
    assert_eq!(parameters["client_id"], "app_1");
}

#[test]
fn prompts_round_trip_and_nothing_else_parses() {
    for text in ["none", "login", "consent", "select_account"] {
        assert_eq!(Prompt::parse(text).map(Prompt::as_str), Some(text));
    }
    for text in ["", "None", "login consent", "create", " login"] {
        assert_eq!(Prompt::parse(text), None, "{text:?}");
    }
}

proptest! {
    #[test]
    fn n_017_no_value_can_smuggle_a_parameter(state in ".{0,32}", hint in ".{0,32}", scope in ".{0,32}") {
        let client = client();
        let request = AuthorizeRequest {
            state: &state, login_hint: Some(&hint), scope: &scope, ..full(&client.id)
        };
        let url = request.url(&metadata());
        prop_assert!(url.bytes().all(|byte| byte.is_ascii_graphic()));
        let parameters = parameters(&url);
        prop_assert_eq!(parameters.len(), 11);
        prop_assert_eq!(&parameters["state"], &state);
        prop_assert_eq!(&parameters["login_hint"], &hint);
        prop_assert_eq!(&parameters["scope"], &scope);
    }
}
