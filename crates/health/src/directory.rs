//! The mirror of ScaiKey's directory, its webhook, and the tenants' keys: what the database knows.

use std::time::Duration;

use scaigate_directory::settings::DirectorySettings;
use scaigate_kv::directory::sync_run::{self, Run};
use scaigate_kv::overview::{self, Bootstrap, Overview};
use scaigate_problem::Code;
use scaigate_signin::Ports;
use scaigate_signin::settings::Deployment;
use scaigate_types::{Clock, Timestamp};
use serde_json::{Value, json};

use crate::check::Check;
use crate::finding::{Finding, Severity};
use crate::list::Name;
use crate::settings::Judged;
use crate::stores::step;

/// How long a due sync may wait for traffic.
const GRACE: Duration = Duration::from_secs(15 * 60);
/// Most warnings of a sync that are told.
const MAX_WARNINGS: usize = 20;
/// What a sync warned of and is looked at anew here.
const LOOKED_AT_ANEW: [&str; 5] = [
    "no_super_admin",
    "bootstrap_super_admin_ambiguous",
    "bootstrap_super_admin_waits",
    "bootstrap_super_admin_spent",
    "clock_skew",
];
/// Where ScaiKey is to send its events (`contract/scaikey.md` 4).
const WEBHOOK_PATH: &str = "/api/v1/webhooks/scaikey";

fn shown(at: Option<Timestamp>) -> Value {
    at.map(Timestamp::rfc3339).into()
}

/// The last sync, and who is super admin.
pub async fn directory(ports: &impl Ports, judged: &Judged, seen: &Overview) -> Check {
    let mut check = Check::new("directory");
    check.fact("super_admins", seen.super_admins);
    check.fact("people", seen.people);
    check.fact("tenants", seen.tenants);
    if judged.provider.is_some() {
        last_sync(ports, judged.directory.as_ref(), &mut check).await;
    }
    if let Some(settings) = &judged.directory {
        bootstrap(ports, settings, &mut check).await;
    }
    if seen.super_admins == 0 {
        check.find(Finding::new(Name::NoSuperAdmin));
    }
    check
}

async fn last_sync(ports: &impl Ports, settings: Option<&DirectorySettings>, check: &mut Check) {
    let now = ports.clock().now();
    let Ok((running, last)) = step(ports, sync_run::latest(ports.db(), now)).await else {
        return;
    };
    check.fact("sync_running", running.is_some());
    check.fact("last_sync", last.as_ref().map_or(Value::Null, run_json));
    match &last {
        None if running.is_none() => check.find(Finding::new(Name::NeverSynced)),
        None => {}
        Some(run) => of_run(run, check),
    }
    let Some(interval) = settings.and_then(|settings| settings.sync_interval) else {
        return;
    };
    let Ok(schedule) = step(ports, sync_run::schedule(ports.db(), now)).await else {
        return;
    };
    let due_at = schedule.due_at(Some(interval));
    check.fact("sync_due_at", due_at.rfc3339());
    if last.is_some() && !schedule.is_running && now > due_at.plus(GRACE) {
        let finding = Finding::new(Name::SyncOverdue).with("due_at", due_at.rfc3339());
        check.find(finding);
    }
}

fn report(run: &Run) -> Value {
    let report = run.report.as_deref().unwrap_or_default();
    serde_json::from_str(report).unwrap_or(Value::Null)
}

fn run_json(run: &Run) -> Value {
    let report = report(run);
    json!({
        "sync_id": run.sync_id,
        "started_at": run.started_at.rfc3339(),
        "finished_at": shown(run.finished_at),
        "outcome": run.outcome,
        "code": run.code,
        "users_method": report.get("users_method"),
        "users_seen": run.progress.users_seen,
        "groups_seen": run.progress.groups_seen,
    })
}

fn of_run(run: &Run, check: &mut Check) {
    let seen = |finding: Finding| {
        let finding = finding.with("sync_id", run.sync_id);
        finding.with("at", shown(run.finished_at.or(Some(run.started_at))))
    };
    match run.outcome.as_deref() {
        Some("failed") => {
            let code = run.code.as_deref().unwrap_or_default();
            let finding = Finding::of_failure(code, Severity::Error)
                .unwrap_or_else(|| Finding::of_code(Code::SyncIncomplete, Severity::Error));
            check.find(seen(finding));
        }
        Some("abandoned") => check.find(seen(Finding::new(Name::SyncAbandoned))),
        Some("skipped") => check.find(seen(Finding::new(Name::SyncSkipped))),
        _ => {
            for warning in warnings(&report(run)) {
                check.find(seen(warning));
            }
        }
    }
}

