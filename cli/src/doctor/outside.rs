//! What a client sees, without any credential.

use std::time::{Duration, Instant};

use bytes::Bytes;
use http::header::{
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_REQUEST_METHOD, HeaderValue, ORIGIN,
};
use http::{Method, Response};
use scaigate_health::{Finding, Name, Severity};
use scaigate_problem::Code;
use scaigate_types::{BaseUrl, Origin};
use serde_json::Value;

use super::{Seen, finding};
use crate::api;
use crate::failure::Failure;
use crate::http_client::{HttpClient, json_request};
use crate::scaikey::ScaiKey;
use crate::settings::Settings;

/// How long an answer is waited for. The server's own limit is ten seconds.
const PATIENCE: Duration = Duration::from_secs(12);
/// An origin that nobody serves (RFC 2606).
const FOREIGN: &str = "https://doctor.invalid";
/// Most apps whose origin is tried.
const MAX_APPS: usize = 8;

const PLACE: &str = "outside";

#[expect(
    clippy::disallowed_methods,
    reason = "how long a server takes, seen from here"
)]
fn now() -> Instant {
    Instant::now()
}

struct Client<'a> {
    http: &'a HttpClient,
    base: &'a BaseUrl,
}

impl Client<'_> {
    fn get(&self, path: &str) -> Result<(Response<Bytes>, u64), Failure> {
        let request = json_request(Method::GET, &self.base.join(path), None, None)?;
        let began = now();
        let answer = self.http.send(&api::whom(self.base), request, PATIENCE)?;
        let took = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        if answer.status().is_success() {
            Ok((answer, took))
        } else {
            Err(Failure::answered(&api::whom(self.base), &answer))
        }
    }

    /// Asks for `path` and notes how it went; its JSON.
    fn look(&self, seen: &mut Seen, path: &str) -> Value {
        match self.get(path) {
            Ok((answer, took)) => {
                seen.latency_ms = Some(took);
                serde_json::from_slice(answer.body()).unwrap_or(Value::Null)
            }
            Err(failure) => {
                seen.findings.push(finding(&failure, Severity::Error));
                Value::Null
            }
        }
    }
}

/// Every check.
///
/// # Errors
/// A setting of the command can't be read.
pub fn checks(
    http: &HttpClient,
    settings: &Settings,
    base: &BaseUrl,
) -> Result<Vec<Seen>, Failure> {
    let client = Client { http, base };
    let mut reachable = Seen::new(PLACE, "reachable");
    reachable.fact("url", base.as_str());
    let alive = client.look(&mut reachable, "/v1/health");
    if reachable.findings.is_empty() && alive.get("status") != Some(&"alive".into()) {
        let failure = Failure::new(
            crate::exit::Exit::Failed,
            "unreadable_answer",
            format!("{} is not scaigate, or not this one.", api::whom(base)),
        )
        .with_fix("Check --url: it is the address of scaigate itself, without /v1.");
        reachable.findings.push(finding(&failure, Severity::Error));
    }
    let is_there = reachable.findings.is_empty();
    let mut seen = vec![reachable];
    if !is_there {
        return Ok(seen);
    }
    let mut ready = Seen::new(PLACE, "ready");
    client.look(&mut ready, "/v1/health/ready");
    seen.push(ready);
    let mut config = Seen::new(PLACE, "auth_config");
    let document = client.look(&mut config, "/v1/auth/config");
    of_config(&document, &mut config);
    seen.push(config);
    seen.push(address(&document, base));
    seen.push(cors(&client, settings)?);
    seen.extend(scaikey(http, settings, &document));
    Ok(seen)
}

/// What the document for clients says against itself (S-02, S-05, S-28).
fn of_config(document: &Value, seen: &mut Seen) {
    let text = |name: &str| document.get(name).and_then(Value::as_str);
    for name in ["auth_mode", "scaiwave_auth_mode", "client_id", "audience"] {
        seen.fact(name, text(name));
    }
    let list = |pointer: &str| {
        let list = document.pointer(pointer).and_then(Value::as_array);
        list.cloned().unwrap_or_default()
    };
    let member = |fault: &Value, name: &str| {
        let text = fault.get(name).and_then(Value::as_str);
        text.unwrap_or_default().to_owned()
    };
    let (missing, wrong): (Vec<Value>, Vec<Value>) = list("/reason/faults")
        .into_iter()
        .partition(|fault| member(fault, "problem") == "missing");
    if !missing.is_empty() {
        let names: Vec<Value> = missing
            .iter()
            .map(|fault| member(fault, "setting").into())
            .collect();
        seen.findings.push(
            Finding::of_code(Code::OidcNotConfigured, Severity::Error).with("missing", names),
        );
    }
    for fault in wrong.iter().chain(&list("/configuration/faults")) {
        seen.findings.push(
            Finding::new(Name::SettingInvalid)
                .with("setting", member(fault, "setting"))
                .with("problem", member(fault, "problem"))
                .with_fix(member(fault, "fix")),
        );
    }
    let discovery = document.pointer("/discovery/code").and_then(Value::as_str);
    if let Some(found) = discovery.and_then(|code| Finding::of_failure(code, Severity::Error)) {
        seen.findings.push(found);
    }
    if let Some(mode @ ("mock" | "hybrid")) = text("scaiwave_auth_mode") {
        let found = Finding::new(Name::DevAuthEnabled).with("scaiwave_auth_mode", mode);
        seen.findings.push(found);
    }
}

