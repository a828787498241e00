//! The answer to an authorization request, as the browser brings it (RFC 6749 §4.1.2, OpenID Connect
//! Core §3.1.2.6, RFC 9207).

use std::fmt;

use scaigate_types::Secret;
use thiserror::Error;

use crate::discovery::{Metadata, is_tenant_issuer};
use crate::form::{self, Form, FormError};
use crate::sanitise;

/// Longest query read, in bytes.
pub const MAX_QUERY: usize = 8192;
/// Longest parameter read, in bytes after decoding.
pub const MAX_PARAMETER: usize = 2048;
/// Most parameters read, unknown ones included.
const MAX_FIELDS: usize = 32;

/// Why ScaiKey gave no code (RFC 6749 §4.1.2.1, OpenID Connect Core §3.1.2.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuthorizationError {
    /// `invalid_request`
    InvalidRequest,
    /// `unauthorized_client`
    UnauthorizedClient,
    /// `access_denied`
    AccessDenied,
    /// `unsupported_response_type`
    UnsupportedResponseType,
    /// `invalid_scope`
    InvalidScope,
    /// `server_error`
    ServerError,
    /// `temporarily_unavailable`
    TemporarilyUnavailable,
    /// `interaction_required`
    InteractionRequired,
    /// `login_required`
    LoginRequired,
    /// `account_selection_required`
    AccountSelectionRequired,
    /// `consent_required`
    ConsentRequired,
    /// `invalid_request_uri`
    InvalidRequestUri,
    /// `invalid_request_object`
    InvalidRequestObject,
    /// `request_not_supported`
    RequestNotSupported,
    /// `request_uri_not_supported`
    RequestUriNotSupported,
    /// `registration_not_supported`
    RegistrationNotSupported,
    /// A code that neither standard names.
    Other,
}

impl AuthorizationError {
    const ALL: [Self; 17] = [
        Self::InvalidRequest,
        Self::UnauthorizedClient,
        Self::AccessDenied,
        Self::UnsupportedResponseType,
        Self::InvalidScope,
        Self::ServerError,
        Self::TemporarilyUnavailable,
        Self::InteractionRequired,
        Self::LoginRequired,
        Self::AccountSelectionRequired,
        Self::ConsentRequired,
        Self::InvalidRequestUri,
        Self::InvalidRequestObject,
        Self::RequestNotSupported,
        Self::RequestUriNotSupported,
        Self::RegistrationNotSupported,
        Self::Other,
    ];

    /// The code as the standards spell it; `other` for [`AuthorizationError::Other`].
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::UnauthorizedClient => "unauthorized_client",
            Self::AccessDenied => "access_denied",
            Self::UnsupportedResponseType => "unsupported_response_type",
            Self::InvalidScope => "invalid_scope",
            Self::ServerError => "server_error",
            Self::TemporarilyUnavailable => "temporarily_unavailable",
            Self::InteractionRequired => "interaction_required",
            Self::LoginRequired => "login_required",
            Self::AccountSelectionRequired => "account_selection_required",
            Self::ConsentRequired => "consent_required",
            Self::InvalidRequestUri => "invalid_request_uri",
            Self::InvalidRequestObject => "invalid_request_object",
            Self::RequestNotSupported => "request_not_supported",
            Self::RequestUriNotSupported => "request_uri_not_supported",
            Self::RegistrationNotSupported => "registration_not_supported",
            Self::Other => "other",
        }
    }

    fn parse(code: &str) -> Self {
        Self::ALL
            .into_iter()
            .find(|error| error.as_str() == code)
            .unwrap_or(Self::Other)
    }
}

/// What ScaiKey decided.
#[derive(Clone, Debug)]
pub enum CallbackOutcome {
    /// A code to trade at the token endpoint.
    Code {
        /// The code.
        code: Secret<String>,
    },
    /// No code.
    Refused {
        /// Why.
        error: AuthorizationError,
        /// ScaiKey's words: at most 200 printable ASCII characters, to be escaped where shown.
        description: Option<String>,
    },
}

/// The parameters of an answer. Nothing of it may be acted on before `state` and `iss` are found
/// good.
#[derive(Clone)]
pub struct CallbackParameters {
    /// `None` when missing or empty, which no answer to us may be (N-001).
    pub state: Option<String>,
    /// To be checked by [`check_issuer`].
    pub iss: Option<String>,
    /// A code or a refusal, never both.
    pub outcome: CallbackOutcome,
}

impl fmt::Debug for CallbackParameters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallbackParameters")
            .field("state", &self.state.as_ref().map(|_| "[redacted]"))
            .field("iss", &self.iss)
            .field("outcome", &self.outcome)
            .finish()
    }
}

