//! A JSON Web Key Set (RFC 7517 §5) and verification with it.

use scaigate_types::encoding::from_base64url;
use scaigate_types::json::{self, Bounds};
use serde_json::{Map, Value};
use thiserror::Error;

use crate::claims::{ClaimError, Verified};
use crate::jwt::{Algorithm, UnverifiedJwt};
use crate::signature::PublicKey;

/// Most keys of one set.
const MAX_KEYS: usize = 64;
/// Most keys tried for a token without `kid`: each costs a public-key operation.
const MAX_TRIED: usize = 4;
/// Longest `kid`, in bytes, as in a token's header.
const MAX_KID: usize = 256;
const BOUNDS: Bounds = Bounds {
    bytes: Jwks::MAX_BYTES,
    depth: 6,
    values: 4096,
};

/// Why bytes are not a key set to verify with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum JwksError {
    /// Longer than [`Jwks::MAX_BYTES`].
    #[error("the key set is longer than 65536 bytes")]
    TooLong,
    /// Not one bounded JSON object without duplicate members, with a list `keys`.
    #[error("the key set is not readable")]
    Unreadable,
    /// More than 64 keys.
    #[error("the key set has more than 64 keys")]
    TooManyKeys,
    /// No key in it can verify an RS256, ES256 or EdDSA signature.
    #[error("the key set has no usable key")]
    NoUsableKey,
}

/// Why a token does not verify with a key set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum VerifyError {
    /// The token's `kid` is not in the set, or it has none and no key fits its algorithm. The set
    /// may be stale.
    #[error("no key for this token")]
    UnknownKey,
    /// Two keys of the set fit the token's `kid`, or it has none and more than four keys fit.
    #[error("more than one key for this token")]
    AmbiguousKey,
    /// The key with the token's `kid` is for another algorithm (RFC 8725 §3.1).
    #[error("the key is for another algorithm")]
    AlgorithmMismatch,
    /// The signature is not by the key.
    #[error("the signature does not match")]
    Signature,
    /// The payload is not a set of claims.
    #[error("the claims are not usable")]
    Claims(#[source] ClaimError),
}

#[derive(Clone)]
struct Key {
    kid: Option<String>,
    key: PublicKey,
}

/// The usable keys of one issuer. Sets of different issuers must never be merged.
#[derive(Clone)]
pub struct Jwks {
    keys: Vec<Key>,
}

impl Jwks {
    /// Longest key set read, in bytes.
    pub const MAX_BYTES: usize = 65_536;

    /// Reads a key set. Keys for encryption, of other types, curves or algorithms, of unsafe
    /// sizes, broken ones, and ones published with their private half are left out (RFC 7517 §5).
    ///
    /// # Errors
    /// [`JwksError`]; a set without a usable key is an error, so that it never replaces one.
    pub fn parse(bytes: &[u8]) -> Result<Self, JwksError> {
        if bytes.len() > Self::MAX_BYTES {
            return Err(JwksError::TooLong);
        }
        let set = json::object(bytes, BOUNDS).ok_or(JwksError::Unreadable)?;
        let Some(Value::Array(list)) = set.get("keys") else {
            return Err(JwksError::Unreadable);
        };
        if list.len() > MAX_KEYS {
            return Err(JwksError::TooManyKeys);
        }
        let keys: Vec<Key> = list
            .iter()
            .filter_map(|jwk| usable(jwk.as_object()?))
            .collect();
        if keys.is_empty() {
            Err(JwksError::NoUsableKey)
        } else {
            Ok(Self { keys })
        }
    }

    /// Whether the set has the key the token names or, if it names none, one for its algorithm.
    /// `false` is the reason to fetch the set again.
    #[must_use]
    pub fn has_key_for(&self, jwt: &UnverifiedJwt<'_>) -> bool {
        match jwt.kid() {
            Some(kid) => self.keys.iter().any(|key| key.kid.as_deref() == Some(kid)),
            None => self
                .keys
                .iter()
                .any(|key| key.key.algorithm() == jwt.algorithm()),
        }
    }

    /// Checks the token's signature, and that its payload is a set of claims.
    ///
    /// A token with `kid` is checked with the one key of that name; one without is checked with
    /// every key of its algorithm, at most four (OpenID Connect Core §10.1).
    ///
    /// # Errors
    /// [`VerifyError`]. [`VerifyError::Signature`] for a token without `kid` may also mean that
    /// the set is stale.
    pub fn verify(&self, jwt: &UnverifiedJwt<'_>) -> Result<Verified, VerifyError> {
        let candidates = self.candidates(jwt)?;
        let verifies = |key: &&Key| key.key.verifies(jwt.signing_input(), jwt.signature());
        if !candidates.iter().any(verifies) {
            return Err(VerifyError::Signature);
        }
        Verified::read(jwt).map_err(VerifyError::Claims)
    }

    fn candidates(&self, jwt: &UnverifiedJwt<'_>) -> Result<Vec<&Key>, VerifyError> {
        let named = |key: &&Key| jwt.kid().is_none_or(|kid| key.kid.as_deref() == Some(kid));
        let fits = |key: &&Key| key.key.algorithm() == jwt.algorithm();
        let candidates: Vec<&Key> = self.keys.iter().filter(named).filter(fits).collect();
        let most = if jwt.kid().is_some() { 1 } else { MAX_TRIED };
        match candidates.len() {
            0 if jwt.kid().is_some() && self.has_key_for(jwt) => {
                Err(VerifyError::AlgorithmMismatch)
            }
            0 => Err(VerifyError::UnknownKey),
            count if count > most => Err(VerifyError::AmbiguousKey),
            _ => Ok(candidates),
        }
    }
}

impl std::fmt::Debug for Jwks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Jwks")
            .field("keys", &self.keys.len())
            .finish()
    }
}

/// The key of one JWK, or `None` when it can't or mustn't verify signatures.
fn usable(jwk: &Map<String, Value>) -> Option<Key> {
    let text = |name: &str| jwk.get(name).and_then(Value::as_str);
    let bytes = |name: &str| from_base64url(text(name)?);

    // A private half that was published proves nothing; `k` is a symmetric key.
    if jwk.contains_key("d") || jwk.contains_key("k") {
        return None;
    }
    if jwk.get("use").is_some_and(|usage| usage != "sig") {
        return None;
    }
    if let Some(operations) = jwk.get("key_ops") {
        operations
            .as_array()?
            .iter()
            .find(|operation| *operation == "verify")?;
    }
    let kid = match jwk.get("kid") {
        None => None,
        Some(Value::String(kid)) if kid.len() <= MAX_KID => Some(kid.clone()),
        Some(_) => return None,
    };
    let key = match (text("kty")?, text("crv")) {
        ("RSA", _) => PublicKey::rsa(&bytes("n")?, &bytes("e")?)?,
        ("EC", Some("P-256")) => PublicKey::p256(&bytes("x")?, &bytes("y")?)?,
        ("OKP", Some("Ed25519")) => PublicKey::ed25519(&bytes("x")?)?,
        _ => return None,
    };
    if let Some(algorithm) = jwk.get("alg")
        && Algorithm::parse(algorithm.as_str()?)? != key.algorithm()
    {
        return None;
    }
    Some(Key { kid, key })
}
