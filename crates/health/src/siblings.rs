//! What other components of this deployment say: about the secrets that only they hold, and to a real
//! request.
//!
//! A component that holds a secret answers `GET /internal/settings` as it would answer a request that
//! needs the secret: with success, or with the failure that names what is wrong. No public route leads
//! there, and no secret leaves its component.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, Request, Response, Uri, header};
use scaigate_directory::settings::webhook_secrets;
use scaigate_problem::Code;
use scaigate_proxy::settings as proxy;
use scaigate_signin::Ports;
use scaigate_signin::authenticate::DEV_HEADERS;
use scaigate_signin::settings::{self as signin, Fault, Variables};
use scaigate_types::{Clock, Limits, Outbound};
use serde::Deserialize;
use serde_json::Value;

use crate::check::Check;
use crate::finding::{Finding, Severity};
use crate::list::Name;
use crate::settings::Judged;

/// Longer than a component may take for all its calls (nine seconds) nobody waits for it.
const LIMITS: Limits = Limits {
    timeout: Duration::from_millis(9_500),
    max_body: 262_144,
};
/// Most faults of one component that are told.
const MAX_FAULTS: usize = 32;

/// A setting that is missing or wrong, as a component tells it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct SettingState {
    /// Its name.
    pub setting: String,
    /// What is wrong.
    pub problem: String,
    /// What to do.
    pub fix: String,
}

async fn get(
    ports: &impl Ports,
    component: &str,
    target: &str,
    credential: Option<&HeaderMap>,
) -> Option<(Response<Bytes>, Duration)> {
    let mut request = Request::new(Bytes::new());
    let address = format!("http://{component}.spin.internal{target}");
    *request.uri_mut() = Uri::try_from(address).ok()?;
    if let Some(from) = credential {
        let dev = DEV_HEADERS.iter().map(|name| HeaderName::from_static(name));
        for name in dev.chain([header::AUTHORIZATION]) {
            if let Some(value) = from.get(&name) {
                request.headers_mut().insert(name, value.clone());
            }
        }
    }
    let began = ports.clock().now();
    let answer = ports.outbound().send(request, LIMITS).await.ok()?;
    Some((answer, ports.clock().now().since(began)))
}

fn body(answer: &Response<Bytes>) -> Value {
    serde_json::from_slice(answer.body()).unwrap_or(Value::Null)
}

fn unreachable(component: &str) -> Finding {
    Finding::new(Name::ComponentUnreachable).with("component", component)
}

fn faults(list: Option<&Value>) -> Vec<SettingState> {
    let list = list.and_then(Value::as_array);
    list.into_iter()
        .flatten()
        .take(MAX_FAULTS)
        .filter_map(|fault| serde_json::from_value(fault.clone()).ok())
        .collect()
}

/// What those who hold secrets say of them.
#[derive(Default)]
pub struct Held {
    /// Findings.
    pub findings: Vec<Finding>,
    /// Which of ScaiKey's three settings are missing.
    pub missing: Vec<String>,
}

impl Held {
    fn add(&mut self, fault: SettingState) {
        let setting = fault.setting.to_uppercase();
        // Those of ScaiKey's three that are missing are one finding.
        if fault.problem == "missing" && is_one_of_three(&setting) {
            if !self.missing.contains(&setting) {
                self.missing.push(setting);
            }
            return;
        }
        self.findings.push(
            Finding::new(Name::SettingInvalid)
                .with("setting", setting)
                .with("problem", fault.problem)
                .with_fix(fault.fix),
        );
    }
}

fn is_one_of_three(setting: &str) -> bool {
    matches!(
        setting,
        "SCAIKEY_BASE_URL" | "SCAIFLOW_SCAIKEY_CLIENT_ID" | "SCAIFLOW_SCAIKEY_CLIENT_SECRET"
    )
}

