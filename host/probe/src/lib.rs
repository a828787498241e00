//! Does what the last part of the path says, so that a test can see each thing
//! the runner offers through the real SDK. What comes before that part is
//! ignored: the component can be mounted anywhere.
#![cfg(target_family = "wasm")]
#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "it shows each of the things that are reached through ports elsewhere"
)]

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, anyhow, bail};
use bytes::Bytes;
use futures::SinkExt as _;
use spin_sdk::http::body::{IncomingBodyExt as _, stream};
use spin_sdk::http::{BoxBody, EmptyBody, FullBody, HeaderMap, Request, Response, box_body};
use spin_sdk::key_value::Store;
use spin_sdk::sqlite::{Connection, Value};
use spin_sdk::wasip3::http::types::{RequestOptions, RequestOptionsError};
use spin_sdk::wasip3::http_compat::RequestOptionsExtension;

/// Requests this instance has answered.
static COUNT: AtomicU64 = AtomicU64::new(0);

#[spin_sdk::http_service]
async fn answer(request: Request) -> Response<BoxBody> {
    COUNT.fetch_add(1, Ordering::Relaxed);
    match run(request).await {
        Ok(response) => response,
        Err(error) => {
            let mut response = text(format!("{error:#}"));
            *response.status_mut() = spin_sdk::http::StatusCode::BAD_GATEWAY;
            response
        }
    }
}

fn text(text: impl Into<Bytes>) -> Response<BoxBody> {
    let bytes: Bytes = text.into();
    let length = bytes.len();
    let mut response = Response::new(box_body(FullBody::new(bytes)));
    response
        .headers_mut()
        .insert("content-length", length.into());
    response
}

async fn run(request: Request) -> anyhow::Result<Response<BoxBody>> {
    let (parts, body) = request.into_parts();
    let operation = parts
        .uri
        .path()
        .rsplit('/')
        .next()
        .unwrap_or_default()
        .to_owned();
    let argument = parts.uri.query().unwrap_or_default().to_owned();
    let content = body.bytes().await.map_err(|code| anyhow!("{code:?}"))?;
    let content = String::from_utf8(content.to_vec())?;
    let answer = match operation.as_str() {
        "headers" => headers(&parts.headers),
        "count" => COUNT.load(Ordering::Relaxed).to_string(),
        "kv-open" => {
            Store::open(&argument).await?;
            "open".to_owned()
        }
        "kv-set" => {
            store().await?.set(&argument, &content).await?;
            "set".to_owned()
        }
        "kv-get" => match store().await?.get(&argument).await? {
            Some(value) => String::from_utf8(value)?,
            None => "none".to_owned(),
        },
        "kv-exists" => store().await?.exists(&argument).await?.to_string(),
        "kv-delete" => {
            store().await?.delete(&argument).await?;
            "deleted".to_owned()
        }
        "kv-keys" => {
            let mut keys = store().await?.get_keys().await.collect().await?;
            keys.sort();
            keys.join(",")
        }
        "sql-open" => {
            let connection = Connection::open(&argument).await?;
            query(&connection, "SELECT 1").await?
        }
        "sql" => {
            let connection = Connection::open_default().await?;
            let mut answer = String::new();
            for statement in content.split(';').filter(|text| !text.trim().is_empty()) {
                answer = query(&connection, statement).await?;
            }
            answer
        }
        "sql-values" => {
            let connection = Connection::open_default().await?;
            let values = [
                Value::Integer(-7),
                Value::Real(0.5),
                Value::Text("text".to_owned()),
                Value::Blob(vec![1, 2]),
                Value::Null,
            ];
            let rows = connection
                .execute("SELECT ?1 AS a, ?2, ?3, ?4, ?5", values)
                .await?
                .collect()
                .await?;
            format!("{rows:?}")
        }
        "sql-changes" => {
            let connection = Connection::open_default().await?;
            query(&connection, &content).await?;
            format!(
                "{} {}",
                connection.changes().await,
                connection.last_insert_rowid().await
            )
        }
        "variable" => spin_sdk::variables::get(&argument).await?,
        "environment" => std::env::var(&argument)?,
        "wall" => SystemTime::now()
            .duration_since(UNIX_EPOCH)?
            .as_secs()
            .to_string(),
        // The two ways a component can wait: WASI 0.3, and 0.2 through std.
        "sleep" => {
            spin_sdk::time::sleep(milliseconds(&argument)?).await;
            "slept".to_owned()
        }
        "std-sleep" => {
            std::thread::sleep(milliseconds(&argument)?);
            "slept".to_owned()
        }
        "compute" => {
            // The monotonic clock of WASI 0.2.
            let start = Instant::now();
            let limit = milliseconds(&argument)?;
            while start.elapsed() < limit {
                std::hint::black_box(0);
            }
            "computed".to_owned()
        }
        "print" => {
            println!("{content}");
            "printed".to_owned()
        }
        "panic" => fail(),
        "send" => return send(&content, &argument).await,
        "stream" => return streamed(&argument),
        "after" => {
            let (key, wait) = argument.split_once(',').context("key,milliseconds")?;
            let (key, wait) = (key.to_owned(), milliseconds(wait)?);
            spin_sdk::wasip3::spawn(async move {
                spin_sdk::time::sleep(wait).await;
                if let Ok(store) = store().await {
                    // The test sees that it is missing.
                    let _ = store.set(&key, "done").await;
                }
            });
            "later".to_owned()
        }
        other => bail!("unknown operation {other:?}"),
    };
    Ok(text(answer))
}

