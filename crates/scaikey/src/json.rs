//! JSON objects from outside, bounded in size and depth.

use serde::de::DeserializeOwned;

/// Largest body read, in bytes.
pub(crate) const MAX_BYTES: usize = 65536;
/// Deepest nesting read. What ScaiKey documents needs four levels.
const MAX_DEPTH: usize = 32;

/// Reads `body` as one JSON object; `None` when it is too large, too deep, not an object, not a
/// `T`, or names a field of `T` twice.
pub(crate) fn object<T: DeserializeOwned>(body: &[u8]) -> Option<T> {
    // A derived reader also takes an array for a structure, hence the look at the first byte.
    let first = body.iter().find(|byte| !byte.is_ascii_whitespace());
    if body.len() > MAX_BYTES || first != Some(&b'{') || !is_shallow(body) {
        return None;
    }
    // Skipped strings would not be looked at, hence all of the text here.
    serde_json::from_str(str::from_utf8(body).ok()?).ok()
}

/// Whether no brackets outside strings nest deeper than [`MAX_DEPTH`]. Skipped fields are read
/// without a limit of their own.
fn is_shallow(body: &[u8]) -> bool {
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    for byte in body {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'{' | b'[' if !in_string => depth += 1,
            b'}' | b']' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > MAX_DEPTH {
            return false;
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(serde::Deserialize, PartialEq, Debug)]
    struct Sample {
        a: Option<u8>,
    }

    fn nested(depth: usize) -> String {
        format!(
            r#"{{"a":1,"x":{}{}}}"#,
            "[".repeat(depth),
            "]".repeat(depth)
        )
    }

    #[test]
    fn n_141_only_a_small_shallow_object_is_read() {
        let sample = Some(Sample { a: Some(1) });
        assert_eq!(object(br#" {"a":1}"#), sample);
        assert_eq!(object(br#"{"a":null}"#), Some(Sample { a: None }));
        assert_eq!(object(br#"{"a":1,"x":"[[[[\"[[[["}"#), sample);
        assert_eq!(object(nested(MAX_DEPTH - 1).as_bytes()), sample);
        for bad in [
            "",
            "[1]",
            "[[1]]",
            "1",
            "null",
            "\"a\"",
            "{",
            r#"{"a":1}x"#,
            r#"{"a":1}{"a":1}"#,
            r#"{"a":1,"a":1}"#,
            r#"{"a":300}"#,
            r#"{"a":1e300}"#,
            "\u{feff}{\"a\":1}",
        ] {
            assert_eq!(object::<Sample>(bad.as_bytes()), None, "{bad:?}");
        }
        assert_eq!(object::<Sample>(nested(MAX_DEPTH).as_bytes()), None);
        assert_eq!(object::<Sample>(nested(30_000).as_bytes()), None);
        let large = format!(r#"{{"a":1,"x":"{}"}}"#, "x".repeat(MAX_BYTES));
        assert_eq!(object::<Sample>(large.as_bytes()), None);
        assert_eq!(object::<Sample>(b"{\"a\":1,\"x\":\"\xff\"}"), None);
    }
}
