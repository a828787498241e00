//! Request ids: the caller's where it is sane, else ours.

use http::{HeaderMap, HeaderName};
use scaigate_types::{Entropy, Timestamp};
use ulid::Ulid;

/// The header that carries one, in requests and answers.
pub const HEADER: HeaderName = HeaderName::from_static("x-request-id");

/// What they begin with, so that one is known for what it is.
const PREFIX: &str = "req_";

/// How many are made of what is drawn at once. A call of the host for each is work in every
/// request; nothing is opened with one.
const DRAWN: usize = 64;

/// The random part of a ULID.
const RANDOM_BYTES: usize = 10;

/// The caller's `X-Request-ID`: 8 to 64 letters, digits, `-`, `_` or `.`; anything else could break
/// a log line and is ignored.
#[must_use]
pub fn accepted(headers: &HeaderMap) -> Option<String> {
    let mut values = headers.get_all(HEADER).iter();
    let text = values.next()?.to_str().ok()?;
    let sane = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'_' | b'.');
    let good = values.next().is_none() && (8..=64).contains(&text.len()) && text.bytes().all(sane);
    good.then(|| text.to_owned())
}

/// Makes request ids.
#[derive(Debug, Default)]
pub struct Fresh {
    drawn: Vec<u8>,
}

impl Fresh {
    /// One that has drawn nothing yet.
    #[must_use]
    pub const fn new() -> Self {
        Self { drawn: Vec::new() }
    }

    /// `req_` and a ULID of `now`.
    pub fn id(&mut self, entropy: &impl Entropy, now: Timestamp) -> String {
        if self.drawn.len() < RANDOM_BYTES {
            self.drawn = entropy.bytes::<{ DRAWN * RANDOM_BYTES }>().to_vec();
        }
        let rest = self.drawn.len().saturating_sub(RANDOM_BYTES);
        let random = self
            .drawn
            .drain(rest..)
            .fold(0, |random, byte| random << 8 | u128::from(byte));
        let mut text = [0; ulid::ULID_LEN];
        let ulid = Ulid::from_parts(now.millis(), random);
        let mut id = String::with_capacity(PREFIX.len() + ulid::ULID_LEN);
        id.push_str(PREFIX);
        id.push_str(ulid.array_to_str(&mut text));
        id
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Counts, and how often it was asked.
    #[derive(Default)]
    struct Counting(std::cell::Cell<u8>, std::cell::Cell<usize>);

    impl Entropy for Counting {
        fn fill(&self, bytes: &mut [u8]) {
            self.1.set(self.1.get() + 1);
            for byte in bytes {
                self.0.set(self.0.get().wrapping_mul(5).wrapping_add(1));
                *byte = self.0.get();
            }
        }
    }

    #[test]
    fn every_id_is_of_its_own_time_and_randomness() {
        let entropy = Counting::default();
        let mut fresh = Fresh::new();
        let mut seen = std::collections::BTreeSet::new();
        for n in 0..2 * DRAWN as u64 {
            let now = Timestamp::from_millis(1_800_000_000_000 + n);
            let id = fresh.id(&entropy, now);
            let ulid = Ulid::from_string(id.strip_prefix("req_").unwrap()).unwrap();
            assert_eq!(ulid.timestamp_ms(), now.millis());
            assert!(seen.insert(ulid.random()), "{id}");
            let mut headers = HeaderMap::new();
            headers.insert(HEADER, id.parse().unwrap());
            assert_eq!(accepted(&headers), Some(id), "what we make, we take");
        }
        assert_eq!(entropy.1.get(), 2);
    }

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
