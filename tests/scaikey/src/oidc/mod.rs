//! The OpenID provider.

pub(crate) mod authorize;
pub(crate) mod client_auth;
pub(crate) mod discovery;
pub(crate) mod issue;
pub(crate) mod login_page;
pub(crate) mod logout;
pub(crate) mod token;
pub(crate) mod token_exchange;
