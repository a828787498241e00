//! Checks on the shape of the workspace itself; see `tests/`.
//!
//! `dependencies` holds the direction of dependencies, `grants` compares what
//! `spin.toml` allows each component with the table in `grants.toml`, `fixes` holds what a failure tells its reader to do
//! against what there is.

pub mod prose;
