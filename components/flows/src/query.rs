//! The queries of the lists, parsed.

use scaigate_flows::text;
use scaigate_kv::flow::Page;
use scaigate_problem::Problem;
use scaigate_runtime::{Fields, Incoming};
use scaigate_types::TenantId;

const LIMIT: u32 = 100;
const MAX_LIMIT: u32 = 1000;

/// The query of a request.
pub struct Query(Fields);

impl Query {
    /// Reads the query.
    pub fn of(incoming: &Incoming) -> Result<Self, Problem> {
        Fields::of_query(incoming).map(Self)
    }

    /// How many rows are wanted.
    pub fn limit(&self) -> Result<u32, Problem> {
        match self.0.get("limit") {
            None => Ok(LIMIT),
            Some(text) => text
                .parse()
                .ok()
                .filter(|number| (1..=MAX_LIMIT).contains(number))
                .ok_or_else(|| {
                    let reason = format!("not a number from 1 to {MAX_LIMIT}");
                    Problem::invalid_field("limit", &reason)
                }),
        }
    }

    /// Which flows are wanted.
    pub fn page(&self) -> Result<Page<'_>, Problem> {
        Ok(Page {
            search: self.0.get("search").map(text::search).transpose()?,
            limit: self.limit()?,
        })
    }

    /// The tenant that a super admin names.
    pub fn tenant_id(&self) -> Result<Option<TenantId>, Problem> {
        self.0
            .get("tenant_id")
            .map(TenantId::parse)
            .transpose()
            .map_err(|error| Problem::invalid_field("tenant_id", &error.to_string()))
    }
}
