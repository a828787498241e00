//! The settings, parsed once per instance.

use std::rc::Rc;

use scaigate_directory::settings::syncs_in_background;
use scaigate_problem::Problem;
use scaigate_runtime::Site;
use scaigate_runtime::spin::{Once, VariableValues, note_refusal, site_of};
use scaigate_signin::settings::{self, Settings};

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
    "session_secret",
    "session_ttl_seconds",
    "refresh_ttl_days",
    "password_grant_enabled",
    "bootstrap_super_admin",
    "scaiflow_sync_interval_minutes",
];

/// What an instance remembers.
pub struct Remembered {
    /// The settings.
    pub settings: Settings,
    /// Which origins may call.
    pub site: Site,
    /// Whether somebody has to notice that a sync is due.
    pub notices_due_sync: bool,
}

impl AsRef<Site> for Remembered {
    fn as_ref(&self) -> &Site {
        &self.site
    }
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
    let settings = settings::settings(&|name: &str| values.get(name))?;
    Ok(Remembered {
        site: site_of(&settings.deployment).noting_refusals(note_refusal),
        settings,
        notices_due_sync: syncs_in_background(&|name: &str| values.get(name)),
    })
}
