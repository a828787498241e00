//! What an instance remembers: its settings.

use std::rc::Rc;

use scaigate_directory::settings::{self as directory, DirectorySettings};
use scaigate_directory::sync::Context;
use scaigate_problem::Problem;
use scaigate_runtime::Site;
use scaigate_runtime::spin::{Callers, Once, VariableValues};
use scaigate_signin::settings::{self, Fault, Scaikey};

const VARIABLES: [&str; 5] = [
    "scaiflow_scaikey_client_secret",
    "scaiflow_scaikey_application_id",
    "scaiflow_super_admin_groups",
    "bootstrap_super_admin",
    "scaiflow_sync_interval_minutes",
];

/// The settings of this component.
pub struct Remembered {
    /// By what callers are known.
    pub callers: Callers,
    scaikey: Result<Scaikey, Vec<Fault>>,
    directory: Result<DirectorySettings, Vec<Fault>>,
}

impl AsRef<Site> for Remembered {
    fn as_ref(&self) -> &Site {
        &self.callers.site
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
    let names: Vec<_> = Callers::VARIABLES.into_iter().chain(VARIABLES).collect();
    let values = VariableValues::read(&names).await?;
    let variables = |name: &str| values.get(name);
    Ok(Remembered {
        callers: Callers::parse(&values)?,
        scaikey: settings::scaikey(&variables),
        directory: directory::directory(&variables),
    })
}

impl Remembered {
    /// The settings of the directory.
    ///
    /// # Errors
    /// What is wrong with them.
    pub fn directory(&self) -> Result<&DirectorySettings, Problem> {
        self.directory
            .as_ref()
            .map_err(|faults| settings::problem(faults))
    }

    /// What a sync works with.
    ///
    /// # Errors
    /// As [`Remembered::directory`].
    pub fn sync_context(&self) -> Result<Context<'_>, Problem> {
        Ok(Context {
            scaikey: self.scaikey.as_ref().map_err(Vec::as_slice),
            settings: self.directory()?,
        })
    }
}
