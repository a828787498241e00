//! Token buckets: how many requests somebody may still make, of all instances together.
//!
//! An instance takes a slice and spends it by itself. Whatever was granted and not spent is lost when
//! its lease ends; what was granted beyond one token keeps the bucket from filling up behind it until
//! then. So at every moment the tokens in the bucket and those out on lease are at most its capacity,
//! and nobody gets more than capacity and refill in any stretch of time, however many instances
//! there are.

use std::time::Duration;

use scaigate_types::{Query, Row, StoreError, Timestamp};

/// The longest that a slice may be spent after it was taken.
pub const LEASE: Duration = Duration::from_secs(10);

/// How far the clocks of instances may differ. A bucket from further ahead is from before the clock
/// was set back.
const SKEW: Duration = Duration::from_secs(60);

/// Parts of a token: those of one per minute come one each millisecond.
const PARTS: u64 = 60_000;

/// Whose bucket, and for what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Name<'a> {
    /// A digest of whoever calls.
    pub principal: &'a str,
    /// The kind of request.
    pub category: &'a str,
}

/// The size of a bucket. One that nobody has taken from is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bucket {
    /// The most tokens it holds, at least 1.
    pub capacity: u32,
    /// The tokens that come back in a minute, at least 1.
    pub refill_per_minute: u32,
}

/// What somebody who asked for tokens got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taken {
    /// Tokens to spend, the first at once. 0: the bucket is empty.
    pub granted: u32,
    /// When those that are not spent are lost.
    pub lease_until: Timestamp,
    /// Whole tokens left in the bucket.
    pub remaining: u32,
    /// When the bucket is full again, if nobody takes any.
    pub reset_at: Timestamp,
    /// When there is a token again: zero while there is one.
    pub retry_after: Duration,
}

// In the order of the work: the row as it is, or a full bucket; what has come back since; how much of
// it is given. `at` never runs backwards, or two instances whose clocks differ would fill the bucket
// with the difference again and again.
const TAKE: &str = "
    WITH old AS (
        SELECT coalesce(b.tokens, ?4 * 60000) AS tokens,
               CASE WHEN b.updated_at IS NULL OR b.updated_at > ?3 + ?9 THEN ?3
                    ELSE max(b.updated_at, ?3) END AS at,
               CASE WHEN b.updated_at IS NULL OR b.updated_at > ?3 THEN 0
                    ELSE min(?3 - b.updated_at, ?7) END AS elapsed,
               CASE WHEN b.leased_until > ?3 AND b.leased_until <= ?3 + ?9
                    THEN b.leased ELSE 0 END AS leased,
               CASE WHEN b.leased_until > ?3 AND b.leased_until <= ?3 + ?9
                    THEN b.leased_until ELSE ?3 + ?8 END AS leased_until
          FROM (SELECT 1) LEFT JOIN rate_bucket b ON b.principal = ?1 AND b.category = ?2),
    filled AS (
        SELECT max(min(tokens, ?4 * 60000), min(tokens + elapsed * ?5, (?4 - leased) * 60000)) AS tokens,
               at, leased, leased_until
          FROM old),
    given AS (
        SELECT tokens, at, leased, leased_until,
               CASE WHEN tokens < 60000 THEN 0
                    ELSE max(1, min(?6, tokens / 600000, 1 + ?4 / 2 - leased)) END AS granted
          FROM filled),
    new AS (
        SELECT tokens - granted * 60000 AS tokens, at, granted,
               leased + max(granted - 1, 0) AS leased, leased_until
          FROM given)
    INSERT INTO rate_bucket
        (principal, category, tokens, updated_at, granted, leased, leased_until, full_at)
    SELECT ?1, ?2, tokens, at, granted, leased, leased_until,
           max(at + (?4 * 60000 - tokens + ?5 - 1) / ?5, CASE WHEN leased > 0 THEN leased_until ELSE 0 END)
      FROM new WHERE true
    ON CONFLICT (principal, category) DO UPDATE SET
        tokens = excluded.tokens, updated_at = excluded.updated_at, granted = excluded.granted,
        leased = excluded.leased, leased_until = excluded.leased_until, full_at = excluded.full_at
      WHERE excluded.granted > 0 OR excluded.updated_at < rate_bucket.updated_at
    RETURNING granted, leased_until, tokens, updated_at, full_at";

const READ: &str = "
    SELECT 0, leased_until, tokens, updated_at, full_at
      FROM rate_bucket WHERE principal = ?1 AND category = ?2";

/// Takes up to `wanted` tokens, in one statement: at least one if there is one, at most a tenth of what
/// is there, and of several takers within a lease no more than half of the capacity to keep. An empty
/// bucket is not written, but for a clock that was set back: whoever is refused costs no transaction, and
/// reads when to come back.
///
/// A clock that goes back neither makes nor takes tokens; they come back from the later time on, or
/// from `now` on when that is more than a minute away.
///
/// # Errors
/// [`StoreError`] when the store does not answer. Nothing is granted then.
pub async fn take(
    db: &impl Query,
    name: Name<'_>,
    bucket: Bucket,
    wanted: u32,
    now: Timestamp,
) -> Result<Taken, StoreError> {
    let capacity = u64::from(bucket.capacity.max(1));
    let refill = u64::from(bucket.refill_per_minute.max(1));
    let fills_in = Duration::from_millis((capacity * PARTS).div_ceil(refill));
    let rows = db
        .query(
            TAKE,
            &[
                name.principal.into(),
                name.category.into(),
                now.into(),
                sql(capacity).into(),
                sql(refill).into(),
                i64::from(wanted.max(1)).into(),
                millis(fills_in).into(),
                millis(LEASE).into(),
                millis(SKEW).into(),
            ],
        )
        .await?;
    if let Some(row) = rows.first() {
        return taken(row, refill, now);
    }
    let rows = db
        .query(READ, &[name.principal.into(), name.category.into()])
        .await?;
    match rows.first() {
        Some(row) => taken(row, refill, now),
        // Forgotten meanwhile: it is full.
        None => Ok(Taken {
            granted: 0,
            lease_until: now,
            remaining: 0,
            reset_at: now,
            retry_after: Duration::ZERO,
        }),
    }
}

fn taken(row: &Row, refill: u64, now: Timestamp) -> Result<Taken, StoreError> {
    let number = |column| u64::try_from(row.integer(column)?).map_err(|_| StoreError::Corrupt);
    let count = |number: u64| u32::try_from(number).map_err(|_| StoreError::Corrupt);
    let tokens = number(2)?;
    let missing = PARTS.saturating_sub(tokens).div_ceil(refill);
    let next = row.time(3)?.plus(Duration::from_millis(missing));
    Ok(Taken {
        granted: count(number(0)?)?,
        lease_until: row.time(1)?,
        remaining: count(tokens / PARTS)?,
        reset_at: row.time(4)?,
        retry_after: if missing == 0 {
            Duration::ZERO
        } else {
            next.since(now)
        },
    })
}

fn sql(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// Forgets buckets that have long been full, at most `limit`: one that is not there is full.
///
/// # Errors
/// [`StoreError`] when the store does not answer.
pub async fn purge(db: &impl Query, now: Timestamp, limit: i64) -> Result<(), StoreError> {
    db.query(
        "DELETE FROM rate_bucket WHERE (principal, category) IN
           (SELECT principal, category FROM rate_bucket WHERE full_at < ?1 LIMIT ?2)",
        &[now.minus(SKEW).into(), limit.into()],
    )
    .await
    .map(drop)
}
