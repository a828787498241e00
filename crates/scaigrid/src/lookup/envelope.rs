//! What the rows come in: `{"data": […]}`, `{"data": {"items": […]}}`, OpenAI's
//! `{"object": "list", "data": […]}`, with or without `has_more` and `next_cursor`.

use scaigate_types::json::{self, Bounds};
use serde_json::{Map, Value};

use super::row::Row;
use super::{Cursor, MAX_BODY, MAX_ROWS, Page, ShapeError};

const BOUNDS: Bounds = Bounds {
    bytes: MAX_BODY,
    depth: 16,
    // Thirty a row, when there are as many as there may be.
    values: 30 * MAX_ROWS,
};

/// Reads a list; `read` makes a row of ours, or `None` of one that is not listed.
pub(super) fn page<T>(
    body: &[u8],
    mut read: impl FnMut(Row) -> Result<Option<T>, ShapeError>,
) -> Result<Page<T>, ShapeError> {
    let mut members = json::object(body, BOUNDS).ok_or(ShapeError::Json)?;
    let (rows, next) = match members.remove("data") {
        Some(Value::Array(rows)) => (rows, next(&members)?),
        Some(Value::Object(mut data)) => match data.remove("items") {
            Some(Value::Array(rows)) => (rows, next(&data)?.or(next(&members)?)),
            _ => return Err(ShapeError::NoRows),
        },
        _ => return Err(ShapeError::NoRows),
    };
    if rows.len() > MAX_ROWS {
        return Err(ShapeError::TooManyRows);
    }
    let mut kept = Vec::with_capacity(rows.len());
    for (at, row) in rows.into_iter().enumerate() {
        kept.extend(read(Row::of(at, row)?)?);
    }
    Ok(Page { rows: kept, next })
}

/// Where the list goes on: `next_cursor`, unless `has_more` says that it doesn't.
fn next(members: &Map<String, Value>) -> Result<Option<Cursor>, ShapeError> {
    match members.get("next_cursor") {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if text.is_empty() => Ok(None),
        Some(_) if members.get("has_more") == Some(&Value::Bool(false)) => Ok(None),
        Some(Value::String(text)) => Cursor::parse(text).map(Some),
        Some(_) => Err(ShapeError::Cursor),
    }
}
