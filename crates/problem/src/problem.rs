//! One occurrence of a failure, and its answer.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use serde_json::{Map, Value, json};

use crate::{Code, RateLimit};

/// A failure as it is answered. Holds nothing secret: codes, our own words, and what the
/// constructors document.
#[derive(Clone, Debug, PartialEq)]
pub struct Problem {
    code: Code,
    details: Map<String, Value>,
    // Boxed: a failure is what most functions here may return, so it has to stay small.
    detail: Option<Box<Detail>>,
    fix: Option<&'static str>,
    sw_code: Option<&'static str>,
    oauth_error: Option<&'static str>,
    retry_after: Option<Duration>,
    /// Those that few problems have. Boxed, so that a `Result` of a problem stays small.
    headers: Option<Box<HeaderMap>>,
}

/// What `detail` says beyond the code's own words.
#[derive(Clone, Debug, PartialEq)]
enum Detail {
    /// Instead of an object.
    Text(String),
    /// In the object.
    Members(Map<String, Value>),
}

impl Problem {
    /// The failure `code` with nothing to add.
    #[must_use]
    pub fn new(code: Code) -> Self {
        Self {
            code,
            details: Map::new(),
            detail: None,
            fix: None,
            sw_code: None,
            oauth_error: None,
            retry_after: None,
            headers: None,
        }
    }

    /// The code.
    #[must_use]
    pub const fn code(&self) -> Code {
        self.code
    }

    /// The same occurrence under another name: with all that was added, but in the words of `code`
    /// where none were.
    #[must_use]
    pub fn recoded(self, code: Code) -> Self {
        Self { code, ..self }
    }

    /// What to do about it.
    #[must_use]
    pub fn fix(&self) -> &'static str {
        self.fix.unwrap_or(self.code.fix())
    }

    /// What is known of this occurrence: `error.details`.
    #[must_use]
    pub const fn details(&self) -> &Map<String, Value> {
        &self.details
    }

    /// Adds a member to `error.details`. Only for values of ours or sanitised ones.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.details.insert(name.to_owned(), value.into());
        self
    }

    /// Makes `detail` the plain string that ScaiFlow documents instead of an object.
    #[must_use]
    pub fn with_detail_text(mut self, text: impl Into<String>) -> Self {
        self.detail = Some(Box::new(Detail::Text(text.into())));
        self
    }

    /// Adds a member to the object `detail`, or says `message` more exactly there: what ScaiFlow
    /// documents for some failures. Only for values of ours or sanitised ones. Where `detail` is a text
    /// it stays one.
    #[must_use]
    pub fn with_detail_member(mut self, name: &str, value: impl Into<Value>) -> Self {
        let detail = self
            .detail
            .get_or_insert_with(|| Box::new(Detail::Members(Map::new())));
        if let Detail::Members(members) = detail.as_mut() {
            members.insert(name.to_owned(), value.into());
        }
        self
    }

    /// Says what to do about this occurrence, where that is more than the code's own fix can say.
    #[must_use]
    pub const fn with_fix(mut self, fix: &'static str) -> Self {
        self.fix = Some(fix);
        self
    }

    /// Adds ScaiWave's code (`contract/scaiwave-scaicrew-scaigrid.md` 1.10).
    #[must_use]
    pub const fn with_sw_code(mut self, code: &'static str) -> Self {
        self.sw_code = Some(code);
        self
    }

    /// Marks an OAuth error (RFC 6749 §5.2): `error_description` is added, and `details` names the
    /// registered error.
    #[must_use]
    pub const fn with_oauth_error(mut self, error: &'static str) -> Self {
        self.oauth_error = Some(error);
        self
    }

    /// Says when to try again.
    #[must_use]
    pub const fn with_retry_after(mut self, after: Duration) -> Self {
        self.retry_after = Some(after);
        self
    }

    /// Lists the methods an address takes (405).
    #[must_use]
    pub fn with_allow(mut self, methods: &'static str) -> Self {
        self.headers
            .get_or_insert_default()
            .insert(header::ALLOW, HeaderValue::from_static(methods));
        self
    }

    /// Says how far the caller is from its rate limit.
    #[must_use]
    pub fn with_rate_limit(mut self, rate_limit: RateLimit) -> Self {
        rate_limit.write(self.headers.get_or_insert_default());
        self
    }

    /// A refused part of a request: `details.field` is `field`.
    #[must_use]
    pub fn invalid_field(field: &str, reason: &str) -> Self {
        Self::new(Code::InvalidRequest)
            .with("field", field)
            .with("reason", reason)
    }

    /// The body as JSON.
    #[must_use]
    pub fn body(&self, instance: &str, request_id: &str) -> Value {
        let code = self.code;
        let fix = self.fix();
        let mut details = self.details.clone();
        if let Some(sw_code) = self.sw_code {
            details.insert("sw_code".to_owned(), sw_code.into());
        }
        if let Some(error) = self.oauth_error {
            details.insert("oauth_error".to_owned(), error.into());
        }
        let mut detail = json!({ "error": code.as_str(), "message": code.message(), "fix": fix });
        match (self.detail.as_deref(), detail.as_object_mut()) {
            (Some(Detail::Text(text)), _) => detail = Value::String(text.clone()),
            (Some(Detail::Members(more)), Some(members)) => members.extend(more.clone()),
            (None, _) | (Some(Detail::Members(_)), None) => {}
        }
        let mut body = json!({
            "type": format!("/docs/errors#{}", code.as_str()),
            "title": code.message(),
            "status": code.status(),
            "instance": instance,
            "error": {
                "code": code.as_str(),
                "message": code.message(),
                "fix": fix,
                "details": details,
                "request_id": request_id,
            },
            "detail": detail,
        });
        if self.oauth_error.is_some()
            && let Some(members) = body.as_object_mut()
        {
            let text = match self.detail.as_deref() {
                Some(Detail::Text(text)) => text.clone(),
                Some(Detail::Members(_)) | None => code.message().to_owned(),
            };
            members.insert("error_description".to_owned(), text.into());
        }
        body
    }

    /// The answer: `application/problem+json`, never cached, with the headers the status needs.
    ///
    /// `instance` is the path of the request without its query; `request_id` finds the log line.
    #[must_use]
    pub fn response(&self, instance: &str, request_id: &str) -> Response<Bytes> {
        let body = Bytes::from(self.body(instance, request_id).to_string());
        let mut response = Response::new(body);
        *response.status_mut() =
            StatusCode::from_u16(self.code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if self.code.status() == 401 {
            // RFC 6750 §3: an error code only when a token was presented.
            let challenge = if self.code == Code::AuthenticationRequired {
                "Bearer realm=\"scaigate\""
            } else {
                "Bearer realm=\"scaigate\", error=\"invalid_token\""
            };
            headers.insert(
                header::WWW_AUTHENTICATE,
                HeaderValue::from_static(challenge),
            );
        }
        if let Some(after) = self.retry_after {
            headers.insert(
                header::RETRY_AFTER,
                HeaderValue::from(after.as_secs().max(1)),
            );
        }
        for (name, value) in self.headers.iter().flat_map(|headers| headers.iter()) {
            headers.insert(name, value.clone());
        }
        response
    }
}

