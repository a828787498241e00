//! How long an instance lives and how many requests it answers: Spin's flags.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher as _, Hasher as _};
use std::str::FromStr;
use std::time::Duration;

/// A value, or bounds from which one is drawn for each new instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice<T> {
    /// Always this.
    Exactly(T),
    /// From the first up to, not including, the second.
    Between(T, T),
}

impl<T> From<T> for Choice<T> {
    fn from(value: T) -> Self {
        Self::Exactly(value)
    }
}

fn draw(low: u128, high: u128) -> u128 {
    let random = u128::from(RandomState::new().build_hasher().finish());
    let width = high.saturating_sub(low).max(1);
    low.saturating_add(random.checked_rem(width).unwrap_or(0))
}

impl Choice<usize> {
    pub(crate) fn pick(self) -> usize {
        match self {
            Self::Exactly(value) => value,
            Self::Between(low, high) => {
                usize::try_from(draw(low as u128, high as u128)).unwrap_or(low)
            }
        }
    }
}

impl Choice<Duration> {
    pub(crate) fn pick(self) -> Duration {
        match self {
            Self::Exactly(value) => value,
            Self::Between(low, high) => u64::try_from(draw(low.as_nanos(), high.as_nanos()))
                .map_or(low, Duration::from_nanos),
        }
    }
}

type Unit = fn(u64) -> Duration;

fn bounds<T>(text: &str, one: impl Fn(&str) -> Result<T, String>) -> Result<Choice<T>, String> {
    match text.split_once("..") {
        Some((low, high)) => Ok(Choice::Between(one(low)?, one(high)?)),
        None => Ok(Choice::Exactly(one(text)?)),
    }
}

impl FromStr for Choice<usize> {
    type Err = String;

    /// `8` or `1..8`.
    fn from_str(text: &str) -> Result<Self, String> {
        bounds(text, |number| {
            number
                .parse()
                .map_err(|_| format!("expected a number or a range, got {text:?}"))
        })
    }
}

impl FromStr for Choice<Duration> {
    type Err = String;

    /// A number with `s` (or none), `ms`, `us` or `ns`, or a range of two.
    fn from_str(text: &str) -> Result<Self, String> {
        bounds(text, |duration| {
            let units: [(&str, Unit); 6] = [
                ("ms", Duration::from_millis),
                ("us", Duration::from_micros),
                ("μs", Duration::from_micros),
                ("ns", Duration::from_nanos),
                ("s", Duration::from_secs),
                ("", Duration::from_secs),
            ];
            units
                .iter()
                .find_map(|(unit, of)| Some(of(duration.strip_suffix(unit)?.parse().ok()?)))
                .ok_or_else(|| format!("expected a duration such as 500ms or 2s, got {text:?}"))
        })
    }
}

/// The life of an instance. Components of WASI 0.2 answer one request each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReuseOptions {
    /// Requests an instance answers before it is dropped.
    pub max_reuse_count: Choice<usize>,
    /// Requests it answers at the same time.
    pub max_concurrent_reuse_count: Choice<usize>,
    /// How long it waits for another request.
    pub idle_timeout: Choice<Duration>,
    /// How long a request may take; no limit when `None`.
    pub request_timeout: Option<Choice<Duration>>,
}

impl Default for ReuseOptions {
    /// Spin 4.1's: 128 requests, 16 at once, 1 s idle, no limit.
    fn default() -> Self {
        Self {
            max_reuse_count: Choice::Exactly(128),
            max_concurrent_reuse_count: Choice::Exactly(16),
            idle_timeout: Choice::Exactly(Duration::from_secs(1)),
            request_timeout: None,
        }
    }
}

impl ReuseOptions {
    /// A fresh instance for every request.
    #[must_use]
    pub fn never() -> Self {
        Self {
            max_reuse_count: Choice::Exactly(1),
            max_concurrent_reuse_count: Choice::Exactly(1),
            ..Self::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_parse_as_spins_do() {
        for (text, expected) in [
            ("2", Some(Choice::Exactly(Duration::from_secs(2)))),
            ("2s", Some(Choice::Exactly(Duration::from_secs(2)))),
            ("5ms", Some(Choice::Exactly(Duration::from_millis(5)))),
            ("7us", Some(Choice::Exactly(Duration::from_micros(7)))),
            ("7ns", Some(Choice::Exactly(Duration::from_nanos(7)))),
            (
                "1..8s",
                Some(Choice::Between(
                    Duration::from_secs(1),
                    Duration::from_secs(8),
                )),
            ),
            ("soon", None),
            ("", None),
        ] {
            assert_eq!(text.parse::<Choice<Duration>>().ok(), expected, "{text}");
        }
        assert_eq!("3..5".parse(), Ok(Choice::Between(3_usize, 5)));
        assert!("x".parse::<Choice<usize>>().is_err());
    }

    #[test]
    fn a_drawn_value_lies_within_its_bounds() {
        for _ in 0..100 {
            assert!((3..5).contains(&Choice::Between(3_usize, 5).pick()));
        }
        assert_eq!(Choice::Between(3_usize, 3).pick(), 3);
    }
}
