//! Which origins may talk to us from a browser, and what every answer carries.

use std::rc::Rc;

use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{Method, Response, StatusCode};
use scaigate_problem::{Code, Problem};
use scaigate_types::Origin;

use crate::answer::AnswerBody;
use crate::{Answer, Incoming, request_id};

/// The origins of this deployment: its own and its apps'.
#[derive(Clone, Debug, Default)]
pub struct Site {
    // Shared by every request of an instance.
    origins: Rc<[Origin]>,
    notes_refusal: Option<fn(&Incoming, Code)>,
}

impl Site {
    /// A site of these origins.
    #[must_use]
    pub fn new(origins: impl IntoIterator<Item = Origin>) -> Self {
        Self {
            origins: origins.into_iter().collect(),
            notes_refusal: None,
        }
    }

    /// The same site, which tells `note` of every request that it or its component refuses.
    #[must_use]
    pub fn noting_refusals(self, note: fn(&Incoming, Code)) -> Self {
        Self {
            notes_refusal: Some(note),
            ..self
        }
    }

    /// Tells whoever notes refusals of one.
    pub fn note_refusal(&self, request: &Incoming, code: Code) {
        if let Some(note) = self.notes_refusal {
            note(request, code);
        }
    }

    fn knows(&self, origin: &str) -> bool {
        self.origins.iter().any(|known| known.as_str() == origin)
    }

    /// Refuses what a page on a foreign origin sends. A request without `Origin` is not one of a
    /// page that posts or fetches across origins.
    ///
    /// # Errors
    /// [`Code::OriginNotAllowed`].
    pub fn check(&self, request: &Incoming) -> Result<(), Problem> {
        let safe = matches!(request.method, Method::GET | Method::HEAD);
        let foreign = request
            .headers
            .get_all(header::ORIGIN)
            .iter()
            .any(|origin| !origin.to_str().is_ok_and(|origin| self.knows(origin)));
        if foreign && !safe {
            return Err(Problem::new(Code::OriginNotAllowed));
        }
        // Without `Origin`, a browser still says where a request comes from.
        if !safe && !request.headers.contains_key(header::ORIGIN) {
            let site = request.header("sec-fetch-site");
            if matches!(site, Some("cross-site" | "same-site")) {
                return Err(Problem::new(Code::OriginNotAllowed));
            }
        }
        Ok(())
    }

    /// The answer to a preflight request, if this is one.
    #[must_use]
    pub fn preflight(&self, request: &Incoming) -> Option<Answer> {
        if request.method != Method::OPTIONS || !request.headers.contains_key(header::ORIGIN) {
            return None;
        }
        let mut answer = Answer::default();
        *answer.status_mut() = StatusCode::NO_CONTENT;
        let headers = answer.headers_mut();
        let set = |headers: &mut HeaderMap, name, value| {
            headers.insert(name, HeaderValue::from_static(value));
        };
        set(
            headers,
            header::ACCESS_CONTROL_ALLOW_METHODS,
            "GET, POST, PUT, PATCH, DELETE",
        );
        set(
            headers,
            header::ACCESS_CONTROL_ALLOW_HEADERS,
            "authorization, content-type, idempotency-key, last-event-id, x-request-id, traceparent",
        );
        set(headers, header::ACCESS_CONTROL_MAX_AGE, "600");
        Some(answer)
    }

