//! The probe for components of WASI 0.2, which are built with another SDK than
//! ours. It does what the last part of the path says.
#![cfg(target_family = "wasm")]
#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "it shows each of the things that are reached through ports elsewhere"
)]

use std::fmt::Debug;
use std::io::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use wasip2::clocks::monotonic_clock;
use wasip2::exports::http::incoming_handler::Guest;
use wasip2::http::outgoing_handler;
use wasip2::http::types::{
    ErrorCode, Fields, IncomingBody, IncomingRequest, Method, OutgoingBody, OutgoingRequest,
    OutgoingResponse, RequestOptions, ResponseOutparam, Scheme,
};
use wasip2::io::streams::{InputStream, OutputStream, StreamError};

/// Requests this instance has answered.
static COUNT: AtomicU64 = AtomicU64::new(0);

struct Probe;

wasip2::http::proxy::export!(Probe);

impl Guest for Probe {
    fn handle(request: IncomingRequest, out: ResponseOutparam) {
        COUNT.fetch_add(1, Ordering::Relaxed);
        let target = request.path_with_query().unwrap_or_default();
        let (path, argument) = target.split_once('?').unwrap_or((&target, ""));
        let operation = path.rsplit('/').next().unwrap_or_default();
        // What goes wrong once an answer has begun is seen by the test: it is cut.
        let _ = match operation {
            "echo" => echo(&request, out),
            "stream" => streamed(out, argument),
            "after" => after(out, argument),
            "error" => {
                ResponseOutparam::set(out, Err(ErrorCode::LoopDetected));
                Ok(())
            }
            "silent" => Ok(()),
            _ => match run(operation, argument, &request) {
                Ok(body) => text(out, 200, &body),
                Err(error) => text(out, 502, &error),
            },
        };
    }
}

fn run(operation: &str, argument: &str, request: &IncomingRequest) -> Result<String, String> {
    Ok(match operation {
        "headers" => headers(&request.headers()),
        "authority" => request.authority().unwrap_or_default(),
        "scheme" => format!("{:?}", request.scheme()),
        "method" => format!("{:?}", request.method()),
        "count" => COUNT.load(Ordering::Relaxed).to_string(),
        "environment" => std::env::var(argument).map_err(said)?,
        "wall" => SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_err(said)?
            .as_secs()
            .to_string(),
        "sleep" => {
            wait(argument)?;
            "slept".to_owned()
        }
        "print" => {
            println!("{}", content(request)?);
            "printed".to_owned()
        }
        "panic" => fail(),
        "send" => send(&content(request)?, argument)?,
        other => return Err(format!("unknown operation {other:?}")),
    })
}

fn said(error: impl Debug) -> String {
    format!("{error:?}")
}

#[expect(clippy::panic, reason = "it is what the request asks for")]
fn fail() -> String {
    panic!("asked to panic")
}

fn wait(milliseconds: &str) -> Result<(), String> {
    let milliseconds: u64 = milliseconds.parse().map_err(said)?;
    monotonic_clock::subscribe_duration(milliseconds.saturating_mul(1_000_000)).block();
    Ok(())
}

fn headers(fields: &Fields) -> String {
    fields
        .entries()
        .iter()
        .map(|(name, value)| format!("{name}: {}\n", String::from_utf8_lossy(value)))
        .collect()
}

fn content(request: &IncomingRequest) -> Result<String, String> {
    let body = request.consume().map_err(|()| "no body".to_owned())?;
    whole(&body)
}

fn whole(body: &IncomingBody) -> Result<String, String> {
    let stream = body.stream().map_err(|()| "no stream".to_owned())?;
    let mut bytes = Vec::new();
    while let Some(part) = part(&stream)? {
        bytes.extend(part);
    }
    String::from_utf8(bytes).map_err(said)
}

/// The next bytes of a body; `None` at its end.
fn part(stream: &InputStream) -> Result<Option<Vec<u8>>, String> {
    match stream.blocking_read(65_536) {
        Ok(part) => Ok(Some(part)),
        Err(StreamError::Closed) => Ok(None),
        // Its code is not to be had everywhere (docs/host.md); what it says is.
        Err(StreamError::LastOperationFailed(error)) => {
            let said = error.to_debug_string();
            Err(said.lines().next().unwrap_or_default().to_owned())
        }
    }
}

