//! Counting what is refused. Anybody can be refused as often as they like: an instance writes at most one
//! row a second of each kind and caller, with how many there were, and the log keeps one a minute.

use std::cell::RefCell;
use std::time::Duration;

use scaigate_types::{Timestamp, Trail};

const EVERY: Duration = Duration::from_secs(1);

/// Kinds that are counted at a time. What is beyond within a second is not noted.
const MAX_KINDS: usize = 64;

#[derive(Debug)]
struct Noted {
    /// Route, code and caller.
    kind: String,
    last: Timestamp,
    waiting: u32,
}

/// The refusals of an instance.
#[derive(Debug, Default)]
pub struct Refusals(RefCell<Vec<Noted>>);

/// Where a request went, without what anybody can make up: below these, the routes of `spin.toml` are
/// exact.
#[must_use]
pub fn route(path: &str) -> String {
    let mut parts = path.split('/').skip(1);
    let (version, area) = (parts.next(), parts.next());
    let part = parts
        .next()
        .filter(|_| matches!(area, Some("auth" | "admin")));
    let mut route = String::new();
    for part in [version, area, part].into_iter().flatten() {
        route.push('/');
        route.push_str(part);
    }
    route
}

impl Refusals {
    /// None yet.
    #[must_use]
    pub const fn new() -> Self {
        Self(RefCell::new(Vec::new()))
    }

    /// Counts one. How many there were since the last that was written, if it is time to write.
    pub fn count(&self, route: &str, code: &str, trail: &Trail, now: Timestamp) -> Option<u32> {
        let actor = trail.actor().map_or("", |actor| actor.name.as_str());
        let kind = [route, code, actor].join(" ");
        let is_recent = |noted: &Noted| now.since(noted.last) < EVERY && noted.last <= now;
        let mut all = self.0.borrow_mut();
        if let Some(noted) = all.iter_mut().find(|noted| noted.kind == kind) {
            noted.waiting = noted.waiting.saturating_add(1);
            if is_recent(noted) {
                return None;
            }
            noted.last = now;
            return Some(std::mem::take(&mut noted.waiting));
        }
        let new = Noted {
            kind,
            last: now,
            waiting: 0,
        };
        if all.len() < MAX_KINDS {
            all.push(new);
        } else {
            *all.iter_mut().find(|noted| !is_recent(noted))? = new;
        }
        Some(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);

    #[test]
    fn a_route_holds_nothing_that_anybody_made_up() {
        for (path, expected) in [
            ("/v1/auth/token", "/v1/auth/token"),
            ("/v1/admin/users/usr_1/role", "/v1/admin/users"),
            ("/v1/flows/anything/at/all", "/v1/flows"),
            ("/v1/me", "/v1/me"),
            ("/v1", "/v1"),
        ] {
            assert_eq!(route(path), expected);
        }
    }

    #[test]
    fn one_a_second_of_each_kind_is_written_with_how_many_there_were() {
        let refusals = Refusals::new();
        let trail = Trail::default();
        let count = |code, millis| {
            refusals.count(
                "/v1/me",
                code,
                &trail,
                NOW.plus(Duration::from_millis(millis)),
            )
        };
        assert_eq!(count("a", 0), Some(1));
        assert_eq!(count("a", 1), None);
        assert_eq!(count("b", 2), Some(1));
        assert_eq!(count("a", 999), None);
        assert_eq!(count("a", 1000), Some(3));
        assert_eq!(count("a", 1001), None);
        // The clock was set back.
        assert_eq!(refusals.count("/v1/me", "a", &trail, NOW), Some(2));
    }

    #[test]
    fn a_flood_of_kinds_is_bounded() {
        let refusals = Refusals::new();
        let trail = Trail::default();
        let written = |now| {
            let codes = (0..1000).map(|code: u32| code.to_string());
            codes
                .filter(|code| refusals.count("/v1/me", code, &trail, now).is_some())
                .count()
        };
        assert_eq!(written(NOW), MAX_KINDS);
        assert_eq!(written(NOW), 0);
        assert_eq!(written(NOW.plus(EVERY)), MAX_KINDS);
    }
}
