//! Members of JSON objects, where null is the same as nothing.

use serde_json::{Map, Value};

/// The member `name`, unless it is absent or null.
pub(super) fn present<'a>(object: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    object.get(name).filter(|value| !value.is_null())
}

/// What is at the end of `path`, unless it is absent or null, or something on the way no object.
pub(super) fn member<'a>(object: &'a Map<String, Value>, path: &[&str]) -> Option<&'a Value> {
    let (last, way) = path.split_last()?;
    let inner = way
        .iter()
        .try_fold(object, |object, name| object.get(*name)?.as_object())?;
    present(inner, last)
}
