//! What an instance remembers: its settings.

use std::rc::Rc;

use scaigate_flows::dev_token::DevToken;
use scaigate_limits::RateLimits;
use scaigate_problem::Problem;
use scaigate_proxy::settings::{self, Settings};
use scaigate_runtime::Site;
use scaigate_runtime::spin::{Callers, Once, VariableValues};
use scaigate_signin::settings::Fault;

const DEV_TOKEN: &str = "scaiflow_api_token";
const RATE_LIMITS: &str = "rate_limits";
/// What speaking to ScaiGrid takes.
const GRID: [&str; 6] = [
    "scaiflow_scaikey_client_secret",
    "scaigrid_base_url",
    "scaigrid_api_key",
    "scaiflow_deploy_auth",
    "scaigrid_exchange_audience",
    "credentials_key",
];

/// The settings of this component.
pub struct Remembered {
    /// By what callers are known.
    pub callers: Callers,
    /// How ScaiGrid is spoken to, or the answer to everybody.
    pub settings: Result<Settings, Problem>,
    /// How often callers may, or what is wrong with that.
    pub limits: Result<RateLimits, Vec<Fault>>,
    /// The bearer of the deprecated deploy.
    pub dev_token: DevToken,
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
    names.extend(GRID);
    names.extend([DEV_TOKEN, RATE_LIMITS]);
    let values = VariableValues::read(&names).await?;
    let variables = |name: &str| values.get(name);
    Ok(Remembered {
        callers: Callers::parse(&values)?,
        settings: settings::settings(&variables),
        limits: RateLimits::parse(&variables),
        dev_token: DevToken::new(values.get(DEV_TOKEN)),
    })
}
