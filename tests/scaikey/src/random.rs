//! Unguessable strings for codes, refresh tokens and session ids.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::{SecureRandom, SystemRandom};

/// `prefix` followed by 192 random bits in base64url.
pub(crate) fn token(prefix: &str) -> String {
    let mut bytes = [0_u8; 24];
    SystemRandom::new()
        .fill(&mut bytes)
        .expect("the system's random source answers");
    format!("{prefix}{}", URL_SAFE_NO_PAD.encode(bytes))
}
