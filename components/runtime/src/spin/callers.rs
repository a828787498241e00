//! What a component needs to know to tell who is calling: the settings of every one that takes
//! credentials.

use scaigate_jose::SessionSigner;
use scaigate_problem::Problem;
use scaigate_signin::authenticate::{self, Acceptance};
use scaigate_signin::settings::{self, Deployment, Fault, Provider};
use scaigate_signin::{Ports, Principal};

use super::audited::note_refusal;
use super::dev_headers::note_dev_headers;
use super::variables::VariableValues;
use crate::{Incoming, Site};

/// The settings by which callers are known.
pub struct Callers {
    signer: SessionSigner,
    /// Where we are.
    pub deployment: Deployment,
    /// ScaiKey, or why its tokens can't be checked.
    pub provider: Result<Provider, Vec<Fault>>,
    /// Which origins may call.
    pub site: Site,
}

/// The origins of a deployment, its own and its apps'.
#[must_use]
pub fn site_of(deployment: &Deployment) -> Site {
    let own = deployment.public_url.origin().clone();
    Site::new(deployment.apps.iter().cloned().chain([own]))
}

impl Callers {
    /// The variables it is made of.
    pub const VARIABLES: [&'static str; 9] = [
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

    /// Reads the settings.
    ///
    /// # Errors
    /// The answer to every request, which lists all faults.
    pub fn parse(values: &VariableValues) -> Result<Self, Problem> {
        let variables = |name: &str| values.get(name);
        match (
            settings::deployment(&variables),
            settings::sessions(&variables),
        ) {
            (Ok(deployment), Ok(sessions)) => {
                let site = site_of(&deployment).noting_refusals(note_refusal);
                Ok(Self {
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
                Err(settings::problem(&faults))
            }
        }
    }

    /// Whoever calls, where somebody must.
    ///
    /// # Errors
    /// Nobody, or a credential that does not hold; a store or ScaiKey does not answer.
    pub async fn principal(
        &self,
        ports: &impl Ports,
        incoming: &Incoming,
    ) -> Result<Principal, Problem> {
        note_dev_headers(incoming, self.deployment.environment);
        let acceptance = Acceptance {
            signer: &self.signer,
            deployment: &self.deployment,
            provider: self.provider.as_ref().map_err(Vec::as_slice),
        };
        let Incoming {
            headers, received, ..
        } = incoming;
        let known = authenticate::recognise(ports.memory(), &acceptance, headers, *received);
        let principal = match known {
            Some(principal) => principal,
            // By itself: what it takes to know somebody is more than most requests need.
            None => Box::pin(authenticate::authenticate(
                ports,
                &acceptance,
                headers,
                *received,
            ))
            .await?
            .required()?,
        };
        let who = principal.clone();
        incoming.trail.prove(move || who.actor());
        Ok(principal)
    }
}
