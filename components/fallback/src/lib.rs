//! Whatever no other component serves below `/v1`: 404 for what does not exist, 501 for what is
//! documented and not built yet. Reaches nothing.
#![cfg(target_family = "wasm")]

use scaigate_problem::{Code, Problem};
use scaigate_runtime::spin::{Reply, serve};
use scaigate_runtime::{Incoming, Site};
use spin_sdk::http::Request;
use spin_sdk::http_service;

/// Documented, not built yet. An entry goes when its component comes.
const NOT_BUILT: &[&str] = &["/v1/admin/tenant/flows", "/v1/tenants", "/v1/webhooks"];

fn is_below(path: &str, prefix: &str) -> bool {
    path.strip_prefix(prefix)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[http_service]
async fn handle(request: Request) -> Reply {
    serve(
        "fallback",
        request,
        &Site::default(),
        async |incoming: &Incoming| {
            let not_built = NOT_BUILT
                .iter()
                .any(|prefix| is_below(&incoming.path, prefix));
            Err(Problem::new(if not_built {
                Code::NotImplemented
            } else {
                Code::NotFound
            }))
        },
    )
    .await
}