#[expect(clippy::panic, reason = "it is what the request asks for")]
fn fail() -> String {
    panic!("asked to panic")
}

fn milliseconds(text: &str) -> anyhow::Result<Duration> {
    Ok(Duration::from_millis(text.parse()?))
}

async fn store() -> Result<Store, spin_sdk::key_value::Error> {
    Store::open_default().await
}

fn headers(headers: &HeaderMap) -> String {
    headers
        .iter()
        .map(|(name, value)| format!("{name}: {}\n", value.to_str().unwrap_or_default()))
        .collect()
}

async fn query(connection: &Connection, statement: &str) -> anyhow::Result<String> {
    let rows = connection.execute(statement, []).await?.collect().await?;
    Ok(rows
        .iter()
        .map(|row| {
            row.values
                .iter()
                .map(|value| match value {
                    Value::Integer(integer) => integer.to_string(),
                    Value::Real(real) => real.to_string(),
                    Value::Text(text) => text.clone(),
                    Value::Blob(blob) => format!("{blob:?}"),
                    Value::Null => "null".to_owned(),
                })
                .collect::<Vec<_>>()
                .join("|")
        })
        .collect::<Vec<_>>()
        .join("\n"))
}

/// Sends GET to `url`; `limits` is `connect,first-byte,between-bytes` in
/// milliseconds, or empty.
async fn send(url: &str, limits: &str) -> anyhow::Result<Response<BoxBody>> {
    let mut request = spin_sdk::http::Request::builder();
    request = request.uri(url).header("x-probe", "1");
    let mut request = request.body(EmptyBody::new())?;
    let limits: Vec<u64> = limits
        .split(',')
        .filter_map(|limit| limit.parse().ok())
        .map(|milliseconds: u64| milliseconds.saturating_mul(1_000_000))
        .collect();
    if let [connect, first_byte, between_bytes] = limits.as_slice() {
        let options = RequestOptions::new();
        let unsupported = |error: RequestOptionsError| anyhow!("{error:?}");
        options
            .set_connect_timeout(Some(*connect))
            .map_err(unsupported)?;
        options
            .set_first_byte_timeout(Some(*first_byte))
            .map_err(unsupported)?;
        options
            .set_between_bytes_timeout(Some(*between_bytes))
            .map_err(unsupported)?;
        request
            .extensions_mut()
            .insert(RequestOptionsExtension(options));
    }
    let response = spin_sdk::http::send(request)
        .await
        .map_err(|code| anyhow!("{code:?}"))?;
    let status = response.status().as_u16();
    let body = response
        .into_body()
        .bytes()
        .await
        .map_err(|code| anyhow!("body: {code:?}"))?;
    Ok(text(format!("{status} {}", String::from_utf8_lossy(&body))))
}

/// A body of `parts,milliseconds`: so many parts, with a wait after each.
fn streamed(argument: &str) -> anyhow::Result<Response<BoxBody>> {
    let (parts, wait) = argument.split_once(',').context("parts,milliseconds")?;
    let (parts, wait): (u32, Duration) = (parts.parse()?, milliseconds(wait)?);
    let (mut sender, body) = stream::<String>();
    spin_sdk::wasip3::spawn(async move {
        for part in 0..parts {
            if sender.send(format!("part {part}\n")).await.is_err() {
                return;
            }
            spin_sdk::time::sleep(wait).await;
        }
    });
    Ok(Response::new(box_body(body)))
}
