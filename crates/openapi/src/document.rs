//! The OpenAPI document.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use scaigate_problem::{Code, RateLimit};
use serde_json::{Map, Value, json};

use crate::operation::{Answer, Caller, Operation, Parameter};
use crate::schema::{Schema, named};
use crate::{operations, schemas};

const ABOUT: &str = "The identity edge of the Scai platform. Every failure is answered as \
`application/problem+json` with a stable `error.code` and its fix; /docs/errors lists them. A request that is \
refused for its method is answered 405 with `Allow`, one for an address that is not here 404.";

/// The content type of a failure.
pub(crate) const PROBLEM: &str = "application/problem+json";

/// The document, OpenAPI 3.1.
#[must_use]
pub fn document() -> Value {
    let mut paths = Map::new();
    let mut shared = Shared::default();
    for operation in operations() {
        let path = paths
            .entry(operation.path)
            .or_insert_with(|| Value::Object(Map::new()));
        if let Some(path) = path.as_object_mut() {
            if operation.is_page {
                path.insert("servers".to_owned(), json!([{ "url": "/" }]));
            }
            path.insert(
                operation.method.to_lowercase(),
                described(operation, &mut shared),
            );
        }
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "scaigate",
            "version": env!("CARGO_PKG_VERSION"),
            "description": ABOUT,
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "servers": [
            { "url": "/" },
            { "url": "/api", "description": "The same, under the outside base that ScaiFlow documents." },
        ],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "bearer": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "A session token of POST /v1/auth/token, or an access token of ScaiKey.",
                },
                "devToken": { "type": "http", "scheme": "bearer", "description": "`scaiflow_api_token`." },
            },
            "headers": headers(),
            "responses": shared.named,
            "schemas": schemas::schemas(),
        },
    })
}

fn headers() -> Value {
    let whole = json!({ "type": "integer", "minimum": 0 });
    let text = json!({ "type": "string" });
    let mut headers = json!({
        "x-request-id": { "description": "Finds the log line.", "schema": text },
        "retry-after": { "description": "Seconds after which to try again.", "schema": whole },
        "www-authenticate": { "description": "RFC 6750.", "schema": text },
        "location": { "description": "Where to go.", "schema": { "type": "string", "format": "uri-reference" } },
        "server-timing": { "description": "How long each check took.", "schema": text },
        "x-next-cursor": { "description": "Where the rest begins; not there at the end.", "schema": whole },
        "etag": { "description": "Changes with the content.", "schema": text },
    });
    for name in RateLimit::HEADERS {
        headers[name] = json!({ "description": "Of the caller's rate limit.", "schema": whole });
    }
    headers
}

/// Failures that several operations answer alike, under the name of the first.
#[derive(Default)]
struct Shared {
    named: Map<String, Value>,
    names: BTreeMap<String, String>,
}

impl Shared {
    fn refer(&mut self, operation: &Operation, status: &str, response: Value) -> Value {
        let name = self
            .names
            .entry(response.to_string())
            .or_insert_with(|| format!("{}-{status}", operation.id));
        self.named.entry(name.clone()).or_insert(response);
        json!({ "$ref": format!("#/components/responses/{name}") })
    }

    fn responses(&mut self, operation: &Operation) -> Value {
        let mut responses = responses(operation);
        for (status, response) in responses.as_object_mut().into_iter().flatten() {
            if !status.starts_with(['2', '3']) {
                *response = self.refer(operation, status, response.take());
            }
        }
        responses
    }
}

fn described(operation: &Operation, shared: &mut Shared) -> Value {
    let mut value = json!({
        "operationId": operation.id,
        "summary": operation.summary,
        "tags": [operation.component],
        "responses": shared.responses(operation),
    });
    if !operation.about.is_empty() {
        value["description"] = operation.about.into();
    }
    match operation.caller {
        Caller::Bearer => value["security"] = json!([{ "bearer": [] }]),
        Caller::DevToken => value["security"] = json!([{ "devToken": [] }]),
        Caller::Anybody | Caller::Signature => {}
    }
    if !operation.parameters.is_empty() {
        value["parameters"] = operation.parameters.iter().map(parameter).collect();
    }
    if let Some(body) = &operation.body {
        let content: Map<String, Value> = body
            .content_types
            .iter()
            .map(|name| ((*name).to_owned(), json!({ "schema": body.schema })))
            .collect();
        value["requestBody"] = json!({ "required": body.is_required, "content": content });
    }
    value
}

