//! What an instance remembers: its settings.

use std::rc::Rc;

use scaigate_directory::settings::syncs_in_background;
use scaigate_problem::Problem;
use scaigate_runtime::Site;
use scaigate_runtime::spin::{Callers, Once, VariableValues};

/// The settings of this component.
pub struct Remembered {
    /// By what callers are known.
    pub callers: Callers,
    /// Whether somebody has to notice that a sync is due.
    pub notices_due_sync: bool,
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
    let mut names = Callers::VARIABLES.to_vec();
    names.push("scaiflow_sync_interval_minutes");
    let values = VariableValues::read(&names).await?;
    Ok(Remembered {
        callers: Callers::parse(&values)?,
        notices_due_sync: syncs_in_background(&|name: &str| values.get(name)),
    })
}
