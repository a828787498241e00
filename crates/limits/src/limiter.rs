//! Counting, in an instance's memory as long as it can.

use std::cell::RefCell;
use std::collections::HashSet;
use std::time::Duration;

use scaigate_jose::sha256;
use scaigate_kv::rate_bucket::{self, Bucket, LEASE, Name};
use scaigate_problem::{Code, Problem, RateLimit};
use scaigate_signin::bounded::Bounded;
use scaigate_signin::{Principal, failure};
use scaigate_types::encoding::base64url;
use scaigate_types::{Clock, Query, TenantId, Timestamp};

use crate::{Category, RateLimits};

/// Who calls, as a digest, and what for.
type Key = ([u8; 32], Category);

/// Who a request counts for.
#[derive(Clone, Copy, Debug)]
pub enum Payer<'a> {
    /// Whoever is proven to call.
    Principal(&'a Principal),
    /// Everybody who presents a token at the deprecated deploy, together: who brings a wrong one is
    /// nobody, and must not be free to try on.
    DevDeploy,
}

impl<'a> From<&'a Principal> for Payer<'a> {
    fn from(principal: &'a Principal) -> Self {
        Self::Principal(principal)
    }
}

/// The part of a limit that is the largest slice.
const LARGEST_SLICE: u32 = 10;

/// What this instance knows of a bucket.
#[derive(Clone, Copy, Debug)]
struct Lease {
    /// Tokens of the last slice that are not spent.
    left: u32,
    /// Until when they may be.
    until: Timestamp,
    /// How many the slice had.
    slice: u32,
    /// Tokens in the bucket, when it was last asked.
    in_bucket: u32,
    /// When the bucket is full again.
    reset_at: Timestamp,
    /// Until when there is certainly none in it.
    empty_until: Timestamp,
}

impl Lease {
    fn is_spendable(&self, now: Timestamp) -> bool {
        self.left > 0 && now < self.until
    }

    /// The next slice: twice as many if these were spent before their time, else half of what was
    /// spent. Whoever calls here once costs one token, not a slice.
    fn next_slice(&self, now: Timestamp, limit: u32) -> u32 {
        let next = if self.left == 0 && now < self.until {
            self.slice.saturating_mul(2)
        } else {
            self.slice.saturating_sub(self.left) / 2
        };
        next.clamp(1, (limit / LARGEST_SLICE).max(1))
    }

    fn shown(&self, limit: u32) -> RateLimit {
        RateLimit {
            limit,
            remaining: self.in_bucket.saturating_add(self.left).min(limit),
            reset: seconds_up(self.reset_at.millis()),
        }
    }

    fn refusal(&self, category: Category, limit: u32, now: Timestamp) -> Problem {
        let shown = RateLimit {
            remaining: 0,
            ..self.shown(limit)
        };
        let wait = self.empty_until.since(now);
        let wait = seconds_up(u64::try_from(wait.as_millis()).unwrap_or(u64::MAX)).max(1);
        Problem::new(Code::RateLimited)
            .with("category", category.as_str())
            .with("limit", shown.limit)
            .with("remaining", shown.remaining)
            .with("reset_at", Timestamp::from_secs(shown.reset).rfc3339())
            .with("retry_after_seconds", wait)
            .with_retry_after(Duration::from_secs(wait))
            .with_rate_limit(shown)
            .with_sw_code("SW_RATE_LIMIT_EXCEEDED")
    }
}

/// Whole seconds, rounded up: who waits that long has waited long enough.
const fn seconds_up(millis: u64) -> u64 {
    millis.div_ceil(1000)
}

/// The slices that an instance holds. It remembers the last two thousand buckets, and nobody gets at one
/// without being the same principal.
#[derive(Debug, Default)]
pub struct Limiter {
    held: Bounded<Key, Lease>,
    /// For whom a slice is on its way.
    taking: RefCell<HashSet<Key>>,
}

/// Who brings the next slice; over when it is dropped, also with a request that ends early.
struct Turn<'a> {
    taking: &'a RefCell<HashSet<Key>>,
    key: Key,
}

impl<'a> Turn<'a> {
    /// The turn, unless somebody has it.
    fn of(taking: &'a RefCell<HashSet<Key>>, key: Key) -> Option<Self> {
        let is_ours = taking.borrow_mut().insert(key);
        is_ours.then(|| Self { taking, key })
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.taking.borrow_mut().remove(&self.key);
    }
}

