//! JSON Schemas (draft 2020-12, as OpenAPI 3.1 has them), written short.

use serde_json::{Map, Value, json};

/// A JSON Schema.
pub type Schema = Value;

/// A text.
pub fn text() -> Schema {
    json!({ "type": "string" })
}

/// A text of `min..=max` characters.
pub fn bounded(min: usize, max: usize) -> Schema {
    json!({ "type": "string", "minLength": min, "maxLength": max })
}

/// A text of one of these words.
pub fn word(words: &[&str]) -> Schema {
    json!({ "type": "string", "enum": words })
}

/// An instant, as RFC 3339 has it, in UTC.
pub fn time() -> Schema {
    json!({ "type": "string", "format": "date-time" })
}

/// An address.
pub fn uri() -> Schema {
    json!({ "type": "string", "format": "uri" })
}

/// A number of things.
pub fn count() -> Schema {
    json!({ "type": "integer", "minimum": 0 })
}

/// A whole number of `min..=max`, `default` where it is not given.
pub fn number(min: u64, max: u64, default: u64) -> Schema {
    json!({ "type": "integer", "minimum": min, "maximum": max, "default": default })
}

/// Yes or no.
pub fn flag() -> Schema {
    json!({ "type": "boolean" })
}

/// Any JSON.
pub fn any() -> Schema {
    json!({})
}

/// Any JSON object.
pub fn any_object() -> Schema {
    json!({ "type": "object" })
}

/// A list.
pub fn list(of: Schema) -> Schema {
    json!({ "type": "array", "items": of })
}

/// `null`, or that.
pub fn maybe(schema: Schema) -> Schema {
    json!({ "anyOf": [schema, { "type": "null" }] })
}

/// One of these.
pub fn either(schemas: &[Schema]) -> Schema {
    json!({ "anyOf": schemas })
}

/// The schema of that name in [`schemas`](crate::schemas).
pub fn named(name: &str) -> Schema {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

/// An object with these members and no others. A name that ends with `?` may be missing.
pub fn object(members: &[(&str, Schema)]) -> Schema {
    let mut open = open(members);
    if let Some(object) = open.as_object_mut() {
        object.insert("additionalProperties".to_owned(), false.into());
    }
    open
}

/// As [`object`], with members that may come later.
pub fn open(members: &[(&str, Schema)]) -> Schema {
    let mut properties = Map::new();
    let mut required = Vec::new();
    for (name, schema) in members {
        let plain = name.trim_end_matches('?');
        if plain == *name {
            required.push(plain);
        }
        properties.insert(plain.to_owned(), schema.clone());
    }
    json!({ "type": "object", "required": required, "properties": properties })
}

/// An object whose members are there once more under `data`, where ScaiWave's clients look.
pub fn doubled(members: &[(&str, Schema)]) -> Schema {
    let mut all = members.to_vec();
    all.push(("data", object(members)));
    object(&all)
}

/// A schema with a word about it.
pub fn about(mut schema: Schema, words: &str) -> Schema {
    if let Some(object) = schema.as_object_mut() {
        object.insert("description".to_owned(), words.into());
    }
    schema
}
