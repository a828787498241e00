//! Calls of ScaiGrid: through us, and directly with the same token.

use anyhow::{Context as _, Result, bail};
use serde_json::json;

use crate::bench::cases::{Site, expect};
use crate::bench::client::{Answer, Connection};
use crate::bench::person::{Client, granted};

/// What is streamed: the emulator's five events and the end.
const CHAT: &str =
    r#"{"model":"openai/gpt-4o","messages":[{"role":"user","content":"hello"}],"stream":true}"#;

/// The access token of somebody who may call ScaiGrid: we send it on as it is.
///
/// # Errors
/// ScaiKey does not give it, or the sign-in that makes their tenant known fails.
pub fn token(site: &Site) -> Result<String> {
    Client::new(site, 0).sign_in().context("signing in")?;
    let command = json!({ "behaviour": { "password_grant": true } });
    let headers = [("content-type", "application/json")];
    let mut emulator = Connection::new(site.emulator);
    let target = "/_emulator/switches";
    let answer = emulator.request("POST", target, &headers, &command.to_string())?;
    expect(200, "the emulator's switches", answer)?;
    let grant = "grant_type=password&username=alice%40acme.example&password=password\
                 &scope=openid%20scaicore%3Aview%20scaicore%3Amanage";
    granted(&mut emulator, grant)
}

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
