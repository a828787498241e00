//! The settings, all of them, not those of one component (`product.md` section 2).
//!
//! The secrets are not among them, but for the one by which administrators are known: those who hold
//! the others are asked ([`crate::siblings`]).

use scaigate_directory::settings::{self as directory, DirectorySettings};
use scaigate_limits::{Category, RateLimits};
use scaigate_problem::Code;
use scaigate_proxy::settings as proxy;
use scaigate_signin::settings::{
    self as signin, AuthMode, Deployment, Environment, Fault, Provider, Variables,
};
use scaigate_types::{BaseUrl, Origin};
use serde_json::Value;

use crate::check::Check;
use crate::finding::{Finding, Severity};
use crate::list::Name;

/// The settings that are judged here.
pub const NAMES: [&str; 21] = [
    "scaikey_base_url",
    "scaiflow_scaikey_client_id",
    "scaikey_audience",
    "public_url",
    "app_url",
    "env",
    "scaiwave_auth_mode",
    "dangerous_allow_dev_auth",
    "session_secret",
    "session_ttl_seconds",
    "refresh_ttl_days",
    "password_grant_enabled",
    "bootstrap_super_admin",
    "scaiflow_super_admin_groups",
    "scaiflow_scaikey_application_id",
    "scaiflow_sync_interval_minutes",
    "scaigrid_base_url",
    "scaiflow_deploy_auth",
    "scaigrid_exchange_audience",
    "scaigrid_allowed_posts",
    "rate_limits",
];

/// What the settings say, as far as they can be read, and what is wrong with them.
pub struct Judged {
    /// What is wrong.
    pub check: Check,
    /// ScaiKey.
    pub provider: Option<Provider>,
    /// Where we are.
    pub deployment: Option<Deployment>,
    /// The directory.
    pub directory: Option<DirectorySettings>,
    /// ScaiGrid's origin.
    pub scaigrid: Option<BaseUrl>,
    /// Whether the tenants' keys alone are used at ScaiGrid.
    pub needs_tenant_keys: bool,
    /// Whether a password may be traded for a session.
    pub password_grant: bool,
    /// Whether requests can be served at all: where we are and with what sessions are signed.
    pub serves: bool,
}

/// A setting that is missing or wrong. Its value is never among the evidence.
pub(crate) fn of_fault(fault: &Fault) -> Finding {
    Finding::new(Name::SettingInvalid)
        .with("setting", fault.setting.to_uppercase())
        .with("problem", fault.problem)
        .with_fix(fault.fix)
}

/// ScaiKey is not set up: exactly what is missing (S-02).
pub(crate) fn not_configured(missing: &[&str]) -> Finding {
    let missing: Vec<Value> = missing
        .iter()
        .map(|name| name.to_uppercase().into())
        .collect();
    Finding::of_code(Code::OidcNotConfigured, Severity::Error)
        .with("missing", missing)
        .with_fix("Set the settings that `evidence.missing` names and restart; `scaigate scaikey-register` makes them.")
}

/// Judges the settings.
#[must_use]
pub fn judge(variables: &impl Variables) -> Judged {
    let mut check = Check::new("settings");
    let provider = provider(variables, &mut check);
    let (deployment, sessions) = (signin::deployment(variables), signin::sessions(variables));
    let serves = deployment.is_ok() && sessions.is_ok();
    check.fact(
        "session_ttl_seconds",
        sessions.as_ref().map_or(Value::Null, |sessions| {
            sessions.session_ttl.as_secs().into()
        }),
    );
    faults(&mut check, sessions.as_ref().err());
    let deployment = keep(&mut check, deployment);
    if let Some(deployment) = &deployment {
        modes(variables, deployment, &mut check);
    }
    let directory = keep(&mut check, directory::directory(variables));
    let (scaigrid, needs_tenant_keys) = grid(variables, &mut check);
    match keep(&mut check, RateLimits::parse(variables)) {
        Some(limits) if Category::ALL.iter().all(|one| limits.of(*one).is_none()) => {
            check.find(Finding::new(Name::RateLimitsOff));
        }
        _ => {}
    }
    bootstrap_form(variables, &mut check);
    let password_grant = variables.variable("password_grant_enabled").as_deref() == Some("true");
    if !password_grant {
        check.find(Finding::new(Name::PasswordGrantOff));
    }
    Judged {
        check,
        provider,
        deployment,
        directory,
        scaigrid,
        needs_tenant_keys,
        password_grant,
        serves,
    }
}

fn faults(check: &mut Check, faults: Option<&Vec<Fault>>) {
    for fault in faults.into_iter().flatten() {
        check.find(of_fault(fault));
    }
}

fn keep<T>(check: &mut Check, read: Result<T, Vec<Fault>>) -> Option<T> {
    faults(check, read.as_ref().err());
    read.ok()
}

