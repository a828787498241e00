//! Tokens: the JSON Web Tokens of others, checked, and everything scaigate signs or seals itself.
//!
//! Nothing here does IO, reads a clock or draws randomness: `now` and the source of randomness are
//! arguments. Received bytes are bounded before they are read, and a failure says which rule was
//! broken without repeating what was received.
//!
//! - Others' tokens: [`UnverifiedJwt`] → [`Jwks::verify`] → [`Verified`] (RFC 7515, 7517, 7519,
//!   8725), and what makes them a token of one kind and never of another: [`verify_id_token`]
//!   (OpenID Connect Core 1.0 §3.1.3.7), [`verify_access_token`] (RFC 9068 §4) and
//!   [`verify_logout_token`] (OpenID Connect Back-Channel Logout 1.0 §2.6).
//! - Our own: [`SessionSigner`], [`RefreshSigner`] and [`Sealer`], all keyed from one [`KeyRing`]
//!   through a label per purpose, so that what was made for one purpose verifies for no other.
//!
//! The two halves share only base64url and SHA-256, so a component that checks nothing but session
//! tokens links no public-key cryptography.

pub mod access_token;
pub mod claims;
pub mod digest;
pub mod id_token;
mod issuer;
pub mod jwks;
pub mod jwt;
pub mod keyring;
pub mod logout_token;
mod profile;
pub mod refresh_token;
mod refusal;
pub mod rs256;
pub mod seal;
pub mod session_token;
mod signature;
mod tag;

pub use access_token::{
    AccessToken, AccessTokenError, AccessTokenExpectation, Party, verify_access_token,
};
pub use claims::{ClaimError, Verified};
pub use digest::{constant_time_eq, pkce_challenge, sha256, token_hash};
pub use id_token::{IdToken, IdTokenError, IdTokenExpectation, verify_id_token};
pub use jwks::{Jwks, JwksError, VerifyError};
pub use jwt::{Algorithm, JwtError, MAX_TOKEN, UnverifiedJwt};
pub use keyring::{KeyRing, KeyRingError, Purpose};
pub use logout_token::{
    LogoutToken, LogoutTokenError, LogoutTokenExpectation, verify_logout_token,
};
pub use refresh_token::{RefreshSigner, RefreshToken, RefreshTokenError};
pub use seal::{OpenError, SealContext, Sealer};
pub use session_token::{SessionClaims, SessionSigner, SessionTokenError, SignError};
pub use tag::Tagger;
