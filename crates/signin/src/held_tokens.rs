//! Tokens of ScaiKey that an instance holds to use again, by whom and for what they are.

use std::time::Duration;

use scaigate_types::{Secret, Timestamp};

use crate::bounded::Bounded;

/// An access token with less life than this is refreshed before it is used.
pub(crate) const LEAST_LIFE: Duration = Duration::from_secs(30);

/// How long an instance uses one without looking whether the session has others.
const HELD: Duration = Duration::from_secs(60);

/// Tokens by name. The name says who holds it: one caller's is never another's.
#[derive(Default)]
pub struct HeldTokens(Bounded<String, (Secret<String>, Timestamp)>);

impl std::fmt::Debug for HeldTokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HeldTokens").finish_non_exhaustive()
    }
}

impl HeldTokens {
    /// The token under `name` and when it expires, if it is good for a while yet.
    pub(crate) fn get(&self, name: &String, now: Timestamp) -> Option<(Secret<String>, Timestamp)> {
        self.0
            .get(name, now, HELD)
            .filter(|(_, expires_at)| *expires_at > now.plus(LEAST_LIFE))
    }

    pub(crate) fn put(&self, name: String, token: (Secret<String>, Timestamp), now: Timestamp) {
        self.0.put(name, now, token);
    }
}
