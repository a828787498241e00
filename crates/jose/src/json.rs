//! JSON from strangers: no duplicate members, and bounds on depth and on the number of values.
//!
//! The bytes are bounded by the caller. RFC 8725 §2.4 and RFC 7515 §4 are why a member that
//! appears twice is refused: two readers would see two different tokens.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

/// How much structure is read.
#[derive(Clone, Copy)]
pub(crate) struct Bounds {
    /// Levels of objects and arrays.
    pub depth: usize,
    /// Values altogether, containers included.
    pub values: usize,
}

/// Not one bounded JSON object without duplicate members.
#[derive(Debug)]
pub(crate) struct NotAnObject;

/// Reads exactly one JSON object.
pub(crate) fn object(bytes: &[u8], bounds: Bounds) -> Result<Map<String, Value>, NotAnObject> {
    let mut left = bounds.values;
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let value = Bounded {
        depth: bounds.depth,
        left: &mut left,
    }
    .deserialize(&mut deserializer)
    .map_err(|_| NotAnObject)?;
    deserializer.end().map_err(|_| NotAnObject)?;
    match value {
        Value::Object(members) => Ok(members),
        _ => Err(NotAnObject),
    }
}

struct Bounded<'a> {
    depth: usize,
    left: &'a mut usize,
}

impl Bounded<'_> {
    fn count<E: serde::de::Error>(&mut self) -> Result<(), E> {
        *self.left = self
            .left
            .checked_sub(1)
            .ok_or_else(|| E::custom("too many values"))?;
        Ok(())
    }

    fn deeper<E: serde::de::Error>(&self) -> Result<usize, E> {
        self.depth
            .checked_sub(1)
            .ok_or_else(|| E::custom("too deep"))
    }
}

impl<'de> DeserializeSeed<'de> for Bounded<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(mut self, deserializer: D) -> Result<Value, D::Error> {
        self.count()?;
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Bounded<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let depth = self.deeper()?;
        let mut items = Vec::new();
        while let Some(item) = access.next_element_seed(Bounded {
            depth,
            left: self.left,
        })? {
            items.push(item);
        }
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let depth = self.deeper()?;
        let mut members = Map::new();
        while let Some(name) = access.next_key::<String>()? {
            let value = access.next_value_seed(Bounded {
                depth,
                left: self.left,
            })?;
            if members.insert(name, value).is_some() {
                return Err(A::Error::custom("member appears twice"));
            }
        }
        Ok(Value::Object(members))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> bool {
        object(
            text.as_bytes(),
            Bounds {
                depth: 3,
                values: 8,
            },
        )
        .is_ok()
    }

    #[test]
    fn n141_json_is_bounded_and_unambiguous() {
        let cases = [
            ("{}", true),
            (r#"{"a":{"b":{}}}"#, true),
            (r#"{"a":{"b":{"c":{}}}}"#, false),
            (r#"{"a":[[[]]]}"#, false),
            ("[1,2]", false),
            ("1", false),
            (r#"{"a":[1,2,3,4,5,6]}"#, true),
            (r#"{"a":[1,2,3,4,5,6,7]}"#, false),
            (r#"{"a":1,"a":1}"#, false),
            (r#"{"a":1,"\u0061":2}"#, false),
            (r#"{"a":{"b":1,"b":2}}"#, false),
            (r#"{"a":1} "#, true),
            (r#"{"a":1}x"#, false),
            (r#"{"a":1e999}"#, false),
            (r#"{"a":"\ud800"}"#, false),
            ("\u{feff}{}", false),
            ("", false),
        ];
        for (text, ok) in cases {
            assert_eq!(read(text), ok, "{text}");
        }
        assert!(
            object(
                b"{\"a\":\"\xff\"}",
                Bounds {
                    depth: 3,
                    values: 8
                }
            )
            .is_err()
        );
    }
}
