//! Inputs of several parts: lines, then a body.

use http::{HeaderMap, HeaderName, HeaderValue};

/// What is before the first line feed, and what is behind it.
pub fn first(input: &[u8]) -> (&[u8], &[u8]) {
    match input.iter().position(|byte| *byte == b'\n') {
        Some(at) => (&input[..at], &input[at + 1..]),
        None => (input, &[]),
    }
}

/// Lines `name: value` up to an empty one, as a server would read them, and what is behind it.
/// A line that is no header is not there.
pub fn headers(mut input: &[u8]) -> (HeaderMap, &[u8]) {
    let mut headers = HeaderMap::new();
    while !input.is_empty() {
        let (line, rest) = first(input);
        input = rest;
        if line.is_empty() {
            break;
        }
        let Some(colon) = line.iter().position(|byte| *byte == b':') else {
            continue;
        };
        let value = line[colon + 1..].trim_ascii();
        if let (Ok(name), Ok(value)) = (
            HeaderName::from_bytes(&line[..colon]),
            HeaderValue::from_bytes(value),
        ) {
            // More than a server takes is no header map either.
            if headers.try_append(name, value).is_err() {
                break;
            }
        }
    }
    (headers, input)
}

/// `input`, when it is text.
pub fn text(input: &[u8]) -> Option<&str> {
    str::from_utf8(input).ok()
}
