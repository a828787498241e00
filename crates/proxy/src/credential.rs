//! Whose credential speaks: what there is for one caller, in the documented order
//! (`contract/scaiflow.md` 2.5).

use scaigate_problem::{Code, Problem};
use scaigate_scaigrid::credential::{Available, BoundKey, Source, choose as choose_of};
use scaigate_scaigrid::path::Route;
use scaigate_scaigrid::{CallerToken, Chosen, DeployAuth, MissingCredentials, UpstreamError};
use scaigate_signin::token_exchange::TokenExchange;
use scaigate_signin::{Credential, Ports, Principal, kept_tokens};
use scaigate_types::Secret;

use crate::settings::Settings;
use crate::tenant_keys;

/// Who calls, and the bearer token by which they are known. Only a token of ScaiKey's is ever sent
/// anywhere; ours never leaves.
#[derive(Clone, Copy, Debug)]
pub struct Caller<'a> {
    /// Who.
    pub principal: &'a Principal,
    /// The bearer token of the request.
    pub bearer: Option<&'a str>,
}

/// The credential to send: the caller's own token, the tenant's key, the deployment's.
///
/// # Errors
/// [`Code::MissingCredentials`] when nothing that the configuration allows is there; ScaiKey or the
/// database does not answer, which is not the same as none.
pub async fn choose(
    ports: &impl Ports,
    settings: &Settings,
    caller: Caller<'_>,
) -> Result<Chosen, Problem> {
    let pin = settings.grid.deploy_auth;
    let mut available = Available::default();
    if pin != DeployAuth::ApiKey {
        available.caller = own_token(ports, settings, caller).await?;
    }
    // Only then: what opens the keys need not be there for who doesn't use them.
    if available.caller.is_none() && pin != DeployAuth::UserJwt {
        available.tenant = tenant_key(ports, settings, caller.principal).await?;
        available
            .deployment
            .clone_from(&settings.grid.deployment_key);
    }
    choose_of(available, pin).map_err(|error| missing(error, settings, caller.principal))
}

/// The credential of nobody's tenant: the deployment's key alone, for the deprecated deploy
/// (`contract/scaiflow.md` 2.9).
///
/// # Errors
/// [`Code::MissingCredentials`].
pub fn of_deployment(settings: &Settings) -> Result<Chosen, Problem> {
    let available = Available {
        deployment: settings.grid.deployment_key.clone(),
        ..Available::default()
    };
    choose_of(available, settings.grid.deploy_auth).map_err(|error| {
        let problem = Problem::new(Code::MissingCredentials)
            .with("pinned", pin_name(error.pin))
            .with_fix("POST /v1/dev/deploy speaks with SCAIGRID_API_KEY alone, which counts with env=dev and unless SCAIFLOW_DEPLOY_AUTH=user_jwt: set it, or sign in through ScaiKey and use POST /v1/flows/{id}/deploy.");
        ignored_key(problem, settings)
    })
}

/// What to try after ScaiGrid's refusal: the tenant's key, where the route allows it.
///
/// # Errors
/// The database does not answer, or the key does not open.
pub(crate) async fn after(
    ports: &impl Ports,
    settings: &Settings,
    caller: Caller<'_>,
    chosen: &Chosen,
    error: &UpstreamError,
    route: &Route,
) -> Result<Option<Chosen>, Problem> {
    let pin = settings.grid.deploy_auth;
    let scaigate_scaigrid::Credential::Token(token) = chosen.credential() else {
        return Ok(None);
    };
    if pin != DeployAuth::Unset || chosen.source() != Source::CallerToken {
        return Ok(None);
    }
    if error.status != http::StatusCode::FORBIDDEN || !route.falls_back_to_key() {
        return Ok(None);
    }
    let available = Available {
        caller: Some(token.clone()),
        tenant: tenant_key(ports, settings, caller.principal).await?,
        deployment: None,
    };
    Ok(choose_of(available, pin)
        .ok()
        .and_then(|chosen| chosen.after(error, route)))
}

async fn tenant_key(
    ports: &impl Ports,
    settings: &Settings,
    principal: &Principal,
) -> Result<Option<BoundKey>, Problem> {
    match tenant_keys::tenant_of(principal) {
        Some(tenant_id) => {
            let keys = settings.tenant_keys.as_ref().map_err(Vec::as_slice);
            tenant_keys::find(ports, keys, tenant_id).await
        }
        None => Ok(None),
    }
}

