//! What a caller is told of its rate limit, with every answer that counts.

use http::{HeaderMap, HeaderName, HeaderValue};

/// The state of a limit, as the headers say it.
///
/// The names are those of the products beside us, `X-RateLimit-*` with a Unix time
/// (`contract/scaivault.md` 2.5): their clients read them. The IETF's draft of `RateLimit` headers has
/// changed its names and its meaning of time more than once, and is not out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimit {
    /// Requests a minute, and at once.
    pub limit: u32,
    /// How many of them are left, as far as it is known here.
    pub remaining: u32,
    /// When all of them are there again, if nobody makes any: seconds since 1970.
    pub reset: u64,
}

impl RateLimit {
    /// The names of its headers, for those that name headers a page may read.
    pub const HEADERS: [&'static str; 3] = [
        "x-ratelimit-limit",
        "x-ratelimit-remaining",
        "x-ratelimit-reset",
    ];

    /// Writes its headers.
    pub fn write(&self, headers: &mut HeaderMap) {
        let values: [HeaderValue; 3] =
            [self.limit.into(), self.remaining.into(), self.reset.into()];
        for (name, value) in Self::HEADERS.into_iter().zip(values) {
            headers.insert(HeaderName::from_static(name), value);
        }
    }
}
