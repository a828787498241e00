//! What an instance remembers: its settings.

use std::rc::Rc;

use scaigate_jose::{KeyRing, Tagger};
use scaigate_limits::RateLimits;
use scaigate_problem::{Code, Problem};
use scaigate_runtime::Site;
use scaigate_runtime::spin::{Callers, Once, VariableValues};
use scaigate_signin::settings::Fault;

/// The settings of this component.
pub struct Remembered {
    /// By what callers are known.
    pub callers: Callers,
    /// How often callers may, or what is wrong with that.
    pub limits: Result<RateLimits, Vec<Fault>>,
    /// What confirms the chain.
    pub tagger: Tagger,
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
    names.push("rate_limits");
    let values = VariableValues::read(&names).await?;
    let callers = Callers::parse(&values)?;
    // The callers' settings hold only where it is a key ring.
    let keys = KeyRing::parse(&values.get("session_secret").unwrap_or_default())
        .map_err(|_| Problem::new(Code::ConfigurationInvalid))?;
    Ok(Remembered {
        callers,
        limits: RateLimits::parse(&|name: &str| values.get(name)),
        tagger: Tagger::of_audit_log(&keys),
    })
}
