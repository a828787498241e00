//! Everything that needs no fault and no clock: runs on the embedded runner and on `spin`.
#[path = "portable/api_pages.rs"]
mod api_pages;
#[path = "portable/callers.rs"]
mod callers;
#[path = "portable/code_post.rs"]
mod code_post;
#[path = "portable/config_document.rs"]
mod config_document;
#[path = "portable/readme.rs"]
mod readme;
#[path = "portable/sessions.rs"]
mod sessions;
#[path = "portable/surface.rs"]
mod surface;
#[path = "portable/ways_in.rs"]
mod ways_in;
