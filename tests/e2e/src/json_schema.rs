//! JSON Schema, as much of it as the API description uses. Any other keyword fails the test, so that
//! nothing is taken for checked that is not.

use serde_json::{Map, Value};

/// Keywords that say nothing about what is valid.
const WORDS: [&str; 2] = ["description", "default"];

/// What is wrong with `value`, where; nothing when it is valid. References lead into `document`.
///
/// # Panics
/// When the schema uses a keyword that is not known here.
#[must_use]
pub fn errors(document: &Value, schema: &Value, value: &Value) -> Vec<String> {
    let mut errors = Vec::new();
    Check { document }.check(schema, value, "", &mut errors);
    errors
}

struct Check<'a> {
    document: &'a Value,
}

impl Check<'_> {
    fn check(&self, schema: &Value, value: &Value, at: &str, errors: &mut Vec<String>) {
        let schema = schema.as_object().expect("a schema is an object");
        for (keyword, argument) in schema {
            self.keyword(schema, keyword, argument, value, at, errors);
        }
    }

    fn is_valid(&self, schema: &Value, value: &Value, at: &str) -> Result<(), Vec<String>> {
        let mut errors = Vec::new();
        self.check(schema, value, at, &mut errors);
        if errors.is_empty() {
            Ok(())
        } else {
            Err(errors)
        }
    }

    fn keyword(
        &self,
        schema: &Map<String, Value>,
        keyword: &str,
        argument: &Value,
        value: &Value,
        at: &str,
        errors: &mut Vec<String>,
    ) {
        let mut require = |holds: bool| {
            if !holds {
                let value: String = value.to_string().chars().take(200).collect();
                errors.push(format!("{at}: {value} is not {keyword} {argument}"));
            }
        };
        match keyword {
            "type" => require(is_type(argument.as_str().expect("one type"), value)),
            "enum" => require(argument.as_array().expect("a list").contains(value)),
            "const" => require(argument == value),
            "minimum" => require(number(value).is_none_or(|it| it >= limit(argument))),
            "maximum" => require(number(value).is_none_or(|it| it <= limit(argument))),
            "minLength" => require(length(value).is_none_or(|it| it >= limit(argument))),
            "maxLength" => require(length(value).is_none_or(|it| it <= limit(argument))),
            "format" => require(value.as_str().is_none_or(|text| is_format(argument, text))),
            "$ref" => {
                let pointer = argument.as_str().and_then(|to| to.strip_prefix('#'));
                let target = pointer.and_then(|pointer| self.document.pointer(pointer));
                self.check(target.expect("a reference that leads"), value, at, errors);
            }
            "allOf" => {
                for part in argument.as_array().expect("a list") {
                    self.check(part, value, at, errors);
                }
            }
            "anyOf" => {
                let parts = argument.as_array().expect("a list").iter();
                let failed: Vec<_> = parts
                    .map_while(|part| self.is_valid(part, value, at).err())
                    .collect();
                if failed.len() == argument.as_array().expect("a list").len() {
                    errors.push(format!("{at}: none of {failed:?}"));
                }
            }
            "items" => {
                for (index, item) in value.as_array().into_iter().flatten().enumerate() {
                    self.check(argument, item, &format!("{at}/{index}"), errors);
                }
            }
            "properties" => {
                for (name, schema) in argument.as_object().expect("members") {
                    if let Some(member) = value.get(name) {
                        self.check(schema, member, &format!("{at}/{name}"), errors);
                    }
                }
            }
            "required" => {
                let names = argument.as_array().expect("a list").iter();
                for name in names.filter_map(Value::as_str) {
                    if value.is_object() && value.get(name).is_none() {
                        errors.push(format!("{at}: without {name}"));
                    }
                }
            }
            "additionalProperties" => {
                assert_eq!(argument, false, "other forms are not known here");
                let known = schema.get("properties").and_then(Value::as_object);
                for name in value.as_object().into_iter().flat_map(Map::keys) {
                    if !known.is_some_and(|known| known.contains_key(name)) {
                        errors.push(format!("{at}: with {name}"));
                    }
                }
            }
            word if WORDS.contains(&word) => {}
            other => panic!("the keyword {other} is not known here"),
        }
    }
}

