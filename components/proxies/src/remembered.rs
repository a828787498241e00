//! What an instance remembers: its settings.

use std::cell::RefCell;
use std::rc::Rc;

use scaigate_limits::RateLimits;
use scaigate_problem::Problem;
use scaigate_proxy::settings::{self, Settings};
use scaigate_runtime::spin::{Callers, VariableValues};
use scaigate_signin::settings::Fault;

/// What speaking to ScaiGrid takes, beside what tells who calls.
const VARIABLES: [&str; 8] = [
    "scaiflow_scaikey_client_secret",
    "scaigrid_base_url",
    "scaigrid_api_key",
    "scaiflow_deploy_auth",
    "scaigrid_exchange_audience",
    "scaigrid_allowed_posts",
    "credentials_key",
    "rate_limits",
];

/// The settings of this component.
pub struct Remembered {
    /// By what callers are known.
    pub callers: Callers,
    /// How often callers may, or what is wrong with that.
    pub limits: Result<RateLimits, Vec<Fault>>,
    /// How ScaiGrid is spoken to, or the answer to everybody.
    pub settings: Result<Settings, Problem>,
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
    names.extend(VARIABLES);
    let values = VariableValues::read(&names).await?;
    let remembered = Rc::new(Remembered {
        callers: Callers::parse(&values)?,
        limits: RateLimits::parse(&|name: &str| values.get(name)),
        settings: settings::settings(&|name: &str| values.get(name)),
    });
    SETTINGS.set(Some(Rc::clone(&remembered)));
    Ok(remembered)
}
