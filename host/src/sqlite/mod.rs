//! SQLite databases: a connection, and `spin:sqlite@3.1.0` over it.

mod connection;
mod interface;

pub(crate) use interface::add_to_linker;
