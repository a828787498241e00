//! What an instance remembers: its settings.

use std::rc::Rc;

use scaigate_directory::settings::{
    self as directory, DirectorySettings, syncs_in_background, webhook_secrets,
};
use scaigate_directory::webhook::WebhookSecrets;
use scaigate_problem::{Code, Problem};
use scaigate_runtime::spin::{Once, VariableValues};
use scaigate_signin::settings;
use scaigate_types::Issuer;

const VARIABLES: &[&str] = &[
    "env",
    "scaikey_base_url",
    "scaiflow_scaikey_webhook_secret",
    "scaiflow_super_admin_groups",
    "bootstrap_super_admin",
    "scaiflow_sync_interval_minutes",
];

/// The settings of this component.
pub struct Remembered {
    /// The secrets of the webhook, if there are any.
    pub secrets: Option<WebhookSecrets>,
    /// The issuer that the issuers of the tenants' people are made of.
    pub issuer: Issuer,
    /// Who is super admin.
    pub directory: DirectorySettings,
    /// Whether somebody has to notice that a sync is due.
    pub notices_due_sync: bool,
}

thread_local! {
    static SETTINGS: Once<Remembered> = const { Once::new() };
}

/// The settings, read once per instance.
pub async fn get() -> Result<Rc<Remembered>, Problem> {
    Once::get(&SETTINGS, read).await
}

async fn read() -> Result<Remembered, Problem> {
    let values = VariableValues::read(VARIABLES).await?;
    let variables = |name: &str| values.get(name);
    let base = settings::base(&variables).map_err(|faults| settings::problem(&faults))?;
    let secrets = webhook_secrets(&variables).map_err(|faults| settings::problem(&faults))?;
    let directory =
        directory::directory(&variables).map_err(|faults| settings::problem(&faults))?;
    let issuer =
        Issuer::parse(base.as_str()).map_err(|_| Problem::new(Code::ConfigurationInvalid))?;
    Ok(Remembered {
        secrets,
        issuer,
        directory,
        notices_due_sync: syncs_in_background(&variables),
    })
}
