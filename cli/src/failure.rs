//! What went wrong, as it is told: `code: message`, and the fix.

use bytes::Bytes;
use http::Response;
use http::header::RETRY_AFTER;
use scaigate_problem::Code;
use scaigate_types::StoreError;
use serde_json::{Map, Value, json};

use crate::exit::Exit;
use crate::terminal;

/// Longest text of somebody else's that is shown, in characters.
const LONGEST: usize = 400;
/// Most details shown.
const MOST_DETAILS: usize = 20;

/// A failure of a command.
#[derive(Debug)]
pub struct Failure {
    /// How the command ends.
    pub exit: Exit,
    told: Box<Told>,
}

#[derive(Debug)]
struct Told {
    code: String,
    message: String,
    fix: Option<String>,
    /// Names and values, shown below the message.
    details: Vec<(String, String)>,
    request_id: Option<String>,
    /// The server's own body.
    body: Option<Value>,
}

impl Failure {
    /// A failure of ours.
    pub fn new(exit: Exit, code: &str, message: impl Into<String>) -> Self {
        let told = Told {
            code: code.to_owned(),
            message: message.into(),
            fix: None,
            details: Vec::new(),
            request_id: None,
            body: None,
        };
        Self {
            exit,
            told: Box::new(told),
        }
    }

    /// The command needs other arguments or settings.
    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, "usage", message)
    }

    /// One of the failures that scaigate itself answers with.
    pub fn of(code: Code) -> Self {
        Self::new(
            Exit::of_status(code.status()),
            code.as_str(),
            code.message(),
        )
        .with_fix(code.fix())
    }

    /// What to do about it.
    pub fn with_fix(mut self, fix: impl Into<String>) -> Self {
        self.told.fix = Some(fix.into());
        self
    }

    /// Adds a detail.
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.told.details.push((name.to_owned(), value.into()));
        self
    }

    /// Ends with `exit` instead.
    pub const fn ending(mut self, exit: Exit) -> Self {
        self.exit = exit;
        self
    }

    /// scaigate's answer, which is no success: its body says what and why. `at` is who answered.
    pub fn answered(at: &str, response: &Response<Bytes>) -> Self {
        let status = response.status().as_u16();
        let exit = Exit::of_status(status);
        let body: Option<Value> = serde_json::from_slice(response.body()).ok();
        let problem = body
            .as_ref()
            .and_then(|body| body.get("error"))
            .and_then(Value::as_object);
        let text = |name: &str| Some(shown(problem?.get(name)?.as_str()?));
        let Some(code) = text("code") else {
            // Somebody in front of it, or somebody else.
            let message = format!("{at} answered {status}, and not in the way of scaigate.");
            return Self::new(exit, &format!("http_{status}"), message)
                .with_fix("Check --url: it is the address of scaigate itself, without /v1.");
        };
        let mut failure = Self::new(exit, &code, text("message").unwrap_or_default());
        failure.told.fix = text("fix");
        failure.told.request_id = text("request_id");
        let details = problem.and_then(|problem| problem.get("details"));
        if let Some(details) = details.and_then(Value::as_object) {
            let details = details.iter().take(MOST_DETAILS);
            failure.told.details = details
                .map(|(name, value)| (shown(name), shown(&text_of(value))))
                .collect();
        }
        if let Some(seconds) = retry_after(response) {
            failure = failure.with("retry_after", format!("{seconds} s"));
        }
        failure.told.body = body;
        failure
    }

    /// What it is called.
    pub fn code(&self) -> &str {
        &self.told.code
    }

    /// For people.
    pub fn human(&self) -> String {
        let mut text = format!("{}: {}\n", self.told.code, self.told.message);
        for (name, value) in &self.told.details {
            text.push_str(&format!("  {name}: {value}\n"));
        }
        if let Some(fix) = &self.told.fix {
            text.push_str(&format!("fix: {fix}\n"));
        }
        if let Some(request_id) = &self.told.request_id {
            text.push_str(&format!("request_id: {request_id}\n"));
        }
        text
    }

    /// For programs: the server's body, or one like it.
    pub fn json(&self) -> Value {
        if let Some(body) = &self.told.body {
            return body.clone();
        }
        let details: Map<String, Value> = self
            .told
            .details
            .iter()
            .map(|(name, value)| (name.clone(), value.as_str().into()))
            .collect();
        json!({ "error": {
            "code": self.told.code, "message": self.told.message, "fix": self.told.fix, "details": details,
        } })
    }
}

