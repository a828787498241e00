//! A row as it is shown and exported.

use scaigate_kv::audit::{Entry, Row};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A row as the route shows it, from which its hash can be computed again.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Shown {
    /// Its number.
    pub seq: i64,
    /// When, to the second, for readers.
    pub at: String,
    /// When, in milliseconds since 1970: what is hashed.
    pub at_ms: i64,
    /// What was done.
    pub action: String,
    /// How it ended.
    pub outcome: String,
    /// By whom.
    pub actor: Option<String>,
    /// In which tenant.
    pub tenant_id: Option<String>,
    /// To whom or what.
    pub target: Option<String>,
    /// What else is to be said: an object.
    pub detail: Value,
    /// By which request.
    pub request_id: Option<String>,
    /// From which address.
    pub source: Option<String>,
    /// How many times.
    pub count: i64,
    /// The hash of the row before.
    pub previous: String,
    /// Its hash; `null` while it is not sealed.
    pub hash: Option<String>,
}

impl From<Row> for Shown {
    fn from(row: Row) -> Self {
        let (at, detail) = (row.entry.at().rfc3339(), row.entry.detail());
        let Entry {
            seq,
            at_ms,
            action,
            outcome,
            actor,
            tenant_id,
            target,
            detail: _,
            request_id,
            source,
            count,
        } = row.entry;
        Self {
            seq,
            at,
            at_ms,
            action,
            outcome,
            actor,
            tenant_id,
            target,
            detail,
            request_id,
            source,
            count,
            previous: row.previous,
            hash: row.hash,
        }
    }
}

impl From<Shown> for Row {
    fn from(shown: Shown) -> Self {
        Self {
            entry: Entry {
                seq: shown.seq,
                at_ms: shown.at_ms,
                action: shown.action,
                outcome: shown.outcome,
                actor: shown.actor,
                tenant_id: shown.tenant_id,
                target: shown.target,
                detail: match shown.detail {
                    Value::String(text) => text,
                    object => object.to_string(),
                },
                request_id: shown.request_id,
                source: shown.source,
                count: shown.count,
            },
            hash: shown.hash,
            previous: shown.previous,
        }
    }
}
