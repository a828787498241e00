//! `GET /v1/auth/config`: what a client needs to know before anybody has signed in.
//!
//! Reaches ScaiKey's discovery and the key-value store, nothing else.
#![cfg(target_family = "wasm")]

use std::cell::RefCell;

use bytes::Bytes;
use http::{HeaderValue, Method, header};
use scaigate_problem::Problem;
use scaigate_runtime::spin::{Component, SpinPorts, VariableValues, site_of, wire};
use scaigate_runtime::{Incoming, Site, answer};
use scaigate_signin::settings;
use scaigate_signin::{Deadline, Ports, config_document, scaikey};
use scaigate_types::{Clock, Timestamp};

/// How long an instance repeats its answer. Discovery itself is fresh for longer.
const REPEATED: std::time::Duration = std::time::Duration::from_secs(60);

const VARIABLES: &[&str] = &[
    "scaikey_base_url",
    "scaiflow_scaikey_client_id",
    "scaiflow_scaikey_client_secret",
    "scaikey_audience",
    "public_url",
    "app_url",
    "env",
    "scaiwave_auth_mode",
    "dangerous_allow_dev_auth",
];

/// The answer, which is the same for everybody, until it is made anew.
#[derive(Clone)]
struct Made {
    body: Bytes,
    site: Site,
    until: Timestamp,
}

thread_local! {
    static MADE: RefCell<Option<Made>> = const { RefCell::new(None) };
}

async fn make() -> Result<Made, Problem> {
    let ports = SpinPorts::default();
    let values = VariableValues::read(VARIABLES).await?;
    let variables = |name: &str| values.get(name);
    let deployment = settings::deployment(&variables);
    let configured = settings::scaikey(&variables);
    let metadata = match &configured {
        Ok(configured) => {
            scaikey::metadata(&ports, &configured.provider, Deadline::start(ports.clock())).await
        }
        // Not asked for, so not shown: `reason` says why.
        Err(faults) => Err(settings::problem(faults)),
    };
    let document = config_document::document(
        configured
            .as_ref()
            .map(|configured| &configured.provider)
            .map_err(Vec::as_slice),
        deployment.as_ref().map_err(Vec::as_slice),
        metadata.as_deref(),
    );
    let now = ports.clock().now();
    // A failure is shown, not repeated.
    let until = if metadata.is_ok() || configured.is_err() {
        now.plus(REPEATED)
    } else {
        now
    };
    let body = Bytes::from(document.to_string());
    let made = Made {
        body,
        site: deployment.as_ref().map(site_of).unwrap_or_default(),
        until,
    };
    MADE.set(Some(made.clone()));
    Ok(made)
}

async fn made() -> Result<Made, Problem> {
    let now = SpinPorts::default().clock().now();
    match MADE.with_borrow(Clone::clone) {
        Some(made) if made.until > now => Ok(made),
        _ => make().await,
    }
}

const COMPONENT: Component = Component::named("auth-config");

scaigate_runtime::service!(super::handle);

async fn handle(request: wire::Request) -> wire::Reply {
    let made = made().await;
    let site = made
        .as_ref()
        .map(|made| made.site.clone())
        .unwrap_or_default();
    let answer = async move |incoming: &Incoming| {
        incoming.require(&Method::GET, "GET")?;
        let mut answer = answer::json_text(made?.body);
        answer.headers_mut().insert(
            header::CACHE_CONTROL,
            HeaderValue::from_static("public, max-age=60"),
        );
        Ok(answer)
    };
    COMPONENT.respond(request, &site, answer).await
}
