//! Who the caller is: `GET /v1/me`, `/v1/me/workspaces` and `/v1/auth/whoami`.
//!
//! A session token is checked with one key-value read, which an instance remembers for two seconds;
//! only the list of workspaces reads the database.
#![cfg(target_family = "wasm")]

mod remembered;
mod view;

use std::rc::Rc;

use http::Method;
use scaigate_jose::SessionClaims;
use scaigate_kv::people;
use scaigate_kv::spin::{SpinDatabase, SpinKv};
use scaigate_problem::{Code, Problem};
use scaigate_runtime::spin::{Reply, SpinClock, serve};
use scaigate_runtime::{Answer, Incoming, Site, answer};
use scaigate_signin::authenticate;
use scaigate_signin::failure;
use scaigate_types::Clock;
use spin_sdk::http::Request;
use spin_sdk::http_service;

use remembered::{Remembered, Revocations};

async fn authenticated(
    remembered: &Remembered,
    incoming: &Incoming,
) -> Result<SessionClaims, Problem> {
    let token = authenticate::bearer(&incoming.headers)?;
    let public_url = remembered.deployment.public_url.as_str();
    let now = SpinClock.now();
    authenticate::session(
        &remembered.signer,
        public_url,
        &SpinKv,
        &Revocations,
        token,
        now,
    )
    .await
}

async fn respond(remembered: &Remembered, incoming: &Incoming) -> Result<Answer, Problem> {
    incoming.require(&Method::GET, "GET")?;
    let claims = authenticated(remembered, incoming).await?;
    match incoming.path.as_str() {
        "/v1/me" => Ok(answer::json(&view::me(&claims))),
        "/v1/auth/whoami" => Ok(answer::json(&view::whoami(&claims))),
        "/v1/me/workspaces" => {
            let workspaces =
                people::workspaces(&SpinDatabase, &claims.person_id, &claims.tenant_id)
                    .await
                    .map_err(failure::database)?;
            Ok(answer::json(&view::workspaces(&claims, &workspaces)))
        }
        _ => Err(Problem::new(Code::NotFound)),
    }
}

#[http_service]
async fn handle(request: Request) -> Reply {
    let remembered = remembered::get().await;
    let site = remembered
        .as_ref()
        .map_or_else(|_| Site::default(), |all| all.site.clone());
    serve(
        "session",
        request,
        &site,
        async move |incoming: &Incoming| {
            let remembered: Rc<Remembered> = remembered?;
            respond(&remembered, incoming).await
        },
    )
    .await
}
