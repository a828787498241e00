//! A plain HTTP client: no redirects, no cookies of its own.

use bytes::Bytes;
use http::{HeaderMap, Request, StatusCode, header};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client as Pool;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;

use crate::{Canaries, conformance, seen};

/// An answer, read whole.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

impl Answer {
    /// The body as JSON; null when it is none.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    /// The body as text.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// `error.code` of a failure; empty when it is none.
    #[must_use]
    pub fn code(&self) -> String {
        self.json()["error"]["code"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    }

    /// The header `name`; empty when it is not there.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }

    /// The `Location` header.
    #[must_use]
    pub fn location(&self) -> &str {
        self.header("location")
    }

    /// The parameter `name` of the `Location`'s query; empty when it is not there.
    #[must_use]
    pub fn location_parameter(&self, name: &str) -> String {
        let Ok(url) = url::Url::parse(self.location()) else {
            return String::new();
        };
        url.query_pairs()
            .find(|(key, _)| key == name)
            .map(|(_, v)| v.into_owned())
            .unwrap_or_default()
    }

    /// Fails unless this is the failure `code` with `status`, in the one documented body.
    #[track_caller]
    pub fn assert_problem(&self, status: u16, code: &str) {
        let body = self.json();
        assert_eq!(
            (self.status.as_u16(), self.code().as_str()),
            (status, code),
            "{}",
            self.text()
        );
        assert_eq!(self.header("content-type"), "application/problem+json");
        assert_eq!(self.header("cache-control"), "no-store");
        assert_eq!(body["status"], status);
        assert!(
            body["error"]["fix"]
                .as_str()
                .is_some_and(|fix| !fix.is_empty()),
            "{body}"
        );
        assert_eq!(body["error"]["request_id"], self.header("x-request-id"));
        assert!(!body["detail"].is_null());
    }
}

/// Sends requests to one server. Clones share connections.
#[derive(Clone)]
pub struct Client {
    base: String,
    pool: Pool<HttpConnector, Full<Bytes>>,
    canaries: Canaries,
}

impl Client {
    /// A client of the server at `base`.
    #[must_use]
    pub fn new(base: &str, canaries: Canaries) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        let pool = Pool::builder(TokioExecutor::new()).build(connector);
        Self {
            base: base.to_owned(),
            pool,
            canaries,
        }
    }

    /// Sends a request; its address may be a path. Secrets in the answer are remembered, and an
    /// error answer must hold none.
    pub async fn send(&self, request: Request<Bytes>) -> Answer {
        self.try_send(request)
            .await
            .unwrap_or_else(|error| panic!("{error}"))
    }

    /// The same where no answer is an outcome too.
    ///
    /// # Errors
    /// The connection was refused or cut.
    pub async fn try_send(&self, mut request: Request<Bytes>) -> Result<Answer, String> {
        if request.uri().host().is_none() {
            let uri = format!("{}{}", self.base, request.uri());
            *request.uri_mut() = uri.parse().expect("a URI");
        }
        let what = format!(
            "the answer to {} {}",
            request.method(),
            request.uri().path()
        );
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
        let is_ours = request.uri().to_string().starts_with(&self.base);
        let response = self
            .pool
            .request(request.map(Full::new))
            .await
            .map_err(|e| format!("{what}: {e:?}"))?;
        let (parts, body) = response.into_parts();
        let body = body
            .collect()
            .await
            .map_err(|e| format!("{what}: {e:?}"))?
            .to_bytes();
        let answer = Answer {
            status: parts.status,
            headers: parts.headers,
            body,
        };
        if is_ours {
            seen::note(&answer);
            self.conforms(&what, method.as_str(), &path, &answer);
        }
        if answer.status.is_client_error() || answer.status.is_server_error() {
            self.canaries.check(&what, &answer.text());
        } else {
            self.canaries.add_json(&answer.json());
            self.canaries.add_url(answer.location());
        }
        Ok(answer)
    }

    /// Fails unless the answer is as the API description says.
    fn conforms(&self, what: &str, method: &str, path: &str, answer: &Answer) {
        if let Err(error) = conformance::check(method, path, answer) {
            panic!("{what} is not as described: {error}\n{}", answer.text());
        }
    }

    /// GET with a bearer token, if one is given.
    pub async fn get(&self, path: &str, token: Option<&str>) -> Answer {
        let mut request = Request::get(path);
        if let Some(token) = token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        self.send(request.body(Bytes::new()).expect("a request"))
            .await
    }

    /// POST of a JSON body.
    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        let request = Request::post(path)
            .header(header::CONTENT_TYPE, "application/json")
            .body(Bytes::from(body.to_string()))
            .expect("a request");
        self.send(request).await
    }

    /// POST of a form.
    pub async fn post_form(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let body = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(fields)
            .finish();
        let request = Request::post(path)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Bytes::from(body))
            .expect("a request");
        self.send(request).await
    }
}
