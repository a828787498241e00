//! Why somebody is not where they should be (S-12, S-13): what the mirror knows, with the fix.

use scaigate_kv::directory::{self, why};
use scaigate_problem::Problem;
use scaigate_signin::{Ports, failure};
use scaigate_types::Timestamp;
use serde::Serialize;

use crate::settings::DirectorySettings;

/// One thing that was found out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Stable.
    pub code: &'static str,
    /// What is so.
    pub message: String,
    /// What to do.
    pub fix: &'static str,
    /// The user it is about.
    pub user_id: Option<String>,
    /// The user's tenant.
    pub tenant_id: Option<String>,
}

/// The answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Why {
    /// The address that was asked for.
    pub email: String,
    /// What was found out.
    pub findings: Vec<Finding>,
    /// When a sync was last applied.
    pub last_sync_at: Option<String>,
    /// How it found the users.
    pub users_method: Option<String>,
}

/// Longest address that is looked for.
pub const MAX_EMAIL: usize = 320;

/// Looks for the people with an e-mail address and says what is special about each.
///
/// # Errors
/// The database does not answer.
pub async fn why(
    ports: &impl Ports,
    settings: &DirectorySettings,
    email: &str,
) -> Result<Why, Problem> {
    let state = directory::state(ports.db())
        .await
        .map_err(failure::database)?;
    let known = why::known(ports.db(), email, &settings.groups_json())
        .await
        .map_err(failure::database)?;
    let is_walk = state.users_method.as_deref() == Some("member_walk");
    let last_sync_at = state.synced_at.map(Timestamp::rfc3339);
    let mut findings = Vec::new();
    if known.is_empty() {
        findings.push(match (&last_sync_at, is_walk) {
            (None, _) => finding(
                "not_yet_synced",
                "No sync has been applied yet, so nobody is known but who has signed in.",
                "POST /v1/admin/sync, or `scaigate sync`.",
            ),
            (Some(_), true) => finding(
                "in_no_visible_group",
                "Users were found by walking the members of groups, and no group that our credentials see has anybody with this address.",
                "Put the user into a group in ScaiKey, or give the application admin:read (`scaigate scaikey-register`); then sync.",
            ),
            (Some(_), false) => finding(
                "not_assigned",
                "The last sync read the users of our application, and nobody with this address is among them.",
                "Assign the user, or a group of theirs, to the application in ScaiKey; then POST /v1/admin/sync.",
            ),
        });
    }
    for user in &known {
        findings.extend(
            of_user(user, last_sync_at.as_deref(), is_walk).map(|found| Finding {
                user_id: Some(user.user_id.clone()),
                tenant_id: Some(user.tenant_id.clone()),
                ..found
            }),
        );
    }
    Ok(Why {
        email: email.to_owned(),
        findings,
        last_sync_at,
        users_method: state.users_method,
    })
}

fn finding(code: &'static str, message: impl Into<String>, fix: &'static str) -> Finding {
    Finding {
        code,
        message: message.into(),
        fix,
        user_id: None,
        tenant_id: None,
    }
}

fn of_user(
    user: &why::Known,
    last_sync_at: Option<&str>,
    is_walk: bool,
) -> impl Iterator<Item = Finding> {
    let mut findings = Vec::new();
    if user.is_deleted {
        findings.push(if is_walk && user.groups == 0 {
            finding(
                "in_no_visible_group",
                "The user is marked as deleted: no group that our credentials see has them.",
                "Put the user into a group in ScaiKey, or give the application admin:read (`scaigate scaikey-register`); then sync.",
            )
        } else {
            finding(
                "soft_deleted",
                "The user is marked as deleted: ScaiKey deleted them, or took their access to our application.",
                "Restore or assign the user in ScaiKey; then POST /v1/admin/sync.",
            )
        });
    } else if !user.is_mirrored {
        findings.push(finding(
            "known_from_sign_in",
            "The user has signed in here, and the directory has not told of them yet.",
            "POST /v1/admin/sync. If they stay unknown, assign them to the application in ScaiKey.",
        ));
    }
    if user.status != "active" {
        findings.push(finding(
            "suspended",
            format!(
                "The user's status at ScaiKey is {}.",
                user.status.to_ascii_uppercase()
            ),
            "Activate the user in ScaiKey.",
        ));
    }
    if user.is_tenant_inactive {
        findings.push(finding(
            "tenant_inactive",
            "The user's tenant, or its partner, is suspended or deleted.",
            "Activate the tenant or the partner in ScaiKey.",
        ));
    }
    let is_super_admin = user.admin_role.as_deref() == Some("super_admin");
    let is_by_hand = user.admin_role_source.as_deref() == Some("manual");
    if user.super_admin_groups > 0 && !is_super_admin {
        findings.push(if is_by_hand {
            finding(
                "manual_role_kept",
                "The user is in a group of SCAIFLOW_SUPER_ADMIN_GROUPS, but has another role that was given by hand, and that stays.",
                "DELETE /v1/admin/users/{id}/role, then sync: the groups decide again.",
            )
        } else {
            finding(
                "groups_read_at_sync",
                format!(
                    "The user is in a group of SCAIFLOW_SUPER_ADMIN_GROUPS and not super admin. Groups are read at sync; last sync {}. A group named by a name that several have elects nobody.",
                    last_sync_at.unwrap_or("never"),
                ),
                "POST /v1/admin/sync and look at its warnings.",
            )
        });
    }
    if findings.is_empty() {
        findings.push(finding(
            "present",
            "The user is in the mirror and active.",
            "Nothing. If a page does not show them, look at its tenant and its filters.",
        ));
    }
    findings.into_iter()
}
