//! A row as it is shown and exported.

use scaigate_kv::audit::{Entry, Row};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

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
    /// What else is to be said: an object, byte for byte as it is hashed.
    pub detail: Box<RawValue>,
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
        let at = row.entry.at().rfc3339();
        let Entry {
            seq,
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
        } = row.entry;
        // What is no JSON was not written by us: it is shown as the text it is.
        let detail = RawValue::from_string(detail)
            .or_else(|_| serde_json::value::to_raw_value("unreadable"))
            .unwrap_or_default();
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
                detail: shown.detail.get().to_owned(),
                request_id: shown.request_id,
                source: shown.source,
                count: shown.count,
            },
            hash: shown.hash,
            previous: shown.previous,
        }
    }
}
