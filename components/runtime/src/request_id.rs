//! Request ids: the caller's where it is sane, else ours.

use http::HeaderMap;
use scaigate_types::{Entropy, Timestamp};
use ulid::Ulid;

/// The caller's `X-Request-ID`: 8 to 64 letters, digits, `-`, `_` or `.`; anything else could break
/// a log line and is ignored.
pub fn accepted(headers: &HeaderMap) -> Option<String> {
    let mut values = headers.get_all("x-request-id").iter();
    let text = values.next()?.to_str().ok()?;
    let sane = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'_' | b'.');
    let good = values.next().is_none() && (8..=64).contains(&text.len()) && text.bytes().all(sane);
    good.then(|| text.to_owned())
}

/// `req_` and a ULID of `now`.
#[cfg_attr(
    not(target_family = "wasm"),
    expect(dead_code, reason = "called by the gated half")
)]
pub fn fresh(entropy: &impl Entropy, now: Timestamp) -> String {
    let random = u128::from_be_bytes(entropy.bytes());
    format!("req_{}", Ulid::from_parts(now.millis(), random))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_sane_request_ids_are_taken_over() {
        for (text, taken) in [
            ("req_01HZX3", true),
            ("0123456789abcdef", true),
            ("short", false),
            ("has space in it", false),
            ("quote\"quote\"", false),
            (&"x".repeat(65), false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert("x-request-id", text.parse().unwrap());
            assert_eq!(accepted(&headers).is_some(), taken, "{text}");
            headers.append("x-request-id", text.parse().unwrap());
            assert_eq!(accepted(&headers), None, "twice");
        }
    }
}
