//! Why a page of the directory was not given, or can't be used.

use std::time::Duration;

use bytes::Bytes;
use http::Response;
use http::header::WWW_AUTHENTICATE;
use serde::Deserialize;
use serde_json::Value;
use thiserror::Error;

use crate::{json, response};

/// Most faults of a 422 that are looked at.
const MAX_FAULTS: usize = 16;

/// Why there is no page. Every one of them leaves the list unread: none means that a row is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum DirectoryError {
    /// The documented 403 (`contract/scaikey.md` 3.5), or one that says the same in the words of
    /// RFC 6750 §3.1: the token lacks a scope. The fix is at the application's `allowed_scopes`.
    #[error("ScaiKey's directory refuses the token for its scopes")]
    ScopeMissing,
    /// Any other 403.
    #[error("ScaiKey's directory refuses the caller")]
    Forbidden,
    /// 401: the token is expired, revoked or no token of this ScaiKey.
    #[error("ScaiKey's directory doesn't accept the token")]
    Unauthorized,
    /// 404: no such tenant, application (`me` too, 8.16), group, or path.
    #[error("ScaiKey's directory doesn't know what was asked for")]
    NotFound,
    /// 422 about `per_page`: ask for less (the maximum is not published, 3.1).
    #[error("ScaiKey's directory refuses pages of that size")]
    PageSize,
    /// 429.
    #[error("ScaiKey limits the rate of directory requests")]
    RateLimited {
        /// What ScaiKey asks us to wait, at most an hour.
        retry_after: Option<Duration>,
    },
    /// 3xx, which is not followed: it would take our token elsewhere. For the one exception see
    /// [`is_slash_redirect`](super::is_slash_redirect).
    #[error("ScaiKey's directory answered with a redirect")]
    Redirected,
    /// Any other status but 200.
    #[error("ScaiKey's directory answered with status {0}")]
    Status(u16),
    /// Not declared as JSON.
    #[error("the directory's page is not declared as JSON")]
    ContentType,
    /// More than [`MAX_PAGE_BYTES`](super::MAX_PAGE_BYTES) or
    /// [`MAX_PAGE_ROWS`](super::MAX_PAGE_ROWS).
    #[error("the directory's page is too large")]
    TooLarge,
    /// Not JSON, without a list of rows or with two, with an error beside it, with a field of a row
    /// twice, with a total that is no number or two that differ, or an entry of another type than an
    /// object.
    #[error("the directory's page is not readable")]
    Malformed,
    /// `null` in place of a row.
    #[error("the directory's page holds a null in place of a row")]
    NullRow,
    /// A row whose id is missing or not usable.
    #[error("the directory's page holds a row without a usable id")]
    RowWithoutId,
    /// A row whose tenant is not a usable id, or two different ones.
    #[error("the directory's page holds a row of an unclear tenant")]
    RowTenant,
    /// A row whose partner is not a usable id, or two different ones.
    #[error("the directory's page holds a row of an unclear partner")]
    RowPartner,
}

impl DirectoryError {
    /// Reads an answer whose status is not 200.
    pub(super) fn of(response: &Response<Bytes>) -> Self {
        match response.status().as_u16() {
            300..=399 => Self::Redirected,
            401 => Self::Unauthorized,
            403 if lacks_scope(response) => Self::ScopeMissing,
            403 => Self::Forbidden,
            404 => Self::NotFound,
            422 if is_about_page_size(response) => Self::PageSize,
            429 => Self::RateLimited {
                retry_after: response::retry_after(response.headers()),
            },
            status => Self::Status(status),
        }
    }
}

#[derive(Deserialize)]
struct Body {
    detail: Option<Value>,
}

/// `detail` of an error body (`contract/scaikey.md` 1.10).
fn detail(response: &Response<Bytes>) -> Option<Value> {
    if !response::is_json(response.headers()) {
        return None;
    }
    json::object::<Body>(response.body())?.detail
}

/// The documented sentence names `admin:read`; one about groups would name `groups:read` (8.15). So
/// it is the name of a scope that counts, and the word.
fn lacks_scope(response: &Response<Bytes>) -> bool {
    let challenge = response.headers().get(WWW_AUTHENTICATE);
    let challenged = challenge
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.contains("insufficient_scope"));
    let named = || {
        let detail = detail(response);
        let words = detail.as_ref().and_then(Value::as_str).unwrap_or_default();
        let words = words.to_ascii_lowercase();
        words.contains("scope") && (words.contains(":read") || words.contains(":write"))
    };
    challenged || named()
}

