//! A compact JWS (RFC 7515 §7.1) that nobody has checked yet.

use std::fmt;

use scaigate_types::Issuer;
use scaigate_types::encoding::from_base64url;
use scaigate_types::json::{self, Bounds};
use serde_json::Value;
use thiserror::Error;

/// Longest compact token read, in bytes.
pub const MAX_TOKEN: usize = 8192;

/// Longest `kid` and `typ` read, in bytes.
const MAX_PARAMETER: usize = 256;
/// Longest signature: RSA with 4096 bits.
const MAX_SIGNATURE: usize = 512;
const HEADER: Bounds = Bounds {
    bytes: MAX_TOKEN,
    depth: 4,
    values: 64,
};
pub(crate) const PAYLOAD: Bounds = Bounds {
    bytes: MAX_TOKEN,
    depth: 12,
    values: 2048,
};

/// The signature algorithms accepted from ScaiKey; everything else is refused by name, `none` and
/// the symmetric ones above all (RFC 8725 §3.1, §3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// Ed25519: `EdDSA` (RFC 8037), or `Ed25519` as RFC 9864 names it.
    EdDsa,
}

impl Algorithm {
    pub(crate) fn parse(name: &str) -> Option<Self> {
        match name {
            "RS256" => Some(Self::Rs256),
            "ES256" => Some(Self::Es256),
            "EdDSA" | "Ed25519" => Some(Self::EdDsa),
            _ => None,
        }
    }
}

/// Why a text is not a token to be considered. Holds nothing of the token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum JwtError {
    /// Longer than [`MAX_TOKEN`].
    #[error("the token is longer than 8192 bytes")]
    TooLong,
    /// Not three parts of base64url without padding, or one of them empty or too long.
    #[error("not three base64url parts")]
    Compact,
    /// The header is not one small JSON object without duplicate members, or a parameter is not
    /// of its type.
    #[error("the header is not readable")]
    Header,
    /// The header's `alg` is missing or not RS256, ES256 or EdDSA.
    #[error("the algorithm is not accepted")]
    Algorithm,
    /// The header asks for an extension: `crit` (RFC 7515 §4.1.11), `b64` (RFC 7797), `zip` or
    /// `enc`.
    #[error("the header asks for an extension that is not supported")]
    Extension,
}

/// A token whose form is right and whose signature nobody has checked.
///
/// Of the header only `alg`, `kid` and `typ` are kept; `jku`, `jwk`, `x5u` and `x5c` are never
/// looked at (RFC 8725 §3.10).
pub struct UnverifiedJwt<'a> {
    signing_input: &'a str,
    payload: Vec<u8>,
    signature: Vec<u8>,
    algorithm: Algorithm,
    kid: Option<String>,
    typ: Option<String>,
}

impl<'a> UnverifiedJwt<'a> {
    /// Reads a compact token.
    ///
    /// # Errors
    /// [`JwtError`] says which rule of form it breaks.
    pub fn parse(compact: &'a str) -> Result<Self, JwtError> {
        if compact.len() > MAX_TOKEN {
            return Err(JwtError::TooLong);
        }
        let (signing_input, signature) = compact.rsplit_once('.').ok_or(JwtError::Compact)?;
        let (header, payload) = signing_input.split_once('.').ok_or(JwtError::Compact)?;
        // A further dot is not base64url, so it is refused below.
        let decode = |part: &str| from_base64url(part).filter(|bytes| !bytes.is_empty());
        let header = decode(header).ok_or(JwtError::Compact)?;
        let payload = decode(payload).ok_or(JwtError::Compact)?;
        let signature = decode(signature)
            .filter(|bytes| bytes.len() <= MAX_SIGNATURE)
            .ok_or(JwtError::Compact)?;

        let header = json::object(&header, HEADER).ok_or(JwtError::Header)?;
        if ["crit", "b64", "zip", "enc"]
            .iter()
            .any(|name| header.contains_key(*name))
        {
            return Err(JwtError::Extension);
        }
        let parameter = |name: &str| match header.get(name) {
            None => Ok(None),
            Some(Value::String(text)) if text.len() <= MAX_PARAMETER => Ok(Some(text.as_str())),
            Some(_) => Err(JwtError::Header),
        };
        let algorithm = match header.get("alg") {
            Some(Value::String(name)) => Algorithm::parse(name).ok_or(JwtError::Algorithm)?,
            _ => return Err(JwtError::Algorithm),
        };
        let kid = parameter("kid")?.map(str::to_owned);
        let typ = parameter("typ")?.map(str::to_owned);
        Ok(Self {
            signing_input,
            payload,
            signature,
            algorithm,
            kid,
            typ,
        })
    }

    /// The algorithm the header names. The key decides whether it is the right one.
    #[must_use]
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The header's `kid`.
    #[must_use]
    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// The header's `typ`, as sent.
    #[must_use]
    pub fn typ(&self) -> Option<&str> {
        self.typ.as_deref()
    }

    /// The `iss` that the token claims, **unverified**: good only for choosing, among configured
    /// issuers, whose key set to verify with. `None` when there is none or it is not an issuer.
    #[must_use]
    pub fn unverified_issuer(&self) -> Option<Issuer> {
        let claims = json::object(&self.payload, PAYLOAD)?;
        Issuer::parse(claims.get("iss")?.as_str()?).ok()
    }

    pub(crate) fn signing_input(&self) -> &[u8] {
        self.signing_input.as_bytes()
    }

    pub(crate) fn payload(&self) -> &[u8] {
        &self.payload
    }

    pub(crate) fn signature(&self) -> &[u8] {
        &self.signature
    }
}

impl fmt::Debug for UnverifiedJwt<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A token is a secret even before it is verified.
        f.debug_struct("UnverifiedJwt")
            .field("algorithm", &self.algorithm)
            .finish_non_exhaustive()
    }
}
