//! Who is super admin now, and what that does to sessions: the step that a sync and a webhook share.

use scaigate_kv::directory::role::{self, Holder};
use scaigate_kv::directory::super_admin::{self, Elected, Election};
use scaigate_kv::directory::{self, Scope, Stamp};
use scaigate_kv::revocation;
use scaigate_problem::Problem;
use scaigate_signin::{Ports, failure, revoke};
use scaigate_types::{AdminRole, Clock, Transaction};

use crate::report::Warning;
use crate::settings::DirectorySettings;
use crate::super_admin::NO_SUPER_ADMIN;

/// Makes the roles what the groups say, and the session tokens of whoever it concerns with them.
///
/// # Errors
/// A store does not answer; the caller undoes the transaction.
pub(crate) async fn reconcile(
    ports: &impl Ports,
    tx: &impl Transaction,
    settings: &DirectorySettings,
    stamp: &Stamp,
) -> Result<Elected, Problem> {
    let groups = settings.groups_json();
    let election = Election {
        groups: &groups,
        bootstrap: settings.bootstrap_super_admin.as_deref(),
    };
    let elected = super_admin::reconcile(tx, election, stamp)
        .await
        .map_err(failure::database)?;
    let changed = elected
        .promoted
        .iter()
        .chain(&elected.demoted)
        .chain(&elected.bootstrapped);
    for person_id in changed {
        revoke::narrow_all(ports, tx, person_id).await?;
    }
    Ok(elected)
}

/// Ends the sessions of people who may not act any more, here and in the revocation index.
///
/// # Errors
/// A store does not answer; the caller undoes the transaction.
pub(crate) async fn end_sessions_of_inactive(
    ports: &impl Ports,
    tx: &impl Transaction,
    scope: Scope<'_>,
) -> Result<usize, Problem> {
    let now = ports.clock().now();
    let ended = directory::end_sessions_of_inactive(tx, scope, now)
        .await
        .map_err(failure::database)?;
    for sid in &ended {
        revocation::revoke(ports.kv(), sid, now)
            .await
            .map_err(failure::kv)?;
    }
    Ok(ended.len())
}

/// Why nobody whom `bootstrap_super_admin` names is super admin, if so.
///
/// # Errors
/// The database does not answer; the caller undoes the transaction.
pub(crate) async fn bootstrap_waits(
    tx: &impl Transaction,
    elected: &Elected,
    settings: &DirectorySettings,
) -> Result<Option<Warning>, Problem> {
    let Some(email) = &settings.bootstrap_super_admin else {
        return Ok(None);
    };
    if elected.ambiguous_bootstrap {
        return Ok(None);
    }
    let holders = role::by_email(tx, email).await.map_err(failure::database)?;
    let is_elected = |holder: &Holder| holder.role == Some(AdminRole::SuperAdmin);
    if holders.iter().any(is_elected) {
        return Ok(None);
    }
    if elected.spent_bootstrap {
        return Ok(Some(Warning {
            code: "bootstrap_super_admin_spent",
            message: "BOOTSTRAP_SUPER_ADMIN has made somebody super admin before, and does so once: whoever has that address now is not.".to_owned(),
            fix: "Remove the setting, and use scaigate admin grant <email> --role super_admin.".to_owned(),
        }));
    }
    let (message, fix) = match holders.as_slice() {
        [] => (
            "BOOTSTRAP_SUPER_ADMIN waits: ScaiKey lists nobody with that address for our application, and nobody with it has signed in.",
            "Correct the setting, or let that person sign in once. GET /v1/admin/users?why=<email> says more.",
        ),
        _ => (
            "BOOTSTRAP_SUPER_ADMIN waits: the person, their tenant or its partner is suspended.",
            "Activate them in ScaiKey, then sync. GET /v1/admin/users?why=<email> says which.",
        ),
    };
    Ok(Some(Warning {
        code: "bootstrap_super_admin_waits",
        message: message.to_owned(),
        fix: fix.to_owned(),
    }))
}

/// What somebody should know about an election.
pub(crate) fn warnings(elected: &Elected) -> Vec<Warning> {
    const USE_IDS: &str =
        "Write the group's id (grp_…) into SCAIFLOW_SUPER_ADMIN_GROUPS, restart, and sync.";
    let mut warnings = Vec::new();
    if elected.super_admins == 0 {
        warnings.push(Warning {
            code: "no_super_admin",
            message: NO_SUPER_ADMIN.to_owned(),
            fix: "scaigate admin grant <email> --role super_admin".to_owned(),
        });
    }
    for name in &elected.ambiguous_groups {
        warnings.push(Warning {
            code: "super_admin_group_ambiguous",
            message: format!(
                "Several groups are called {name:?}, so it makes nobody super admin: whoever manages a tenant may call a group as they like."
            ),
            fix: USE_IDS.to_owned(),
        });
    }
    for name in &elected.unknown_groups {
        warnings.push(Warning {
            code: "super_admin_group_unknown",
            message: format!("SCAIFLOW_SUPER_ADMIN_GROUPS names {name:?}, and no group is called that."),
            fix: "Make the group in ScaiKey or correct the setting; groups:read must be among the application's scopes.".to_owned(),
        });
    }
    if elected.ambiguous_bootstrap {
        warnings.push(Warning {
            code: "bootstrap_super_admin_ambiguous",
            message: "Several people have, or had, the e-mail address of BOOTSTRAP_SUPER_ADMIN, so it makes nobody super admin.".to_owned(),
            fix: "scaigate admin grant <email> --tenant <tenant id> --role super_admin".to_owned(),
        });
    }
    if !elected.groups_by_name.is_empty() {
        warnings.push(Warning {
            code: "super_admin_group_by_name",
            message: "SCAIFLOW_SUPER_ADMIN_GROUPS names a group by its name. Should that group go, another tenant could take its name.".to_owned(),
            fix: USE_IDS.to_owned(),
        });
    }
    warnings
}
