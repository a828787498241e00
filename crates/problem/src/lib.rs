//! The closed list of failures, and the one body they are answered with.
//!
//! Every failure that a caller can see is a [`Code`]: a stable name, a status, a sentence and the
//! fix. A [`Problem`] is one occurrence of it, and [`Problem::response`] is the answer that every
//! documented client can read (RFC 9457, with the members ScaiFlow, ScaiCrew, ScaiWave and
//! ScaiVault look at). `docs/errors.md` is generated from this list.

#![cfg_attr(
    test,
    expect(
        clippy::indexing_slicing,
        reason = "a test that meets the unexpected should stop there"
    )
)]

mod code;
mod problem;
mod rate_limit;
mod reference;

pub use code::{Code, Fault};
pub use problem::Problem;
pub use rate_limit::RateLimit;
pub use reference::markdown;
