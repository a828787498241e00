//! Key-value stores: the store itself, and `spin:key-value@3.0.0` over it.

mod interface;
mod store;

pub(crate) use interface::add_to_linker;
pub(crate) use store::KeyValue;
