//! The settings of what speaks to ScaiGrid (`product.md` section 2).

use scaigate_jose::{KeyRing, Sealer};
use scaigate_problem::{Code, Problem};
use scaigate_scaigrid::path::Route;
use scaigate_scaigrid::{ApiKey, DeployAuth};
use scaigate_signin::settings::{self, Environment, Fault, Scaikey, TokenKeeper, Variables};
use scaigate_types::{BaseUrl, Secret};
use serde_json::{Value, json};

const BASE: &str = "scaigrid_base_url";
const KEYS: &str = "credentials_key";
/// Longest audience taken.
const MAX_AUDIENCE: usize = 256;

/// ScaiGrid, and how it is spoken to.
#[derive(Debug)]
pub struct Grid {
    /// Its origin.
    pub base_url: BaseUrl,
    /// Which credential is used, whatever else there is.
    pub deploy_auth: DeployAuth,
    /// `scaigrid_api_key`, the last resort: one key for every tenant, so in development only.
    pub deployment_key: Option<ApiKey>,
    /// There is a deployment key, and it is not used because this is no development environment.
    pub ignores_deployment_key: bool,
    /// The audience that the caller's token is traded for, so that the token itself never leaves (G7): none
    /// or one.
    pub exchange_audience: Vec<String>,
    /// The calls that are passed on beside reads.
    pub allowed_posts: AllowedPosts,
}

/// `scaigrid_allowed_posts`: calls that spend or change something, none unless it says so.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AllowedPosts {
    inference: bool,
    core_invoke: bool,
    checkpoint_resolve: bool,
}

impl AllowedPosts {
    fn parse(text: &str) -> Option<Self> {
        let mut allowed = Self::default();
        for name in text
            .split(',')
            .map(str::trim)
            .filter(|name| !name.is_empty())
        {
            match name {
                "inference" => allowed.inference = true,
                "core_invoke" => allowed.core_invoke = true,
                "checkpoint_resolve" => allowed.checkpoint_resolve = true,
                _ => return None,
            }
        }
        Some(allowed)
    }

    /// Lets a read pass, and a call that is listed.
    ///
    /// # Errors
    /// [`Code::ScaigridCallNotEnabled`], which names what to list.
    pub fn check(self, route: &Route) -> Result<(), Problem> {
        let (allowed, name) = match route {
            Route::Models
            | Route::QueueScopes
            | Route::Queues { .. }
            | Route::Bunkers
            | Route::Model { .. }
            | Route::PassThrough { .. } => return Ok(()),
            Route::Inference(_) => (self.inference, "inference"),
            Route::CoreInvoke { .. } => (self.core_invoke, "core_invoke"),
            Route::CheckpointResolve { .. } => (self.checkpoint_resolve, "checkpoint_resolve"),
        };
        if allowed {
            Ok(())
        } else {
            Err(Problem::new(Code::ScaigridCallNotEnabled).with("name", name))
        }
    }
}

/// Everything that it takes to speak to ScaiGrid for somebody.
pub struct Settings {
    /// ScaiGrid.
    pub grid: Grid,
    /// Opens the tenants' keys; without it only callers with a token of their own are served.
    pub tenant_keys: Result<Sealer, Vec<Fault>>,
    /// Our client at ScaiKey, for refreshing and trading callers' tokens.
    pub scaikey: Result<Scaikey, Vec<Fault>>,
    /// Opens the tokens that sessions keep.
    pub sealer: Sealer,
}

impl Settings {
    /// Gets callers' tokens.
    #[must_use]
    pub fn keeper(&self) -> TokenKeeper<'_> {
        TokenKeeper {
            scaikey: self.scaikey.as_ref().map_err(Vec::as_slice),
            sealer: &self.sealer,
        }
    }
}

fn fault(setting: &'static str, problem: &'static str, fix: &'static str) -> Fault {
    Fault {
        setting,
        problem,
        fix,
    }
}

/// ScaiGrid's origin.
///
/// # Errors
/// The fault found.
pub fn base_url(variables: &impl Variables) -> Result<BaseUrl, Fault> {
    let development = settings::environment(variables) == Environment::Development;
    let text = variables.variable(BASE).ok_or_else(|| {
        fault(
            BASE,
            "missing",
            "Set it to ScaiGrid's origin, such as https://scaigrid.scailabs.ai.",
        )
    })?;
    BaseUrl::parse(&text, development)
        .ok()
        // The grant for outbound calls is made from this variable, and takes no path.
        .filter(|base| base.as_str() == base.origin().as_str())
        .ok_or_else(|| {
            fault(
                BASE,
                "not an https origin",
                "Set it to ScaiGrid's origin, such as https://scaigrid.scailabs.ai; http is taken for loopback hosts, or with env=dev.",
            )
        })
}

