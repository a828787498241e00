//! The settings of the console.

use scaigate_jose::{KeyRing, Sealer};
use scaigate_signin::settings::{self, Environment, Fault, Variables};
use scaigate_types::BaseUrl;

/// What the console needs to know.
pub struct Settings {
    /// Our own origin: the page's, and the only one that may call.
    pub public_url: BaseUrl,
    /// Seals the cookies.
    pub(crate) sealer: Sealer,
    /// Plain http on a loopback host in development, where browsers take no `__Host-` cookie.
    pub(crate) is_plain_http: bool,
}

/// The variables it is made of.
pub const VARIABLES: [&str; 4] = [
    "console_secret",
    "public_url",
    "env",
    "dangerous_allow_dev_auth",
];

/// Reads the settings.
///
/// # Errors
/// Every fault found.
pub fn parse(variables: &impl Variables) -> Result<Settings, Vec<Fault>> {
    let keys = variables
        .variable("console_secret")
        .map(|text| KeyRing::parse(&text));
    let fault = |problem| Fault {
        setting: "console_secret",
        problem,
        fix: "Set it to the output of `openssl rand -base64 32`; several, comma-separated, during a rotation.",
    };
    let keys = match keys {
        Some(Ok(keys)) => Ok(keys),
        Some(Err(_)) => Err(fault("not base64 of 32 bytes or more")),
        None => Err(fault("missing")),
    };
    match (settings::deployment(variables), keys) {
        (Ok(deployment), Ok(keys)) => Ok(Settings {
            is_plain_http: deployment.environment == Environment::Development
                && !deployment.public_url.is_https(),
            public_url: deployment.public_url,
            sealer: Sealer::new(&keys),
        }),
        (deployment, keys) => Err(deployment
            .err()
            .into_iter()
            .flatten()
            .chain(keys.err())
            .collect()),
    }
}
