//! The right to do something with one flow, as a value that the next step takes.

use scaigate_kv::flow::{self, Found, Level, Located};
use scaigate_problem::{Code, Problem};
use scaigate_signin::failure;
use scaigate_types::{FlowId, Query};

use crate::caller::Reader;

/// A flow on which the caller holds at least the level that was asked for. Made by [`require`] alone.
#[derive(Clone, Debug)]
pub struct FlowAccess {
    found: Found,
}

impl FlowAccess {
    /// Where the flow is.
    #[must_use]
    pub const fn flow(&self) -> &Located {
        &self.found.flow
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.found.name
    }

    /// The last part of its version.
    #[must_use]
    pub const fn patch(&self) -> i64 {
        self.found.patch
    }

    /// The documented summary, as JSON.
    #[must_use]
    pub fn summary(&self) -> &str {
        &self.found.summary
    }
}

/// Looks whether the caller may do `level` with the flow: within the transaction of what is done, so
/// that nobody takes the right away in between.
///
/// # Errors
/// [`Code::FlowNotFound`] for a flow the caller may not even see, another tenant's among them;
/// [`Code::FlowAccessDenied`]; the store does not answer.
pub async fn require(
    on: &impl Query,
    reader: &Reader,
    flow_id: &FlowId,
    level: Level,
) -> Result<FlowAccess, Problem> {
    let found = flow::find(on, &reader.viewer(), flow_id)
        .await
        .map_err(failure::database)?
        .ok_or_else(|| Problem::new(Code::FlowNotFound))?;
    if found.level < level {
        return Err(Problem::new(Code::FlowAccessDenied)
            .with("required", level.as_str())
            .with("present", found.level.as_str()));
    }
    Ok(FlowAccess { found })
}
