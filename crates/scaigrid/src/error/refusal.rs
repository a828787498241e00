//! The one table from what went wrong at ScaiGrid to what the caller is told.

use http::StatusCode;
use thiserror::Error;

use super::{AnswerError, KnownCode, UpstreamError};
use crate::credential::Source;
use crate::lookup::ShapeError;

/// An answer of ScaiGrid's that can't be used, although it is no failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum InvalidAnswer {
    /// Its head.
    #[error(transparent)]
    Head(#[from] AnswerError),
    /// Its body, where a lookup is normalised.
    #[error(transparent)]
    Shape(#[from] ShapeError),
    /// Its body repeats the credential.
    #[error("ScaiGrid's answer repeats the credential")]
    Reflected,
}

/// What the caller is told. Each is one code of ours; mapping it is exhaustive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// 401 on the caller's own token: ScaiGrid trusts another ScaiKey or audience, or has ended it.
    /// Not a 401 of ours: the caller's session is fine, and signing in again changes nothing (S-04).
    TokenRefused,
    /// 401 on an API key: it was revoked, or has expired.
    KeyRefused {
        /// Whose key: the tenant's administrators rotate one, operators the other.
        source: Source,
    },
    /// 403: the person behind the credential may not.
    Forbidden {
        /// Whose credential.
        source: Source,
    },
    /// 403 `MODULE_NOT_ENABLED`: nobody in the tenant can.
    ModuleNotEnabled,
    /// 404, or 410.
    NotFound,
    /// 409, or a paused or full queue.
    Conflict,
    /// 400, 413, 415, 422 and other refusals of what the caller sent.
    Rejected,
    /// 429 of ScaiGrid's own limits.
    RateLimited {
        /// Whose credential: a key is shared by everybody of the tenant.
        source: Source,
    },
    /// 429 of the provider behind a model.
    BackendRateLimited,
    /// A quota or budget is used up. Waiting doesn't help.
    QuotaExceeded,
    /// The model, or the worker for it, is not available now.
    Unavailable,
    /// The provider behind a model failed.
    BackendFailed,
    /// The provider behind a model did not answer in time.
    BackendTimeout,
    /// 5xx of ScaiGrid itself, or of what stands before it.
    Failed,
}

impl Refusal {
    /// What `error` means when it was the answer to a credential of `source`. The documented codes
    /// decide before the status: a gateway may change the status, nobody changes the code.
    #[must_use]
    pub fn of(error: &UpstreamError, source: Source) -> Self {
        match error.known_code() {
            Some(code) => of_code(code, source),
            None => of_status(error.status, source),
        }
    }
}

const fn unauthenticated(source: Source) -> Refusal {
    match source {
        Source::CallerToken => Refusal::TokenRefused,
        Source::TenantKey | Source::DeploymentKey => Refusal::KeyRefused { source },
    }
}

const fn of_code(code: KnownCode, source: Source) -> Refusal {
    use KnownCode as Code;
    match code {
        Code::AuthTokenMissing
        | Code::AuthTokenInvalid
        | Code::AuthFlowInvalid
        | Code::SessionExpired
        | Code::ServiceTokenInvalid => unauthenticated(source),
        // The person is not known to ScaiGrid, whatever is asked for.
        Code::AuthIdentityNotFound
        | Code::AuthInsufficientScope
        | Code::AuthzPermissionDenied
        | Code::ModelAccessDenied
        | Code::NetworkProfileDenied
        | Code::LifecycleModeDenied
        | Code::InterfacesNotAllowed => Refusal::Forbidden { source },
        Code::ModuleNotEnabled => Refusal::ModuleNotEnabled,
        Code::ModelNotFound => Refusal::NotFound,
        Code::SlugConflict
        | Code::ProviderHasBackends
        | Code::ScopePaused
        | Code::QueuePaused
        | Code::QueueFull
        | Code::IdempotencyConflict => Refusal::Conflict,
        Code::ValidationError | Code::TransitMissingInterfaces => Refusal::Rejected,
        Code::RateLimited => Refusal::RateLimited { source },
        Code::BackendRateLimited => Refusal::BackendRateLimited,
        Code::QuotaExceeded | Code::BudgetExceeded | Code::BunkerQuotaExceeded => {
            Refusal::QuotaExceeded
        }
        Code::ModelUnavailable | Code::WorkerUnavailable | Code::NoSuitableWorker => {
            Refusal::Unavailable
        }
        Code::BackendError | Code::UpstreamShapeMismatch => Refusal::BackendFailed,
        Code::BackendTimeout => Refusal::BackendTimeout,
    }
}

fn of_status(status: StatusCode, source: Source) -> Refusal {
    match status.as_u16() {
        401 => unauthenticated(source),
        402 => Refusal::QuotaExceeded,
        403 => Refusal::Forbidden { source },
        404 | 410 => Refusal::NotFound,
        409 | 423 => Refusal::Conflict,
        429 => Refusal::RateLimited { source },
        // What stands before ScaiGrid wants something of us that the caller can't give.
        407 | 408 => Refusal::Failed,
        400..=499 => Refusal::Rejected,
        _ => Refusal::Failed,
    }
}
