//! One row of an answer, read member by member.

use serde_json::{Map, Value};

use super::ShapeError;
use crate::text;

/// Longest id or slug, in bytes.
const MAX_NAME: usize = 256;

/// A row. Members are taken out, so that what is left is what nobody knows.
pub(super) struct Row {
    at: usize,
    members: Map<String, Value>,
}

impl Row {
    pub(super) fn of(at: usize, value: Value) -> Result<Self, ShapeError> {
        match value {
            Value::Object(members) => Ok(Self { at, members }),
            _ => Err(ShapeError::Row {
                row: at,
                member: "object",
            }),
        }
    }

    /// The first of `members` that is there and not `null`; all of them are taken.
    fn take(&mut self, members: &[&'static str]) -> Option<Value> {
        let mut found = None;
        for name in members {
            let value = self.members.remove(*name).filter(|value| !value.is_null());
            found = found.or(value);
        }
        found
    }

    /// An id or slug under the first of `members` that is there; `None` when none is.
    pub(super) fn optional_name(
        &mut self,
        members: &[&'static str],
    ) -> Result<Option<String>, ShapeError> {
        match self.take(members) {
            None => Ok(None),
            Some(Value::String(name)) if text::is_name(&name, MAX_NAME) => Ok(Some(name)),
            Some(_) => Err(self.without(members)),
        }
    }

    /// As [`Row::optional_name`], and it must be there.
    pub(super) fn name(&mut self, members: &[&'static str]) -> Result<String, ShapeError> {
        self.optional_name(members)?
            .ok_or_else(|| self.without(members))
    }

    /// Text for people of at most `max` characters; `None` for anything that is no text.
    pub(super) fn text(&mut self, members: &[&'static str], max: usize) -> Option<String> {
        match self.take(members) {
            Some(Value::String(own)) => Some(text::display(&own, max)),
            _ => None,
        }
    }

    /// A whole number of at most `max`; `None` for anything else.
    pub(super) fn number(&mut self, members: &[&'static str], max: u64) -> Option<u64> {
        self.take(members)
            .and_then(|value| value.as_u64())
            .filter(|number| *number <= max)
    }

    /// What has not been taken.
    pub(super) fn rest(self) -> Map<String, Value> {
        self.members
    }

    fn without(&self, members: &[&'static str]) -> ShapeError {
        ShapeError::Row {
            row: self.at,
            member: members.first().copied().unwrap_or_default(),
        }
    }
}
