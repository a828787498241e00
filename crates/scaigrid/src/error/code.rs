//! ScaiGrid's codes.

use std::fmt;

macro_rules! codes {
    ($($variant:ident $name:literal;)*) => {
        /// A documented code (`contract/scaiwave-scaicrew-scaigrid.md` 3.6, 4, 5).
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum KnownCode {
            $(#[doc = concat!("`", $name, "`")] $variant,)*
        }

        impl KnownCode {
            /// Every code.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The code as ScaiGrid spells it.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }
        }
    };
}

codes! {
    AuthTokenMissing "AUTH_TOKEN_MISSING";
    AuthTokenInvalid "AUTH_TOKEN_INVALID";
    AuthFlowInvalid "AUTH_FLOW_INVALID";
    SessionExpired "SESSION_EXPIRED";
    ServiceTokenInvalid "SERVICE_TOKEN_INVALID";
    AuthInsufficientScope "AUTH_INSUFFICIENT_SCOPE";
    AuthzPermissionDenied "AUTHZ_PERMISSION_DENIED";
    AuthIdentityNotFound "AUTH_IDENTITY_NOT_FOUND";
    ValidationError "VALIDATION_ERROR";
    SlugConflict "SLUG_CONFLICT";
    ProviderHasBackends "PROVIDER_HAS_BACKENDS";
    ModelNotFound "MODEL_NOT_FOUND";
    ModelAccessDenied "MODEL_ACCESS_DENIED";
    ModelUnavailable "MODEL_UNAVAILABLE";
    BackendError "BACKEND_ERROR";
    BackendTimeout "BACKEND_TIMEOUT";
    BackendRateLimited "BACKEND_RATE_LIMITED";
    UpstreamShapeMismatch "UPSTREAM_SHAPE_MISMATCH";
    RateLimited "RATE_LIMITED";
    QuotaExceeded "QUOTA_EXCEEDED";
    BudgetExceeded "BUDGET_EXCEEDED";
    ModuleNotEnabled "MODULE_NOT_ENABLED";
    ScopePaused "SCAIQUEUE_SCOPE_PAUSED";
    QueuePaused "SCAIQUEUE_QUEUE_PAUSED";
    QueueFull "SCAIQUEUE_QUEUE_FULL";
    IdempotencyConflict "SCAIQUEUE_IDEMPOTENCY_CONFLICT";
    WorkerUnavailable "WORKER_UNAVAILABLE";
    NoSuitableWorker "NO_SUITABLE_WORKER";
    BunkerQuotaExceeded "BUNKER_QUOTA_EXCEEDED";
    NetworkProfileDenied "NETWORK_PROFILE_DENIED";
    LifecycleModeDenied "LIFECYCLE_MODE_DENIED";
    InterfacesNotAllowed "INTERFACES_NOT_ALLOWED";
    TransitMissingInterfaces "TRANSIT_MISSING_INTERFACES";
}

/// A code of ScaiGrid's, known or not. It can be shown, and it is no place for a credential.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UpstreamCode {
    /// A documented one.
    Known(KnownCode),
    /// One that looks like a code: words of at most 16 letters and digits, of one case, joined by
    /// `_`; at most 64 characters, 4 digits and 8 words. API keys and tokens never do.
    Other(String),
}

impl UpstreamCode {
    /// Reads a code; `None` for anything that doesn't look like one.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let known = KnownCode::ALL.iter().find(|code| code.as_str() == text);
        if let Some(code) = known {
            return Some(Self::Known(*code));
        }
        looks_like_a_code(text).then(|| Self::Other(text.to_owned()))
    }

    /// The code as ScaiGrid spells it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Known(code) => code.as_str(),
            Self::Other(text) => text,
        }
    }
}

impl fmt::Display for UpstreamCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

fn looks_like_a_code(text: &str) -> bool {
    if text.len() > 64 || text.split('_').count() > 8 || crate::credential_name::is_key(text) {
        return false;
    }
    let count = |test: fn(&u8) -> bool| text.as_bytes().iter().filter(|byte| test(byte)).count();
    let (upper, lower) = (count(u8::is_ascii_uppercase), count(u8::is_ascii_lowercase));
    let is_word = |word: &str| {
        (1..=16).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_alphanumeric())
    };
    (upper == 0) != (lower == 0) && count(u8::is_ascii_digit) <= 4 && text.split('_').all(is_word)
}
