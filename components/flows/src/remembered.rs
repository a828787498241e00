//! What an instance remembers: its settings.

use std::cell::RefCell;
use std::rc::Rc;

use scaigate_flows::dev_token::DevToken;
use scaigate_problem::Problem;
use scaigate_runtime::spin::{Callers, VariableValues};

const DEV_TOKEN: &str = "scaiflow_api_token";

/// The settings of this component.
pub struct Remembered {
    /// By what callers are known.
    pub callers: Callers,
    /// The bearer of the deprecated deploy.
    pub dev_token: DevToken,
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
    names.push(DEV_TOKEN);
    let values = VariableValues::read(&names).await?;
    let remembered = Rc::new(Remembered {
        callers: Callers::parse(&values)?,
        dev_token: DevToken::new(values.get(DEV_TOKEN)),
    });
    SETTINGS.set(Some(Rc::clone(&remembered)));
    Ok(remembered)
}
