//! The order of credentials, the setting that pins it, and the one way round a 403.

use http::StatusCode;
use thiserror::Error;

use super::{ApiKey, BoundKey, CallerToken, Credential};
use crate::error::{KnownCode, UpstreamError};
use crate::path::Route;

/// `scaiflow_deploy_auth`: which credential is used, whatever else there is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DeployAuth {
    /// The first that exists.
    #[default]
    Unset,
    /// `user_jwt`: the caller's token or none.
    UserJwt,
    /// `api_key`: the tenant's key, else the deployment's; never the caller's token.
    ApiKey,
}

/// The setting is neither `user_jwt` nor `api_key` nor empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("scaiflow_deploy_auth is none of user_jwt, api_key and unset")]
pub struct UnknownDeployAuth;

impl DeployAuth {
    /// Reads the setting; spaces around it don't count, its case does.
    ///
    /// # Errors
    /// [`UnknownDeployAuth`]: who pins a credential and mistypes must not get another one.
    pub fn parse(text: &str) -> Result<Self, UnknownDeployAuth> {
        match text.trim() {
            "" => Ok(Self::Unset),
            "user_jwt" => Ok(Self::UserJwt),
            "api_key" => Ok(Self::ApiKey),
            _ => Err(UnknownDeployAuth),
        }
    }
}

/// Whose credential it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The caller's ScaiKey token.
    CallerToken,
    /// The tenant's API key.
    TenantKey,
    /// The deployment's API key.
    DeploymentKey,
}

/// What there is for one caller.
#[derive(Clone, Debug, Default)]
pub struct Available {
    /// The caller's ScaiKey token, verified.
    pub caller: Option<CallerToken>,
    /// The key of the caller's own tenant (N-120).
    pub tenant: Option<BoundKey>,
    /// `scaigrid_api_key`. A fallback for development: one key for every tenant.
    pub deployment: Option<ApiKey>,
}

/// There is no credential: 412 (S-06).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("there is no credential for ScaiGrid")]
pub struct MissingCredentials {
    /// How the choice was pinned: the fix is another one where it was.
    pub pin: DeployAuth,
}

/// The credential to send.
#[derive(Clone, Debug)]
pub struct Chosen {
    credential: Credential,
    source: Source,
    /// For the one way round a 403.
    tenant: Option<BoundKey>,
}

/// Chooses by the documented order.
///
/// # Errors
/// [`MissingCredentials`] when nothing that `pin` allows is there.
pub fn choose(available: Available, pin: DeployAuth) -> Result<Chosen, MissingCredentials> {
    let Available {
        caller,
        tenant,
        deployment,
    } = available;
    let caller = caller.filter(|_| pin != DeployAuth::ApiKey);
    let tenant = tenant.filter(|_| pin != DeployAuth::UserJwt);
    let deployment = deployment.filter(|_| pin != DeployAuth::UserJwt);
    match (caller, tenant, deployment) {
        (Some(token), tenant, _) => Ok(Chosen {
            credential: Credential::Token(token),
            source: Source::CallerToken,
            tenant,
        }),
        (None, Some(key), _) => Ok(Chosen {
            credential: Credential::Key(key),
            source: Source::TenantKey,
            tenant: None,
        }),
        (None, None, Some(key)) => Ok(Chosen {
            credential: Credential::Key(BoundKey {
                key,
                base_url: None,
            }),
            source: Source::DeploymentKey,
            tenant: None,
        }),
        (None, None, None) => Err(MissingCredentials { pin }),
    }
}

impl Chosen {
    /// What to send.
    #[must_use]
    pub const fn credential(&self) -> &Credential {
        &self.credential
    }

    /// Whose it is.
    #[must_use]
    pub const fn source(&self) -> Source {
        self.source
    }

    /// What to try once more after `error`: the tenant's key, when ScaiGrid denied the caller's own
    /// token (403), the choice is not pinned, and the route is one of those whose answers every
    /// member of a tenant may see. A module that is switched off is so for every credential.
    #[must_use]
    pub fn after(&self, error: &UpstreamError, route: &Route) -> Option<Self> {
        let denied = error.status == StatusCode::FORBIDDEN
            && error.known_code() != Some(KnownCode::ModuleNotEnabled);
        // Only a choice of the caller's token has a key left, and the next one has none.
        let key = self.tenant.clone()?;
        (denied && route.falls_back_to_key()).then_some(Self {
            credential: Credential::Key(key),
            source: Source::TenantKey,
            tenant: None,
        })
    }
}
