//! ScaiKey's signatures, made with another implementation than the one that checks them.

use ring::signature::{Ed25519KeyPair, KeyPair};
use scaigate_types::encoding::base64url;
use serde_json::{Value, json};

/// A signing key: one of as many as there are bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signer(pub u8);

impl Signer {
    fn pair(self) -> Ed25519KeyPair {
        Ed25519KeyPair::from_seed_unchecked(&[self.0; 32]).unwrap()
    }

    /// The key's name.
    pub fn kid(self) -> String {
        format!("key-{}", self.0)
    }

    /// The public key as ScaiKey publishes it.
    pub fn jwk(self) -> Value {
        let x = base64url(self.pair().public_key().as_ref());
        json!({"kty": "OKP", "crv": "Ed25519", "x": x, "kid": self.kid(), "use": "sig", "alg": "EdDSA"})
    }

    /// A token of these claims.
    pub fn sign(self, header: &Value, claims: &Value) -> String {
        let part = |value: &Value| base64url(value.to_string().as_bytes());
        let input = format!("{}.{}", part(header), part(claims));
        let signature = self.pair().sign(input.as_bytes());
        format!("{input}.{}", base64url(signature.as_ref()))
    }
}
