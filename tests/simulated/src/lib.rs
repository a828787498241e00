//! What the flows of every crate are tested over: time that a test moves, randomness that is the same each time, and a
//! plan of which call fails.

mod clock;
mod plan;
mod random;

pub use clock::{ManualClock, START};
pub use plan::Plan;
pub use random::Seeded;