fn parameter(parameter: &Parameter) -> Value {
    let mut value = json!({
        "name": parameter.name,
        "in": parameter.place.as_str(),
        "required": parameter.is_required,
        "schema": parameter.schema,
    });
    if !parameter.about.is_empty() {
        value["description"] = parameter.about.into();
    }
    value
}

/// The responses of an operation, by status.
#[must_use]
pub fn responses(operation: &Operation) -> Value {
    let mut responses: BTreeMap<String, Value> = BTreeMap::new();
    for answer in &operation.answers {
        let response = success(operation, answer);
        match responses.entry(answer.status.to_string()) {
            Entry::Vacant(entry) => {
                entry.insert(response);
            }
            Entry::Occupied(mut entry) => join(entry.get_mut(), &response),
        }
    }
    let mut by_status: BTreeMap<u16, Vec<Code>> = BTreeMap::new();
    for code in &operation.codes {
        by_status.entry(code.status()).or_default().push(*code);
    }
    for (status, codes) in by_status {
        responses.insert(status.to_string(), failure(operation, status, &codes));
    }
    json!(responses)
}

/// Joins an answer with another of its status: they differ in their content type.
fn join(response: &mut Value, other: &Value) {
    let texts = [&response["description"], &other["description"]];
    let both = texts
        .map(|text| text.as_str().unwrap_or_default())
        .join(" ");
    response["description"] = both.into();
    for key in ["headers", "content"] {
        for (name, value) in other[key].as_object().into_iter().flatten() {
            response[key][name] = value.clone();
        }
    }
}

fn header_refs(operation: &Operation, more: &[&str]) -> Value {
    let mut names = vec!["x-request-id"];
    names.extend(more);
    if operation.codes.contains(&Code::RateLimited) {
        names.extend(RateLimit::HEADERS);
    }
    let refs: Map<String, Value> = names
        .into_iter()
        .map(|name| {
            let to = format!("#/components/headers/{name}");
            (name.to_owned(), json!({ "$ref": to }))
        })
        .collect();
    refs.into()
}

fn success(operation: &Operation, answer: &Answer) -> Value {
    let mut value = json!({
        "description": answer.about,
        "headers": header_refs(operation, answer.headers),
    });
    if let Some(content_type) = answer.content_type {
        let media = answer
            .schema
            .as_ref()
            .map_or_else(|| json!({}), |schema| json!({ "schema": schema }));
        value["content"] = json!({ content_type: media });
    }
    value
}

/// The body of a failure with one of these codes.
pub(crate) fn problem_schema(codes: &[Code]) -> Schema {
    let names: Vec<&str> = codes.iter().map(|code| code.as_str()).collect();
    json!({
        "allOf": [
            named("Problem"),
            { "properties": { "error": { "properties": { "code": { "enum": names } } } } },
        ],
    })
}

fn failure(operation: &Operation, status: u16, codes: &[Code]) -> Value {
    let words: Vec<&str> = codes.iter().map(|code| code.message()).collect();
    let more: &[&str] = match status {
        401 => &["www-authenticate"],
        429 | 503 => &["retry-after"],
        _ => &[],
    };
    let mut content = json!({ PROBLEM: { "schema": problem_schema(codes) } });
    if operation.has_error_page {
        content["text/html; charset=utf-8"] = json!({});
    }
    json!({
        "description": words.join(" "),
        "headers": header_refs(operation, more),
        "content": content,
    })
}

/// The document as it is served: one operation and one shape a line, so that a change shows as one.
pub(crate) fn text(document: &Value) -> String {
    let mut text = String::new();
    write(document, 0, &mut text);
    text.push('\n');
    text
}

const OPEN_LEVELS: usize = 3;

fn write(value: &Value, level: usize, text: &mut String) {
    let Some(members) = value.as_object().filter(|_| level < OPEN_LEVELS) else {
        text.push_str(&value.to_string());
        return;
    };
    text.push('{');
    let indent = "  ".repeat(level);
    for (index, (name, value)) in members.iter().enumerate() {
        text.push_str(if index == 0 { "\n" } else { ",\n" });
        text.push_str(&indent);
        text.push_str("  ");
        text.push_str(&Value::from(name.as_str()).to_string());
        text.push_str(": ");
        write(value, level + 1, text);
    }
    text.push('\n');
    text.push_str(&indent);
    text.push('}');
}
