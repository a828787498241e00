//! The fields of a request body, from a form or from JSON.

use std::collections::BTreeMap;
use std::fmt;

use scaigate_problem::{Code, Problem};
use scaigate_scaikey::form;
use scaigate_types::Secret;
use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};

use crate::Incoming;

/// Most fields of one body.
const MAX_FIELDS: usize = 32;

/// Text fields by name. May hold secrets, so it shows only the names.
#[derive(Clone, Default)]
pub struct Fields(BTreeMap<String, String>);

impl fmt::Debug for Fields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// A JSON member: text, or something else that no field of ours is.
#[derive(Deserialize)]
#[serde(untagged)]
enum Member {
    Text(String),
    Other(IgnoredAny),
}

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Fields;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
                let mut fields = BTreeMap::new();
                let mut seen = 0;
                while let Some(name) = map.next_key::<String>()? {
                    seen += 1;
                    let text = match map.next_value::<Member>()? {
                        Member::Text(text) => text,
                        Member::Other(_) => continue,
                    };
                    // Two readers of one body must not see two values.
                    if seen > MAX_FIELDS || fields.insert(name, text).is_some() {
                        return Err(serde::de::Error::custom("duplicate or too many members"));
                    }
                }
                Ok(Fields(fields))
            }
        }
        deserializer.deserialize_map(Object)
    }
}

impl Fields {
    /// Reads the body of `request` as JSON object or form, by its content type. An empty body
    /// without one has no fields.
    ///
    /// # Errors
    /// [`Code::UnsupportedMediaType`], or [`Code::InvalidRequest`] for a body that is not what its
    /// type says, has a field twice, or has more than 32.
    pub fn of_body(request: &Incoming) -> Result<Self, Problem> {
        let content_type = request
            .header(http::header::CONTENT_TYPE)
            .unwrap_or_default();
        let essence = content_type.split(';').next().unwrap_or_default().trim();
        if essence.eq_ignore_ascii_case("application/json") {
            return serde_json::from_slice(&request.body).map_err(|_| {
                Problem::invalid_field("body", "not a JSON object of single members")
            });
        }
        if essence.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
            return Self::parse_form(&request.body, "body");
        }
        if essence.is_empty() && request.body.is_empty() {
            return Ok(Self::default());
        }
        Err(Problem::new(Code::UnsupportedMediaType))
    }

    /// Reads the query of `request`.
    ///
    /// # Errors
    /// [`Code::InvalidRequest`] as for a form.
    pub fn of_query(request: &Incoming) -> Result<Self, Problem> {
        Self::parse_form(request.query.as_bytes(), "query")
    }

    fn parse_form(bytes: &[u8], part: &str) -> Result<Self, Problem> {
        let form = form::parse(bytes, MAX_FIELDS)
            .map_err(|error| Problem::invalid_field(part, &error.to_string()))?;
        Ok(Self(
            form.iter()
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
        ))
    }

    /// The field `name`, when it is there and not empty.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0
            .get(name)
            .map(String::as_str)
            .filter(|text| !text.is_empty())
    }

    /// The field `name`, which must be there.
    ///
    /// # Errors
    /// [`Code::InvalidRequest`] that names it.
    pub fn required(&self, name: &str) -> Result<&str, Problem> {
        self.get(name)
            .ok_or_else(|| Problem::invalid_field(name, "missing"))
    }

    /// The field `name` as a secret.
    #[must_use]
    pub fn secret(&self, name: &str) -> Option<Secret<String>> {
        self.get(name).map(|text| Secret::new(text.to_owned()))
    }

    /// These fields, and of `other` those that are not among them.
    #[must_use]
    pub fn or(mut self, other: Self) -> Self {
        for (name, value) in other.0 {
            self.0.entry(name).or_insert(value);
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    fn request(content_type: &str, body: &str) -> Incoming {
        let mut builder = http::Request::post("/v1/x");
        if !content_type.is_empty() {
            builder = builder.header("content-type", content_type);
        }
        let (parts, body) = builder
            .body(Bytes::from(body.to_owned()))
            .unwrap()
            .into_parts();
        Incoming::new(
            parts.into(),
            body,
            scaigate_types::Timestamp::from_millis(0),
            String::new,
        )
    }

    #[test]
    fn forms_and_json_give_the_same_fields() {
        for (content_type, body) in [
            (
                "application/json",
                r#"{"a":"1","n":5,"o":{"x":[]},"z":null}"#,
            ),
            ("Application/JSON; charset=utf-8", r#"{"a":"1"}"#),
            ("application/x-www-form-urlencoded", "a=1&b="),
        ] {
            let fields = Fields::of_body(&request(content_type, body)).unwrap();
            assert_eq!(fields.get("a"), Some("1"), "{body}");
            assert_eq!(fields.get("b"), None, "{body}");
            assert_eq!(fields.get("n"), None, "{body}");
        }
        assert!(
            Fields::of_body(&request("", ""))
                .unwrap()
                .get("a")
                .is_none()
        );
    }

    #[test]
    fn ambiguous_and_foreign_bodies_are_refused() {
        for (content_type, body, code) in [
            (
                "application/json",
                r#"{"a":"1","a":"2"}"#,
                Code::InvalidRequest,
            ),
            ("application/json", "[]", Code::InvalidRequest),
            ("application/json", "", Code::InvalidRequest),
            (
                "application/json",
                &"[".repeat(10_000),
                Code::InvalidRequest,
            ),
            (
                "application/x-www-form-urlencoded",
                "a=1&a=2",
                Code::InvalidRequest,
            ),
            (
                "application/x-www-form-urlencoded",
                "a=%zz",
                Code::InvalidRequest,
            ),
            ("text/plain", "a=1", Code::UnsupportedMediaType),
            ("", "a=1", Code::UnsupportedMediaType),
        ] {
            let got = Fields::of_body(&request(content_type, body)).unwrap_err();
            assert_eq!(got.code(), code, "{content_type} {}", body.len());
        }
    }

    #[test]
    fn debug_shows_no_values() {
        let fields = Fields::of_body(&request("application/json", r#"{"password":"hunter2"}"#));
        assert!(!format!("{fields:?}").contains("hunter2"));
    }
}
