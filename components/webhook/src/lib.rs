//! `POST /v1/webhooks/scaikey`: what ScaiKey tells of its directory.
//!
//! Reaches no host but the component that syncs, and of the settings only what it takes to check a
//! delivery and to elect super admins.
#![cfg(target_family = "wasm")]

mod refusals;
mod remembered;

use http::{Method, StatusCode};
use scaigate_directory::receive::{self, Context};
use scaigate_directory::webhook::MAX_BODY;
use scaigate_problem::{Code, Problem};
use scaigate_runtime::spin::{
    Component, SpinPorts, after_answer, ask_for_sync, notice_due_sync, wire,
};
use scaigate_runtime::{Answer, Incoming, Site, answer};
use serde_json::json;

use remembered::Remembered;

const COMPONENT: Component = Component::named("webhook").with_bodies_up_to(MAX_BODY);

/// Where the component that judges the deployment asks for the secret. No public route leads there.
const SETTINGS: &str = "/internal/settings";

/// Whether deliveries can be trusted: the settings have been read, and there is a secret.
fn settings(remembered: &Remembered) -> Result<Answer, Problem> {
    match remembered.secrets {
        Some(_) => Ok(answer::empty(StatusCode::NO_CONTENT)),
        None => Err(Problem::new(Code::WebhookNotConfigured)),
    }
}

async fn respond(
    remembered: &Remembered,
    ports: &SpinPorts,
    incoming: &Incoming,
) -> Result<Answer, Problem> {
    if incoming.path != "/v1/webhooks/scaikey" {
        return Err(Problem::new(Code::NotFound));
    }
    incoming.require(&Method::POST, "POST")?;
    let context = Context {
        secrets: remembered.secrets.as_ref(),
        issuer: &remembered.issuer,
        settings: &remembered.directory,
    };
    let received = receive::receive(ports, context, &incoming.headers, &incoming.body).await?;
    if received.wants_sync {
        // It is noted as due already: whoever notices makes up for what is cut short here.
        after_answer(ask_for_sync());
    }
    let mut body = json!({ "handled": received.is_handled });
    if received.is_duplicate
        && let Some(members) = body.as_object_mut()
    {
        members.insert("duplicate".to_owned(), true.into());
    }
    Ok(answer::json(&body))
}

async fn answer(remembered: &Remembered, incoming: &Incoming) -> Result<Answer, Problem> {
    if incoming.path == SETTINGS {
        return settings(remembered);
    }
    let ports = SpinPorts::of(incoming);
    let outcome = respond(remembered, &ports, incoming).await;
    if let Err(problem) = &outcome {
        refusals::note(&ports, problem).await;
    }
    outcome
}

scaigate_runtime::service!(super::handle);

async fn handle(request: wire::Request) -> wire::Reply {
    let remembered = remembered::get().await;
    let notices = remembered
        .as_ref()
        .is_ok_and(|remembered| remembered.notices_due_sync);
    // No page calls here.
    let site = Site::default();
    let answer = async move |incoming: &Incoming| answer(&*remembered?, incoming).await;
    let reply = COMPONENT.respond(request, &site, answer).await;
    if notices {
        notice_due_sync();
    }
    reply
}
