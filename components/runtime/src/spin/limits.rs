//! Counting requests against the caller's rate limit.

use std::rc::Rc;

use scaigate_limits::{Category, Limiter, Payer, RateLimits};
use scaigate_problem::Problem;
use scaigate_signin::Ports;
use scaigate_signin::settings::{self, Fault};

use crate::Incoming;

thread_local! {
    // The slices this instance holds, each only for its own principal.
    static LIMITER: Rc<Limiter> = Rc::default();
}

/// Counts a request of `payer`, once, before its work. Its answer says how far they are from the limit.
///
/// # Errors
/// Too many; the database does not answer; the setting is wrong, and then nobody knows the limit.
pub async fn admit(
    ports: &impl Ports,
    incoming: &Incoming,
    limits: &Result<RateLimits, Vec<Fault>>,
    category: Category,
    payer: impl Into<Payer<'_>>,
) -> Result<(), Problem> {
    let limits = limits
        .as_ref()
        .map_err(|faults| settings::problem(faults))?;
    let limit = LIMITER
        .with(Rc::clone)
        .admit(ports.db(), ports.clock(), limits, category, payer)
        .await?;
    incoming.limit.set(limit);
    Ok(())
}
