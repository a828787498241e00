//! The settings of the sign-in, parsed once per instance from the variables of `product.md`
//! section 2. Every fault is collected, so that an operator hears of all of them at once.

use std::time::Duration;

use scaigate_jose::{KeyRing, RefreshSigner, Sealer, SessionSigner};
use scaigate_problem::{Code, Problem};
use scaigate_scaikey::Client;
use scaigate_types::{BaseUrl, ClientId, Origin, ReturnTo, Secret};
use serde_json::{Value, json};

/// A setting that is missing or wrong. Never holds its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The variable's documented name.
    pub setting: &'static str,
    /// What is wrong.
    pub problem: &'static str,
    /// What to do.
    pub fix: &'static str,
}

/// Reads a variable: `None` when it is unset, empty or not granted to this component.
pub trait Variables {
    /// The value of the variable `name`, trimmed and not empty.
    fn variable(&self, name: &str) -> Option<String>;
}

impl<F: Fn(&str) -> Option<String>> Variables for F {
    fn variable(&self, name: &str) -> Option<String> {
        self(name)
            .map(|value| value.trim().to_owned())
            .filter(|value| !value.is_empty())
    }
}

/// ScaiKey, as configured.
#[derive(Debug)]
pub struct Scaikey {
    /// Its base URL, from which discovery is read.
    pub base: BaseUrl,
    /// Our confidential client there.
    pub client: Client,
    /// The first accepted audience, the client id unless `scaikey_audience` says otherwise.
    pub audience: String,
}

/// Whether this is a development environment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Environment {
    /// `env=dev`: plain-http issuers and cookies without `Secure` on loopback.
    Development,
    /// Anything else.
    Production,
}

/// Where this deployment and its apps live.
#[derive(Debug)]
pub struct Deployment {
    /// Our own origin.
    pub public_url: BaseUrl,
    /// Where a browser goes when a login named no return address.
    pub home: ReturnTo,
    /// Origins of the apps we serve.
    pub apps: Vec<Origin>,
    /// Development or production.
    pub environment: Environment,
}

/// Sessions: keys and lifetimes.
pub struct Sessions {
    /// Signs and verifies session tokens.
    pub signer: SessionSigner,
    /// Derives and checks refresh tokens.
    pub refresh: RefreshSigner,
    /// Seals what is stored.
    pub sealer: Sealer,
    /// Life of a session token.
    pub session_ttl: Duration,
    /// Life of a session, however often it is refreshed.
    pub refresh_ttl: Duration,
}

/// Everything the sign-in flows need.
pub struct Settings {
    /// ScaiKey.
    pub scaikey: Scaikey,
    /// Where we are.
    pub deployment: Deployment,
    /// Sessions.
    pub sessions: Sessions,
    /// Whether `grant_type=password` is passed on.
    pub password_grant_enabled: bool,
    /// The e-mail address of `bootstrap_super_admin`, its ASCII letters in lower case.
    pub bootstrap_super_admin: Option<String>,
}

/// What a component's settings came to: each part by itself, so that what can work without another
/// part keeps working.
pub struct Parts {
    /// ScaiKey, or the names of what is missing or wrong.
    pub scaikey: Result<Scaikey, Vec<Fault>>,
    /// Where we are.
    pub deployment: Result<Deployment, Vec<Fault>>,
    /// Sessions.
    pub sessions: Result<Sessions, Vec<Fault>>,
}

const THREE: [&str; 3] = [
    "scaikey_base_url",
    "scaiflow_scaikey_client_id",
    "scaiflow_scaikey_client_secret",
];

/// The environment.
pub fn environment(variables: &impl Variables) -> Environment {
    match variables.variable("env").as_deref() {
        Some("dev") => Environment::Development,
        _ => Environment::Production,
    }
}

fn fault(setting: &'static str, problem: &'static str, fix: &'static str) -> Fault {
    Fault {
        setting,
        problem,
        fix,
    }
}