fn provider(variables: &impl Variables, check: &mut Check) -> Option<Provider> {
    match signin::provider(variables) {
        Err(found) => {
            let is_missing = |fault: &&Fault| fault.problem == "missing";
            let missing: Vec<&str> = found
                .iter()
                .filter(is_missing)
                .map(|fault| fault.setting)
                .collect();
            if !missing.is_empty() {
                check.find(not_configured(&missing));
            }
            for fault in found.iter().filter(|fault| !is_missing(fault)) {
                check.find(of_fault(fault));
            }
            None
        }
        Ok(provider) => {
            let client_id = provider.client_id.as_str();
            // S-04: ScaiKey writes the client id.
            if !provider.audiences.iter().any(|one| one == client_id) {
                check.find(
                    Finding::of_code(Code::AudienceMismatch, Severity::Error)
                        .with("setting", "SCAIKEY_AUDIENCE")
                        .with("accepted", provider.audiences.clone())
                        .with("issued", client_id),
                );
            }
            Some(provider)
        }
    }
}

fn modes(variables: &impl Variables, deployment: &Deployment, check: &mut Check) {
    check.fact("scaiwave_auth_mode", deployment.auth_mode.as_str());
    let is_development = deployment.environment == Environment::Development;
    check.fact("env", if is_development { "dev" } else { "prod" });
    let anybody = deployment.auth_mode != AuthMode::Scaikey;
    if is_development || anybody {
        let is_public = deployment.public_url.is_https() && !deployment.public_url.is_loopback();
        let mut finding = Finding::new(Name::DevAuthEnabled)
            .with("env", if is_development { "dev" } else { "prod" })
            .with("scaiwave_auth_mode", deployment.auth_mode.as_str())
            .with("public_url", deployment.public_url.as_str());
        // On a public address only `dangerous_allow_dev_auth` lets it come this far (S-28).
        if is_public {
            finding.severity = Severity::Error;
        } else if !anybody && deployment.public_url.is_loopback() {
            finding.severity = Severity::Info;
        }
        check.find(finding);
    }
    if variables.variable("app_url").is_none() {
        check.find(Finding::new(Name::SettingAbsent).with("setting", "APP_URL"));
    }
}

fn grid(variables: &impl Variables, check: &mut Check) -> (Option<BaseUrl>, bool) {
    if variables.variable("scaigrid_base_url").is_none() {
        check.find(
            Finding::of_code(Code::ScaigridNotConfigured, Severity::Info)
                .with("setting", "SCAIGRID_BASE_URL"),
        );
        return (None, false);
    }
    match keep(check, proxy::grid(variables)) {
        Some(grid) => {
            let needs = variables.variable("scaiflow_deploy_auth").as_deref() == Some("api_key");
            (Some(grid.base_url), needs)
        }
        None => (None, false),
    }
}

/// `bootstrap_super_admin` without `user:` elects nobody, and nothing else would say so.
fn bootstrap_form(variables: &impl Variables, check: &mut Check) {
    let text = variables.variable("bootstrap_super_admin");
    if text.is_some_and(|text| !text.starts_with("user:") || !text.contains('@')) {
        check.find(of_fault(&Fault {
            setting: "bootstrap_super_admin",
            problem: "not user:<email>",
            fix: "Set BOOTSTRAP_SUPER_ADMIN to user: and an e-mail address, such as user:alice@acme.example, and restart.",
        }));
    }
}

/// Scheme and port taken off.
fn host_of(origin: &Origin) -> &str {
    let authority = authority(origin);
    match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => authority,
    }
}

fn authority(origin: &Origin) -> &str {
    let text = origin.as_str();
    text.split_once("://").map_or(text, |(_, rest)| rest)
}

/// The address in the caller's browser, ours and the apps' compared (S-01): `host` is the `Host` header.
#[must_use]
pub fn origins(deployment: &Deployment, host: Option<&str>) -> Vec<Finding> {
    let own = deployment.public_url.origin();
    let mut findings = Vec::new();
    // A sibling that asks for somebody came by no public address.
    if let Some(host) = host
        && !host.eq_ignore_ascii_case(authority(own))
        && !host.ends_with(".spin.internal")
    {
        let shown: String = host.chars().filter(|c| !c.is_control()).take(200).collect();
        findings.push(
            Finding::new(Name::OriginMismatch)
                .with("host", shown)
                .with("public_url", own.as_str())
                .with_fix("Call scaigate by its `public_url`, or change that; a proxy in front has to pass the Host header on unchanged."),
        );
    }
    let is_loopback =
        |host: &str| host == "localhost" || host.starts_with("127.") || host == "[::1]";
    let ours = host_of(own);
    for app in &deployment.apps {
        let theirs = host_of(app);
        if is_loopback(ours) && is_loopback(theirs) && ours != theirs {
            findings.push(
                Finding::new(Name::OriginMismatch)
                    .with("public_url", own.as_str())
                    .with("app_url", app.as_str())
                    .with_fix("Write the same host into `public_url` and `app_url`: localhost and 127.0.0.1 are two, and a cookie of one is not sent to the other."),
            );
        }
    }
    findings
}
