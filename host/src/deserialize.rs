//! Loads code this runner compiled earlier.

use std::path::Path;

use wasmtime::Engine;
use wasmtime::component::Component;

/// Loads compiled code from `path`.
///
/// The caller vouches for the file: it lies in a directory only its owner can
/// write to, and this runner wrote it (see `code_cache`).
///
/// # Errors
///
/// The file is missing, or was made by another version or configuration.
pub(crate) fn component(engine: &Engine, path: &Path) -> wasmtime::Result<Component> {
    // SAFETY: the code is trusted as the caller vouches for the file. The engine
    // checks its own version and configuration in the header.
    unsafe { Component::deserialize_file(engine, path) }
}
