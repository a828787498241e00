//! Which calls the page may make, and making them for whoever is signed in.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, header};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use scaigate_problem::{Code, Problem, RateLimit};
use scaigate_types::{Clock, Entropy, Outbound};
use serde_json::Value;

use crate::cookie::Cookies;
use crate::parts::Call;
use crate::session::{self, Held};
use crate::{Console, Part};

/// Most bytes of a query that is passed on.
const MAX_QUERY: usize = 1024;

/// Time for an answer.
const TIMEOUT: Duration = Duration::from_secs(20);

/// Time for a whole sync. Who asks for one may leave before: it goes on, and says how far it is.
const SYNC_TIMEOUT: Duration = Duration::from_secs(600);

/// A call that the page may make.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    part: Part,
    path: String,
    timeout: Duration,
}

impl Route {
    /// The route of these decoded segments below `/console/api`; `None` for what the page has no need
    /// of. None of them answers a token.
    #[must_use]
    pub fn find(method: &Method, segments: &[&str]) -> Option<Self> {
        let is_read = method == Method::GET;
        let (part, is_allowed) = match segments {
            ["v1", "me"] | ["v1", "me", "workspaces"] => (Part::Session, is_read),
            ["v1", "health"] | ["v1", "health", "ready" | "detailed"] => (Part::Health, is_read),
            ["v1", "admin", "users"] | ["v1", "admin", "tenant", "users"] => {
                (Part::Directory, is_read)
            }
            ["v1", "admin", "users", _, "role"] => (
                Part::Directory,
                matches!(*method, Method::POST | Method::DELETE),
            ),
            ["v1", "admin", "webhooks", "deliveries"] => (Part::Directory, is_read),
            ["v1", "admin", "sync"] => (Part::Sync, is_read || method == Method::POST),
            ["v1", "tenants", "me", "scaigrid_credentials"] => (Part::Tenants, is_read),
            _ => return None,
        };
        let path = segments.iter().fold(String::new(), |mut path, segment| {
            path.push('/');
            // What the names above are made of needs no escape.
            let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
            if segment.bytes().all(plain) {
                path.push_str(segment);
            } else {
                path.extend(utf8_percent_encode(segment, NON_ALPHANUMERIC));
            }
            path
        });
        is_allowed.then_some(Self {
            part,
            path,
            timeout: if part == Part::Sync && !is_read {
                SYNC_TIMEOUT
            } else {
                TIMEOUT
            },
        })
    }
}

/// What the page sends.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The method.
    pub method: &'a Method,
    /// The query without `?`.
    pub query: &'a str,
    /// The body.
    pub body: &'a Bytes,
    /// Its headers.
    pub headers: &'a HeaderMap,
    /// Finds the log lines of the request, here and there.
    pub request_id: &'a str,
}

/// What the component answered, and the cookie if it is a new one.
#[derive(Debug)]
pub struct Passed {
    /// The answer: status, JSON, and what concerns the caller of its headers.
    pub answer: Response<Bytes>,
    /// The session's new cookie.
    pub cookie: Option<HeaderValue>,
}

/// Headers of the request that go on.
const FORWARDED: [HeaderName; 2] = [header::CONTENT_TYPE, HeaderName::from_static("traceparent")];

impl<C: Clock, E: Entropy, O: Outbound> Console<'_, C, E, O> {
    /// Makes a call of the page's for whoever is signed in. A token that was refused because it is too
    /// old is replaced once.
    ///
    /// # Errors
    /// Nobody is signed in; the component or what it needs does not answer.
    pub async fn pass(
        &self,
        cookies: &impl Cookies,
        route: &Route,
        request: Request<'_>,
    ) -> Result<Passed, Problem> {
        if request.query.len() > MAX_QUERY {
            return Err(Problem::invalid_field("query", "too long"));
        }
        let (mut held, mut is_new) = self.fresh(self.held(cookies)?).await?;
        let mut answer = self.ask(&held, route, request).await?;
        if answer.status() == StatusCode::UNAUTHORIZED
            && !is_new
            && session::may_be_mended(&code(&answer))
        {
            held = self.refreshed(&held, None).await?;
            is_new = true;
            answer = self.ask(&held, route, request).await?;
        }
        let cookie = if is_new {
            Some(held.to_cookie(self.settings, self.entropy)?)
        } else {
            None
        };
        Ok(Passed {
            answer: shown(answer)?,
            cookie,
        })
    }

    async fn ask(
        &self,
        held: &Held,
        route: &Route,
        request: Request<'_>,
    ) -> Result<Response<Bytes>, Problem> {
        let mut headers = HeaderMap::new();
        for name in FORWARDED {
            if let Some(value) = request.headers.get(&name) {
                headers.insert(name, value.clone());
            }
        }
        if let Ok(id) = HeaderValue::from_str(request.request_id) {
            headers.insert("x-request-id", id);
        }
        headers.insert(header::AUTHORIZATION, held.authorization()?);
        let target = match request.query {
            "" => route.path.clone(),
            query => format!("{}?{query}", route.path),
        };
        self.call(Call {
            part: route.part,
            method: request.method.clone(),
            target: &target,
            headers,
            body: request.body.clone(),
            timeout: route.timeout,
        })
        .await
    }
}