/// The caller's ScaiKey token, or one traded for it; `None` when they have none.
async fn own_token(
    ports: &impl Ports,
    settings: &Settings,
    caller: Caller<'_>,
) -> Result<Option<CallerToken>, Problem> {
    let bearer = caller.bearer.unwrap_or_default();
    let audiences = &settings.grid.exchange_audience;
    let token = match audiences.first() {
        Some(audience) => {
            let exchange = TokenExchange {
                keeper: settings.keeper(),
                audiences,
            };
            exchange
                .for_audience(ports, caller.principal, bearer, audience, None)
                .await
                .map(|exchanged| exchanged.access_token)
        }
        None => as_it_is(ports, settings, caller.principal, bearer).await,
    };
    match token {
        Ok(token) => CallerToken::parse(token).map(Some).map_err(|error| {
            Problem::new(Code::ScaikeyInvalidResponse).with("reason", error.to_string())
        }),
        Err(problem) if problem.code() == Code::ScaikeyLoginRequired => Ok(None),
        Err(problem) => Err(problem),
    }
}

async fn as_it_is(
    ports: &impl Ports,
    settings: &Settings,
    principal: &Principal,
    bearer: &str,
) -> Result<Secret<String>, Problem> {
    let own = || Ok(Secret::new(bearer.to_owned()));
    match principal {
        Principal::Service(_) => own(),
        Principal::Dev(_) => Err(Problem::new(Code::ScaikeyLoginRequired)),
        Principal::User(user) => match &user.credential {
            Credential::AccessToken => own(),
            Credential::Session(sid) => kept_tokens::access_token(ports, settings.keeper(), sid)
                .await
                .map(|(token, _)| token),
            Credential::Mock | Credential::DevHeaders => {
                Err(Problem::new(Code::ScaikeyLoginRequired))
            }
        },
    }
}

/// 412, with what this caller can do about it (S-06).
fn missing(error: MissingCredentials, settings: &Settings, principal: &Principal) -> Problem {
    let may_change = tenant_keys::may_change(principal);
    let fix = match (error.pin, may_change) {
        (DeployAuth::UserJwt, _) => {
            "SCAIFLOW_DEPLOY_AUTH=user_jwt allows the caller's ScaiKey token alone, and this caller has none: sign in through ScaiKey with POST /v1/auth/login. A key set with POST /v1/tenants/me/scaigrid_credentials counts only when the operator unsets it."
        }
        (DeployAuth::ApiKey, true) => {
            "SCAIFLOW_DEPLOY_AUTH=api_key wants a key of the tenant, and there is none: set it with POST /v1/tenants/me/scaigrid_credentials, which you may."
        }
        (DeployAuth::ApiKey, false) => {
            "SCAIFLOW_DEPLOY_AUTH=api_key wants a key of the tenant, and there is none: ask an administrator of the tenant to set it with POST /v1/tenants/me/scaigrid_credentials, which you may not."
        }
        (DeployAuth::Unset, true) => {
            "Set a key of the tenant with POST /v1/tenants/me/scaigrid_credentials, which you may, or sign in through ScaiKey with POST /v1/auth/login."
        }
        (DeployAuth::Unset, false) => {
            "Sign in through ScaiKey with POST /v1/auth/login, or ask an administrator of the tenant to set a key with POST /v1/tenants/me/scaigrid_credentials, which you may not."
        }
    };
    let problem = Problem::new(Code::MissingCredentials)
        .with("endpoint", "POST /v1/tenants/me/scaigrid_credentials")
        .with("caller_may_set", may_change)
        .with("pinned", pin_name(error.pin))
        .with_fix(fix);
    ignored_key(problem, settings)
}

const fn pin_name(pin: DeployAuth) -> Option<&'static str> {
    match pin {
        DeployAuth::Unset => None,
        DeployAuth::UserJwt => Some("user_jwt"),
        DeployAuth::ApiKey => Some("api_key"),
    }
}

/// Says that there is a key which is not used.
fn ignored_key(problem: Problem, settings: &Settings) -> Problem {
    if settings.grid.ignores_deployment_key {
        problem.with("scaigrid_api_key", "not used: env is not dev")
    } else {
        problem
    }
}