/// How many seconds the answer asks to wait, at most an hour.
pub fn retry_after(response: &Response<Bytes>) -> Option<u64> {
    let text = response.headers().get(RETRY_AFTER)?.to_str().ok()?;
    let is_number = (1..=9).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    let seconds: u64 = text.parse().ok().filter(|_| is_number)?;
    Some(seconds.min(3_600))
}

fn shown(text: &str) -> String {
    terminal::short(text, LONGEST)
}

/// A text as it is, a list of texts with commas, anything else as JSON.
fn text_of(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) if items.iter().all(Value::is_string) => {
            let items: Vec<&str> = items.iter().filter_map(Value::as_str).collect();
            items.join(", ")
        }
        other => other.to_string(),
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Busy => Self::new(
                Exit::Failed,
                "store_busy",
                "Another writer held the database for more than five seconds.",
            )
            .with_fix("Try again; if it persists, look for a process that keeps it locked."),
            StoreError::SchemaNewer => Self::of(Code::SchemaNewer).ending(Exit::Refused),
            StoreError::Denied => Self::new(
                Exit::Refused,
                "store_denied",
                "This user may not write the database.",
            )
            .with_fix("Run the command as the user who runs scaigate."),
            error => Self::new(
                Exit::Failed,
                "store_unavailable",
                format!("The database can't be used: {error}."),
            )
            .with_fix("Check the file and its disk; nothing has been changed."),
        }
    }
}

#[cfg(test)]
#[expect(
    clippy::unwrap_used,
    reason = "a test that meets the unexpected should stop there"
)]
mod tests {
    use super::*;

    fn answer(status: u16, body: &str) -> Response<Bytes> {
        let response = Response::builder().status(status);
        response
            .body(Bytes::copy_from_slice(body.as_bytes()))
            .unwrap()
    }

    #[test]
    fn a_problem_is_told_with_its_fix_and_its_details() {
        let body = json!({ "error": {
            "code": "sync_suspicious_shrink", "message": "Less than half.", "fix": "Force it.",
            "details": { "list": "users", "seen": 3, "names": ["a", "b"] }, "request_id": "req_1",
        } });
        let failure = Failure::answered("scaigate", &answer(409, &body.to_string()));
        assert_eq!(failure.exit, Exit::Refused);
        assert_eq!(
            failure.human(),
            "sync_suspicious_shrink: Less than half.\n  list: users\n  names: a, b\n  seen: 3\n\
             fix: Force it.\nrequest_id: req_1\n"
        );
        assert_eq!(failure.json(), body);
    }

    #[test]
    fn what_a_server_says_is_short_and_harmless() {
        let body = json!({ "error": { "code": "\u{1b}[31m", "message": "x".repeat(9_000) } });
        let human = Failure::answered("scaigate", &answer(500, &body.to_string())).human();
        assert!(!human.contains('\u{1b}') && human.len() < 1_000, "{human}");
    }

    #[test]
    fn an_answer_of_somebody_else_is_named_as_such() {
        for body in [
            "<html>",
            "",
            "[]",
            r#"{"error":"no"}"#,
            r#"{"detail":"Not Found"}"#,
        ] {
            let failure = Failure::answered("http://h", &answer(404, body));
            assert_eq!(failure.exit, Exit::NotFound);
            assert!(
                failure
                    .human()
                    .starts_with("http_404: http://h answered 404")
            );
            let code = failure.json().pointer("/error/code").cloned();
            assert_eq!(code, Some("http_404".into()));
        }
    }
}
