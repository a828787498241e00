//! What is asked for.

use scaigate_directory::rfc3339;
use scaigate_kv::audit::Filter;
use scaigate_problem::Problem;
use scaigate_runtime::{Fields, Incoming};
use scaigate_types::{TenantId, Timestamp};

/// Longest text that is looked for.
const MAX_TEXT: usize = 256;
/// Parameters there are.
const KNOWN: [&str; 10] = [
    "actor",
    "action",
    "target",
    "tenant_id",
    "outcome",
    "request_id",
    "since",
    "until",
    "cursor",
    "limit",
];

/// A query, checked.
pub struct Query {
    fields: Fields,
    tenant_id: Option<TenantId>,
    since: Option<Timestamp>,
    until: Option<Timestamp>,
    /// Beyond which row.
    pub cursor: Option<i64>,
    /// How many rows, if that is said.
    pub limit: Option<u32>,
}

fn time(fields: &Fields, name: &str) -> Result<Option<Timestamp>, Problem> {
    let read = |text| {
        rfc3339::parse(text)
            .ok_or_else(|| Problem::invalid_field(name, "not a time like 2026-11-22T10:00:00Z"))
    };
    fields.get(name).map(read).transpose()
}

impl Query {
    /// Reads the query. At most `max` rows can be asked for.
    ///
    /// # Errors
    /// Something in it is not what it has to be.
    pub fn of(incoming: &Incoming, max: u32) -> Result<Self, Problem> {
        let fields = Fields::of_query(incoming)?;
        for name in KNOWN {
            let text = fields.get(name).unwrap_or_default();
            if text.len() > MAX_TEXT || text.chars().any(char::is_control) {
                return Err(Problem::invalid_field(name, "too long, or not printable"));
            }
        }
        let limit_is_wrong =
            || Problem::invalid_field("limit", &format!("not a number from 1 to {max}"));
        let limit = fields.get("limit").map(|text| {
            let limit = text.parse().ok().filter(|limit| (1..=max).contains(limit));
            limit.ok_or_else(limit_is_wrong)
        });
        let cursor = fields.get("cursor").map(|text| {
            let cursor = text.parse().ok().filter(|cursor| *cursor >= 0);
            cursor.ok_or_else(|| Problem::invalid_field("cursor", "not a number of a row"))
        });
        let tenant_id = fields.get("tenant_id").map(TenantId::parse).transpose();
        Ok(Self {
            tenant_id: tenant_id
                .map_err(|error| Problem::invalid_field("tenant_id", &error.to_string()))?,
            since: time(&fields, "since")?,
            until: time(&fields, "until")?,
            cursor: cursor.transpose()?,
            limit: limit.transpose()?,
            fields,
        })
    }

    /// The rows that are asked for: of `own` where the caller may see one tenant alone.
    pub fn filter<'a>(&'a self, own: Option<&'a TenantId>) -> Filter<'a> {
        Filter {
            actor: self.fields.get("actor"),
            action: self.fields.get("action"),
            target: self.fields.get("target"),
            tenant_id: own.or(self.tenant_id.as_ref()),
            outcome: self.fields.get("outcome"),
            request_id: self.fields.get("request_id"),
            since: self.since,
            until: self.until,
        }
    }
}