/// Begins an answer; the rest of it is written to what is returned.
fn begin(
    out: ResponseOutparam,
    status: u16,
    length: Option<usize>,
) -> Result<(OutgoingBody, OutputStream), String> {
    let fields = Fields::new();
    if let Some(length) = length {
        let length = length.to_string().into_bytes();
        fields.append("content-length", &length).map_err(said)?;
    }
    let response = OutgoingResponse::new(fields);
    response
        .set_status_code(status)
        .map_err(|()| "no status".to_owned())?;
    let body = response.body().map_err(|()| "no body".to_owned())?;
    ResponseOutparam::set(out, Ok(response));
    let stream = body.write().map_err(|()| "no stream".to_owned())?;
    Ok((body, stream))
}

fn end(body: OutgoingBody, stream: OutputStream) -> Result<(), String> {
    // A body can't end while somebody may still write to it.
    drop(stream);
    OutgoingBody::finish(body, None).map_err(said)
}

fn text(out: ResponseOutparam, status: u16, text: &str) -> Result<(), String> {
    let (body, mut stream) = begin(out, status, Some(text.len()))?;
    stream.write_all(text.as_bytes()).map_err(said)?;
    stream.blocking_flush().map_err(said)?;
    end(body, stream)
}

/// Sends each part of the body back as it comes.
fn echo(request: &IncomingRequest, out: ResponseOutparam) -> Result<(), String> {
    let incoming = request.consume().map_err(|()| "no body".to_owned())?;
    let from = incoming.stream().map_err(|()| "no stream".to_owned())?;
    let (body, mut stream) = begin(out, 200, None)?;
    while let Some(part) = part(&from)? {
        stream.write_all(&part).map_err(said)?;
        stream.blocking_flush().map_err(said)?;
    }
    end(body, stream)
}

/// A body of `parts,milliseconds`: so many parts, with a wait after each.
fn streamed(out: ResponseOutparam, argument: &str) -> Result<(), String> {
    let (parts, milliseconds) = argument.split_once(',').unwrap_or((argument, "0"));
    let parts: u32 = parts.parse().map_err(said)?;
    let (body, mut stream) = begin(out, 200, None)?;
    for part in 0..parts {
        // In one piece: a chunk of its own, as the test looks for it.
        let part = format!("part {part}\n");
        stream.write_all(part.as_bytes()).map_err(said)?;
        stream.blocking_flush().map_err(said)?;
        wait(milliseconds)?;
    }
    end(body, stream)
}

/// Answers, then waits and prints.
fn after(out: ResponseOutparam, milliseconds: &str) -> Result<(), String> {
    text(out, 200, "later")?;
    wait(milliseconds)?;
    println!("done after the answer");
    Ok(())
}

/// Sends GET to `url`; `limits` is `connect,first-byte,between-bytes` in
/// milliseconds, or empty.
fn send(url: &str, limits: &str) -> Result<String, String> {
    let (scheme, rest) = url.split_once("://").ok_or("no scheme")?;
    let (authority, path) = match rest.find('/') {
        Some(at) => rest.split_at(at),
        None => (rest, "/"),
    };
    let scheme = match scheme {
        "http" => Scheme::Http,
        "https" => Scheme::Https,
        other => Scheme::Other(other.to_owned()),
    };
    let fields = Fields::new();
    fields.append("x-probe", b"1").map_err(said)?;
    let request = OutgoingRequest::new(fields);
    let refused = |what: &str| format!("{what} is not taken");
    request
        .set_method(&Method::Get)
        .map_err(|()| refused("the method"))?;
    request
        .set_scheme(Some(&scheme))
        .map_err(|()| refused("the scheme"))?;
    request
        .set_authority(Some(authority))
        .map_err(|()| refused("the authority"))?;
    request
        .set_path_with_query(Some(path))
        .map_err(|()| refused("the path"))?;
    let limits: Vec<u64> = limits
        .split(',')
        .filter_map(|limit| limit.parse().ok())
        .map(|milliseconds: u64| milliseconds.saturating_mul(1_000_000))
        .collect();
    let options = match limits.as_slice() {
        [connect, first_byte, between_bytes] => {
            let options = RequestOptions::new();
            options
                .set_connect_timeout(Some(*connect))
                .and_then(|()| options.set_first_byte_timeout(Some(*first_byte)))
                .and_then(|()| options.set_between_bytes_timeout(Some(*between_bytes)))
                .map_err(|()| refused("a time-out"))?;
            Some(options)
        }
        _ => None,
    };
    let answer = outgoing_handler::handle(request, options).map_err(said)?;
    answer.subscribe().block();
    let response = answer
        .get()
        .ok_or("no answer yet")?
        .map_err(|()| "taken twice".to_owned())?
        .map_err(said)?;
    let body = response.consume().map_err(|()| "no body".to_owned())?;
    let text = whole(&body).map_err(|error| format!("body: {error}"))?;
    Ok(format!("{} {text}", response.status()))
}
