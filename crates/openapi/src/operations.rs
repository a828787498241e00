//! Every operation there is. A route without one fails a test; see `CONTRIBUTING.md`.

mod audit;
mod directory;
mod flows;
mod health;
mod pages;
mod scaigrid;
mod session;
mod sign_in;

use std::sync::LazyLock;

use crate::Operation;

pub(crate) use directory::{admin_role, nullable_role};
pub(crate) use sign_in::workspace_role;

static ALL: LazyLock<Vec<Operation>> = LazyLock::new(|| {
    [
        sign_in::operations(),
        session::operations(),
        directory::operations(),
        audit::operations(),
        health::operations(),
        flows::operations(),
        scaigrid::operations(),
        pages::operations(),
    ]
    .concat()
});

/// All of them, in the order of the document.
#[must_use]
pub fn operations() -> &'static [Operation] {
    &ALL
}

/// The operations of an address, those of the one that fits most exactly: a path as it is sent, also
/// with `/api` in front.
#[must_use]
pub fn described(path: &str) -> Vec<&'static Operation> {
    let (path, is_api) = match path.strip_prefix("/api") {
        Some(rest) if rest.starts_with("/v1") => (rest, true),
        _ => (path, false),
    };
    let fits: Vec<_> = operations()
        .iter()
        .filter(|operation| operation.has(path) && !(is_api && operation.is_page))
        .collect();
    let Some(best) = fits.iter().max_by_key(|operation| operation.exactness()) else {
        return Vec::new();
    };
    let best = best.path;
    fits.into_iter()
        .filter(|operation| operation.path == best)
        .collect()
}

/// The operation of a request.
#[must_use]
pub fn find(method: &str, path: &str) -> Option<&'static Operation> {
    described(path)
        .into_iter()
        .find(|operation| operation.method == method)
}
