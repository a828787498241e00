//! A request for an operation: as described, or wrong in some way.

use bytes::Bytes;
use http::Request;
use proptest::prelude::*;
use proptest::sample::select;
use scaigate_openapi::{Operation, Parameter, Place};
use serde_json::{Map, Value, json};

/// Identifiers that lead somewhere, and some that can't.
const SEGMENTS: [&str; 8] = [
    "usr_carol_acme",
    "grp_acme_staff",
    "sc_acme_support",
    "1.0.0",
    "%00",
    "%2e%2e",
    "a%2Fb",
    "%ff",
];

const CONTENT_TYPES: [&str; 7] = [
    "application/json",
    "application/json; charset=utf-8",
    "application/x-www-form-urlencoded",
    "text/plain",
    "multipart/form-data; boundary=x",
    "application/xml",
    "",
];

const METHODS: [&str; 7] = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "BREW"];

/// A request.
#[derive(Clone, Debug)]
pub struct Case {
    method: String,
    target: String,
    headers: Vec<(&'static str, String)>,
    body: String,
}

impl Case {
    /// As it is sent.
    pub fn request(&self, token: Option<&str>) -> Request<Bytes> {
        let mut request = Request::builder().method(&*self.method).uri(&self.target);
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let body = Bytes::from(self.body.clone());
        request.body(body).expect("a request")
    }
}

fn encoded(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

/// Any JSON, not deep.
fn any_json() -> BoxedStrategy<Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
    ];
    let deeper = |inner: BoxedStrategy<Value>| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec(("[a-z_]{0,8}", inner), 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    };
    leaf.boxed()
        .prop_recursive(3, 12, 4, move |inner| deeper(inner.boxed()))
        .boxed()
}

/// What a schema of a request allows.
fn of_schema(schema: &Value) -> BoxedStrategy<Value> {
    if let Some(any) = schema["anyOf"].as_array() {
        let all: Vec<_> = any.iter().map(of_schema).collect();
        return proptest::strategy::Union::new(all).boxed();
    }
    if let Some(words) = schema["enum"].as_array() {
        return select(words.clone()).boxed();
    }
    match schema["type"].as_str() {
        Some("object") if schema["properties"].is_object() => object(schema),
        Some("object") => any_json().prop_map(|inner| json!({ "a": inner })).boxed(),
        Some("array") => prop::collection::vec(of_schema(&schema["items"]), 0..3)
            .prop_map(Value::from)
            .boxed(),
        Some("boolean") => any::<bool>().prop_map(Value::from).boxed(),
        Some("integer") => {
            let bound = |name: &str, other: i64| schema[name].as_i64().unwrap_or(other);
            (bound("minimum", 0)..=bound("maximum", 1 << 40))
                .prop_map(Value::from)
                .boxed()
        }
        Some("string") => prop_oneof![
            Just(Value::from("https://app.example/x")),
            "[a-zA-Z0-9_.-]{1,40}".prop_map(Value::from),
            ".{0,40}".prop_map(Value::from),
        ]
        .boxed(),
        _ => any_json(),
    }
}

fn object(schema: &Value) -> BoxedStrategy<Value> {
    let mut members: BoxedStrategy<Map<String, Value>> = Just(Map::new()).boxed();
    for (name, schema) in schema["properties"].as_object().into_iter().flatten() {
        let name = name.clone();
        members = (members, of_schema(schema), 0..8_u8)
            .prop_map(move |(mut members, value, chance)| {
                // One in eight is missing.
                if chance > 0 {
                    members.insert(name.clone(), value);
                }
                members
            })
            .boxed();
    }
    members.prop_map(Value::Object).boxed()
}

