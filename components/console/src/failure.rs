//! The page of a sign-in that failed: it has no script, because a browser comes here by itself.

use bytes::Bytes;
use http::{HeaderValue, header};
use scaigate_problem::Problem;
use scaigate_runtime::{Answer, Incoming};

use crate::files;

/// The page, with a place for each text.
const PAGE: &str = include_str!("../page/failure.html");

/// What happened, what to do, and by what the log line is found.
#[must_use]
pub fn page(problem: &Problem, incoming: &Incoming) -> Answer {
    let body = problem.body(&incoming.path, incoming.request_id());
    let text = |pointer| body.pointer(pointer).and_then(|value| value.as_str());
    let details = body
        .pointer("/error/details")
        .filter(|details| details.as_object().is_some_and(|all| !all.is_empty()))
        .and_then(|details| serde_json::to_string_pretty(details).ok());
    // One pass: what is put in is not looked at again.
    let mut html = String::with_capacity(PAGE.len() * 2);
    let mut rest = PAGE;
    while let Some((before, (name, after))) = rest
        .split_once("{{")
        .and_then(|(before, after)| Some((before, after.split_once("}}")?)))
    {
        html.push_str(before);
        match name {
            "message" => prose(text("/error/message").unwrap_or_default(), &mut html),
            "fix" => prose(text("/error/fix").unwrap_or_default(), &mut html),
            "code" => escape(problem.code().as_str(), &mut html),
            "request_id" => escape(incoming.request_id(), &mut html),
            "details" => {
                if let Some(details) = &details {
                    html.push_str("<pre tabindex=\"0\">");
                    escape(details, &mut html);
                    html.push_str("</pre>");
                }
            }
            _ => {}
        }
        rest = after;
    }
    html.push_str(rest);
    // Its status, and when to try again.
    let answer = problem.response(&incoming.path, incoming.request_id());
    let mut answer = answer.map(|_| Bytes::from(html));
    let headers = answer.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/html; charset=utf-8"),
    );
    files::harden(headers);
    answer
}

/// A text whose names stand between backticks.
fn prose(text: &str, into: &mut String) {
    for (at, part) in text.split('`').enumerate() {
        let is_name = at % 2 == 1;
        into.push_str(if is_name { "<code>" } else { "" });
        escape(part, into);
        into.push_str(if is_name { "</code>" } else { "" });
    }
}

fn escape(text: &str, into: &mut String) {
    for c in text.chars() {
        match c {
            '&' => into.push_str("&amp;"),
            '<' => into.push_str("&lt;"),
            '>' => into.push_str("&gt;"),
            '"' => into.push_str("&quot;"),
            '\'' => into.push_str("&#39;"),
            c => into.push(c),
        }
    }
}
