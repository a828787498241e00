//! What an event says about a person.

use std::fmt;

use scaigate_types::{Subject, TenantId};
use serde_json::{Map, Value};

use super::data::{USER, changes_direction, display, own_id, row};
use super::envelope::Envelope;
use super::event_error::EventError;
use super::status::Status;

/// Longest e-mail address, in bytes: 64 before the `@`, 255 after (RFC 5321 §4.5.3.1).
const MAX_EMAIL: usize = 320;

/// What a partial row says about a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Field<T> {
    /// Nothing usable: it stays as it is.
    Absent,
    /// That it is empty.
    Null,
    /// What it is.
    Value(T),
}

impl<T> Field<T> {
    /// The value, if there is one.
    pub const fn value(&self) -> Option<&T> {
        match self {
            Self::Value(value) => Some(value),
            Self::Absent | Self::Null => None,
        }
    }
}

/// A user's row, or part of it. E-mail address and name are for display: not well-formed ones are
/// [`Field::Absent`], so that a bad name never holds up a change of the status.
#[derive(Clone, PartialEq, Eq)]
pub struct UserChange {
    /// ScaiKey's id, the `sub` of tokens. Unique within the tenant only.
    pub user_id: Subject,
    /// The tenant that the event names.
    pub tenant_id: Option<TenantId>,
    /// At most 320 bytes, with one `@`.
    pub email: Field<String>,
    /// `display_name`, else `name`, else `first_name` and `last_name` where both are given. At most
    /// 256 bytes.
    pub display_name: Field<String>,
    /// `None`: unchanged.
    pub status: Option<Status>,
}

impl UserChange {
    pub(super) fn of(envelope: &Envelope) -> Result<Self, EventError> {
        let row = row(envelope, USER);
        Ok(Self {
            user_id: own_id(envelope, USER, None, Subject::parse)?,
            tenant_id: envelope.tenant_id().cloned(),
            email: field(row, "email", email),
            display_name: display_name(row),
            status: Status::of(row)?,
        })
    }
}

impl fmt::Debug for UserChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The rest is personal data.
        f.debug_struct("UserChange")
            .field("user_id", &self.user_id)
            .field("tenant_id", &self.tenant_id)
            .field("status", &self.status)
            .finish_non_exhaustive()
    }
}

fn field(
    row: &Map<String, Value>,
    name: &str,
    read: impl Fn(&Value) -> Option<String>,
) -> Field<String> {
    match row.get(name) {
        None => Field::Absent,
        Some(Value::Null) => Field::Null,
        Some(Value::String(text)) if text.trim().is_empty() => Field::Null,
        Some(value) => read(value).map_or(Field::Absent, Field::Value),
    }
}

fn email(value: &Value) -> Option<String> {
    let email = value.as_str()?;
    let (local, domain) = email.split_once('@')?;
    let plain = |c: char| !c.is_control() && !c.is_whitespace() && !changes_direction(c);
    let usable = email.len() <= MAX_EMAIL
        && !local.is_empty()
        && !domain.is_empty()
        && !domain.contains('@')
        && email.chars().all(plain);
    usable.then(|| email.to_owned())
}

fn display_name(row: &Map<String, Value>) -> Field<String> {
    let one = |name: &str| field(row, name, display);
    let whole = match one("display_name") {
        Field::Value(name) => return Field::Value(name),
        Field::Null => Field::Null,
        Field::Absent => one("name"),
    };
    if whole.value().is_some() {
        return whole;
    }
    // Half a name is what a partial row has when the other half stays as it is.
    let parts = match (one("first_name"), one("last_name")) {
        (Field::Absent, _) | (_, Field::Absent) => return whole,
        (first, last) => [first, last],
    };
    let parts: Vec<&str> = parts
        .iter()
        .filter_map(|part| part.value().map(String::as_str))
        .collect();
    match display(&Value::from(parts.join(" "))) {
        Some(name) => Field::Value(name),
        None if parts.is_empty() => Field::Null,
        None => Field::Absent,
    }
}
