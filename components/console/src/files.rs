//! The page's files, as they are in the tree, and how browsers are told to treat them.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use scaigate_jose::sha256;
use scaigate_runtime::{Answer, Incoming, answer};
use scaigate_types::encoding::base64url;

/// Nothing but our own files, and no text turned into a script or into elements.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
    connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; \
    require-trusted-types-for 'script'; trusted-types 'none'";

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const SVG: &str = "image/svg+xml";

macro_rules! file {
    ($name:literal, $content_type:expr) => {
        (
            concat!("/console/", $name),
            $content_type,
            include_bytes!(concat!("../page/", $name)),
        )
    };
}

/// Path, type and content.
const FILES: &[(&str, &str, &[u8])] = &[
    ("/", HTML, include_bytes!("../page/index.html")),
    file!("console.css", CSS),
    file!("icon.svg", SVG),
    file!("main.js", SCRIPT),
    file!("api.js", SCRIPT),
    file!("dom.js", SCRIPT),
    file!("format.js", SCRIPT),
    file!("states.js", SCRIPT),
    file!("account.js", SCRIPT),
    file!("health.js", SCRIPT),
    file!("people.js", SCRIPT),
    file!("sync.js", SCRIPT),
    file!("webhooks.js", SCRIPT),
    file!("key.js", SCRIPT),
];

/// The file at `path`.
#[must_use]
pub fn find(path: &str) -> Option<(&'static str, &'static [u8])> {
    let (_, content_type, content) = FILES.iter().find(|(at, _, _)| *at == path)?;
    Some((content_type, content))
}

/// The answer with a file; without its content for a browser that has it.
#[must_use]
pub fn answer(incoming: &Incoming, content_type: &'static str, content: &'static [u8]) -> Answer {
    let tag = format!("\"{}\"", base64url(&sha256(content)));
    let is_known = incoming.header(header::IF_NONE_MATCH) == Some(tag.as_str());
    let mut answer = if is_known {
        answer::empty(StatusCode::NOT_MODIFIED)
    } else {
        Answer::new(Bytes::from_static(content))
    };
    let headers = answer.headers_mut();
    set(headers, header::CONTENT_TYPE, content_type);
    // Kept, and asked for again: a new version is seen at once.
    set(headers, header::CACHE_CONTROL, "no-cache");
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        headers.insert(header::ETAG, tag);
    }
    if content_type == HTML {
        harden(headers);
    }
    answer
}

/// What a page of the console carries, beside what every answer does.
pub fn harden(headers: &mut HeaderMap) {
    set(headers, header::CONTENT_SECURITY_POLICY, POLICY);
    let more = [
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
        (
            "permissions-policy",
            "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
        ),
    ];
    for (name, value) in more {
        set(headers, HeaderName::from_static(name), value);
    }
}

fn set(headers: &mut HeaderMap, name: HeaderName, value: &'static str) {
    headers.insert(name, HeaderValue::from_static(value));
}