/// A body: as described, with one member of another type, with one too many, or anything.
fn body(schema: &Value) -> BoxedStrategy<String> {
    let right = of_schema(schema);
    let names: Vec<String> = schema["properties"]
        .as_object()
        .map(|members| members.keys().cloned().collect())
        .unwrap_or_default();
    let names = if names.is_empty() {
        vec!["x".to_owned()]
    } else {
        names
    };
    let wrong = (right.clone(), select(names), any_json()).prop_map(|(mut body, name, value)| {
        if let Some(members) = body.as_object_mut() {
            members.insert(name, value);
        }
        body
    });
    let more = (right.clone(), "[a-z]{1,8}", any_json()).prop_map(|(mut body, name, value)| {
        if let Some(members) = body.as_object_mut() {
            members.insert(name, value);
        }
        body
    });
    prop_oneof![
        4 => right.clone().prop_map(|body| body.to_string()),
        2 => right.prop_map(|body| form(&body)),
        3 => wrong.prop_map(|body| body.to_string()),
        1 => more.prop_map(|body| body.to_string()),
        1 => any_json().prop_map(|body| body.to_string()),
        1 => ".{0,60}",
    ]
    .boxed()
}

/// The texts of an object, as a form.
fn form(body: &Value) -> String {
    let members = body.as_object().into_iter().flatten();
    let texts = members.filter_map(|(name, value)| Some((name, value.as_str()?)));
    url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(texts)
        .finish()
}

fn segment() -> BoxedStrategy<String> {
    prop_oneof![
        select(SEGMENTS.to_vec()).prop_map(str::to_owned),
        "[a-zA-Z0-9_.~-]{1,30}",
        ".{1,12}".prop_map(|text| encoded(&text)),
    ]
    .boxed()
}

fn parameter(parameter: &'static Parameter) -> BoxedStrategy<Option<(&'static str, String)>> {
    let plain = |value: Value| match value {
        Value::String(text) => text,
        other => other.to_string(),
    };
    let right = of_schema(&parameter.schema).prop_map(plain);
    let value = prop_oneof![2 => right, 1 => ".{0,20}"];
    prop::option::of(value.prop_map(move |value| (parameter.name, value))).boxed()
}

fn target(operation: &'static Operation) -> BoxedStrategy<String> {
    let mut path: BoxedStrategy<String> = Just(String::new()).boxed();
    for piece in operation.path.split('/').skip(1) {
        let next = if piece.starts_with('{') {
            segment()
        } else {
            Just(piece.to_owned()).boxed()
        };
        path = (path, next)
            .prop_map(|(path, next)| format!("{path}/{next}"))
            .boxed();
    }
    let mut query: BoxedStrategy<Vec<(&'static str, String)>> = Just(Vec::new()).boxed();
    let in_query = |parameter: &&Parameter| parameter.place == Place::Query;
    for one in operation.parameters.iter().filter(in_query) {
        query = (query, parameter(one))
            .prop_map(|(mut query, one)| {
                query.extend(one);
                query
            })
            .boxed();
    }
    (path, query, any::<bool>())
        .prop_map(|(path, query, is_api)| {
            let prefix = if is_api && path.starts_with("/v1") {
                "/api"
            } else {
                ""
            };
            let query = url::form_urlencoded::Serializer::new(String::new())
                .extend_pairs(query)
                .finish();
            let mark = if query.is_empty() { "" } else { "?" };
            format!("{prefix}{path}{mark}{query}")
        })
        .boxed()
}

/// Requests for `operation`.
pub fn case(operation: &'static Operation) -> BoxedStrategy<Case> {
    let method = prop_oneof![
        8 => Just(operation.method.to_owned()),
        1 => select(METHODS.to_vec()).prop_map(str::to_owned),
    ];
    let described = operation.body.as_ref();
    let text = described.map_or_else(|| "".boxed(), |described| body(&described.schema));
    let content_types = described.map_or(&["application/json"][..], |body| body.content_types);
    let content_type = prop_oneof![
        6 => select(content_types.to_vec()),
        1 => select(CONTENT_TYPES.to_vec()),
    ];
    let header = |parameter: &&Parameter| parameter.place == Place::Header;
    let names: Vec<_> = operation
        .parameters
        .iter()
        .filter(header)
        .map(|one| one.name)
        .collect();
    let values = prop::collection::vec("[ -~]{0,30}", names.len());
    (method, target(operation), text, content_type, values)
        .prop_map(move |(method, target, body, content_type, values)| {
            let mut headers: Vec<_> = names.iter().copied().zip(values).collect();
            if !content_type.is_empty() && !body.is_empty() {
                headers.push(("content-type", content_type.to_owned()));
            }
            Case {
                method,
                target,
                headers,
                body,
            }
        })
        .boxed()
}
