//! The two kinds of request we send.

use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, USER_AGENT};
use http::{HeaderValue, Method, Request, Uri};
use zeroize::Zeroizing;

use crate::client::Client;
use crate::form;

const JSON: HeaderValue = HeaderValue::from_static("application/json");
const FORM: HeaderValue = HeaderValue::from_static("application/x-www-form-urlencoded");
const AGENT: HeaderValue =
    HeaderValue::from_static(concat!("scaigate/", env!("CARGO_PKG_VERSION")));

/// A `GET` that asks for JSON.
///
/// An address that is no URI gives a request without a host, which nobody can send: discovery
/// admits only addresses that are URIs, so this takes a record that somebody else wrote.
pub(crate) fn get(address: &str) -> Request<Bytes> {
    with_body(Method::GET, address, Bytes::new())
}

/// A form posted with the client's credentials. `address` as for [`get`].
pub(crate) fn post(address: &str, client: &Client, fields: &[(&str, &str)]) -> Request<Bytes> {
    let body = Zeroizing::new(form::encode(fields));
    let mut request = with_body(
        Method::POST,
        address,
        Bytes::copy_from_slice(body.as_bytes()),
    );
    request.headers_mut().insert(CONTENT_TYPE, FORM);
    if let Some(authorization) = client.authorization() {
        request.headers_mut().insert(AUTHORIZATION, authorization);
    }
    request
}

fn with_body(method: Method, address: &str, body: Bytes) -> Request<Bytes> {
    let mut request = Request::new(body);
    *request.method_mut() = method;
    *request.uri_mut() = Uri::try_from(address).unwrap_or_default();
    request.headers_mut().insert(ACCEPT, JSON);
    request.headers_mut().insert(USER_AGENT, AGENT);
    request
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_say_who_asks_and_for_what() {
        let request = get("https://k.example/jwks?x=1");
        assert_eq!(request.method(), Method::GET);
        assert_eq!(request.uri(), "https://k.example/jwks?x=1");
        assert_eq!(request.headers()["accept"], "application/json");
        let agent = request.headers()["user-agent"].to_str().unwrap();
        assert!(agent.starts_with("scaigate/"), "{agent}");
        assert!(!request.headers().contains_key("authorization"));
    }

    #[test]
    fn an_address_that_is_no_uri_has_no_host_to_send_to() {
        assert_eq!(get("https://k.example/ a").uri().host(), None);
    }
}
