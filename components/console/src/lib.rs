//! The console: the page at `/`, and below `/console` what it is made of and the backend it speaks to.
//!
//! Holds nothing but what seals its cookies; reaches the components it asks for the person who is signed
//! in, and nothing outside.
#![cfg(target_family = "wasm")]

mod failure;
mod files;
mod remembered;
mod routes;

use scaigate_runtime::spin::{Component, wire};
use scaigate_runtime::{Incoming, Site};

const COMPONENT: Component = Component::named("console");

scaigate_runtime::service!(super::handle);

async fn handle(request: wire::Request) -> wire::Reply {
    let remembered = remembered::get().await;
    // Only its own page may call: the apps of `app_url` have /v1.
    let site = remembered.as_ref().map_or_else(
        |_| Site::default(),
        |settings| Site::new([settings.public_url.origin().clone()]),
    );
    let answer = async move |incoming: &Incoming| routes::route(remembered, incoming).await;
    COMPONENT.respond(request, &site, answer).await
}