impl From<Code> for Problem {
    fn from(code: Code) -> Self {
        Self::new(code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_documented_client_finds_its_members() {
        let body = Problem::new(Code::StateUnknown)
            .with("x", 1)
            .body("/v1/auth/callback", "req_1");
        assert_eq!(body["type"], "/docs/errors#state_unknown");
        assert_eq!(body["status"], 400);
        assert_eq!(body["instance"], "/v1/auth/callback");
        assert_eq!(body["error"]["code"], "state_unknown");
        assert_eq!(body["error"]["request_id"], "req_1");
        assert_eq!(body["error"]["details"]["x"], 1);
        assert_eq!(body["detail"]["error"], "state_unknown");
        assert!(body.get("error_description").is_none());
    }

    #[test]
    fn documented_strings_and_oauth_errors_are_kept() {
        let problem = Problem::new(Code::CodeAlreadyUsed)
            .with_detail_text("invalid_grant: code already used")
            .with_sw_code("SW_AUTH_OIDC_FAILED")
            .with_oauth_error("invalid_grant");
        let body = problem.body("/v1/auth/exchange", "req_1");
        assert_eq!(body["detail"], "invalid_grant: code already used");
        assert_eq!(
            body["error_description"],
            "invalid_grant: code already used"
        );
        assert_eq!(body["error"]["details"]["sw_code"], "SW_AUTH_OIDC_FAILED");
        assert_eq!(body["error"]["details"]["oauth_error"], "invalid_grant");
    }

    #[test]
    fn documented_members_stand_beside_the_usual_ones() {
        let body = Problem::new(Code::ScaiqueueProvisionFailed)
            .with_detail_member("message", "a queue is in the way")
            .with_detail_member("scope", "support")
            .body("/v1/flows/flow_1/deploy", "req_1");
        let detail = &body["detail"];
        assert_eq!(detail["error"], "scaiqueue_provision_failed");
        assert_eq!(detail["message"], "a queue is in the way");
        assert_eq!(detail["scope"], "support");
        assert!(body["error"]["details"].get("scope").is_none());
    }

    #[test]
    fn under_another_name_everything_that_was_added_stays() {
        let problem = Problem::new(Code::MissingCredentials)
            .with("caller_may_set", true)
            .with_detail_member("message", "none")
            .with_retry_after(Duration::from_secs(2))
            .with_fix("Set it.");
        let response = problem
            .clone()
            .recoded(Code::MissingScaigridCredentials)
            .response("/", "req_1");
        assert_eq!(response.status(), 412);
        assert_eq!(response.headers()["retry-after"], "2");
        let body = problem
            .recoded(Code::MissingScaigridCredentials)
            .body("/", "req_1");
        assert_eq!(body["error"]["code"], "missing_scaigrid_credentials");
        assert_eq!(body["error"]["details"]["caller_may_set"], true);
        assert_eq!(body["detail"]["message"], "none");
        assert_eq!(body["detail"]["fix"], "Set it.");
    }

    #[test]
    fn the_answer_carries_the_headers_of_its_status() {
        let response = Problem::new(Code::TokenExpired).response("/v1/me", "req_1");
        assert_eq!(response.status(), 401);
        assert_eq!(
            response.headers()["content-type"],
            "application/problem+json"
        );
        assert_eq!(response.headers()["cache-control"], "no-store");
        let challenge = "Bearer realm=\"scaigate\", error=\"invalid_token\"";
        assert_eq!(response.headers()["www-authenticate"], challenge);
        let response = Problem::new(Code::ScaikeyRateLimited)
            .with_retry_after(Duration::from_millis(10))
            .response("/", "req_1");
        assert_eq!(response.headers()["retry-after"], "1");
        assert!(!response.headers().contains_key("x-ratelimit-limit"));
        let response = Problem::new(Code::RateLimited)
            .with_rate_limit(RateLimit {
                limit: 600,
                remaining: 0,
                reset: 1_800_000_060,
            })
            .response("/", "req_1");
        let headers = RateLimit::HEADERS.map(|name| response.headers()[name].clone());
        assert_eq!(headers, ["600", "0", "1800000060"]);
    }
}
