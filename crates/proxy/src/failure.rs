//! What each failure on the way to ScaiGrid is to the caller. Exhaustive: a new one must be placed
//! here.

use std::time::Duration;

use scaigate_problem::{Code, Problem};
use scaigate_scaigrid::credential::Source;
use scaigate_scaigrid::error::{InvalidAnswer, Refusal};
use scaigate_scaigrid::headers::HeaderError;
use scaigate_scaigrid::{PathError, UpstreamError};
use scaigate_types::OutboundError;

use crate::watched::Cut;

/// How long to wait when ScaiGrid limits us and does not say how long.
const DEFAULT_WAIT: Duration = Duration::from_secs(5);

const fn source_name(source: Source) -> &'static str {
    match source {
        Source::CallerToken => "caller_token",
        Source::TenantKey => "tenant_key",
        Source::DeploymentKey => "deployment_key",
    }
}

/// The target leads nowhere.
#[must_use]
pub fn path(error: PathError) -> Problem {
    match error {
        PathError::Unknown | PathError::NotOpen => {
            Problem::new(Code::NotFound).with("reason", error.as_str())
        }
        PathError::Method { allow } => Problem::new(Code::MethodNotAllowed).with_allow(allow),
        PathError::Query(query) => Problem::invalid_field("query", query.as_str()),
        PathError::Form
        | PathError::TooLong
        | PathError::TooManySegments
        | PathError::EmptySegment
        | PathError::DotSegment
        | PathError::Backslash
        | PathError::Parameter
        | PathError::Fragment
        | PathError::Character
        | PathError::BrokenEncoding
        | PathError::Encoded => Problem::invalid_field("path", error.as_str()),
    }
}

/// The headers can't go on.
#[must_use]
pub fn headers(error: HeaderError) -> Problem {
    match error {
        HeaderError::Repeated(name) => Problem::invalid_field(name, "it is there more than once"),
        HeaderError::Value(name) => Problem::invalid_field(name, "it can't be passed on"),
        HeaderError::ContentType => Problem::new(Code::UnsupportedMediaType),
    }
}

/// A call gave no answer.
#[must_use]
pub fn outbound(error: OutboundError) -> Problem {
    match error {
        OutboundError::Refused => Problem::new(Code::ScaigridUnreachable),
        OutboundError::Denied => {
            Problem::new(Code::ScaigridUnreachable).with("reason", "outbound host not allowed")
        }
        OutboundError::Timeout => Problem::new(Code::ScaigridTimeout),
        OutboundError::Interrupted => unusable("the answer was cut off"),
        OutboundError::TooLarge => unusable("the answer was too large"),
    }
}

/// An answer ended before anything of it had passed.
#[must_use]
pub fn cut(cut: Cut) -> Problem {
    match cut {
        Cut::Upstream(error) => outbound(error),
        Cut::Reflected => invalid(InvalidAnswer::Reflected),
    }
}

/// An answer can't be used.
#[must_use]
pub fn invalid(error: InvalidAnswer) -> Problem {
    unusable(&error.to_string())
}

pub(crate) fn unusable(reason: &str) -> Problem {
    Problem::new(Code::ScaigridInvalidResponse).with("reason", reason)
}

/// ScaiGrid says no.
#[must_use]
pub fn refused(error: &UpstreamError, source: Source) -> Problem {
    let problem = match Refusal::of(error, source) {
        Refusal::TokenRefused => Problem::new(Code::ScaigridTokenRefused),
        Refusal::KeyRefused { .. } => Problem::new(Code::ScaigridKeyRefused),
        Refusal::Forbidden { .. } => {
            Problem::new(Code::ScaigridForbidden).with_sw_code("SW_AUTH_INSUFFICIENT_PERMISSION")
        }
        Refusal::ModuleNotEnabled => Problem::new(Code::ScaigridModuleNotEnabled),
        Refusal::NotFound => Problem::new(Code::ScaigridNotFound),
        Refusal::Conflict => Problem::new(Code::ScaigridConflict),
        Refusal::Rejected => Problem::new(Code::ScaigridRejected),
        Refusal::RateLimited { .. } => limited(Code::ScaigridRateLimited, error, "scaigrid"),
        Refusal::BackendRateLimited => limited(Code::ModelRateLimited, error, "model"),
        Refusal::QuotaExceeded => Problem::new(Code::ScaigridQuotaExceeded),
        Refusal::Unavailable => waiting(Code::ScaigridCapacityUnavailable, error),
        Refusal::BackendFailed => Problem::new(Code::ModelBackendFailed),
        Refusal::BackendTimeout => Problem::new(Code::ModelBackendTimeout),
        Refusal::Failed => waiting(Code::ScaigridUnavailable, error),
    };
    let code = error.code.as_ref().map(|code| code.as_str().to_owned());
    problem
        .with("source", source_name(source))
        .with("upstream_status", error.status.as_u16())
        .with("upstream_code", code)
        .with("upstream_request_id", error.request_id.clone())
}

fn waiting(code: Code, error: &UpstreamError) -> Problem {
    let problem = Problem::new(code);
    match error.retry_after {
        Some(wait) => problem.with_retry_after(wait),
        None => problem,
    }
}

/// The category, and what ScaiGrid says of its limits (S-22).
fn limited(code: Code, error: &UpstreamError, category: &'static str) -> Problem {
    let limits = error.rate_limit;
    Problem::new(code)
        .with("category", category)
        .with("limit", limits.limit)
        .with("remaining", limits.remaining)
        .with("reset", limits.reset)
        .with_retry_after(error.retry_after.unwrap_or(DEFAULT_WAIT))
        .with_sw_code("SW_RATE_LIMIT_EXCEEDED")
}