fn is_type(name: &str, value: &Value) -> bool {
    match name {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        "number" => value.is_number(),
        "integer" => value.is_i64() || value.is_u64(),
        other => panic!("the type {other} is not known here"),
    }
}

fn number(value: &Value) -> Option<f64> {
    value.as_f64()
}

fn limit(argument: &Value) -> f64 {
    argument.as_f64().expect("a number")
}

fn length(value: &Value) -> Option<f64> {
    let count = value.as_str()?.chars().count();
    Some(f64::from(u32::try_from(count).unwrap_or(u32::MAX)))
}

fn is_format(name: &Value, text: &str) -> bool {
    match name.as_str() {
        // In UTC, as all times here are: 2026-11-22T12:00:00Z, with a fraction or without.
        Some("date-time") => {
            let shape: String = text
                .chars()
                .map(|c| if c.is_ascii_digit() { '0' } else { c })
                .collect();
            let (seconds, fraction) = shape.split_at_checked(19).unwrap_or_default();
            let fraction = fraction.strip_suffix('Z');
            let is_fraction = |text: &str| {
                text.is_empty()
                    || text
                        .strip_prefix('.')
                        .is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|b| b == b'0'))
            };
            seconds == "0000-00-00T00:00:00" && fraction.is_some_and(is_fraction)
        }
        Some("uri") => url::Url::parse(text).is_ok(),
        other => panic!("the format {other:?} is not known here"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_keyword_can_fail() {
        let document = json!({ "x": { "type": "string" } });
        for (schema, good, bad) in [
            (json!({ "type": "integer" }), json!(1), json!(1.5)),
            (json!({ "type": "null" }), json!(null), json!(0)),
            (json!({ "enum": ["a"] }), json!("a"), json!("b")),
            (json!({ "const": true }), json!(true), json!("true")),
            (json!({ "minimum": 1 }), json!(1), json!(0)),
            (json!({ "maximum": 1 }), json!(1), json!(2)),
            (json!({ "minLength": 2 }), json!("éé"), json!("é")),
            (json!({ "maxLength": 1 }), json!("é"), json!("éé")),
            (
                json!({ "format": "date-time" }),
                json!("2026-11-22T12:00:00Z"),
                json!("2026-11-22"),
            ),
            (
                json!({ "format": "date-time" }),
                json!("2026-11-22T12:00:00.5Z"),
                json!("2026-11-22T12:00:00+01:00"),
            ),
            (
                json!({ "format": "uri" }),
                json!("https://a.example/"),
                json!("/a"),
            ),
            (json!({ "$ref": "#/x" }), json!("a"), json!(1)),
            (
                json!({ "allOf": [{ "minimum": 1 }, { "maximum": 2 }] }),
                json!(1),
                json!(3),
            ),
            (
                json!({ "anyOf": [{ "const": 1 }, { "const": 2 }] }),
                json!(2),
                json!(3),
            ),
            (
                json!({ "items": { "const": 1 } }),
                json!([1, 1]),
                json!([1, 2]),
            ),
            (
                json!({ "properties": { "a": { "const": 1 } } }),
                json!({ "b": 2 }),
                json!({ "a": 2 }),
            ),
            (
                json!({ "required": ["a"] }),
                json!({ "a": null }),
                json!({}),
            ),
            (
                json!({ "properties": { "a": {} }, "additionalProperties": false }),
                json!({ "a": 1 }),
                json!({ "a": 1, "b": 1 }),
            ),
        ] {
            assert_eq!(errors(&document, &schema, &good), [""; 0], "{schema}");
            assert_eq!(errors(&document, &schema, &bad).len(), 1, "{schema}");
        }
    }
}