/// ScaiGrid, and how it is spoken to.
///
/// # Errors
/// Every fault found.
pub fn grid(variables: &impl Variables) -> Result<Grid, Vec<Fault>> {
    let mut faults = Vec::new();
    let base_url = base_url(variables).map_err(|found| faults.push(found)).ok();
    let pin = variables
        .variable("scaiflow_deploy_auth")
        .unwrap_or_default();
    let deploy_auth = DeployAuth::parse(&pin).unwrap_or_else(|_| {
        faults.push(fault(
            "scaiflow_deploy_auth",
            "neither user_jwt nor api_key",
            "Set it to user_jwt or api_key, or leave it unset.",
        ));
        DeployAuth::Unset
    });
    let is_development = settings::environment(variables) == Environment::Development;
    let key = variables.variable("scaigrid_api_key");
    let ignores_deployment_key = key.is_some() && !is_development;
    let deployment_key = key.filter(|_| is_development).and_then(|text| {
        ApiKey::parse(Secret::new(text))
            .map_err(|_| {
                faults.push(fault(
                    "scaigrid_api_key",
                    "not an API key of ScaiGrid",
                    "Copy the key (sgk_…) from ScaiGrid again.",
                ));
            })
            .ok()
    });
    let audience = variables.variable("scaigrid_exchange_audience");
    let is_audience = |text: &String| {
        text.len() <= MAX_AUDIENCE && text.bytes().all(|byte| byte.is_ascii_graphic())
    };
    if !audience.as_ref().is_none_or(is_audience) {
        faults.push(fault(
            "scaigrid_exchange_audience",
            "not one audience",
            "Set it to the client id of ScaiGrid in ScaiKey, or leave it unset.",
        ));
    }
    let posts = variables
        .variable("scaigrid_allowed_posts")
        .unwrap_or_default();
    let allowed_posts = AllowedPosts::parse(&posts).unwrap_or_else(|| {
        faults.push(fault(
            "scaigrid_allowed_posts",
            "names a call that there is not",
            "List some of inference, core_invoke and checkpoint_resolve, separated by commas.",
        ));
        AllowedPosts::default()
    });
    match base_url {
        Some(base_url) if faults.is_empty() => Ok(Grid {
            base_url,
            deploy_auth,
            deployment_key,
            ignores_deployment_key,
            exchange_audience: audience.into_iter().collect(),
            allowed_posts,
        }),
        _ => Err(faults),
    }
}

/// What seals the tenants' keys.
///
/// # Errors
/// The fault found.
pub fn tenant_keys(variables: &impl Variables) -> Result<Sealer, Vec<Fault>> {
    const FIX: &str = "Set it to the output of `openssl rand -base64 32`; several, comma-separated, during a rotation: the first seals, all open.";
    let text = variables
        .variable(KEYS)
        .ok_or_else(|| vec![fault(KEYS, "missing", FIX)])?;
    match KeyRing::parse(&text) {
        Ok(keys) => Ok(Sealer::new(&keys)),
        Err(_) => Err(vec![fault(KEYS, "not base64 of 32 bytes or more", FIX)]),
    }
}

/// All of it.
///
/// # Errors
/// The problem to answer with, which lists every fault. Faults of what only some callers need are kept
/// for those.
pub fn settings(variables: &impl Variables) -> Result<Settings, Problem> {
    match (grid(variables), settings::sessions(variables)) {
        (Ok(grid), Ok(sessions)) => Ok(Settings {
            grid,
            tenant_keys: tenant_keys(variables),
            scaikey: settings::scaikey(variables),
            sealer: sessions.sealer,
        }),
        (grid, sessions) => {
            let mut faults = grid.err().unwrap_or_default();
            faults.extend(sessions.err().unwrap_or_default());
            Err(problem(&faults))
        }
    }
}

/// The answer to a request that `faults` make impossible: [`Code::ScaigridNotConfigured`] when there is
/// no ScaiGrid, else [`Code::ConfigurationInvalid`].
#[must_use]
pub fn problem(faults: &[Fault]) -> Problem {
    let is_absent = |fault: &Fault| fault.setting == BASE && fault.problem == "missing";
    if !faults.iter().any(is_absent) {
        return settings::problem(faults);
    }
    let list: Vec<Value> = faults
        .iter()
        .map(
            |fault| json!({ "setting": fault.setting, "problem": fault.problem, "fix": fault.fix }),
        )
        .collect();
    Problem::new(Code::ScaigridNotConfigured).with("faults", list)
}