impl Limiter {
    /// Counts one request of `payer`: call it once for a request, whatever the request carries.
    /// What comes back goes into the answer's headers, whether it succeeds or not; `None` where
    /// nothing is limited. Guessing at [`Payer::DevDeploy`] always is.
    ///
    /// The database is asked when the instance's slice is spent or its time is over, and not again
    /// while it is known that there is no token.
    ///
    /// # Errors
    /// [`Code::RateLimited`]. [`Code::StoreUnavailable`] when the database does not answer and nothing
    /// is left of the slice: nobody knows then, so it is not allowed.
    pub async fn admit(
        &self,
        db: &impl Query,
        clock: &impl Clock,
        limits: &RateLimits,
        category: Category,
        payer: impl Into<Payer<'_>>,
    ) -> Result<Option<RateLimit>, Problem> {
        let payer = payer.into();
        let limit = match (limits.of(category), payer) {
            (Some(limit), _) => limit,
            (None, Payer::DevDeploy) => category.default_limit(),
            (None, Payer::Principal(_)) => return Ok(None),
        };
        let key = (digest(payer), category);
        let now = clock.now();
        let known = self.known(&key, now);
        let wanted = match known {
            Some(lease) if now < lease.empty_until => {
                return Err(lease.refusal(category, limit, now));
            }
            Some(mut lease) if lease.is_spendable(now) => {
                lease.left = lease.left.saturating_sub(1);
                self.held.put(key, now, lease);
                return Ok(Some(lease.shown(limit)));
            }
            Some(lease) => lease.next_slice(now, limit),
            None => 1,
        };
        let (digest, _) = key;
        let name = Name {
            principal: &base64url(&digest),
            category: category.as_str(),
        };
        let bucket = Bucket {
            capacity: limit,
            refill_per_minute: limit,
        };
        // One at a time brings a slice; who asks meanwhile takes what they need.
        let turn = Turn::of(&self.taking, key);
        let wanted = if turn.is_some() { wanted } else { 1 };
        let taken = rate_bucket::take(db, name, bucket, wanted, now)
            .await
            .map_err(failure::database)?;
        let (asked_at, now) = (now, clock.now());
        let before = self.known(&key, now);
        let (others, until) = before
            .filter(|lease| lease.is_spendable(now))
            .map_or((0, taken.lease_until), |lease| {
                (lease.left, lease.until.min(taken.lease_until))
            });
        let slice = match before {
            Some(lease) if turn.is_none() => lease.slice,
            _ => taken.granted.max(1),
        };
        let mut lease = Lease {
            left: taken.granted.saturating_add(others),
            until,
            slice,
            in_bucket: taken.remaining,
            reset_at: taken.reset_at,
            empty_until: Timestamp::default(),
        };
        let outcome = match lease.left.checked_sub(1) {
            Some(left) => {
                lease.left = left;
                Ok(Some(lease.shown(limit)))
            }
            None => {
                lease.empty_until = asked_at.plus(taken.retry_after);
                Err(lease.refusal(category, limit, now))
            }
        };
        self.held.put(key, now, lease);
        outcome
    }

    fn known(&self, key: &Key, now: Timestamp) -> Option<Lease> {
        self.held.get(key, now, LEASE.saturating_mul(2))
    }
}

/// Who pays, in one tenant. Identifiers hold no line feed, so no two lists of them are one text.
fn digest(payer: Payer<'_>) -> [u8; 32] {
    let (kind, issuer, id, tenant_id) = match payer {
        Payer::DevDeploy => ("dev_deploy", "", "", None),
        Payer::Principal(Principal::User(user) | Principal::Dev(user)) => (
            "user",
            user.issuer.as_str(),
            user.subject.as_str(),
            Some(&user.tenant_id),
        ),
        Payer::Principal(Principal::Service(service)) => (
            "service",
            service.issuer.as_str(),
            service.client_id.as_str(),
            service.tenant_id.as_ref(),
        ),
    };
    let tenant_id = tenant_id.map_or("", TenantId::as_str);
    sha256(format!("{kind}\n{issuer}\n{id}\n{tenant_id}"))
}