/// Why an answer is not taken. Carries no part of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum CallbackError {
    /// The query, or a parameter that matters, is too long; or there are too many.
    #[error("the answer is too long")]
    TooLarge,
    /// Not well encoded, or a parameter that matters is not printable ASCII.
    #[error("the answer is not well encoded")]
    Encoding,
    /// A parameter occurs twice.
    #[error("the answer has a parameter twice")]
    Duplicate,
    /// Both a code and an error.
    #[error("the answer has both a code and an error")]
    CodeAndError,
    /// Neither a code nor an error, or an empty one.
    #[error("the answer has neither a code nor an error")]
    NoOutcome,
    /// A token, or an answer packed in one (JARM): a response mode or type that we didn't ask for.
    #[error("the answer has a form that was not asked for")]
    ResponseMode,
    /// No `iss` though ScaiKey declares that it sends it (RFC 9207 §2.4).
    #[error("the answer does not say which issuer gave it")]
    IssuerMissing,
    /// The `iss` of another issuer.
    #[error("the answer is another issuer's")]
    IssuerMismatch,
}

impl From<FormError> for CallbackError {
    fn from(error: FormError) -> Self {
        match error {
            FormError::TooLarge | FormError::TooManyFields => Self::TooLarge,
            FormError::Duplicate => Self::Duplicate,
            FormError::Encoding => Self::Encoding,
        }
    }
}

/// Reads the query (without `?`) of the redirect back to us. Unknown parameters are skipped
/// (RFC 6749 §4.1.2), but not even they may occur twice (§3.1).
///
/// # Errors
/// [`CallbackError`] says what is wrong; nothing is repaired.
pub fn parse_query(query: &str) -> Result<CallbackParameters, CallbackError> {
    if query.len() > MAX_QUERY {
        return Err(CallbackError::TooLarge);
    }
    if query.contains('#') {
        return Err(CallbackError::Encoding);
    }
    let form = form::parse(query.as_bytes(), MAX_FIELDS)?;
    let token = |name| form.get(name).is_some();
    if token("access_token") || token("id_token") || token("response") {
        return Err(CallbackError::ResponseMode);
    }
    let code = bounded(&form, "code")?;
    let error = bounded(&form, "error")?;
    let description = description(&form)?;
    let outcome = match (code, error) {
        (Some(_), Some(_)) => return Err(CallbackError::CodeAndError),
        (Some(""), None) | (None, Some("") | None) => return Err(CallbackError::NoOutcome),
        (Some(code), None) => CallbackOutcome::Code {
            code: Secret::new(code.to_owned()),
        },
        (None, Some(error)) => CallbackOutcome::Refused {
            error: AuthorizationError::parse(error),
            description,
        },
    };
    let state = bounded(&form, "state")?.filter(|state| !state.is_empty());
    let iss = bounded(&form, "iss")?;
    Ok(CallbackParameters {
        state: state.map(str::to_owned),
        iss: iss.map(str::to_owned),
        outcome,
    })
}

/// A parameter of at most [`MAX_PARAMETER`] printable ASCII characters (RFC 6749 appendix A).
fn bounded<'a>(form: &'a Form, name: &str) -> Result<Option<&'a str>, CallbackError> {
    let Some(value) = form.get(name) else {
        return Ok(None);
    };
    if value.len() > MAX_PARAMETER {
        return Err(CallbackError::TooLarge);
    }
    if !value.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
        return Err(CallbackError::Encoding);
    }
    Ok(Some(value))
}

/// The words of a refusal. Line breaks in them are common and harmless once they are gone.
fn description(form: &Form) -> Result<Option<String>, CallbackError> {
    let Some(text) = form.get("error_description") else {
        return Ok(None);
    };
    if text.len() > MAX_PARAMETER {
        return Err(CallbackError::TooLarge);
    }
    if !text.is_ascii() {
        return Err(CallbackError::Encoding);
    }
    Ok(sanitise::sanitise(text))
}

/// Whether an answer's `iss` is the issuer we asked (RFC 9207 §2.4): missing only where it is not
/// declared; where present, declared or not, the issuer itself or, for the platform flavour, that of
/// one of its tenants (`contract/scaikey.md` 8.7). Compared byte for byte.
///
/// # Errors
/// [`CallbackError::IssuerMissing`], [`CallbackError::IssuerMismatch`].
pub fn check_issuer(metadata: &Metadata, iss: Option<&str>) -> Result<(), CallbackError> {
    let own = metadata.issuer.as_str();
    match iss {
        None if metadata.iss_parameter_supported => Err(CallbackError::IssuerMissing),
        None => Ok(()),
        Some(iss) if iss == own => Ok(()),
        Some(iss) if !is_tenants_own(own) && is_tenant_issuer(own, iss) => Ok(()),
        Some(_) => Err(CallbackError::IssuerMismatch),
    }
}

/// Whether an issuer is already that of one tenant, which has no tenants below it.
fn is_tenants_own(issuer: &str) -> bool {
    issuer
        .rsplit_once("/tenants/")
        .is_some_and(|(root, _)| is_tenant_issuer(root, issuer))
}

#[cfg(test)]
mod tests;