fn is_about_page_size(response: &Response<Bytes>) -> bool {
    let detail = detail(response);
    let faults = detail.as_ref().and_then(Value::as_array);
    faults
        .into_iter()
        .flatten()
        .take(MAX_FAULTS)
        .filter_map(|fault| fault.get("loc")?.as_array())
        .flatten()
        .any(|place| place.as_str() == Some("per_page"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::answer;

    const JSON: &str = "application/json";

    #[test]
    fn only_a_403_about_a_scope_says_that_a_scope_is_missing() {
        let documented = r#"{"detail":"Platform token requires admin:read or admin:write scope"}"#;
        let table = [
            (JSON, documented, DirectoryError::ScopeMissing),
            (
                JSON,
                r#"{"detail":"Requires the Groups:Read scope"}"#,
                DirectoryError::ScopeMissing,
            ),
            (
                JSON,
                r#"{"detail":"Admin role required"}"#,
                DirectoryError::Forbidden,
            ),
            (
                JSON,
                r#"{"detail":"out of scope"}"#,
                DirectoryError::Forbidden,
            ),
            (
                JSON,
                r#"{"detail":["admin:read scope"]}"#,
                DirectoryError::Forbidden,
            ),
            (JSON, r#"{"detail":null}"#, DirectoryError::Forbidden),
            (
                JSON,
                r#"{"message":"admin:read scope"}"#,
                DirectoryError::Forbidden,
            ),
            (JSON, "", DirectoryError::Forbidden),
            ("text/html", documented, DirectoryError::Forbidden),
        ];
        for (content_type, body, expected) in table {
            let answer = answer(403, content_type, body);
            assert_eq!(DirectoryError::of(&answer), expected, "{body}");
        }
        let mut challenged = answer(403, "text/plain", "");
        let challenge = r#"Bearer error="insufficient_scope""#;
        challenged
            .headers_mut()
            .insert(WWW_AUTHENTICATE, challenge.parse().unwrap());
        assert_eq!(
            DirectoryError::of(&challenged),
            DirectoryError::ScopeMissing
        );
    }

    #[test]
    fn every_other_status_has_its_reason() {
        let per_page = r#"{"detail":[{"loc":["query","per_page"],"msg":"less","type":"less"}]}"#;
        let page = r#"{"detail":[{"loc":["query","page"],"msg":"less","type":"less"}]}"#;
        let scope = r#"{"detail":"Platform token requires admin:read or admin:write scope"}"#;
        let table = [
            (401, scope, DirectoryError::Unauthorized),
            (404, "{}", DirectoryError::NotFound),
            (422, per_page, DirectoryError::PageSize),
            (422, page, DirectoryError::Status(422)),
            (422, r#"{"detail":"per_page"}"#, DirectoryError::Status(422)),
            (
                422,
                r#"{"detail":[1,{"loc":1}]}"#,
                DirectoryError::Status(422),
            ),
            (307, "", DirectoryError::Redirected),
            (304, "", DirectoryError::Redirected),
            (204, "", DirectoryError::Status(204)),
            (206, "[]", DirectoryError::Status(206)),
            (400, "{}", DirectoryError::Status(400)),
            (500, scope, DirectoryError::Status(500)),
            (503, "{}", DirectoryError::Status(503)),
        ];
        for (status, body, expected) in table {
            let answer = answer(status, JSON, body);
            assert_eq!(DirectoryError::of(&answer), expected, "{status} {body}");
        }
    }

    #[test]
    fn n_143_a_limit_says_how_long_to_wait() {
        let mut limited = answer(429, JSON, "");
        assert_eq!(
            DirectoryError::of(&limited),
            DirectoryError::RateLimited { retry_after: None }
        );
        limited
            .headers_mut()
            .insert("retry-after", "99999".parse().unwrap());
        let retry_after = Some(Duration::from_secs(3600));
        assert_eq!(
            DirectoryError::of(&limited),
            DirectoryError::RateLimited { retry_after }
        );
    }
}
