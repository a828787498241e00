//! What an instance remembers: its settings.

use std::rc::Rc;

use scaigate_jose::Sealer;
use scaigate_limits::RateLimits;
use scaigate_problem::Problem;
use scaigate_proxy::settings;
use scaigate_runtime::Site;
use scaigate_runtime::spin::{Callers, Once, VariableValues};
use scaigate_signin::settings::Fault;
use scaigate_types::BaseUrl;

const VARIABLES: [&str; 3] = ["scaigrid_base_url", "credentials_key", "rate_limits"];

/// The settings of this component.
pub struct Remembered {
    /// By what callers are known.
    pub callers: Callers,
    /// How often callers may, or what is wrong with that.
    pub limits: Result<RateLimits, Vec<Fault>>,
    /// Where keys may go.
    pub base_url: Result<BaseUrl, Problem>,
    /// What seals them.
    pub keys: Result<Sealer, Vec<Fault>>,
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
    let variables = |name: &str| values.get(name);
    Ok(Remembered {
        callers: Callers::parse(&values)?,
        limits: RateLimits::parse(&|name: &str| values.get(name)),
        base_url: settings::base_url(&variables).map_err(|fault| settings::problem(&[fault])),
        keys: settings::tenant_keys(&variables),
    })
}
