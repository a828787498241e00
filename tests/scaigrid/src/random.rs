//! Identifiers of what is made while the emulator runs.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::{SecureRandom, SystemRandom};

/// `prefix` followed by 96 random bits in base64url.
pub(crate) fn id(prefix: &str) -> String {
    let mut bytes = [0_u8; 12];
    SystemRandom::new()
        .fill(&mut bytes)
        .expect("the system's random source answers");
    format!("{prefix}{}", URL_SAFE_NO_PAD.encode(bytes))
}
