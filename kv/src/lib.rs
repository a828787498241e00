//! The state of scaigate: every key, every record and every SQL statement is in this crate.
//!
//! Each module is one subject and offers functions over the ports [`Database`] and [`Kv`]. What
//! must happen once happens in one statement. The Spin stores are in `spin` (wasm only), stores
//! in memory for tests in `memory`, stores in files for the operator's command in `file`, and
//! `contract` is the suite they all have to pass.
//!
//! [`Database`]: scaigate_types::Database
//! [`Kv`]: scaigate_types::Kv

pub mod audit;
pub mod catalog;
#[cfg(feature = "contract")]
pub mod contract;
pub mod dev_headers;
pub mod directory;
pub mod document;
pub mod exchanged_token;
#[cfg(all(feature = "file", not(target_family = "wasm")))]
pub mod file;
pub mod flow;
pub mod key_search;
pub mod keys;
pub mod logout_token;
#[cfg(all(feature = "memory", not(target_family = "wasm")))]
pub mod memory;
pub mod overview;
pub mod pending_login;
pub mod people;
pub mod probe;
pub mod purge;
pub mod rate_bucket;
pub mod redeemed_code;
pub mod revocation;
pub mod schema;
pub mod session;
#[cfg(target_family = "wasm")]
pub mod spin;
pub mod tenant_credential;
pub mod upstream_refresh;
