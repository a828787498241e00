//! What an instance remembers: its settings.

use std::rc::Rc;

use scaigate_limits::RateLimits;
use scaigate_problem::Problem;
use scaigate_runtime::Site;
use scaigate_runtime::spin::{Callers, Once, VariableValues};
use scaigate_signin::settings::Fault;

const RATE_LIMITS: &str = "rate_limits";

/// The settings of this component.
pub struct Remembered {
    /// By what callers are known.
    pub callers: Callers,
    /// How often callers may, or what is wrong with that.
    pub limits: Result<RateLimits, Vec<Fault>>,
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
    names.push(RATE_LIMITS);
    let values = VariableValues::read(&names).await?;
    Ok(Remembered {
        callers: Callers::parse(&values)?,
        limits: RateLimits::parse(&|name: &str| values.get(name)),
    })
}
