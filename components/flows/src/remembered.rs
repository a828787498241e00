//! What an instance remembers: its settings.

use std::cell::RefCell;
use std::rc::Rc;

use scaigate_limits::RateLimits;
use scaigate_problem::Problem;
use scaigate_runtime::spin::{Callers, VariableValues};
use scaigate_signin::settings::Fault;

const RATE_LIMITS: &str = "rate_limits";

/// The settings of this component.
pub struct Remembered {
    /// By what callers are known.
    pub callers: Callers,
    /// How often callers may, or what is wrong with that.
    pub limits: Result<RateLimits, Vec<Fault>>,
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
    names.push(RATE_LIMITS);
    let values = VariableValues::read(&names).await?;
    let remembered = Rc::new(Remembered {
        callers: Callers::parse(&values)?,
        limits: RateLimits::parse(&|name: &str| values.get(name)),
    });
    SETTINGS.set(Some(Rc::clone(&remembered)));
    Ok(remembered)
}
