//! Every answer that a test gets, held against the API description.
//!
//! What is not held against it: the console, whose backend is its own page's and no API; answers of the runner itself, which no component has seen (they carry no
//! `x-request-id`), and those to requests that [`Raw`](crate::Raw) sends.

use std::sync::LazyLock;

use scaigate_openapi::{Operation, described, document, find, responses};
use serde_json::{Value, json};

use crate::{Answer, json_schema};

static DOCUMENT: LazyLock<Value> = LazyLock::new(document);

/// What is wrong with `answer` to a request of `method` for `path`; nothing when it is as described.
///
/// # Errors
/// Where and how it differs.
pub fn check(method: &str, path: &str, answer: &Answer) -> Result<(), String> {
    if path == "/" || path.starts_with("/console") {
        return Ok(());
    }
    if answer.header("x-request-id").is_empty() {
        return if answer.status.is_server_error() || answer.status == 404 {
            Ok(())
        } else {
            Err("no x-request-id".to_owned())
        };
    }
    if method == "HEAD" {
        // Has no body to look at.
        return Ok(());
    }
    let refused = refused(method, path, answer)?;
    match find(method, path) {
        Some(_) if refused => Ok(()),
        Some(operation) => as_described(operation, answer),
        None if refused => Ok(()),
        None => Err(format!(
            "{} is not how a request without operation is answered",
            answer.status
        )),
    }
}

/// Whether it is an answer that belongs to no operation: the address is not one, does not take the method,
/// or the request never got that far.
fn refused(method: &str, path: &str, answer: &Answer) -> Result<bool, String> {
    let operations = described(path);
    let is_described = operations
        .iter()
        .any(|operation| operation.method == method);
    match (answer.status.as_u16(), answer.code().as_str()) {
        // A preflight request.
        (204, _) if method == "OPTIONS" => Ok(true),
        (405, "method_not_allowed") => {
            let mut allowed: Vec<&str> = answer.header("allow").split(", ").collect();
            let mut known: Vec<&str> = operations
                .iter()
                .map(|operation| operation.method)
                .collect();
            allowed.sort_unstable();
            known.sort_unstable();
            if is_described || (allowed != known && !known.is_empty()) {
                return Err(format!("allows {allowed:?}, described are {known:?}"));
            }
            problem(answer).map(|()| true)
        }
        (404, "not_found") if !is_described => problem(answer).map(|()| true),
        (501, "not_implemented") if !is_described => problem(answer).map(|()| true),
        // What every component does before it looks at method and address.
        (
            _,
            "origin_not_allowed"
            | "payload_too_large"
            | "invalid_request"
            | "configuration_invalid"
            | "store_unavailable",
        ) if !is_described => problem(answer).map(|()| true),
        // Who is asked first who it is, learns of the method later, or never.
        (401 | 403 | 429 | 503, _) if !is_described && !operations.is_empty() => {
            problem(answer).map(|()| true)
        }
        _ => Ok(false),
    }
}

fn problem(answer: &Answer) -> Result<(), String> {
    valid(&json!({ "$ref": "#/components/schemas/Problem" }), answer)
}

fn valid(schema: &Value, answer: &Answer) -> Result<(), String> {
    let body: Value = serde_json::from_slice(&answer.body)
        .or_else(|_| serde_json::from_str(&without_surrogates(&answer.text())))
        .map_err(|error| format!("no JSON ({error})"))?;
    let errors = json_schema::errors(&DOCUMENT, schema, &body);
    if errors.is_empty() {
        Ok(())
    } else {
        Err(errors.join("; "))
    }
}

/// Half a pair is JSON (RFC 8259 §8.2), which a flow's content may be and no text here can hold.
fn without_surrogates(text: &str) -> String {
    let halves = ["8", "9", "a", "b", "c", "d", "e", "f"];
    halves.iter().fold(text.to_owned(), |text, digit| {
        text.replace(&format!("\\ud{digit}"), "\\u00")
    })
}

fn as_described(operation: &Operation, answer: &Answer) -> Result<(), String> {
    let status = answer.status.as_u16().to_string();
    let responses = responses(operation);
    let response = &responses[&status];
    if response.is_null() {
        let code = answer.code();
        return Err(format!("{status} {code} is not described"));
    }
    for name in response["headers"]
        .as_object()
        .into_iter()
        .flat_map(|headers| headers.keys())
    {
        // Those that a failure may be without.
        let is_certain = matches!(
            name.as_str(),
            "x-request-id" | "location" | "etag" | "www-authenticate"
        );
        if is_certain && answer.header(name).is_empty() {
            return Err(format!("{status} without {name}"));
        }
    }
    let Some(content) = response["content"].as_object() else {
        return if answer.body.is_empty() {
            Ok(())
        } else {
            Err(format!("{status} with a body"))
        };
    };
    let content_type = answer.header("content-type");
    match content.get(content_type).or(content.get("*/*")) {
        None => Err(format!("{status} as {content_type:?}")),
        Some(media) if media["schema"].is_null() => Ok(()),
        Some(media) => {
            valid(&media["schema"], answer).map_err(|error| format!("{status}: {error}"))
        }
    }
}
