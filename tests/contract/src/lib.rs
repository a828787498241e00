//! A component that runs the contract suite, and races for what can be had once, on Spin's stores.
//!
//! | request | answer |
//! |---|---|
//! | `GET /cases` | the names of all cases, an array |
//! | `GET /run?case=…&prefix=…` | `{"case", "failure"}`; `failure` is `null` when it passed |
//! | `GET /prepare/SUBJECT?id=…` | `{}`; puts there what the race is about |
//! | `GET /race/SUBJECT?id=…&request=…` | `{"got"}`; equal requests of a race get equal answers |
//! | `GET /migrate` | `{}` once the database is at the current schema version |
//!
//! Parameters are identifiers as they are: nothing in them is decoded.
#![cfg(target_family = "wasm")]

mod race;

use bytes::Bytes;
use http::{Method, Response, StatusCode, header};
use scaigate_kv::contract::{self, CASES, Stores};
use scaigate_kv::schema;
use scaigate_kv::spin::{SpinDatabase, SpinKv};
use serde_json::{Value, json};
use spin_sdk::http::{FullBody, Request};
use spin_sdk::http_service;

/// What one request asks for.
struct Query<'a>(&'a str);

impl<'a> Query<'a> {
    /// The parameter of that name; empty when there is none.
    fn get(&self, name: &str) -> &'a str {
        let pairs = self.0.split('&').filter_map(|pair| pair.split_once('='));
        pairs
            .rev()
            .find(|(key, _)| *key == name)
            .map_or("", |(_, value)| value)
    }
}

/// Runs one case; an unknown one is `None`.
async fn run(query: &Query<'_>) -> Option<Value> {
    // Spin opens a connection per instance: a second value is the same one.
    let stores = Stores {
        kv: &SpinKv,
        db: &SpinDatabase::default(),
        other: &SpinDatabase::default(),
        prefix: query.get("prefix"),
    };
    let outcome = contract::run_case(query.get("case"), &stores).await?;
    let failure = outcome.failure.map(|failure| failure.to_string());
    Some(json!({ "case": outcome.name, "failure": failure }))
}

/// What to answer; `None` when there is no such thing.
async fn answer(path: &str, query: &Query<'_>) -> Option<Result<Value, race::Error>> {
    let id = query.get("id");
    Some(match path {
        "/cases" => Ok(json!(CASES)),
        "/run" => Ok(run(query).await?),
        "/migrate" => match schema::migrate(&SpinDatabase::default()).await {
            Ok(()) => Ok(json!({})),
            Err(error) => Err(error.into()),
        },
        _ => match path.strip_prefix("/prepare/") {
            Some(subject) => race::prepare(subject, id).await?.map(|()| json!({})),
            None => {
                let subject = path.strip_prefix("/race/")?;
                let got = race::enter(subject, id, query.get("request")).await?;
                got.map(|got| json!({ "got": got }))
            }
        },
    })
}

#[http_service]
async fn handle(request: Request) -> Response<FullBody<Bytes>> {
    let uri = request.uri();
    let (status, body) = if request.method() == Method::GET {
        match answer(uri.path(), &Query(uri.query().unwrap_or_default())).await {
            None => (
                StatusCode::NOT_FOUND,
                json!({ "error": "no such case or race" }),
            ),
            Some(Ok(body)) => (StatusCode::OK, body),
            Some(Err(error)) => (
                StatusCode::SERVICE_UNAVAILABLE,
                json!({ "error": error.to_string() }),
            ),
        }
    } else {
        (
            StatusCode::METHOD_NOT_ALLOWED,
            json!({ "error": "only GET" }),
        )
    };
    let body = body.to_string();
    let length = body.len();
    let mut response = Response::new(FullBody::new(Bytes::from(body)));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(header::CONTENT_LENGTH, length.into());
    response
}
