//! What the crate accepts and refuses, seen from outside. Tokens of others are signed with `ring`,
//! not with the code that checks them.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that can't set itself up must stop"
)]

mod access_token;
mod access_token_party;
mod agreement;
mod compact;
mod digest;
mod id_token;
mod id_token_profile;
mod jwks;
mod keyring;
mod logout_token;
mod properties;
mod published;
mod refresh_token;
mod rs256;
mod seal;
mod session_token;
mod shown;
mod signer;

use scaigate_jose::KeyRing;
use scaigate_types::encoding::base64url;
use serde_json::Value;

/// A key ring of secrets that are one byte repeated.
fn ring_of(bytes: &[u8]) -> KeyRing {
    let secrets: Vec<String> = bytes.iter().map(|byte| base64url(&[*byte; 32])).collect();
    KeyRing::parse(&secrets.join(",")).unwrap()
}

/// `claims` with `changes` made: `null` takes a claim out.
fn changed(mut claims: Value, changes: &Value) -> Value {
    for (name, value) in changes.as_object().unwrap() {
        if value.is_null() {
            claims.as_object_mut().unwrap().remove(name);
        } else {
            claims[name] = value.clone();
        }
    }
    claims
}
