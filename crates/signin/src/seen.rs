//! What an instance remembers of the credentials it has seen. Bounded; nothing of it reaches
//! anybody who does not present the same credential again, where the same ScaiKey is trusted.

use std::cell::RefCell;
use std::fmt;
use std::rc::Rc;
use std::time::Duration;

use scaigate_jose::AccessToken;
use scaigate_types::Timestamp;

use crate::bounded::Bounded;
use crate::principal::Principal;
use crate::settings::Provider;

/// How long an instance may go on believing what the revocation index and the mirror said.
pub(crate) const ANSWER_KEPT: Duration = Duration::from_secs(2);

/// How long a verified signature is believed, so that a key withdrawn at ScaiKey stops counting.
const VERIFIED_KEPT: Duration = Duration::from_secs(600);

/// An access token by its digest.
pub(crate) type Digest = [u8; 32];

/// What is remembered.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// Whose tokens were found good; without ScaiKey none of its tokens was.
    by: RefCell<Option<Provider>>,
    /// By the end of the token. Two that end alike would take turns, and don't exist: it is of the
    /// signature.
    principals: Bounded<End, Known>,
    verified: Bounded<Digest, Rc<AccessToken>>,
}

/// The last bytes of a token.
type End = [u8; 32];

fn end(token: &[u8]) -> End {
    let mut end = End::default();
    for (to, byte) in end.iter_mut().rev().zip(token.iter().rev()) {
        *to = *byte;
    }
    end
}

/// Whether two tokens are the same. What WebAssembly has for that looks at single bytes, and stops
/// at the first that differs.
fn is_same(one: &[u8], other: &[u8]) -> bool {
    let ((words, rest), (others, other_rest)) = (one.as_chunks::<8>(), other.as_chunks::<8>());
    let difference = words
        .iter()
        .zip(others)
        .fold(0, |difference, (one, other)| {
            difference | u64::from_le_bytes(*one) ^ u64::from_le_bytes(*other)
        });
    one.len() == other.len() && difference == 0 && rest == other_rest
}

/// Whom a token was found to be, and until when at the most.
#[derive(Clone)]
struct Known {
    token: Box<[u8]>,
    principal: Principal,
    good_until: Timestamp,
}

impl fmt::Debug for Known {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A token is a credential.
        f.debug_struct("Known").finish_non_exhaustive()
    }
}

impl Seen {
    /// Forgets what was found out for another ScaiKey, or for other audiences: a verdict is worth
    /// what it was measured against (N-080).
    pub(crate) fn trusting(&self, provider: Option<&Provider>) -> &Self {
        if self.by.borrow().as_ref() != provider {
            self.principals.clear();
            self.verified.clear();
            self.by.replace(provider.cloned());
        }
        self
    }

    /// Whom the bearer of `token` was found to be in the last two seconds. It may be anything: only
    /// what was found good is found again.
    pub(crate) fn principal(&self, token: &[u8], now: Timestamp) -> Option<Principal> {
        self.principals
            .get_if(&end(token), now, ANSWER_KEPT, |known| {
                let is_good = now <= known.good_until && is_same(&known.token, token);
                is_good.then(|| known.principal.clone())
            })
    }

    pub(crate) fn note_principal(
        &self,
        token: &str,
        principal: &Principal,
        good_until: Timestamp,
        now: Timestamp,
    ) {
        let known = Known {
            token: token.as_bytes().into(),
            principal: principal.clone(),
            good_until,
        };
        self.principals.put(end(token.as_bytes()), now, known);
    }

    /// The claims of an access token whose signature was checked here.
    pub(crate) fn verified(&self, token: &Digest, now: Timestamp) -> Option<Rc<AccessToken>> {
        self.verified.get(token, now, VERIFIED_KEPT)
    }

    pub(crate) fn note_verified(&self, token: Digest, claims: &Rc<AccessToken>, now: Timestamp) {
        self.verified.put(token, now, Rc::clone(claims));
    }
}

#[cfg(test)]
#[expect(
    clippy::indexing_slicing,
    reason = "a test that meets the unexpected should stop there"
)]
mod tests {
    use super::*;

    #[test]
    fn tokens_that_end_alike_are_told_apart() {
        let tail = "the-same-end-of-at-least-thirty-two-bytes";
        let (one, other) = (format!("a{tail}"), format!("b{tail}"));
        assert_eq!(end(one.as_bytes()), end(other.as_bytes()));
        assert_eq!(end(b"short")[..27], [0; 27]);
        for (left, right, same) in [
            (one.as_str(), one.as_str(), true),
            (&one, &other, false),
            (&one, tail, false),
            (tail, &one, false),
            ("", "", true),
            ("", "\0", false),
            ("12345678", "12345678\0", false),
        ] {
            assert_eq!(
                is_same(left.as_bytes(), right.as_bytes()),
                same,
                "{left:?} {right:?}"
            );
        }
    }

    #[test]
    fn one_changed_byte_is_another_token() {
        let token = b"header.payload-of-some-length.signature";
        for at in 0..token.len() {
            let mut other = *token;
            other[at] = b'#';
            assert!(!is_same(token, &other), "{at}");
            assert!(is_same(&other, &other.clone()), "{at}");
            assert!(!is_same(token, &token[..at]), "{at}");
        }
        // Nor do two changes make up for each other.
        for at in 0..token.len() - 8 {
            let mut other = *token;
            other[at] ^= 1;
            other[at + 8] ^= 1;
            assert!(!is_same(token, &other), "{at}");
        }
    }
}
