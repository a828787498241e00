//! The buckets of the rate limits.

use super::Migration;

/// `tokens` are counted in sixty-thousandths, so that a refill per minute is a whole number each
/// millisecond. `granted` is what the last who asked got: a statement can't answer with anything that
/// is not a column. `leased`, until `leased_until`, may still be spent by whoever holds it.
pub(super) const RATE_BUCKET: Migration = &[
    "CREATE TABLE rate_bucket (
        principal TEXT NOT NULL,
        category TEXT NOT NULL,
        tokens INTEGER NOT NULL,
        updated_at INTEGER NOT NULL,
        granted INTEGER NOT NULL,
        leased INTEGER NOT NULL,
        leased_until INTEGER NOT NULL,
        full_at INTEGER NOT NULL,
        PRIMARY KEY (principal, category)
    ) STRICT, WITHOUT ROWID",
    "CREATE INDEX rate_bucket_full ON rate_bucket (full_at)",
];
