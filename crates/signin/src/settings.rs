//! The settings of the sign-in, parsed once per instance from the variables of `product.md`
//! section 2. Every fault is collected, so that an operator hears of all of them at once.

mod deployment;
mod provider;
mod sessions;

use std::time::Duration;

use scaigate_jose::{RefreshSigner, Sealer, SessionSigner};
use scaigate_problem::{Code, Problem};
use scaigate_scaikey::Client;
use scaigate_types::{BaseUrl, ClientId, Origin, ReturnTo};
use serde_json::{Value, json};

pub use deployment::deployment;
use provider::THREE;
pub use provider::{base, provider, scaikey};
pub use sessions::sessions;

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

/// ScaiKey, as whoever checks its tokens knows it. Nothing here is secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Provider {
    /// Its base URL, from which discovery is read.
    pub base: BaseUrl,
    /// Our client there.
    pub client_id: ClientId,
    /// The accepted audiences of access tokens, 1 to 16: the client id unless `scaikey_audience`
    /// says otherwise.
    pub audiences: Vec<String>,
}

/// ScaiKey, as whoever calls its token endpoint knows it.
#[derive(Debug)]
pub struct Scaikey {
    /// What is not secret.
    pub provider: Provider,
    /// Our confidential client there.
    pub client: Client,
}

/// Whether this is a development environment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Environment {
    /// `env=dev`: plain-http issuers, cookies without `Secure` on loopback, and `X-Dev-*` headers.
    Development,
    /// Anything else.
    Production,
}

/// Whose bearer tokens pass (`scaiwave_auth_mode`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuthMode {
    /// Those of ScaiKey and ours.
    Scaikey,
    /// Any: it is one fixed test user.
    Mock,
    /// What has the form of a token is checked; anything else is the test user.
    Hybrid,
}

impl AuthMode {
    /// The documented value.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Scaikey => "scaikey",
            Self::Mock => "mock",
            Self::Hybrid => "hybrid",
        }
    }
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
    /// Whose bearer tokens pass.
    pub auth_mode: AuthMode,
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

/// What it takes to have tokens of ScaiKey for callers: what opens those that are kept, and the
/// confidential client that gets new ones.
#[derive(Clone, Copy)]
pub struct TokenKeeper<'a> {
    /// Our client at ScaiKey; without it what is kept is good until it expires.
    pub scaikey: Result<&'a Scaikey, &'a [Fault]>,
    /// Seals what is kept.
    pub sealer: &'a Sealer,
}

impl<'a> From<&'a Settings> for TokenKeeper<'a> {
    fn from(settings: &'a Settings) -> Self {
        Self {
            scaikey: Ok(&settings.scaikey),
            sealer: &settings.sessions.sealer,
        }
    }
}

impl<'a> TokenKeeper<'a> {
    /// Our client at ScaiKey.
    ///
    /// # Errors
    /// What is missing or wrong in the settings of it.
    pub(crate) fn client(self) -> Result<&'a Scaikey, Problem> {
        self.scaikey.map_err(problem)
    }
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

/// The environment.
pub fn environment(variables: &impl Variables) -> Environment {
    match variables.variable("env").as_deref() {
        Some("dev") => Environment::Development,
        _ => Environment::Production,
    }
}

/// The e-mail address that `bootstrap_super_admin` (`user:<email>`) names, its ASCII letters in lower
/// case.
pub fn bootstrap_super_admin(variables: &impl Variables) -> Option<String> {
    let text = variables.variable("bootstrap_super_admin")?;
    text.strip_prefix("user:").map(str::to_ascii_lowercase)
}

fn fault(setting: &'static str, problem: &'static str, fix: &'static str) -> Fault {
    Fault {
        setting,
        problem,
        fix,
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
            bootstrap_super_admin: bootstrap_super_admin(variables),
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