/// ScaiKey's settings.
///
/// # Errors
/// Every fault found. A variable of the three that is not set has `problem` = `"missing"`.
pub fn scaikey(variables: &impl Variables) -> Result<Scaikey, Vec<Fault>> {
    let development = environment(variables) == Environment::Development;
    let mut faults: Vec<Fault> = THREE
        .into_iter()
        .filter(|name| variables.variable(name).is_none())
        .map(|name| {
            fault(
                name,
                "missing",
                "Set it to the value that ScaiKey shows for the application.",
            )
        })
        .collect();
    let base = variables.variable(THREE[0]).and_then(|text| {
        BaseUrl::parse(&text, development)
            .ok()
            // The grant for outbound calls is made from this variable, and takes no path.
            .filter(|base| base.as_str() == base.origin().as_str())
            .or_else(|| {
                faults.push(fault(
                    THREE[0],
                    "not an https origin",
                    "Set it to ScaiKey's origin, such as https://scaikey.scailabs.ai; http is taken for loopback hosts, or with env=dev.",
                ));
                None
            })
    });
    let id = variables.variable(THREE[1]).and_then(|text| {
        ClientId::parse(&text)
            .map_err(|_| {
                faults.push(fault(
                    THREE[1],
                    "not a client id",
                    "Copy it from ScaiKey again.",
                ));
            })
            .ok()
    });
    let secret = variables.variable(THREE[2]);
    match (base, id, secret) {
        (Some(base), Some(id), Some(secret)) if faults.is_empty() => {
            let audience = variables
                .variable("scaikey_audience")
                .and_then(|list| {
                    list.split(',')
                        .map(|one| one.trim().to_owned())
                        .find(|one| !one.is_empty())
                })
                .unwrap_or_else(|| id.as_str().to_owned());
            Ok(Scaikey {
                base,
                client: Client {
                    id,
                    secret: Secret::new(secret),
                },
                audience,
            })
        }
        _ => Err(faults),
    }
}

/// Where this deployment and its apps live.
///
/// # Errors
/// Every fault found.
pub fn deployment(variables: &impl Variables) -> Result<Deployment, Vec<Fault>> {
    let environment = environment(variables);
    let mut faults = Vec::new();
    let public_url = match variables
        .variable("public_url")
        .map(|text| BaseUrl::parse(&text, false))
    {
        Some(Ok(url)) if url.as_str() != url.origin().as_str() => {
            faults.push(fault(
                "public_url",
                "has a path",
                "Set it to an origin only, such as https://gate.example.",
            ));
            None
        }
        Some(Ok(url)) if !url.is_https() && environment == Environment::Production => {
            faults.push(fault(
                "public_url",
                "is not https",
                "Serve it over https. For http on a loopback host set env=dev.",
            ));
            None
        }
        Some(Ok(url)) => Some(url),
        Some(Err(_)) => {
            faults.push(fault(
                "public_url",
                "not an https origin",
                "Set it to our own origin, such as https://gate.example.",
            ));
            None
        }
        None => {
            faults.push(fault(
                "public_url",
                "missing",
                "Set it to our own origin, such as https://gate.example.",
            ));
            None
        }
    };
    let dangerous = variables.variable("dangerous_allow_dev_auth").as_deref()
        == Some("i-understand-anyone-can-sign-in");
    if environment == Environment::Development
        && public_url
            .as_ref()
            .is_some_and(|url| url.is_https() && !url.is_loopback())
        && !dangerous
    {
        faults.push(fault(
            "env",
            "dev on a public https deployment",
            "Set env=prod. If anybody may really sign in as anybody, set dangerous_allow_dev_auth to i-understand-anyone-can-sign-in.",
        ));
    }
    let list = variables.variable("app_url").unwrap_or_default();
    let mut apps = Vec::new();
    let mut texts = Vec::new();
    for text in list
        .split(',')
        .map(str::trim)
        .filter(|text| !text.is_empty())
        .take(64)
    {
        match Origin::of(text) {
            Ok(origin) => {
                if !apps.contains(&origin) {
                    apps.push(origin);
                }
                texts.push(text);
            }
            Err(_) => faults.push(fault(
                "app_url",
                "holds something that is not an absolute http(s) URL",
                "List origins and return URLs of the apps, separated by commas, such as https://app.example/auth/done.",
            )),
        }
    }
    let Some(public_url) = public_url else {
        return Err(faults);
    };
    let home = ReturnTo::parse(texts.first().copied().unwrap_or("/"), &public_url, &apps);
    match home {
        Ok(home) if faults.is_empty() => Ok(Deployment {
            public_url,
            home,
            apps,
            environment,
        }),
        Ok(_) => Err(faults),
        Err(_) => {
            faults.push(fault(
                "app_url",
                "its first entry can't be returned to",
                "Write its host in lower case and without user information.",
            ));
            Err(faults)
        }
    }
}

