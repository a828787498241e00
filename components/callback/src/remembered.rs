//! The settings, parsed once per instance.

use std::cell::RefCell;
use std::rc::Rc;

use scaigate_directory::settings::syncs_in_background;
use scaigate_problem::Problem;
use scaigate_runtime::Site;
use scaigate_runtime::spin::{VariableValues, note_refusal};
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

thread_local! {
    static SETTINGS: RefCell<Option<Rc<Remembered>>> = const { RefCell::new(None) };
}

/// The settings. Faults are not remembered: they are found again by the next request.
pub async fn get() -> Result<Rc<Remembered>, Problem> {
    if let Some(remembered) = SETTINGS.with_borrow(Clone::clone) {
        return Ok(remembered);
    }
    let values = VariableValues::read(VARIABLES).await?;
    let settings = settings::settings(&|name: &str| values.get(name))?;
    let deployment = &settings.deployment;
    let own = deployment.public_url.origin().clone();
    let site =
        Site::new(deployment.apps.iter().cloned().chain([own])).noting_refusals(note_refusal);
    let remembered = Rc::new(Remembered {
        settings,
        site,
        notices_due_sync: syncs_in_background(&|name: &str| values.get(name)),
    });
    SETTINGS.set(Some(Rc::clone(&remembered)));
    Ok(remembered)
}
