//! ScaiKey's settings.

use scaigate_scaikey::Client;
use scaigate_types::{BaseUrl, ClientId, Secret};

use super::{Environment, Fault, Provider, Scaikey, Variables, environment, fault};

const BASE: &str = "scaikey_base_url";
const CLIENT_ID: &str = "scaiflow_scaikey_client_id";
const CLIENT_SECRET: &str = "scaiflow_scaikey_client_secret";

/// The three without which nobody signs in through ScaiKey.
pub(super) const THREE: [&str; 3] = [BASE, CLIENT_ID, CLIENT_SECRET];

/// Most accepted audiences.
const MAX_AUDIENCES: usize = 16;

fn missing(setting: &'static str) -> Fault {
    fault(
        setting,
        "missing",
        "Set it to the value that ScaiKey shows for the application.",
    )
}

/// ScaiKey's origin.
///
/// # Errors
/// The fault found.
pub fn base(variables: &impl Variables) -> Result<BaseUrl, Vec<Fault>> {
    let development = environment(variables) == Environment::Development;
    let text = variables
        .variable(BASE)
        .ok_or_else(|| vec![missing(BASE)])?;
    BaseUrl::parse(&text, development)
        .ok()
        // The grant for outbound calls is made from this variable, and takes no path.
        .filter(|base| base.as_str() == base.origin().as_str())
        .ok_or_else(|| {
            vec![fault(
                BASE,
                "not an https origin",
                "Set it to ScaiKey's origin, such as https://scaikey.scailabs.ai; http is taken for loopback hosts, or with env=dev.",
            )]
        })
}

/// What it takes to check ScaiKey's tokens.
///
/// # Errors
/// Every fault found. A variable that is not set has `problem` = `"missing"`.
pub fn provider(variables: &impl Variables) -> Result<Provider, Vec<Fault>> {
    let mut faults = Vec::new();
    let base = base(variables).map_err(|found| faults.extend(found)).ok();
    let client_id = match variables.variable(CLIENT_ID) {
        None => {
            faults.push(missing(CLIENT_ID));
            None
        }
        Some(text) => ClientId::parse(&text)
            .map_err(|_| {
                faults.push(fault(
                    CLIENT_ID,
                    "not a client id",
                    "Copy it from ScaiKey again.",
                ));
            })
            .ok(),
    };
    let list = variables.variable("scaikey_audience").unwrap_or_default();
    let mut audiences: Vec<String> = list
        .split(',')
        .map(str::trim)
        .filter(|one| !one.is_empty())
        .map(str::to_owned)
        .collect();
    if audiences.len() > MAX_AUDIENCES {
        faults.push(fault(
            "scaikey_audience",
            "more than 16 audiences",
            "ScaiKey issues aud = client id: leave it unset, or list the client ids that are accepted.",
        ));
    }
    match (base, client_id) {
        (Some(base), Some(client_id)) if faults.is_empty() => {
            if audiences.is_empty() {
                audiences.push(client_id.as_str().to_owned());
            }
            Ok(Provider {
                base,
                client_id,
                audiences,
            })
        }
        _ => Err(faults),
    }
}

/// What it takes to call ScaiKey's token endpoint.
///
/// # Errors
/// Every fault found. A variable of the three that is not set has `problem` = `"missing"`.
pub fn scaikey(variables: &impl Variables) -> Result<Scaikey, Vec<Fault>> {
    match (provider(variables), variables.variable(CLIENT_SECRET)) {
        (Ok(provider), Some(secret)) => {
            let id = provider.client_id.clone();
            Ok(Scaikey {
                provider,
                client: Client {
                    id,
                    secret: Secret::new(secret),
                },
            })
        }
        (provider, secret) => {
            let mut faults = provider.err().unwrap_or_default();
            if secret.is_none() {
                faults.push(missing(CLIENT_SECRET));
            }
            Err(faults)
        }
    }
}
