//! What an instance remembers: its settings.

use std::rc::Rc;

use scaigate_console::settings::{self, Settings};
use scaigate_problem::Problem;
use scaigate_runtime::spin::{Once, VariableValues};

thread_local! {
    static SETTINGS: Once<Settings> = const { Once::new() };
}

/// The settings, read once per instance.
pub async fn get() -> Result<Rc<Settings>, Problem> {
    Once::get(&SETTINGS, read).await
}

async fn read() -> Result<Settings, Problem> {
    let values = VariableValues::read(&settings::VARIABLES).await?;
    settings::parse(&|name: &str| values.get(name))
        .map_err(|faults| scaigate_signin::settings::problem(&faults))
}
