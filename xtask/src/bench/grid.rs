//! Calls of ScaiGrid: through us, and directly with the same token.

use anyhow::{Result, bail};

use crate::bench::answer::expect;
use crate::bench::client::{Answer, Connection};

/// What is streamed: the emulator's five events and the end.
const CHAT: &str =
    r#"{"model":"openai/gpt-4o","messages":[{"role":"user","content":"hello"}],"stream":true}"#;

/// Reads the list of models at `target`.
///
/// # Errors
/// The answer is no list.
pub fn lookup(connection: &mut Connection, target: &str, token: &str) -> Result<()> {
    let bearer = format!("Bearer {token}");
    let headers = [("authorization", bearer.as_str())];
    let answer = expect(
        200,
        "models",
        connection.request("GET", target, &headers, "")?,
    )?;
    let is_list = String::from_utf8_lossy(&answer.body).contains("\"openai/gpt-4o\"");
    if !is_list {
        bail!("models answered no list");
    }
    Ok(())
}

/// Posts a chat to `target` and reads its stream to the end.
///
/// # Errors
/// The answer is no stream, or not a whole one.
pub fn stream(connection: &mut Connection, target: &str, token: &str) -> Result<()> {
    let bearer = format!("Bearer {token}");
    let headers = [
        ("authorization", bearer.as_str()),
        ("content-type", "application/json"),
    ];
    let answer = connection.request("POST", target, &headers, CHAT)?;
    let answer = expect(200, "chat", answer)?;
    whole(&answer)
}

fn whole(answer: &Answer) -> Result<()> {
    let is_stream = answer.header("content-type") == Some("text/event-stream");
    let text = String::from_utf8_lossy(&answer.body);
    if !is_stream || !text.contains("[DONE]") {
        bail!("chat answered no whole stream");
    }
    Ok(())
}
