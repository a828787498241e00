//! The token endpoint: grants asked for and answers read (RFC 6749 §§4-6, RFC 8693,
//! `contract/scaikey.md` 1.4-1.6). A request is never to be repeated blindly: codes and refresh
//! tokens work once (N-143).

mod error;
mod request;
mod response;

pub use error::{OAuthError, TokenError};
pub use request::{
    ACCESS_TOKEN_TYPE, client_credentials_request, code_request, exchange_request,
    password_request, refresh_request,
};
pub use response::{
    DEFAULT_LIFETIME, MAX_BYTES, MAX_LIFETIME, TokenResponse, parse_exchange_response,
    parse_response,
};
