//! The deployment that inputs meet: one ScaiKey, one client, one time.

use std::time::Duration;

use scaigate_types::{BaseUrl, ClientId, Issuer, Timestamp};

pub const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);
pub const SKEW: Duration = Duration::from_secs(60);

pub fn base() -> BaseUrl {
    BaseUrl::parse("https://scaikey.example", false).expect("a base URL")
}

pub fn issuer() -> Issuer {
    Issuer::parse("https://scaikey.example").expect("an issuer")
}

pub fn client_id() -> ClientId {
    ClientId::parse("app_1").expect("a client id")
}

/// A JSON answer of ScaiKey.
pub fn json_answer(status: u16, body: &[u8]) -> http::Response<bytes::Bytes> {
    http::Response::builder()
        .status(status)
        .header("content-type", "application/json")
        .body(bytes::Bytes::copy_from_slice(body))
        .expect("an answer")
}

/// A failure is said in a short, printable sentence.
pub fn assert_sentence(error: &impl std::fmt::Display) {
    let text = error.to_string();
    assert!(text.len() <= 1024, "{} bytes", text.len());
    assert!(!text.chars().any(char::is_control), "{text:?}");
}
