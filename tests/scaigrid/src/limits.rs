//! Rate limits (`contract/scaiwave-scaicrew-scaigrid.md` 3.7): four levels, a sliding minute each.

use std::collections::{HashMap, VecDeque};

use serde::{Deserialize, Serialize};

const WINDOW: i64 = 60_000;

/// Calls per minute.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RateLimits {
    /// Per API key. Documented 60.
    pub api_key: u32,
    /// Per user. Documented 120.
    pub user: u32,
    /// Per tenant. Documented 1000.
    pub tenant: u32,
    /// Per partner. Documented 5000.
    pub partner: u32,
    /// Per address, of calls without a good credential. Documented without a number; 60 here.
    pub anonymous: u32,
}

impl Default for RateLimits {
    fn default() -> Self {
        Self {
            api_key: 60,
            user: 120,
            tenant: 1_000,
            partner: 5_000,
            anonymous: 60,
        }
    }
}

/// What the headers tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Standing {
    pub(crate) limit: u32,
    pub(crate) remaining: u32,
    /// Unix time at which the oldest call of the window no longer counts.
    pub(crate) reset: i64,
}

impl Standing {
    /// The three header fields.
    pub(crate) fn fields(&self) -> Vec<(&'static str, String)> {
        vec![
            ("x-scaigrid-ratelimit-limit", self.limit.to_string()),
            ("x-scaigrid-ratelimit-remaining", self.remaining.to_string()),
            ("x-scaigrid-ratelimit-reset", self.reset.to_string()),
        ]
    }
}

/// The calls of the last minute, by level and identity.
#[derive(Default)]
pub(crate) struct Windows {
    calls: HashMap<String, VecDeque<i64>>,
}

impl Windows {
    /// Counts a call on every level, or refuses it when one level is full: the standing, and the seconds to wait.
    pub(crate) fn take(
        &mut self,
        now: i64,
        levels: &[(String, u32)],
    ) -> Result<Standing, (Standing, u64)> {
        let mut tightest: Option<Standing> = None;
        for (name, limit) in levels {
            let calls = self.calls.entry(name.clone()).or_default();
            while calls.front().is_some_and(|at| at + WINDOW <= now) {
                calls.pop_front();
            }
            let used = u32::try_from(calls.len()).unwrap_or(u32::MAX);
            let frees = calls.front().copied().unwrap_or(now) + WINDOW;
            let standing = Standing {
                limit: *limit,
                remaining: limit.saturating_sub(used),
                reset: frees.div_euclid(1_000) + i64::from(frees.rem_euclid(1_000) > 0),
            };
            if standing.remaining == 0 {
                let wait = (frees - now).max(1);
                let seconds = wait.div_euclid(1_000) + i64::from(wait % 1_000 > 0);
                return Err((standing, u64::try_from(seconds).unwrap_or(1)));
            }
            if tightest.is_none_or(|known| standing.remaining < known.remaining) {
                tightest = Some(standing);
            }
        }
        for (name, _) in levels {
            if let Some(calls) = self.calls.get_mut(name) {
                calls.push_back(now);
            }
        }
        let mut standing = tightest.unwrap_or(Standing {
            limit: 0,
            remaining: 1,
            reset: now.div_euclid(1_000),
        });
        standing.remaining -= 1;
        Ok(standing)
    }
}

#[cfg(test)]
mod tests {
    use super::Windows;

    #[test]
    fn tells_the_tightest_level_and_frees_after_a_minute() {
        let mut windows = Windows::default();
        let levels = [("key".to_owned(), 2), ("user".to_owned(), 3)];
        let first = windows.take(1_000_500, &levels).unwrap();
        assert_eq!((first.limit, first.remaining, first.reset), (2, 1, 1_061));
        assert_eq!(windows.take(1_001_000, &levels).unwrap().remaining, 0);
        let (standing, wait) = windows.take(1_030_000, &levels).unwrap_err();
        assert_eq!((standing.remaining, standing.reset, wait), (0, 1_061, 31));
        assert_eq!(windows.take(1_060_500, &levels).unwrap().remaining, 0);
        // Another key of the same user: the user's level is full after one more.
        let other = [("other".to_owned(), 2), ("user".to_owned(), 3)];
        assert_eq!(windows.take(1_060_600, &other).unwrap().limit, 3);
        assert_eq!(windows.take(1_060_700, &other).unwrap_err().0.limit, 3);
    }
}
