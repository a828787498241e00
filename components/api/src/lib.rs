//! The API description: `/openapi.json`, and the pages `/docs` and `/docs/errors`. Reaches nothing: the
//! files are made from `crates/openapi`, and are the same for everybody.
#![cfg(target_family = "wasm")]

use std::cell::OnceCell;

use bytes::Bytes;
use http::{HeaderValue, Method, StatusCode, header};
use scaigate_problem::{Code, Problem};
use scaigate_runtime::spin::{Component, wire};
use scaigate_runtime::{Answer, Incoming, Site, answer};

/// A file, and its digest once it was asked for.
struct File {
    path: &'static str,
    content_type: &'static str,
    content: &'static [u8],
    etag: OnceCell<Option<HeaderValue>>,
}

impl File {
    const fn new(path: &'static str, content_type: &'static str, content: &'static [u8]) -> Self {
        Self {
            path,
            content_type,
            content,
            etag: OnceCell::new(),
        }
    }

    fn etag(&self) -> Option<HeaderValue> {
        let make = || {
            let digest = hmac_sha256::Hash::hash(self.content);
            let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
            HeaderValue::from_str(&format!("\"{hex}\"")).ok()
        };
        self.etag.get_or_init(make).clone()
    }
}

thread_local! {
    static FILES: [File; 4] = const {
        [
            File::new(
                "/openapi.json",
                "application/json",
                include_bytes!("../served/openapi.json"),
            ),
            File::new(
                "/docs",
                "text/html; charset=utf-8",
                include_bytes!("../served/docs.html"),
            ),
            File::new(
                "/docs/errors",
                "text/html; charset=utf-8",
                include_bytes!("../served/errors.html"),
            ),
            File::new(
                "/docs/style.css",
                "text/css; charset=utf-8",
                include_bytes!("../served/style.css"),
            ),
        ]
    };
}

/// No script, nothing from elsewhere, no frame.
const POLICY: &str = "default-src 'none'; style-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

fn is_known(incoming: &Incoming, etag: &HeaderValue) -> bool {
    let known = incoming.header(header::IF_NONE_MATCH).unwrap_or_default();
    let etag = etag.as_bytes();
    // RFC 9110 §13.1.2: compared weakly.
    known
        .split(',')
        .map(|one| one.trim().trim_start_matches("W/"))
        .any(|one| one == "*" || one.as_bytes() == etag)
}

fn served(file: &File, incoming: &Incoming) -> Answer {
    let etag = file.etag();
    let mut answer = match &etag {
        Some(etag) if is_known(incoming, etag) => answer::empty(StatusCode::NOT_MODIFIED),
        Some(_) | None => {
            let mut answer = Answer::new(Bytes::from_static(file.content));
            let content_type = HeaderValue::from_static(file.content_type);
            answer
                .headers_mut()
                .insert(header::CONTENT_TYPE, content_type);
            answer
        }
    };
    let headers = answer.headers_mut();
    // Kept, and asked for again: a new version is seen at once.
    let cache = HeaderValue::from_static("no-cache");
    headers.insert(header::CACHE_CONTROL, cache);
    let policy = HeaderValue::from_static(POLICY);
    headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    if let Some(etag) = etag {
        headers.insert(header::ETAG, etag);
    }
    answer
}

const COMPONENT: Component = Component::named("api");

scaigate_runtime::service!(super::handle);

async fn handle(request: wire::Request) -> wire::Reply {
    let answer = async |incoming: &Incoming| {
        incoming.require(&Method::GET, "GET")?;
        FILES.with(|files| {
            let file = files.iter().find(|file| file.path == incoming.path);
            file.map(|file| served(file, incoming))
                .ok_or_else(|| Problem::new(Code::NotFound))
        })
    };
    COMPONENT.respond(request, &Site::default(), answer).await
}
