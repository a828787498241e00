//! Session keys and lifetimes.

use std::time::Duration;

use scaigate_jose::{KeyRing, RefreshSigner, Sealer, SessionSigner};

use super::{Fault, Sessions, Variables, fault};

fn seconds(
    variables: &impl Variables,
    name: &'static str,
    default: u64,
    range: std::ops::RangeInclusive<u64>,
    fix: &'static str,
    faults: &mut Vec<Fault>,
) -> u64 {
    match variables.variable(name) {
        None => default,
        Some(text) => match text.parse::<u64>() {
            Ok(number) if range.contains(&number) => number,
            _ => {
                faults.push(fault(name, "out of range", fix));
                default
            }
        },
    }
}

/// Session keys and lifetimes.
///
/// # Errors
/// Every fault found.
pub fn sessions(variables: &impl Variables) -> Result<Sessions, Vec<Fault>> {
    const KEYS: &str = "Set it to the output of `openssl rand -base64 32`; several, comma-separated, during a rotation.";
    let mut faults = Vec::new();
    let keys = match variables
        .variable("session_secret")
        .map(|text| KeyRing::parse(&text))
    {
        Some(Ok(keys)) => Some(keys),
        Some(Err(_)) => {
            faults.push(fault(
                "session_secret",
                "not base64 of 32 bytes or more",
                KEYS,
            ));
            None
        }
        None => {
            faults.push(fault("session_secret", "missing", KEYS));
            None
        }
    };
    let ttl = seconds(
        variables,
        "session_ttl_seconds",
        900,
        60..=43_200,
        "Set it to a number of seconds from 60 to 43200.",
        &mut faults,
    );
    let days = seconds(
        variables,
        "refresh_ttl_days",
        30,
        1..=365,
        "Set it to a number of days from 1 to 365.",
        &mut faults,
    );
    match keys {
        Some(keys) if faults.is_empty() => Ok(Sessions {
            signer: SessionSigner::new(&keys),
            refresh: RefreshSigner::new(&keys),
            sealer: Sealer::new(&keys),
            session_ttl: Duration::from_secs(ttl),
            refresh_ttl: Duration::from_secs(days.saturating_mul(86_400)),
        }),
        _ => Err(faults),
    }
}
