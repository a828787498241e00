//! What the command takes from the machine: its variables, the time and randomness.

use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

use ring::rand::{SecureRandom as _, SystemRandom};
use scaigate_types::Timestamp;

use crate::exit::Exit;
use crate::failure::Failure;

/// The environment, names in upper case. What is not text is left out.
pub fn variables() -> BTreeMap<String, String> {
    let mut variables = BTreeMap::new();
    for (name, value) in std::env::vars_os() {
        let (Ok(name), Ok(value)) = (name.into_string(), value.into_string()) else {
            continue;
        };
        let upper = name.to_uppercase();
        // The documented spelling counts more than another one.
        if name == upper || !variables.contains_key(&upper) {
            variables.insert(upper, value);
        }
    }
    variables
}

/// The time now.
#[expect(
    clippy::disallowed_methods,
    reason = "the one place where the command reads the clock"
)]
pub fn now() -> Timestamp {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    Timestamp::from_millis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

/// Sixteen random bytes in hexadecimal.
///
/// # Errors
/// The system gives none.
pub fn random_name() -> Result<String, Failure> {
    let mut bytes = [0; 16];
    SystemRandom::new().fill(&mut bytes).map_err(|_| {
        Failure::new(
            Exit::Failed,
            "no_randomness",
            "The system gives no randomness.",
        )
    })?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}