/// Asks for the client's secret, the webhook's, and what seals the tenants' keys where ScaiGrid is set up.
pub async fn held(ports: &impl Ports, has_scaigrid: bool) -> Held {
    let mut held = Held::default();
    match get(ports, "auth-config", "/v1/auth/config", None).await {
        Some((answer, _)) if answer.status().is_success() => {
            for fault in faults(body(&answer).pointer("/reason/faults")) {
                held.add(fault);
            }
        }
        Some((answer, _)) => refused(&answer, "auth-config", &mut held),
        None => held.findings.push(unreachable("auth-config")),
    }
    let tenants = has_scaigrid.then_some("tenants");
    for component in ["webhook"].into_iter().chain(tenants) {
        match get(ports, component, "/internal/settings", None).await {
            Some((answer, _)) if answer.status().is_success() => {}
            Some((answer, _)) => refused(&answer, component, &mut held),
            None => held.findings.push(unreachable(component)),
        }
    }
    held
}

/// The same, where the secrets themselves are at hand.
pub fn held_here(variables: &impl Variables, judged: &Judged) -> Held {
    let mut held = Held::default();
    let mut add = |faults: Vec<Fault>| {
        for fault in faults {
            held.add(SettingState {
                setting: fault.setting.to_owned(),
                problem: fault.problem.to_owned(),
                fix: fault.fix.to_owned(),
            });
        }
    };
    add(signin::scaikey(variables).err().unwrap_or_default());
    if judged.scaigrid.is_some() {
        add(proxy::tenant_keys(variables).err().unwrap_or_default());
    }
    match webhook_secrets(variables) {
        Ok(Some(_)) => {}
        Ok(None) => held.findings.push(Finding::of_code(
            Code::WebhookNotConfigured,
            Severity::Warning,
        )),
        Err(faults) => add(faults),
    }
    held
}

/// A component that can't serve says why in the one documented body.
fn refused(answer: &Response<Bytes>, component: &str, held: &mut Held) {
    let body = body(answer);
    let code = body.pointer("/error/code").and_then(Value::as_str);
    let told = match code {
        Some("configuration_invalid" | "oidc_not_configured") => {
            faults(body.pointer("/error/details/faults"))
        }
        _ => Vec::new(),
    };
    // A failure that names no setting is told as such: one that nobody tells looks like none.
    if told.is_empty() {
        let finding = code.and_then(|code| Finding::of_failure(code, Severity::Warning));
        let finding = finding.unwrap_or_else(|| unreachable(component));
        held.findings.push(finding);
    }
    for fault in told {
        held.add(fault);
    }
}

/// A real request, with the caller's own credential: who they are (S-23).
pub async fn whoami(ports: &impl Ports, credential: &HeaderMap) -> Check {
    request(ports, "request", "session", "/v1/auth/whoami", credential).await
}

/// A real request through to ScaiGrid, with the caller's own credential.
pub async fn models(ports: &impl Ports, credential: &HeaderMap) -> Check {
    let target = "/v1/scaigrid/models?limit=1";
    request(ports, "request_scaigrid", "proxies", target, credential).await
}

async fn request(
    ports: &impl Ports,
    name: &'static str,
    component: &str,
    target: &str,
    credential: &HeaderMap,
) -> Check {
    let mut check = Check::new(name);
    check.fact("path", target);
    let Some((answer, took)) = get(ports, component, target, Some(credential)).await else {
        check.find(unreachable(component));
        return check;
    };
    let status = answer.status().as_u16();
    check.fact("status", status);
    if !answer.status().is_success() {
        check.find(failed(&answer, target));
    }
    check.took(took);
    check
}

fn failed(answer: &Response<Bytes>, path: &str) -> Finding {
    let status = answer.status().as_u16();
    let body = body(answer);
    let text = |pointer: &str| body.pointer(pointer).and_then(Value::as_str);
    let code = text("/error/code").unwrap_or_default();
    // What the caller may not, or has no key for, is no fault of the deployment.
    let severity = match status {
        403 => Severity::Info,
        412 | 429 => Severity::Warning,
        _ => Severity::Error,
    };
    let mut finding = match Finding::of_failure(code, severity) {
        Some(finding) if code != Code::Internal.as_str() => finding,
        _ => Finding::new(Name::RequestFailed),
    };
    if let Some(fix) = text("/error/fix") {
        finding = finding.with_fix(fix);
    }
    finding
        .with("path", path)
        .with("status", status)
        .with("request_id", text("/error/request_id"))
}
