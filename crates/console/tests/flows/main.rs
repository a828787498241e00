//! The flows of the console, over ports that a test holds.

#![expect(
    clippy::unwrap_used,
    reason = "a test that meets the unexpected should stop there"
)]

mod every_port_failing;
mod world;
