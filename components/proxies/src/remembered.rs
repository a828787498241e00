//! What an instance remembers: its settings.

use std::rc::Rc;

use scaigate_limits::RateLimits;
use scaigate_problem::Problem;
use scaigate_proxy::settings::{self, Settings};
use scaigate_runtime::Site;
use scaigate_runtime::spin::{Callers, Once, VariableValues};
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
    names.extend(VARIABLES);
    let values = VariableValues::read(&names).await?;
    Ok(Remembered {
        callers: Callers::parse(&values)?,
        limits: RateLimits::parse(&|name: &str| values.get(name)),
        settings: settings::settings(&|name: &str| values.get(name)),
    })
}
