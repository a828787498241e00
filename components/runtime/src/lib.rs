//! What every component does around its own work. Besides `kv`, the only place that names Spin.
//!
//! The parts without Spin in them are tested on the host; the rest is in `spin` (wasm only).

#![cfg_attr(
    test,
    expect(
        clippy::unwrap_used,
        reason = "a test that meets the unexpected should stop there"
    )
)]

pub mod answer;
pub mod cookie;
pub mod fields;
pub mod incoming;
pub mod path;
pub mod request_id;
mod site;
#[cfg(target_family = "wasm")]
pub mod spin;

pub use answer::Answer;
pub use fields::Fields;
pub use incoming::Incoming;
pub use site::Site;
