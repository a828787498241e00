//! Calls to the other components of the application.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header};
use scaigate_problem::{Code, Problem};
use scaigate_types::{Clock, Entropy, Limits, Outbound};
use serde_json::Value;

use crate::Console;

/// Most bytes of an answer.
const MAX_ANSWER: usize = 2 << 20;

/// A component that the console calls, by Spin's service chaining: within the application, and on no
/// network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Signing in, refreshing, signing out.
    Callback,
    /// The directory.
    Directory,
    /// Health.
    Health,
    /// Who is calling.
    Session,
    /// Syncs.
    Sync,
    /// Tenants' keys.
    Tenants,
}

impl Part {
    /// Its id in `spin.toml`.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::Callback => "callback",
            Self::Directory => "directory",
            Self::Health => "health",
            Self::Session => "session",
            Self::Sync => "sync",
            Self::Tenants => "tenants",
        }
    }
}

/// One call of a component.
pub(crate) struct Call<'a> {
    pub part: Part,
    pub method: Method,
    /// Path and query.
    pub target: &'a str,
    pub headers: HeaderMap,
    pub body: Bytes,
    pub timeout: Duration,
}

impl<C: Clock, E: Entropy, O: Outbound> Console<'_, C, E, O> {
    /// Calls a component.
    ///
    /// # Errors
    /// [`Code::PartUnavailable`] when no answer comes.
    pub(crate) async fn call(&self, call: Call<'_>) -> Result<Response<Bytes>, Problem> {
        let id = call.part.id();
        let uri = format!("http://{id}.spin.internal{}", call.target);
        let mut request = Request::new(call.body);
        *request.method_mut() = call.method;
        *request.uri_mut() = uri
            .parse()
            .map_err(|_| Problem::invalid_field("path", "not one that can be passed on"))?;
        *request.headers_mut() = call.headers;
        let limits = Limits {
            timeout: call.timeout,
            max_body: MAX_ANSWER,
        };
        self.outbound.send(request, limits).await.map_err(|error| {
            Problem::new(Code::PartUnavailable)
                .with("component", id)
                .with("reason", error.to_string())
        })
    }

    /// Posts JSON to the sign-in component and reads its answer.
    ///
    /// # Errors
    /// What it answers, or that it does not.
    pub(crate) async fn post_callback(
        &self,
        target: &str,
        headers: HeaderMap,
        body: &Value,
    ) -> Result<(HeaderMap, Value), Problem> {
        let mut headers = headers;
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/json"),
        );
        let answer = self
            .call(Call {
                part: Part::Callback,
                method: Method::POST,
                target,
                headers,
                body: Bytes::from(body.to_string()),
                // It has nine seconds for ScaiKey.
                timeout: Duration::from_secs(15),
            })
            .await?;
        if answer.status() != StatusCode::OK {
            return Err(refused(&answer));
        }
        let (parts, body) = answer.into_parts();
        let value = serde_json::from_slice(&body).map_err(|_| Problem::new(Code::Internal))?;
        Ok((parts.headers, value))
    }
}

/// What a component refused, as a failure of ours: its code, its details, which hold nothing secret, and
/// when to try again. Only codes of the list are taken on.
fn refused(answer: &Response<Bytes>) -> Problem {
    let body: Value = serde_json::from_slice(answer.body()).unwrap_or_default();
    let text = body.pointer("/error/code").and_then(Value::as_str);
    let Some(code) = text.and_then(code_named) else {
        return Problem::new(Code::Internal);
    };
    let details = body.pointer("/error/details").and_then(Value::as_object);
    let mut problem = Problem::new(code);
    for (name, value) in details.into_iter().flatten() {
        problem = problem.with(name, value.clone());
    }
    let after = answer.headers().get(header::RETRY_AFTER);
    match after.and_then(|seconds| seconds.to_str().ok()?.parse().ok()) {
        Some(seconds) => problem.with_retry_after(Duration::from_secs(seconds)),
        None => problem,
    }
}

/// The code of that name.
pub(crate) fn code_named(name: &str) -> Option<Code> {
    Code::ALL.iter().copied().find(|code| code.as_str() == name)
}
