//! The settings of the directory.

use std::time::Duration;

use scaigate_signin::settings::{Fault, Variables, bootstrap_super_admin};
use serde_json::Value;

use crate::super_admin::SuperAdminGroups;
use crate::webhook::{SecretsError, WebhookSecrets};

/// What elects super admins and what the sync needs to know besides ScaiKey itself.
#[derive(Clone, Debug)]
pub struct DirectorySettings {
    /// The groups whose members are super admins.
    pub super_admin_groups: SuperAdminGroups,
    /// The e-mail address of `bootstrap_super_admin`, in lower case.
    pub bootstrap_super_admin: Option<String>,
    /// The application whose users are mirrored: `me` is that of the credentials.
    pub application_id: String,
    /// How long after the beginning of a sync the next is due; `None`: not by time, only when an event
    /// asks for one.
    pub sync_interval: Option<Duration>,
}

impl DirectorySettings {
    /// Whether anything but a hand makes a super admin.
    #[must_use]
    pub fn elects(&self) -> bool {
        !self.super_admin_groups.is_empty() || self.bootstrap_super_admin.is_some()
    }

    /// Groups as the statements take them: a JSON array of texts.
    #[must_use]
    pub fn groups_json(&self) -> String {
        Value::from(self.super_admin_groups.entries().collect::<Vec<_>>()).to_string()
    }
}

const MAX_APPLICATION_ID: usize = 128;

/// What elects super admins and what the sync needs.
///
/// # Errors
/// Every fault found.
pub fn directory(variables: &impl Variables) -> Result<DirectorySettings, Vec<Fault>> {
    let mut faults = Vec::new();
    let groups = variables
        .variable("scaiflow_super_admin_groups")
        .unwrap_or_default();
    let super_admin_groups = SuperAdminGroups::parse(&groups).unwrap_or_else(|_| {
        faults.push(Fault {
            setting: "scaiflow_super_admin_groups",
            problem: "not a list of at most 64 group ids or names",
            fix: "List ids (grp_…) or names of ScaiKey groups, separated by commas.",
        });
        SuperAdminGroups::default()
    });
    let application_id = variables
        .variable("scaiflow_scaikey_application_id")
        .unwrap_or_else(|| "me".to_owned());
    let is_id = application_id.len() <= MAX_APPLICATION_ID
        && application_id
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
    if !is_id {
        faults.push(Fault {
            setting: "scaiflow_scaikey_application_id",
            problem: "not an application id",
            fix: "Copy it from ScaiKey (app_…), or leave it unset for the application of the credentials.",
        });
    }
    let sync_interval = sync_interval(variables).unwrap_or_else(|fault| {
        faults.push(fault);
        None
    });
    if !faults.is_empty() {
        return Err(faults);
    }
    Ok(DirectorySettings {
        super_admin_groups,
        bootstrap_super_admin: bootstrap_super_admin(variables),
        application_id,
        sync_interval,
    })
}

/// `scaiflow_sync_interval_minutes`: an hour unless set; 0 is none.
fn sync_interval(variables: &impl Variables) -> Result<Option<Duration>, Fault> {
    const SETTING: &str = "scaiflow_sync_interval_minutes";
    let minutes = match variables.variable(SETTING) {
        None => Some(60),
        Some(text) => text
            .parse::<u64>()
            .ok()
            .filter(|minutes| (0..=10_080).contains(minutes)),
    };
    match minutes {
        Some(0) => Ok(None),
        Some(minutes) => Ok(Some(Duration::from_secs(minutes * 60))),
        None => Err(Fault {
            setting: SETTING,
            problem: "out of range",
            fix: "Set it to a number of minutes from 1 to 10080, or to 0 for no sync by time.",
        }),
    }
}

/// Whether syncs are due by time, so that whoever answers requests has to look now and then. A wrong
/// setting counts as yes: the component that syncs says what is wrong with it.
pub fn syncs_in_background(variables: &impl Variables) -> bool {
    !matches!(sync_interval(variables), Ok(None))
}

/// The secrets of the webhook; `None` when there is none, and then no delivery is trusted.
///
/// # Errors
/// The fault found.
pub fn webhook_secrets(variables: &impl Variables) -> Result<Option<WebhookSecrets>, Vec<Fault>> {
    const SETTING: &str = "scaiflow_scaikey_webhook_secret";
    const FIX: &str = "Set it to the secret of the webhook in ScaiKey, 16 characters or more; during a rotation to both, separated by a comma.";
    let text = variables.variable(SETTING).unwrap_or_default();
    let problem = match WebhookSecrets::parse(&text) {
        Ok(secrets) => return Ok(Some(secrets)),
        Err(SecretsError::Missing) => return Ok(None),
        Err(SecretsError::Blank) => "one of its parts is empty",
        Err(SecretsError::TooMany) => "more than two secrets",
        Err(SecretsError::TooShort) => "a secret shorter than 16 characters",
        Err(SecretsError::TooLong) => "a secret longer than 512 characters",
        Err(SecretsError::NotASharedSecret) => "a key of another kind, not a shared secret",
    };
    Err(vec![Fault {
        setting: SETTING,
        problem,
        fix: FIX,
    }])
}
