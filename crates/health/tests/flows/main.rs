//! The checks over ports that fail at every step, and what each setting is judged to be.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that meets the unexpected should stop there"
)]

mod components;
mod directory;
mod failing;
mod report;
mod scaikey;
mod settings;
mod world;
