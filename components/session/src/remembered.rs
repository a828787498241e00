//! What an instance remembers: its settings.

use std::cell::RefCell;
use std::rc::Rc;

use scaigate_directory::settings::syncs_in_background;
use scaigate_problem::Problem;
use scaigate_runtime::spin::{Callers, VariableValues};

/// The settings of this component.
pub struct Remembered {
    /// By what callers are known.
    pub callers: Callers,
    /// Whether somebody has to notice that a sync is due.
    pub notices_due_sync: bool,
}

thread_local! {
    static SETTINGS: RefCell<Option<Rc<Remembered>>> = const { RefCell::new(None) };
}

/// The settings, read once per instance.
pub async fn get() -> Result<Rc<Remembered>, Problem> {
    if let Some(remembered) = SETTINGS.with_borrow(Clone::clone) {
        return Ok(remembered);
    }
    let mut names = Callers::VARIABLES.to_vec();
    names.push("scaiflow_sync_interval_minutes");
    let values = VariableValues::read(&names).await?;
    let remembered = Rc::new(Remembered {
        callers: Callers::parse(&values)?,
        notices_due_sync: syncs_in_background(&|name: &str| values.get(name)),
    });
    SETTINGS.set(Some(Rc::clone(&remembered)));
    Ok(remembered)
}
