//! The built command, against servers that say what a test makes them say, an emulated ScaiKey, and
//! databases with the schema that ships.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::expect_used,
    reason = "a test that meets the unexpected should stop there"
)]

mod bench;
mod database;
mod database_refused;
mod doctor;
mod documentation;
mod register;
mod register_refused;
mod roles;
mod service_tokens;
mod stub;
mod sync;
mod transport;
mod users;
mod webhooks;