/// The code of a failure; empty when it is none.
fn code(answer: &Response<Bytes>) -> String {
    let body: Value = serde_json::from_slice(answer.body()).unwrap_or_default();
    let code = body.pointer("/error/code").and_then(Value::as_str);
    code.unwrap_or_default().to_owned()
}

/// What the browser gets of an answer: never a cookie, an address or a challenge of another component.
///
/// # Errors
/// It is neither JSON nor empty.
fn shown(answer: Response<Bytes>) -> Result<Response<Bytes>, Problem> {
    let (parts, body) = answer.into_parts();
    let content_type = parts.headers.get(header::CONTENT_TYPE);
    let is_json = content_type.is_some_and(|value| value.as_bytes().ends_with(b"json"));
    if parts.status.is_redirection() || !(is_json || body.is_empty()) {
        return Err(Problem::new(Code::Internal));
    }
    let mut shown = Response::new(body);
    *shown.status_mut() = parts.status;
    let names = [header::CONTENT_TYPE, header::RETRY_AFTER];
    let limits = RateLimit::HEADERS.map(HeaderName::from_static);
    for name in names.into_iter().chain(limits) {
        if let Some(value) = parts.headers.get(&name) {
            shown.headers_mut().insert(name, value.clone());
        }
    }
    Ok(shown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_may_call_what_it_shows_and_nothing_else() {
        for (method, path, part) in [
            ("GET", "v1/me", Some(Part::Session)),
            ("POST", "v1/me", None),
            ("GET", "v1/me/workspaces", Some(Part::Session)),
            ("GET", "v1/health/detailed", Some(Part::Health)),
            ("GET", "v1/admin/users", Some(Part::Directory)),
            ("GET", "v1/admin/tenant/users", Some(Part::Directory)),
            ("GET", "v1/admin/users/usr_a/role", None),
            ("POST", "v1/admin/users/usr_a/role", Some(Part::Directory)),
            ("DELETE", "v1/admin/users/usr_a/role", Some(Part::Directory)),
            ("PUT", "v1/admin/users/usr_a/role", None),
            ("GET", "v1/admin/webhooks/deliveries", Some(Part::Directory)),
            ("POST", "v1/admin/sync", Some(Part::Sync)),
            (
                "GET",
                "v1/tenants/me/scaigrid_credentials",
                Some(Part::Tenants),
            ),
            ("POST", "v1/tenants/me/scaigrid_credentials", None),
            ("POST", "v1/auth/token", None),
            ("POST", "v1/auth/refresh", None),
            ("GET", "v1/auth/whoami", None),
            ("POST", "internal/sync-if-due", None),
            ("GET", "v1/scaigrid/models", None),
        ] {
            let segments: Vec<&str> = path.split('/').collect();
            let method = Method::from_bytes(method.as_bytes()).unwrap();
            let found = Route::find(&method, &segments);
            assert_eq!(found.map(|route| route.part), part, "{method} {path}");
        }
    }

    #[test]
    fn n_114_what_was_decoded_is_encoded_again() {
        let route =
            Route::find(&Method::POST, &["v1", "admin", "users", "a?b/../é", "role"]).unwrap();
        assert_eq!(route.path, "/v1/admin/users/a%3Fb%2F%2E%2E%2F%C3%A9/role");
    }
}
