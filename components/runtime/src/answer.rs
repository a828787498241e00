//! Answers.

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use serde::Serialize;
use serde_json::Value;

/// An answer with its whole body.
pub type Answer = Response<Bytes>;

/// What the body of an answer may be.
pub trait AnswerBody: From<Bytes> {
    /// How long it is; `None` for one that comes piece by piece, whose headers say what is known.
    fn length(&self) -> Option<usize>;
}

impl AnswerBody for Bytes {
    fn length(&self) -> Option<usize> {
        Some(self.len())
    }
}

fn with_type(status: StatusCode, content_type: &'static str, body: Bytes) -> Answer {
    let mut answer = Response::new(body);
    *answer.status_mut() = status;
    answer
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    answer
}

/// 200 with a JSON body.
#[must_use]
pub fn json(body: &Value) -> Answer {
    json_text(body.to_string())
}

/// 200 with a body that is JSON already.
#[must_use]
pub fn json_text(body: impl Into<Bytes>) -> Answer {
    with_type(StatusCode::OK, "application/json", body.into())
}

/// An answer without a body.
#[must_use]
pub fn empty(status: StatusCode) -> Answer {
    let mut answer = Answer::default();
    *answer.status_mut() = status;
    answer
}

/// The JSON of an object, with the same members once more under `data`, where ScaiWave's clients
/// look. Serialised once.
///
/// An object that can't be written, or has no members, is `{}`.
#[must_use]
pub fn doubled(object: &impl Serialize) -> String {
    const AGAIN: &str = ",\"data\":";
    let mut text = Vec::with_capacity(1024);
    let written = serde_json::to_writer(&mut text, object).is_ok();
    // Without its end, which follows twice.
    let open = text.len().saturating_sub(1);
    if !written || open <= 1 || text.pop() != Some(b'}') {
        return "{}".to_owned();
    }
    text.reserve_exact(AGAIN.len() + open + 2);
    text.extend_from_slice(AGAIN.as_bytes());
    text.extend_from_within(..open);
    text.extend_from_slice(b"}}");
    String::from_utf8(text).unwrap_or_default()
}

/// 303 to `location`, which must be one that has been checked: a browser follows it with GET and
/// posts nothing again (RFC 9700 §4.12).
#[must_use]
pub fn see_other(location: &str) -> Answer {
    let mut answer = Response::new(Bytes::new());
    *answer.status_mut() = StatusCode::SEE_OTHER;
    if let Ok(value) = HeaderValue::from_str(location) {
        answer.headers_mut().insert(header::LOCATION, value);
    }
    answer
}

/// A page without scripts or foreign content. `title` and `paragraphs` are escaped.
#[must_use]
pub fn page(status: u16, title: &str, paragraphs: &[&str]) -> Answer {
    let paragraphs: String = paragraphs
        .iter()
        .map(|text| format!("<p>{}</p>\n", escape(text)))
        .collect();
    let title = escape(title);
    let body = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<title>{title}</title>\n</head>\n\
         <body>\n<main>\n<h1>{title}</h1>\n{paragraphs}</main>\n</body>\n</html>\n"
    );
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    with_type(status, "text/html; charset=utf-8", Bytes::from(body))
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_members_are_there_twice() {
        let text = doubled(&serde_json::json!({ "a": 1, "b": { "c": "}" } }));
        let value: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(
            value,
            serde_json::json!({ "a": 1, "b": { "c": "}" }, "data": { "a": 1, "b": { "c": "}" } } })
        );
        assert_eq!(doubled(&serde_json::json!({})), "{}");
        assert_eq!(doubled(&serde_json::json!([1])), "{}");
    }

    #[test]
    fn n_013_pages_escape_what_they_show() {
        let answer = page(400, "<x>", &["<script>alert('1')</script>", "a & \"b\""]);
        let body = String::from_utf8(answer.body().to_vec()).unwrap();
        assert!(!body.contains("<script") && !body.contains("<x>"));
        assert!(body.contains("&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;"));
        assert!(body.contains("a &amp; &quot;b&quot;"));
    }
}
