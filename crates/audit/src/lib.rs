//! The audit log as a chain that shows whether somebody changed it.
//!
//! Rows are appended by triggers, in the transaction of what they tell (`kv`). Sealing ([`seal()`]) gives
//! each the hash of the row before it and of itself, and confirms the newest hash with a key that the
//! database does not hold. So whoever has the database alone can change, remove or insert nothing in what
//! is sealed that [`Verifier`] does not find; whoever has the key too is found by a hash that was written
//! down elsewhere.

mod chain;
mod refusals;
mod seal;
mod shown;
mod verify;

pub use chain::{hash, tag_holds};
pub use refusals::{Refusals, route};
pub use seal::{KEPT, seal};
pub use shown::Shown;
pub use verify::{Anchor, Finding, Report, Verifier};
