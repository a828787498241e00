//! What is read of answers.

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use crate::bench::client::Answer;

/// The answer, if it has this status.
///
/// # Errors
/// It has another one; the message names it and the error's code.
pub fn expect(status: u16, what: &str, answer: Answer) -> Result<Answer> {
    if answer.status == status {
        return Ok(answer);
    }
    let code = json_body(&answer)
        .ok()
        .and_then(|body| Some(body.pointer("/error/code")?.as_str()?.to_owned()))
        .unwrap_or_default();
    bail!("{what} answered {} {code}", answer.status)
}

/// Where an answer redirects to.
///
/// # Errors
/// It is no redirect.
pub fn location(what: &str, answer: Answer) -> Result<String> {
    // RFC 6749 section 4.1.2 shows 302 and allows any redirect.
    let answer = match answer.status {
        302 | 303 => answer,
        _ => expect(303, what, answer)?,
    };
    let target = answer.header("location");
    Ok(target
        .with_context(|| format!("{what} redirects nowhere"))?
        .to_owned())
}

/// An answer's body.
///
/// # Errors
/// It isn't JSON.
pub fn json_body(answer: &Answer) -> Result<Value> {
    serde_json::from_slice(&answer.body).context("a body that isn't JSON")
}

/// A member of a body that is a text.
///
/// # Errors
/// There is none of that name.
pub fn field(body: &Value, name: &str) -> Result<String> {
    let value = body.get(name).and_then(Value::as_str);
    Ok(value
        .with_context(|| format!("no `{name}` in the answer"))?
        .to_owned())
}

/// Path and query of an absolute URL.
///
/// # Errors
/// It is none.
pub fn path(url: &str) -> Result<&str> {
    url.split_once("://")
        .and_then(|(_, rest)| rest.find('/').and_then(|start| rest.get(start..)))
        .context("not an absolute URL with a path")
}
