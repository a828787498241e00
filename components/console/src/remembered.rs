//! What an instance remembers: its settings.

use std::cell::RefCell;
use std::rc::Rc;

use scaigate_console::settings::{self, Settings};
use scaigate_problem::Problem;
use scaigate_runtime::spin::VariableValues;

thread_local! {
    static SETTINGS: RefCell<Option<Rc<Settings>>> = const { RefCell::new(None) };
}

/// The settings, read once per instance. Faults are not remembered: they are found again by the next
/// request.
pub async fn get() -> Result<Rc<Settings>, Problem> {
    if let Some(remembered) = SETTINGS.with_borrow(Clone::clone) {
        return Ok(remembered);
    }
    let values = VariableValues::read(&settings::VARIABLES).await?;
    let parsed = settings::parse(&|name: &str| values.get(name))
        .map_err(|faults| scaigate_signin::settings::problem(&faults))?;
    let remembered = Rc::new(parsed);
    SETTINGS.set(Some(Rc::clone(&remembered)));
    Ok(remembered)
}
