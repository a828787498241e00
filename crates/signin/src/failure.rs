//! What each lower failure is to the caller. Exhaustive: a new one must be placed here.

use std::error::Error;
use std::time::Duration;

use scaigate_jose::{IdTokenError, JwksError, VerifyError};
use scaigate_problem::{Code, Problem};
use scaigate_scaikey::callback::CallbackError;
use scaigate_scaikey::{DiscoveryError, OAuthError, TokenError, jwks};
use scaigate_types::{OutboundError, StoreError};

/// How long to wait when ScaiKey limits us and does not say how long.
const DEFAULT_WAIT: Duration = Duration::from_secs(5);

/// What an error says and what caused it, so that a wrong key can be told from a wrong signature
/// (S-14).
pub fn reason(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

fn limited(retry_after: Option<Duration>) -> Problem {
    Problem::new(Code::ScaikeyRateLimited).with_retry_after(retry_after.unwrap_or(DEFAULT_WAIT))
}

/// The database did not answer.
pub fn database(error: StoreError) -> Problem {
    store("sqlite", error)
}

/// The key-value store did not answer.
pub fn kv(error: StoreError) -> Problem {
    store("key_value", error)
}

fn store(which: &str, error: StoreError) -> Problem {
    match error {
        StoreError::SchemaNewer => Problem::new(Code::SchemaNewer),
        StoreError::Unavailable
        | StoreError::Busy
        | StoreError::Full
        | StoreError::Denied
        | StoreError::Corrupt => Problem::new(Code::StoreUnavailable)
            .with("store", which)
            .with("reason", error.to_string())
            .with_retry_after(Duration::from_secs(1)),
    }
}

/// A call to ScaiKey gave no answer.
pub fn outbound(error: OutboundError) -> Problem {
    match error {
        OutboundError::Refused => Problem::new(Code::ScaikeyUnreachable),
        OutboundError::Denied => {
            Problem::new(Code::ScaikeyUnreachable).with("reason", "outbound host not allowed")
        }
        OutboundError::Timeout => Problem::new(Code::ScaikeyTimeout),
        OutboundError::Interrupted => {
            Problem::new(Code::ScaikeyInvalidResponse).with("reason", "the answer was cut off")
        }
        OutboundError::TooLarge => {
            Problem::new(Code::ScaikeyInvalidResponse).with("reason", "the answer was too large")
        }
    }
}

/// The discovery document can't be used.
pub fn discovery(error: &DiscoveryError) -> Problem {
    match error {
        DiscoveryError::RateLimited { retry_after } => limited(*retry_after),
        DiscoveryError::Status(status) if *status >= 500 => {
            Problem::new(Code::ScaikeyUnavailable).with("status", *status)
        }
        DiscoveryError::IssuerMismatch { expected, received } => {
            Problem::new(Code::DiscoveryInvalid)
                .with("reason", "issuer mismatch")
                .with("expected", expected.as_str())
                .with("received", received.as_str())
        }
        DiscoveryError::NotFound
        | DiscoveryError::Status(_)
        | DiscoveryError::ContentType
        | DiscoveryError::TooLarge
        | DiscoveryError::Malformed
        | DiscoveryError::ForeignEndpoint { .. }
        | DiscoveryError::Missing { .. }
        | DiscoveryError::PkceUnsupported => {
            Problem::new(Code::DiscoveryInvalid).with("reason", error.to_string())
        }
    }
}

/// The keys can't be read.
pub fn keys_answer(error: jwks::JwksError) -> Problem {
    match error {
        jwks::JwksError::RateLimited { retry_after } => Problem::new(Code::JwksUnavailable)
            .with("reason", "ScaiKey limits our calls")
            .with_retry_after(retry_after.unwrap_or(DEFAULT_WAIT)),
        jwks::JwksError::Status(_) | jwks::JwksError::ContentType | jwks::JwksError::TooLarge => {
            Problem::new(Code::JwksUnavailable).with("reason", error.to_string())
        }
    }
}

/// The key set is not one.
pub fn keys(error: JwksError) -> Problem {
    Problem::new(Code::JwksUnavailable).with("reason", error.to_string())
}

/// The browser's answer from ScaiKey is not one.
pub fn callback(error: CallbackError) -> Problem {
    match error {
        CallbackError::IssuerMissing | CallbackError::IssuerMismatch => {
            Problem::new(Code::IssuerMismatch).with("reason", error.to_string())
        }
        CallbackError::TooLarge
        | CallbackError::Encoding
        | CallbackError::Duplicate
        | CallbackError::CodeAndError
        | CallbackError::NoOutcome
        | CallbackError::ResponseMode => {
            Problem::new(Code::CallbackMalformed).with("reason", error.to_string())
        }
    }
}

/// The grant that trades one token for another.
pub const TOKEN_EXCHANGE: &str = "token-exchange";

/// The grant of a token of our own.
pub const CLIENT_CREDENTIALS: &str = "client_credentials";

/// The token endpoint gave no tokens. `redirect_uri` is ours, for the fix of a mismatch.
pub fn token(error: &TokenError, grant_type: &'static str, redirect_uri: Option<&str>) -> Problem {
    if error.is_redirect_mismatch()
        && let Some(redirect_uri) = redirect_uri
    {
        return Problem::new(Code::RedirectUriMismatch)
            .with("redirect_uri", redirect_uri)
            .with_sw_code("SW_AUTH_REDIRECT_MISMATCH")
            .with_oauth_error("invalid_grant");
    }
    match error {
        TokenError::Refused { error, description } => {
            refused(*error, description.as_deref(), grant_type)
        }
        TokenError::RateLimited { retry_after } => limited(*retry_after),
        TokenError::Unavailable { status } => {
            Problem::new(Code::ScaikeyUnavailable).with("status", *status)
        }
        TokenError::Redirected
        | TokenError::ContentType
        | TokenError::Malformed
        | TokenError::TokenType => {
            Problem::new(Code::ScaikeyInvalidResponse).with("reason", error.to_string())
        }
    }
}

fn refused(error: OAuthError, description: Option<&str>, grant_type: &'static str) -> Problem {
    let text = description.map_or_else(
        || error.as_str().to_owned(),
        |words| format!("{}: {words}", error.as_str()),
    );
    let problem = match error {
        // Nothing that a caller sent: our settings, or what ScaiKey has of our application.
        OAuthError::InvalidTarget if grant_type == TOKEN_EXCHANGE => {
            Problem::new(Code::InvalidTarget)
        }
        OAuthError::InvalidScope if matches!(grant_type, TOKEN_EXCHANGE | CLIENT_CREDENTIALS) => {
            Problem::new(Code::InvalidScope)
        }
        OAuthError::InvalidGrant
        | OAuthError::InvalidRequest
        | OAuthError::InvalidScope
        | OAuthError::InvalidTarget
        | OAuthError::Other => Problem::new(Code::InvalidGrant)
            .with_sw_code("SW_AUTH_OIDC_FAILED")
            .with_oauth_error("invalid_grant"),
        OAuthError::InvalidClient | OAuthError::UnauthorizedClient => {
            Problem::new(Code::ClientRefused).with("grant_type", grant_type)
        }
        OAuthError::UnsupportedGrantType => {
            Problem::new(Code::UnsupportedGrantType).with_oauth_error("unsupported_grant_type")
        }
    };
    problem
        .with("error", error.as_str())
        .with("error_description", description)
        .with_detail_text(text)
}

/// The ID token proves nothing.
pub fn id_token(error: IdTokenError) -> Problem {
    let code = match error {
        IdTokenError::Audience => Code::AudienceMismatch,
        IdTokenError::Verify(VerifyError::UnknownKey)
        | IdTokenError::Type
        | IdTokenError::Verify(_)
        | IdTokenError::Claim(_)
        | IdTokenError::Issuer
        | IdTokenError::Tenant
        | IdTokenError::AuthorizedParty
        | IdTokenError::NotAPerson
        | IdTokenError::Expired
        | IdTokenError::NotYetValid
        | IdTokenError::Nonce
        | IdTokenError::AccessTokenHash => Code::IdTokenInvalid,
    };
    Problem::new(code).with("reason", reason(&error))
}
