//! A map of what an instance has seen when, bounded in size and in how long it is believed.

use std::borrow::Borrow;
use std::cell::RefCell;
use std::collections::HashMap;
use std::hash::Hash;
use std::time::Duration;

use scaigate_types::Timestamp;

/// Entries; beyond that the older half goes.
const MAX: usize = 2048;

/// A map whose older half goes when it is full.
#[derive(Debug)]
pub struct Bounded<K, V>(RefCell<HashMap<K, (Timestamp, V)>>);

impl<K, V> Default for Bounded<K, V> {
    fn default() -> Self {
        Self(RefCell::default())
    }
}

impl<K: Hash + Eq, V: Clone> Bounded<K, V> {
    /// What was put under `key` less than `kept` ago.
    pub fn get<Q>(&self, key: &Q, now: Timestamp, kept: Duration) -> Option<V>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.get_if(key, now, kept, |value| Some(value.clone()))
    }

    /// What `wanted` takes of it.
    pub fn get_if<Q, T>(
        &self,
        key: &Q,
        now: Timestamp,
        kept: Duration,
        wanted: impl FnOnce(&V) -> Option<T>,
    ) -> Option<T>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        let map = self.0.borrow();
        let (at, value) = map.get(key)?;
        // What is from the future is from before the clock was set back.
        if *at <= now && now.since(*at) < kept {
            wanted(value)
        } else {
            None
        }
    }

    /// Forgets everything.
    pub fn clear(&self) {
        self.0.borrow_mut().clear();
    }

    /// Remembers `value`, seen at `now`.
    pub fn put(&self, key: K, now: Timestamp, value: V) {
        let mut map = self.0.borrow_mut();
        if map.len() >= MAX && !map.contains_key(&key) {
            let mut times: Vec<Timestamp> = map.values().map(|(at, _)| *at).collect();
            let (_, middle, _) = times.select_nth_unstable(MAX / 2);
            let middle = *middle;
            map.retain(|_, (at, _)| *at > middle);
        }
        map.insert(key, (now, value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEPT: Duration = Duration::from_secs(2);

    #[test]
    fn memory_is_bounded_and_keeps_the_newest() {
        let bounded = Bounded::default();
        for n in 0..10 * MAX as u64 {
            bounded.put(n, Timestamp::from_millis(n), n);
            assert!(bounded.0.borrow().len() <= MAX, "{n}");
        }
        let last = 10 * MAX as u64 - 1;
        assert_eq!(
            bounded.get(&last, Timestamp::from_millis(last), KEPT),
            Some(last)
        );
        // All at one time: what is there already goes, the newcomer stays.
        for n in 0..2 * MAX as u64 {
            bounded.put(n, Timestamp::from_millis(last), n);
            assert!(bounded.0.borrow().len() <= MAX, "{n}");
        }
    }

    #[test]
    fn when_it_is_full_the_older_half_goes() {
        let bounded = Bounded::default();
        let full = MAX as u64;
        for n in 0..full {
            bounded.put(n, Timestamp::from_millis(n), n);
        }
        let now = Timestamp::from_millis(full);
        let known = |n: u64| bounded.get(&n, now, Duration::MAX).is_some();
        // One that is there already takes nobody's place.
        bounded.put(full - 1, now, 0);
        assert!((0..full).all(known));
        bounded.put(full, now, full);
        assert!((full / 2 + 1..=full).all(known));
        assert!(!(0..=full / 2).any(known));
    }

    #[test]
    fn n_145_what_was_seen_in_the_future_is_not_believed() {
        let bounded = Bounded::default();
        bounded.put("a", Timestamp::from_millis(5_000), ());
        for (now, known) in [(4_999, false), (5_000, true), (6_999, true), (7_000, false)] {
            let now = Timestamp::from_millis(now);
            assert_eq!(bounded.get(&"a", now, KEPT).is_some(), known, "{now:?}");
        }
    }
}
