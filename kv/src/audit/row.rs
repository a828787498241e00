//! A row of the audit log, with its one form for hashing.

use std::collections::BTreeMap;

use scaigate_types::{Row as Stored, StoreError, Timestamp};
use serde_json::Value;

/// What a row says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its number. There are no gaps.
    pub seq: i64,
    /// When, in milliseconds since 1970.
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
    /// What else is to be said, as the text of a JSON object.
    pub detail: String,
    /// By which request.
    pub request_id: Option<String>,
    /// From which address.
    pub source: Option<String>,
    /// How many times.
    pub count: i64,
}

impl Entry {
    /// What else is said, with its members in the order of their names. What is no object was not
    /// written by us, and is the text that it is.
    #[must_use]
    pub fn detail(&self) -> Value {
        let members: Result<BTreeMap<String, Value>, _> = serde_json::from_str(&self.detail);
        members.map_or_else(
            |_| self.detail.as_str().into(),
            |members| Value::Object(members.into_iter().collect()),
        )
    }

    /// What is hashed: the members, in their order, as a JSON array without spaces. Everything in it is
    /// a text, a whole number, null, or [`Entry::detail`], which JSON writes in one way (`serde_json`).
    #[must_use]
    pub fn canonical(&self) -> String {
        serde_json::json!([
            self.seq,
            self.at_ms,
            self.action,
            self.outcome,
            self.actor,
            self.tenant_id,
            self.target,
            self.detail(),
            self.request_id,
            self.source,
            self.count,
        ])
        .to_string()
    }

    /// When.
    #[must_use]
    pub fn at(&self) -> Timestamp {
        Timestamp::from_millis(u64::try_from(self.at_ms).unwrap_or_default())
    }
}

/// A row: what it says and where it is in the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// What it says.
    pub entry: Entry,
    /// Its hash; `None` while it is not sealed.
    pub hash: Option<String>,
    /// The hash of the one before it; empty for the first, and while that one is not sealed.
    pub previous: String,
}

/// The columns that [`read`] reads before the hash of the row before.
pub(super) const COLUMNS: &str = "seq, at, action, outcome, actor, tenant_id, target, detail, request_id, \
    source, count, hash";

pub(super) fn read(row: &Stored) -> Result<Row, StoreError> {
    let text = |index| row.optional_text(index).map(|text| text.map(str::to_owned));
    Ok(Row {
        entry: Entry {
            seq: row.integer(0)?,
            at_ms: row.integer(1)?,
            action: row.text(2)?.to_owned(),
            outcome: row.text(3)?.to_owned(),
            actor: text(4)?,
            tenant_id: text(5)?,
            target: text(6)?,
            detail: row.text(7)?.to_owned(),
            request_id: text(8)?,
            source: text(9)?,
            count: row.integer(10)?,
        },
        hash: text(11)?,
        previous: text(12)?.unwrap_or_default(),
    })
}
