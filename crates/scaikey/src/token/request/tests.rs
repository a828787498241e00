use proptest::prelude::*;

use super::*;
use crate::fixtures::{client, metadata};
use crate::form;

fn secret(text: &str) -> Secret<String> {
    Secret::new(text.to_owned())
}

#[test]
fn each_grant_sends_exactly_its_fields() {
    let (metadata, client) = (metadata(), client());
    let exchange = "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Atoken-exchange\
        &subject_token=at&subject_token_type=urn%3Aietf%3Aparams%3Aoauth%3Atoken-type%3Aaccess_token\
        &requested_token_type=urn%3Aietf%3Aparams%3Aoauth%3Atoken-type%3Aaccess_token\
        &audience=scaigrid";
    let redirect = "https://gate.example/cb?x=1";
    let table = [
        (
            code_request(&metadata, &client, &secret("c+1"), redirect, Some("ver")),
            "grant_type=authorization_code&code=c%2B1\
             &redirect_uri=https%3A%2F%2Fgate.example%2Fcb%3Fx%3D1&code_verifier=ver"
                .to_owned(),
        ),
        (
            code_request(&metadata, &client, &secret("c"), "https://g.example/", None),
            "grant_type=authorization_code&code=c&redirect_uri=https%3A%2F%2Fg.example%2F"
                .to_owned(),
        ),
        (
            refresh_request(&metadata, &client, &secret("r/1")),
            "grant_type=refresh_token&refresh_token=r%2F1".to_owned(),
        ),
        (
            password_request(
                &metadata,
                &client,
                "a@b.example",
                &secret("p&scope=x"),
                "openid",
            ),
            "grant_type=password&username=a%40b.example&password=p%26scope%3Dx&scope=openid"
                .to_owned(),
        ),
        (
            client_credentials_request(&metadata, &client, None),
            "grant_type=client_credentials".to_owned(),
        ),
        (
            client_credentials_request(&metadata, &client, Some("")),
            "grant_type=client_credentials".to_owned(),
        ),
        (
            client_credentials_request(&metadata, &client, Some("users:read groups:read")),
            "grant_type=client_credentials&scope=users%3Aread+groups%3Aread".to_owned(),
        ),
        (
            exchange_request(&metadata, &client, &secret("at"), "scaigrid", None),
            exchange.to_owned(),
        ),
        (
            exchange_request(
                &metadata,
                &client,
                &secret("at"),
                "scaigrid",
                Some("models:read"),
            ),
            format!("{exchange}&scope=models%3Aread"),
        ),
    ];
    for (request, body) in table {
        assert_eq!(request.method(), http::Method::POST);
        assert_eq!(
            request.uri(),
            "https://scaikey.example/api/v1/platform/oauth/token"
        );
        let headers = request.headers();
        assert_eq!(headers["content-type"], "application/x-www-form-urlencoded");
        assert_eq!(headers["accept"], "application/json");
        assert!(
            headers["user-agent"]
                .to_str()
                .unwrap()
                .starts_with("scaigate/")
        );
        assert!(headers["authorization"].is_sensitive());
        assert_eq!(str::from_utf8(request.body()).unwrap(), body);
    }
}

#[test]
fn n_055_the_client_secret_is_only_in_the_sensitive_header() {
    let request = client_credentials_request(&metadata(), &client(), None);
    assert!(!format!("{request:?}").contains("canary"));
}

#[test]
fn n_054_a_record_with_a_broken_address_reaches_nobody() {
    let metadata = Metadata {
        token_endpoint: "not an address".to_owned(),
        ..metadata()
    };
    let request = client_credentials_request(&metadata, &client(), None);
    assert_eq!(request.uri().host(), None);
}

proptest! {
    #[test]
    fn n_017_no_value_can_smuggle_a_field(username in "[^\0]{1,24}", password in "[^\0]{1,24}") {
        let request =
            password_request(&metadata(), &client(), &username, &secret(&password), "openid");
        let form = form::parse(request.body(), 4).unwrap();
        prop_assert_eq!(form.len(), 4);
        prop_assert_eq!(form.get("username"), Some(username.as_str()));
        prop_assert_eq!(form.get("password"), Some(password.as_str()));
    }
}
