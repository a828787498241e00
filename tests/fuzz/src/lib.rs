//! What must hold for every parser of foreign bytes, whatever the bytes.
//!
//! A target takes bytes, hands them to the parsers of one room, and panics when something comes out
//! that must not: a target never fails on what a parser refuses. The same functions run under libFuzzer
//! (`fuzz/`), in the tests over the corpus and mutations of it, and inside WebAssembly, where the
//! parsers run when they ship.

mod browser;
mod fixed;
mod flow;
mod grid;
mod jose;
mod lines;
mod mutate;
mod scaikey;
mod webhook;

pub use browser::{cookies, request, return_to};
pub use flow::{flow_content, flow_manifest};
pub use grid::{grid_answer, proxy_headers, proxy_path};
pub use jose::{claims, jwks, jwt, token_kinds};
pub use mutate::mutations;
pub use scaikey::{callback, directory_page, discovery, form, token_response};
pub use webhook::{webhook_event, webhook_signature};

/// Takes any bytes; panics when a parser gives what it must not.
pub type Target = fn(&[u8]);

/// Every target by its name, which is also that of its folder in `fuzz/corpus`. One more, the
/// runner's manifest, has no business inside WebAssembly: see the tests.
pub const TARGETS: &[(&str, Target)] = &[
    ("callback", callback),
    ("claims", claims),
    ("cookies", cookies),
    ("directory_page", directory_page),
    ("discovery", discovery),
    ("flow_content", flow_content),
    ("flow_manifest", flow_manifest),
    ("form", form),
    ("grid_answer", grid_answer),
    ("jwks", jwks),
    ("jwt", jwt),
    ("proxy_headers", proxy_headers),
    ("proxy_path", proxy_path),
    ("request", request),
    ("return_to", return_to),
    ("token_response", token_response),
    ("webhook_event", webhook_event),
    ("webhook_signature", webhook_signature),
];