/// What an applied sync warned of. Our own words, kept in our own database.
fn warnings(report: &Value) -> Vec<Finding> {
    let list = report.get("warnings").and_then(Value::as_array);
    let text = |of: &Value, name: &str| of.get(name).and_then(Value::as_str).map(str::to_owned);
    let finding = |warning: &Value| {
        Some(Finding {
            code: text(warning, "code")?,
            severity: Severity::Warning,
            message: text(warning, "message")?,
            fix: text(warning, "fix")?,
            evidence: serde_json::Map::new(),
        })
    };
    let found = list.into_iter().flatten().filter_map(finding);
    found
        .filter(|finding| !LOOKED_AT_ANEW.contains(&finding.code.as_str()))
        .take(MAX_WARNINGS)
        .collect()
}

/// Why the person whom `bootstrap_super_admin` names is not super admin yet (S-26).
async fn bootstrap(ports: &impl Ports, settings: &DirectorySettings, check: &mut Check) {
    let Some(email) = &settings.bootstrap_super_admin else {
        return;
    };
    let Ok(state) = step(ports, overview::bootstrap(ports.db(), email)).await else {
        return;
    };
    let (reason, fix) = match state {
        Bootstrap::Elected => return,
        Bootstrap::Unknown => (
            "nobody here has that address",
            "Correct BOOTSTRAP_SUPER_ADMIN, or let that person sign in with POST /v1/auth/login; GET /v1/admin/users?why=<email> says more.",
        ),
        Bootstrap::Inactive => (
            "the person, their tenant or its partner is suspended",
            "Activate them in ScaiKey, then run `scaigate sync`; GET /v1/admin/users?why=<email> says which.",
        ),
        Bootstrap::Ambiguous => (
            "several people have that address, or had it",
            "scaigate admin grant <email> --tenant <tenant id> --role super_admin, for the one who is meant.",
        ),
        Bootstrap::Spent => (
            "it has made somebody super admin before, and does so once",
            "Remove BOOTSTRAP_SUPER_ADMIN, and use scaigate admin grant <email> --role super_admin.",
        ),
        Bootstrap::Waiting => (
            "the next sync or sign-in",
            "Run `scaigate sync`, or let that person sign in with POST /v1/auth/login: whichever is first.",
        ),
    };
    let finding = Finding::new(Name::BootstrapWaits).with("reason", reason);
    check.find(finding.with_fix(fix));
}

/// What arrived at the webhook (S-11).
pub fn webhook(deployment: Option<&Deployment>, seen: &Overview) -> Check {
    let mut check = Check::new("webhook");
    check.fact("last_received_at", shown(seen.webhook_received_at));
    check.fact("last_refused_at", shown(seen.webhook_refused_at));
    check.fact("refused_since", seen.webhook_refusals);
    let url = deployment.map(|deployment| deployment.public_url.join(WEBHOOK_PATH));
    check.fact("url", url.clone());
    let code = seen.webhook_refused_code.as_deref().unwrap_or_default();
    if seen.webhook_refusals > 0
        && let Some(refused) = Finding::of_failure(code, Severity::Warning)
    {
        let finding = refused
            .with("count", seen.webhook_refusals)
            .with("last_refused_at", shown(seen.webhook_refused_at))
            .with("last_received_at", shown(seen.webhook_received_at));
        check.find(finding);
    } else if seen.webhook_received_at.is_none() {
        check.find(Finding::new(Name::WebhookNeverReceived).with("url", url));
    }
    check
}

/// Tenants without a key for ScaiGrid (S-06). Only where the keys alone are used is that a lack.
pub fn credentials(judged: &Judged, seen: &Overview) -> Option<Check> {
    judged.scaigrid.as_ref()?;
    let mut check = Check::new("scaigrid_credentials");
    check.fact(
        "tenants_with_key",
        seen.tenants.saturating_sub(seen.tenants_without_key),
    );
    check.fact("tenants_without_key", seen.tenants_without_key);
    if seen.tenants_without_key > 0 {
        let severity = if judged.needs_tenant_keys {
            Severity::Warning
        } else {
            Severity::Info
        };
        check.find(
            Finding::of_code(Code::MissingCredentials, severity)
                .with("tenants", seen.some_without_key.clone())
                .with("count", seen.tenants_without_key)
                .with_fix("Let an administrator of the tenant set a key with POST /v1/tenants/me/scaigrid_credentials; with SCAIFLOW_DEPLOY_AUTH unset, people who signed in through ScaiKey need none."),
        );
    }
    Some(check)
}