/// The address that we call by, and the one that the deployment takes for its own (S-01).
fn address(document: &Value, base: &BaseUrl) -> Seen {
    let mut seen = Seen::new(PLACE, "address");
    let redirect_uri = document.get("redirect_uri").and_then(Value::as_str);
    seen.fact("redirect_uri", redirect_uri);
    if let Some(own) = redirect_uri.and_then(|text| Origin::of(text).ok())
        && own != *base.origin()
    {
        seen.findings.push(
            Finding::new(Name::OriginMismatch)
                .with("url", base.origin().as_str())
                .with("public_url", own.as_str())
                .with_fix("Set `public_url` to the address that browsers use, or use that one; localhost and 127.0.0.1 are two."),
        );
    }
    seen
}

/// Whether the apps' pages may call, and nobody else's.
fn cors(client: &Client<'_>, settings: &Settings) -> Result<Seen, Failure> {
    let mut seen = Seen::new(PLACE, "cors");
    let apps = settings.get("APP_URL")?.unwrap_or_default();
    let apps: Vec<Origin> = apps
        .split(',')
        .filter_map(|app| Origin::of(app.trim()).ok())
        .take(MAX_APPS)
        .collect();
    for app in &apps {
        match allowed(client, app.as_str()) {
            Err(failure) => seen.findings.push(finding(&failure, Severity::Error)),
            Ok(true) => {}
            Ok(false) => seen.findings.push(
                Finding::of_code(Code::OriginNotAllowed, Severity::Error)
                    .with("origin", app.as_str())
                    .with_fix("Add the origin to `app_url` of the deployment and restart; if it is there, let nothing in front answer OPTIONS."),
            ),
        }
    }
    if let Ok(true) = allowed(client, FOREIGN) {
        seen.findings.push(Finding {
            code: "cors_open".to_owned(),
            severity: Severity::Error,
            message: "Pages of any origin may call: something in front adds headers of its own.".to_owned(),
            fix: "Take Access-Control-Allow-Origin out of the proxy in front: the origins of `app_url` are answered here.".to_owned(),
            evidence: serde_json::Map::new(),
        });
    }
    let apps: Vec<&str> = apps.iter().map(Origin::as_str).collect();
    seen.fact("apps", apps);
    Ok(seen)
}

fn allowed(client: &Client<'_>, origin: &str) -> Result<bool, Failure> {
    let address = client.base.join("/v1/auth/login");
    let mut request = json_request(Method::OPTIONS, &address, None, None)?;
    let value = |text: &str| {
        HeaderValue::from_str(text).map_err(|_| Failure::usage("An origin is not usable."))
    };
    let headers = request.headers_mut();
    headers.insert(ORIGIN, value(origin)?);
    headers.insert(
        ACCESS_CONTROL_REQUEST_METHOD,
        HeaderValue::from_static("POST"),
    );
    let answer = client
        .http
        .send(&api::whom(client.base), request, PATIENCE)?;
    let allowed = answer.headers().get(ACCESS_CONTROL_ALLOW_ORIGIN);
    Ok(allowed.is_some_and(|allowed| allowed == origin || allowed == "*"))
}

/// ScaiKey, as it is seen from here: browsers need it too.
fn scaikey(http: &HttpClient, settings: &Settings, document: &Value) -> Option<Seen> {
    let base = document.get("scaikey_base_url").and_then(Value::as_str)?;
    let mut seen = Seen::new(PLACE, "scaikey_discovery");
    seen.fact("scaikey_base_url", base);
    let began = now();
    let read = ScaiKey::of(http, settings, Some(base)).and_then(|scaikey| scaikey.metadata());
    match read {
        Ok(metadata) => {
            seen.fact("issuer", metadata.issuer.as_str());
            seen.latency_ms = u64::try_from(began.elapsed().as_millis()).ok();
        }
        // The deployment may reach what we do not.
        Err(failure) => {
            let mut found = finding(&failure, Severity::Warning);
            if matches!(found.code.as_str(), "no_connection" | "no_answer") {
                found.code = Code::ScaikeyUnreachable.as_str().to_owned();
            }
            seen.findings.push(found);
        }
    }
    Some(seen)
}
