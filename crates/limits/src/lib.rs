//! How many requests of a kind somebody may make: token buckets per principal and category
//! (`product.md` section 7), in the database for all instances, in slices in each.
//!
//! **What is promised.** In any stretch of time nobody gets more than the limit at once and the limit
//! a minute, however many instances there are. What may be missing: a token of a slice that is not
//! spent within its ten seconds is lost, so at most one slice per instance (a tenth of what the bucket
//! held) each ten seconds. Slices begin with one token and double as they are spent: an instance
//! that sees somebody once loses none, and near the limit a slice is one token.
//!
//! **What it costs.** A statement for each slice; none for what is spent from it, and none for what
//! is refused while it is known that the bucket is empty.
//!
//! **When the database is down**, a slice is spent to its end; then the answer is 503.
//!
//! A component keeps the outcome of [`RateLimits::parse`] with its settings (and is granted the variable
//! `rate_limits`). Then one line, once for each request, as soon as it is known who calls and before any
//! work. The answer, whatever it is, says how far the caller is from the limit:
//!
//! ```text
//! scaigate_runtime::spin::admit(ports, incoming, &remembered.limits, Category::Lookup, &principal).await?;
//! ```
//!
//! `session` has no category: its path is one key-value read, and an instance that answers one request
//! would ask the database for it.

#![cfg_attr(
    test,
    expect(
        clippy::indexing_slicing,
        reason = "a test that meets the unexpected should stop there"
    )
)]

mod category;
mod limiter;
mod settings;

pub use category::Category;
pub use limiter::{Limiter, Payer};
pub use scaigate_problem::RateLimit;
pub use settings::RateLimits;