fn seconds(
    variables: &impl Variables,
    name: &'static str,
    default: u64,
    range: std::ops::RangeInclusive<u64>,
    fix: &'static str,
    faults: &mut Vec<Fault>,
) -> u64 {
    match variables.variable(name) {
        None => default,
        Some(text) => match text.parse::<u64>() {
            Ok(number) if range.contains(&number) => number,
            _ => {
                faults.push(fault(name, "out of range", fix));
                default
            }
        },
    }
}

/// Session keys and lifetimes.
///
/// # Errors
/// Every fault found.
pub fn sessions(variables: &impl Variables) -> Result<Sessions, Vec<Fault>> {
    const KEYS: &str = "Set it to the output of `openssl rand -base64 32`; several, comma-separated, during a rotation.";
    let mut faults = Vec::new();
    let keys = match variables
        .variable("session_secret")
        .map(|text| KeyRing::parse(&text))
    {
        Some(Ok(keys)) => Some(keys),
        Some(Err(_)) => {
            faults.push(fault(
                "session_secret",
                "not base64 of 32 bytes or more",
                KEYS,
            ));
            None
        }
        None => {
            faults.push(fault("session_secret", "missing", KEYS));
            None
        }
    };
    let ttl = seconds(
        variables,
        "session_ttl_seconds",
        900,
        60..=43_200,
        "Set it to a number of seconds from 60 to 43200.",
        &mut faults,
    );
    let days = seconds(
        variables,
        "refresh_ttl_days",
        30,
        1..=365,
        "Set it to a number of days from 1 to 365.",
        &mut faults,
    );
    match keys {
        Some(keys) if faults.is_empty() => Ok(Sessions {
            signer: SessionSigner::new(&keys),
            refresh: RefreshSigner::new(&keys),
            sealer: Sealer::new(&keys),
            session_ttl: Duration::from_secs(ttl),
            refresh_ttl: Duration::from_secs(days.saturating_mul(86_400)),
        }),
        _ => Err(faults),
    }
}

/// All of it, for the component that signs people in.
///
/// # Errors
/// The problem to answer with, which lists every fault: [`Code::OidcNotConfigured`] when one of
/// ScaiKey's three settings is absent, else [`Code::ConfigurationInvalid`].
pub fn settings(variables: &impl Variables) -> Result<Settings, Problem> {
    match (
        scaikey(variables),
        deployment(variables),
        sessions(variables),
    ) {
        (Ok(scaikey), Ok(deployment), Ok(sessions)) => Ok(Settings {
            scaikey,
            deployment,
            sessions,
            password_grant_enabled: variables.variable("password_grant_enabled").as_deref()
                == Some("true"),
            bootstrap_super_admin: variables
                .variable("bootstrap_super_admin")
                .and_then(|text| text.strip_prefix("user:").map(str::to_ascii_lowercase)),
        }),
        (scaikey, deployment, sessions) => {
            let faults: Vec<Fault> = [scaikey.err(), deployment.err(), sessions.err()]
                .into_iter()
                .flatten()
                .flatten()
                .collect();
            Err(problem(&faults))
        }
    }
}

/// The answer to a request that `faults` make impossible.
#[must_use]
pub fn problem(faults: &[Fault]) -> Problem {
    let missing: Vec<Value> = faults
        .iter()
        .filter(|fault| fault.problem == "missing" && THREE.contains(&fault.setting))
        .map(|fault| Value::from(fault.setting.to_uppercase()))
        .collect();
    let list: Vec<Value> = faults
        .iter()
        .map(
            |fault| json!({ "setting": fault.setting, "problem": fault.problem, "fix": fault.fix }),
        )
        .collect();
    if missing.is_empty() {
        Problem::new(Code::ConfigurationInvalid).with("faults", list)
    } else {
        Problem::new(Code::OidcNotConfigured)
            .with("missing", missing)
            .with("faults", list)
            .with_detail_text("ScaiKey OIDC not configured on the server")
    }
}
