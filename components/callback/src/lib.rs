//! Signing in, staying signed in and signing out: `/v1/auth/login`, `callback`, `exchange`,
//! `token`, `refresh` and `logout`.
#![cfg(target_family = "wasm")]

mod browser;
mod remembered;
mod routes;

use http::Method;
use scaigate_problem::{Code, Problem};
use scaigate_runtime::spin::{Component, SpinPorts, notice_due_sync, wire};
use scaigate_runtime::{Answer, Incoming};

use remembered::Remembered;

const COMPONENT: Component = Component::named("callback");

scaigate_runtime::service!(super::handle);

async fn respond(remembered: &Remembered, incoming: &Incoming) -> Result<Answer, Problem> {
    let ports = SpinPorts::of(incoming);
    let call = routes::Call {
        ports: &ports,
        remembered,
        incoming,
    };
    let is_get = incoming.method == Method::GET;
    match incoming.path.as_str() {
        "/v1/auth/login" if is_get => call.get_login().await,
        "/v1/auth/login" => {
            incoming.require(&Method::POST, "GET, POST")?;
            call.post_login().await
        }
        "/v1/auth/callback" => {
            incoming.require(&Method::GET, "GET")?;
            call.callback().await
        }
        path => {
            incoming.require(&Method::POST, "POST")?;
            match path {
                "/v1/auth/exchange" => call.exchange().await,
                "/v1/auth/token" => call.token().await,
                "/v1/auth/refresh" => call.refresh().await,
                "/v1/auth/logout" => call.logout().await,
                _ => Err(Problem::new(Code::NotFound)),
            }
        }
    }
}

async fn handle(request: wire::Request) -> wire::Reply {
    let remembered = remembered::get().await;
    let notices = remembered
        .as_ref()
        .is_ok_and(|remembered| remembered.notices_due_sync);
    let reply = COMPONENT.respond_with(request, remembered, respond).await;
    if notices {
        notice_due_sync();
    }
    reply
}
