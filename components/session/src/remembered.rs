//! What an instance remembers: its settings.

use std::cell::RefCell;
use std::rc::Rc;

use scaigate_jose::SessionSigner;
use scaigate_problem::Problem;
use scaigate_runtime::Site;
use scaigate_runtime::spin::VariableValues;
use scaigate_signin::authenticate::Acceptance;
use scaigate_signin::settings::{self, Deployment, Fault, Provider};

const VARIABLES: &[&str] = &[
    "public_url",
    "app_url",
    "env",
    "scaiwave_auth_mode",
    "dangerous_allow_dev_auth",
    "session_secret",
    "scaikey_base_url",
    "scaiflow_scaikey_client_id",
    "scaikey_audience",
];

/// The settings of this component.
pub struct Remembered {
    signer: SessionSigner,
    /// Where we are.
    pub deployment: Deployment,
    /// ScaiKey, or why its tokens can't be checked.
    pub provider: Result<Provider, Vec<Fault>>,
    /// Which origins may call.
    pub site: Site,
}

thread_local! {
    static SETTINGS: RefCell<Option<Rc<Remembered>>> = const { RefCell::new(None) };
}

/// The settings, read once per instance.
pub async fn get() -> Result<Rc<Remembered>, Problem> {
    if let Some(remembered) = SETTINGS.with_borrow(Clone::clone) {
        return Ok(remembered);
    }
    let values = VariableValues::read(VARIABLES).await?;
    let variables = |name: &str| values.get(name);
    let remembered = match (
        settings::deployment(&variables),
        settings::sessions(&variables),
    ) {
        (Ok(deployment), Ok(sessions)) => {
            let own = deployment.public_url.origin().clone();
            let site = Site::new(deployment.apps.iter().cloned().chain([own]));
            Rc::new(Remembered {
                signer: sessions.signer,
                deployment,
                provider: settings::provider(&variables),
                site,
            })
        }
        (deployment, sessions) => {
            let faults: Vec<_> = [deployment.err(), sessions.err()]
                .into_iter()
                .flatten()
                .flatten()
                .collect();
            return Err(settings::problem(&faults));
        }
    };
    SETTINGS.set(Some(Rc::clone(&remembered)));
    Ok(remembered)
}

impl Remembered {
    /// What is accepted as a credential.
    pub fn acceptance(&self) -> Acceptance<'_> {
        Acceptance {
            signer: &self.signer,
            deployment: &self.deployment,
            provider: self.provider.as_ref().map_err(Vec::as_slice),
        }
    }
}
