//! What a flow holds: any JSON value, kept as the bytes that were received.

use scaigate_problem::{Code, Problem};
use serde_json::value::RawValue;

/// Largest content, in bytes.
pub const MAX_CONTENT: usize = 1_048_576;
/// Most levels of objects and arrays: clients read the answer with parsers that give up deeper down.
pub const MAX_DEPTH: usize = 100;

/// A JSON value as it was received, bounded. Spaces, the order of members, escapes and numbers are
/// those of whoever sent it.
#[derive(Clone, Debug)]
pub struct Content(Box<RawValue>);

impl Content {
    /// Takes the member `content` of a request.
    ///
    /// # Errors
    /// [`Code::PayloadTooLarge`], or [`Code::InvalidRequest`] for a value that is nested too deeply.
    pub fn new(raw: Box<RawValue>) -> Result<Self, Problem> {
        if raw.get().len() > MAX_CONTENT {
            return Err(Problem::new(Code::PayloadTooLarge)
                .with("field", "content")
                .with("limit_bytes", MAX_CONTENT));
        }
        if depth(raw.get().as_bytes()) > MAX_DEPTH {
            return Err(
                Problem::invalid_field("content", "nested too deeply").with("limit", MAX_DEPTH)
            );
        }
        Ok(Self(raw))
    }

    /// The bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.0.get().as_bytes()
    }

    /// The text that the content is, if it is one: a manifest, perhaps.
    #[must_use]
    pub fn text(&self) -> Option<String> {
        text(self.as_bytes())
    }
}

/// The text that stored content is, if it is one.
#[must_use]
pub fn text(content: &[u8]) -> Option<String> {
    if content.first() == Some(&b'"') {
        serde_json::from_slice(content).ok()
    } else {
        None
    }
}

/// Levels of a value that is known to be JSON.
fn depth(json: &[u8]) -> usize {
    let (mut level, mut deepest) = (0_usize, 0_usize);
    let (mut in_text, mut is_escaped) = (false, false);
    for byte in json {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' if in_text => is_escaped = true,
            b'"' => in_text = !in_text,
            b'{' | b'[' if !in_text => {
                level += 1;
                deepest = deepest.max(level);
            }
            b'}' | b']' if !in_text => level = level.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

/// A JSON object with stored content as one more member: an answer. `object` ends with `}` and has
/// members.
pub(crate) fn with_content(object: &str, content: &[u8]) -> Result<String, Problem> {
    let corrupt = || Problem::new(Code::Internal);
    let content = std::str::from_utf8(content).map_err(|_| corrupt())?;
    let open = object.strip_suffix('}').ok_or_else(corrupt)?;
    Ok(format!("{open},\"content\":{content}}}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn content(json: &str) -> Result<Content, Problem> {
        Content::new(serde_json::from_str(json).unwrap())
    }

    #[test]
    fn bytes_stay_as_they_are() {
        for json in [
            r#"{ "b":1, "a" : [ ] }"#,
            r#"{"a":1,"a":2}"#,
            r#"{"n":1e400,"big":123456789012345678901234567890,"z":-0.0,"e":1E+2}"#,
            r#"{"s":"\ud800 \u00e9 é \/"}"#,
            "\"kind: flow\\n\"",
            "[]",
            "0",
        ] {
            assert_eq!(content(json).unwrap().as_bytes(), json.as_bytes());
            let object = with_content("{\"id\":1}", json.as_bytes()).unwrap();
            assert_eq!(object, format!("{{\"id\":1,\"content\":{json}}}"));
        }
    }

    #[test]
    fn size_and_depth_are_bounded() {
        let text = |length: usize| format!("\"{}\"", "x".repeat(length - 2));
        assert!(content(&text(MAX_CONTENT)).is_ok());
        let refused = content(&text(MAX_CONTENT + 1)).unwrap_err();
        assert_eq!(refused.code(), Code::PayloadTooLarge);
        let nested = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        assert!(content(&nested(MAX_DEPTH)).is_ok());
        let refused = content(&nested(MAX_DEPTH + 1)).unwrap_err();
        assert_eq!(refused.code(), Code::InvalidRequest);
        let brackets = format!("[\"{}\\\"{}\"]", "[".repeat(500), "{".repeat(500));
        assert!(content(&brackets).is_ok());
    }

    #[test]
    fn only_a_json_string_is_a_text() {
        assert_eq!(text(br#""a\nb""#).as_deref(), Some("a\nb"));
        for other in ["{}", "[\"a\"]", "1", "null", "\"\\ud800\""] {
            assert_eq!(text(other.as_bytes()), None, "{other}");
        }
    }

    proptest! {
        #[test]
        fn depth_is_that_of_the_parsed_value(json in "[\\[\\]{}\",:\\\\a1 ]{0,24}") {
            fn levels(value: &serde_json::Value) -> usize {
                match value {
                    serde_json::Value::Array(all) => {
                        1 + all.iter().map(levels).max().unwrap_or(0)
                    }
                    serde_json::Value::Object(all) => {
                        1 + all.values().map(levels).max().unwrap_or(0)
                    }
                    _ => 0,
                }
            }
            if let Ok(value) = serde_json::from_str(&json) {
                let parsed = levels(&value);
                // A member that appears twice hides one of the two.
                prop_assert!(depth(json.as_bytes()) >= parsed);
            }
        }
    }
}
