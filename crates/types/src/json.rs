//! JSON from strangers: one object, bounded in size, depth and number of values, every member once.
//!
//! RFC 8725 §2.4 and RFC 7515 §4 are why a member that appears twice is refused: two readers would
//! see two different objects.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

/// How much is read.
#[derive(Clone, Copy)]
pub struct Bounds {
    /// Bytes.
    pub bytes: usize,
    /// Levels of objects and arrays.
    pub depth: usize,
    /// Values altogether, containers included.
    pub values: usize,
}

/// Reads exactly one object; `None` when it is anything else or goes beyond the bounds.
#[must_use]
pub fn object(text: &[u8], bounds: Bounds) -> Option<Map<String, Value>> {
    if text.len() > bounds.bytes {
        return None;
    }
    let mut left = bounds.values;
    let mut deserializer = serde_json::Deserializer::from_slice(text);
    let bounded = Bounded {
        depth: bounds.depth,
        left: &mut left,
    };
    let value = bounded.deserialize(&mut deserializer).ok()?;
    deserializer.end().ok()?;
    match value {
        Value::Object(members) => Some(members),
        _ => None,
    }
}

/// Reads one value, counting down what may still be read.
struct Bounded<'a> {
    /// Levels that may still be opened.
    depth: usize,
    /// Values that may still come.
    left: &'a mut usize,
}

impl Bounded<'_> {
    /// The levels that may still be opened one level down.
    fn deeper<E: Error>(&self) -> Result<usize, E> {
        self.depth
            .checked_sub(1)
            .ok_or_else(|| E::custom("too deep"))
    }
}

impl<'de> DeserializeSeed<'de> for Bounded<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        *self.left = self
            .left
            .checked_sub(1)
            .ok_or_else(|| D::Error::custom("too many values"))?;
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
        Ok(value.into())
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
        let left = self.left;
        let mut items = Vec::new();
        while let Some(item) = access.next_element_seed(Bounded { depth, left })? {
            items.push(item);
        }
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let depth = self.deeper()?;
        let left = self.left;
        let mut members = Map::new();
        while let Some(name) = access.next_key::<String>()? {
            let value = access.next_value_seed(Bounded { depth, left })?;
            if members.insert(name, value).is_some() {
                return Err(A::Error::custom("a member appears twice"));
            }
        }
        Ok(Value::Object(members))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOUNDS: Bounds = Bounds {
        bytes: 64,
        depth: 3,
        values: 8,
    };

    #[test]
    fn n_141_one_bounded_unambiguous_object_is_read() {
        let table = [
            ("{}", true),
            (r#" {"a":{"b":[1]}} "#, true),
            (r#"{"a":{"b":{}}}"#, true),
            (r#"{"a":{"b":{"c":{}}}}"#, false),
            (r#"{"a":{"b":[{}]}}"#, false),
            (r#"{"a":[[[]]]}"#, false),
            (r#"{"a":[1,2,3,4,5,6]}"#, true),
            (r#"{"a":[1,2,3,4,5,6,7]}"#, false),
            (r#"{"a":1,"a":1}"#, false),
            (r#"{"a":1,"\u0061":2}"#, false),
            (r#"{"a":{"b":1,"b":2}}"#, false),
            (r#"{"a":[{"b":1,"b":2}]}"#, false),
            (r#"{"a":1e999}"#, false),
            (r#"{"a":NaN}"#, false),
            (r#"{"a":"\ud800"}"#, false),
            (r#"{'a':1}"#, false),
            (r#"{"a":1}x"#, false),
            (r#"{"a":1}{"a":1}"#, false),
            ("[]", false),
            ("[1,2]", false),
            ("1", false),
            ("\"a\"", false),
            ("null", false),
            ("", false),
            ("{", false),
            ("\u{feff}{}", false),
        ];
        for (text, read) in table {
            assert_eq!(object(text.as_bytes(), BOUNDS).is_some(), read, "{text}");
        }
        assert!(object(b"{\"a\":\"\xff\"}", BOUNDS).is_none());
        let values = r#"{"a":-1,"b":null,"c":true,"d":1.5,"e":"x","f":[2]}"#;
        let read = object(values.as_bytes(), BOUNDS).map(Value::Object);
        assert_eq!(read, serde_json::from_str(values).ok());
    }

    #[test]
    fn n_141_bytes_and_depth_are_bounded() {
        let long = |length: usize| format!(r#"{{"a":"{}"}}"#, "x".repeat(length - 8));
        assert!(object(long(64).as_bytes(), BOUNDS).is_some());
        assert!(object(long(65).as_bytes(), BOUNDS).is_none());
        // Far below where a reader that calls itself would run out of stack.
        let deep = "[".repeat(100_000);
        let bounds = Bounds {
            bytes: usize::MAX,
            ..BOUNDS
        };
        assert!(object(format!(r#"{{"a":{deep}"#).as_bytes(), bounds).is_none());
    }
}
