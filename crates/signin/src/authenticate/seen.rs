//! What an instance remembers of the credentials it has seen. Bounded; nothing of it reaches
//! anybody who does not present the same credential again, where the same ScaiKey is trusted.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use scaigate_jose::AccessToken;
use scaigate_types::Timestamp;

use crate::bounded::Bounded;
use crate::principal::Principal;
use crate::settings::Provider;

/// How long an instance may go on believing what the revocation index and the mirror said.
pub const ANSWER_KEPT: Duration = Duration::from_secs(2);

/// How long a verified signature is believed, so that a key withdrawn at ScaiKey stops counting.
const VERIFIED_KEPT: Duration = Duration::from_secs(600);

/// An access token by its digest.
pub(super) type Digest = [u8; 32];

/// What is remembered.
#[derive(Debug, Default)]
pub struct Seen {
    /// Whose tokens were found good; without ScaiKey none of its tokens was.
    by: RefCell<Option<Provider>>,
    /// By the token itself: to look it up costs less than to check it.
    principals: Bounded<String, Known>,
    verified: Bounded<Digest, Rc<AccessToken>>,
}

/// Whom a token was found to be, and until when at the most.
#[derive(Clone, Debug)]
struct Known {
    principal: Principal,
    good_until: Timestamp,
}

impl Seen {
    /// Forgets what was found out for another ScaiKey, or for other audiences: a verdict is worth
    /// what it was measured against (N-080).
    pub(super) fn trusting(&self, provider: Option<&Provider>) -> &Self {
        if self.by.borrow().as_ref() != provider {
            self.principals.clear();
            self.verified.clear();
            self.by.replace(provider.cloned());
        }
        self
    }

    /// Whom the bearer of `token` was found to be in the last two seconds.
    pub(super) fn principal(&self, token: &str, now: Timestamp) -> Option<Principal> {
        let known = self.principals.get(token, now, ANSWER_KEPT)?;
        (now <= known.good_until).then_some(known.principal)
    }

    pub(super) fn note_principal(
        &self,
        token: &str,
        principal: &Principal,
        good_until: Timestamp,
        now: Timestamp,
    ) {
        let known = Known {
            principal: principal.clone(),
            good_until,
        };
        self.principals.put(token.to_owned(), now, known);
    }

    /// The claims of an access token whose signature was checked here.
    pub(super) fn verified(&self, token: &Digest, now: Timestamp) -> Option<Rc<AccessToken>> {
        self.verified.get(token, now, VERIFIED_KEPT)
    }

    pub(super) fn note_verified(&self, token: Digest, claims: &Rc<AccessToken>, now: Timestamp) {
        self.verified.put(token, now, Rc::clone(claims));
    }
}