    /// Adds to an answer what every one carries.
    pub fn dress(&self, request: &Incoming, answer: &mut Response<impl AnswerBody>) {
        let length = answer.body().length();
        // What a browser shows or follows. Data is neither framed nor does it refer to anything,
        // and each header is work in every answer.
        let is_data = answer
            .headers()
            .get(header::CONTENT_TYPE)
            .is_some_and(|value| value.as_bytes().ends_with(b"json"));
        let headers = answer.headers_mut();
        // Without it Spin answers chunked, in two writes.
        if let Some(length) = length {
            headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
        }
        if let Ok(id) = HeaderValue::from_str(request.request_id()) {
            headers.insert(request_id::HEADER, id);
        }
        let mut default = |name: HeaderName, value: &'static str| {
            headers
                .entry(name)
                .or_insert(HeaderValue::from_static(value));
        };
        default(header::CACHE_CONTROL, "no-store");
        default(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
        if !is_data {
            default(header::REFERRER_POLICY, "no-referrer");
            default(header::X_FRAME_OPTIONS, "DENY");
            default(
                header::CONTENT_SECURITY_POLICY,
                "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
            );
        }
        headers.append(header::VARY, HeaderValue::from_static("Origin"));
        // The one origin there is: two are no browser's.
        if let Some(origin) = request
            .header(header::ORIGIN)
            .filter(|origin| self.knows(origin))
            && let Ok(origin) = HeaderValue::from_str(origin)
        {
            headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
            headers.insert(
                header::ACCESS_CONTROL_ALLOW_CREDENTIALS,
                HeaderValue::from_static("true"),
            );
            headers.insert(
                header::ACCESS_CONTROL_EXPOSE_HEADERS,
                HeaderValue::from_static(
                    "x-request-id, retry-after, x-ratelimit-limit, x-ratelimit-remaining, x-ratelimit-reset",
                ),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use scaigate_problem::RateLimit;

    fn site() -> Site {
        Site::new([Origin::of("https://app.example").unwrap()])
    }

    fn request(method: &str, headers: &[(&str, &str)]) -> Incoming {
        let mut builder = http::Request::builder()
            .method(method)
            .uri("/v1/auth/login");
        for (name, value) in headers {
            builder = builder.header(*name, *value);
        }
        let (parts, ()) = builder.body(()).unwrap().into_parts();
        Incoming::new(
            parts.into(),
            Bytes::new(),
            scaigate_types::Timestamp::from_millis(0),
            || "req_test".to_owned(),
        )
    }

    #[test]
    fn n_024_state_changing_requests_of_foreign_pages_are_refused() {
        for (method, headers, refused) in [
            ("POST", vec![], false),
            ("POST", vec![("origin", "https://app.example")], false),
            ("POST", vec![("origin", "https://evil.example")], true),
            ("POST", vec![("origin", "null")], true),
            (
                "POST",
                vec![("origin", "https://app.example.evil.example")],
                true,
            ),
            (
                "POST",
                vec![
                    ("origin", "https://app.example"),
                    ("origin", "https://evil.example"),
                ],
                true,
            ),
            ("POST", vec![("sec-fetch-site", "cross-site")], true),
            ("POST", vec![("sec-fetch-site", "same-site")], true),
            ("POST", vec![("sec-fetch-site", "same-origin")], false),
            ("GET", vec![("sec-fetch-site", "cross-site")], false),
            ("DELETE", vec![("origin", "https://evil.example")], true),
        ] {
            let got = site().check(&request(method, &headers));
            assert_eq!(got.is_err(), refused, "{method} {headers:?}");
        }
    }

    #[test]
    fn n_026_credentials_are_offered_to_known_origins_only() {
        for (origin, known) in [
            ("https://app.example", true),
            ("https://evil.example", false),
            ("null", false),
        ] {
            let mut answer = Answer::default();
            site().dress(&request("GET", &[("origin", origin)]), &mut answer);
            let headers = answer.headers();
            assert_eq!(
                headers.contains_key("access-control-allow-origin"),
                known,
                "{origin}"
            );
            assert_eq!(
                headers.contains_key("access-control-allow-credentials"),
                known,
                "{origin}"
            );
            assert_eq!(headers["vary"], "Origin");
            let readable = headers
                .get("access-control-expose-headers")
                .map_or("", |names| names.to_str().unwrap());
            for name in RateLimit::HEADERS {
                assert_eq!(readable.contains(name), known, "{origin}: {name}");
            }
        }
    }

    #[test]
    fn n_037_n_038_answers_are_neither_framed_nor_cached() {
        let mut answer = crate::answer::page(200, "x", &[]);
        site().dress(&request("GET", &[]), &mut answer);
        let headers = answer.headers();
        assert_eq!(headers["cache-control"], "no-store");
        assert_eq!(headers["x-frame-options"], "DENY");
        assert!(
            headers["content-security-policy"]
                .to_str()
                .unwrap()
                .contains("frame-ancestors 'none'")
        );
        assert_eq!(headers["referrer-policy"], "no-referrer");
        assert_eq!(headers["content-length"], answer.body().len().to_string());
    }
}
