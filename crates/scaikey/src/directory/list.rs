//! Asking for one page of a list.

use std::fmt::Write as _;

use bytes::Bytes;
use http::header::AUTHORIZATION;
use http::{HeaderValue, Request};
use scaigate_types::{BaseUrl, GroupId, Secret, TenantId};
use zeroize::Zeroizing;

use crate::request::get;

/// A list of the directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum List<'a> {
    /// Tenants that the token reaches (`contract/scaikey.md` 3.7): rows are
    /// [`TenantRow`](super::TenantRow)s.
    Tenants,
    /// People of a tenant with access to an application, directly or through a group (3.4): rows are
    /// [`UserRow`](super::UserRow)s.
    EffectiveUsers {
        /// Whose people.
        tenant_id: &'a TenantId,
        /// `app_…`, or `me` for the application of the token (8.16).
        application_id: &'a str,
    },
    /// Groups of all tenants that the token reaches (3.3): rows are [`GroupRow`](super::GroupRow)s.
    Groups,
    /// Direct members of a group (3.3): rows are [`UserRow`](super::UserRow)s.
    GroupMembers {
        /// Which group.
        group_id: &'a GroupId,
    },
}

impl List<'_> {
    /// Its name, as it is told.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tenants => "tenants",
            Self::EffectiveUsers { .. } => "effective_users",
            Self::Groups => "groups",
            Self::GroupMembers { .. } => "group_members",
        }
    }
}

/// Asks for page `page` (the first is 1) of `list` with `per_page` rows, which ScaiKey may cap
/// without a word (`contract/scaikey.md` 3.1). Collections end in a slash as the generated reference
/// has them, effective users and members don't; where ScaiKey wants it otherwise, see
/// [`is_slash_redirect`](super::is_slash_redirect).
///
/// The `authorization` header is marked sensitive. An application id or an identifier that would be
/// another path (empty, `.` or `..`) gives a request without a host, which nobody can send.
#[must_use]
pub fn request(
    base: &BaseUrl,
    token: &Secret<String>,
    list: List<'_>,
    page: u32,
    per_page: u32,
) -> Request<Bytes> {
    let address = path(list).map(|path| base.join(&path)).unwrap_or_default();
    let mut request = get(&format!("{address}?page={page}&per_page={per_page}"));
    if let Some(authorization) = bearer(token) {
        request.headers_mut().insert(AUTHORIZATION, authorization);
    }
    request
}

fn path(list: List<'_>) -> Option<String> {
    Some(match list {
        List::Tenants => "/api/v1/admin/tenants/".to_owned(),
        List::EffectiveUsers {
            tenant_id,
            application_id,
        } => format!(
            "/api/v1/tenants/{}/applications/{}/effective-users",
            segment(tenant_id.as_str())?,
            segment(application_id)?,
        ),
        List::Groups => "/api/v1/admin/groups/".to_owned(),
        List::GroupMembers { group_id } => {
            format!(
                "/api/v1/admin/groups/{}/members",
                segment(group_id.as_str())?
            )
        }
    })
}

/// Whether `text` can be one segment of a path. Dots can't be escaped: their percent-encoded forms
/// are dots to whoever resolves the path (WHATWG URL §4.4, N-134).
pub(super) fn is_segment(text: &str) -> bool {
    !matches!(text, "" | "." | "..")
}

/// `text` as one segment of a path: all but RFC 3986's unreserved characters encoded.
fn segment(text: &str) -> Option<String> {
    if !is_segment(text) {
        return None;
    }
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            encoded.push(char::from(byte));
        } else {
            write!(encoded, "%{byte:02X}").ok()?;
        }
    }
    Some(encoded)
}

/// RFC 6750 §2.1. `None` never happens for a token that a token answer gave.
fn bearer(token: &Secret<String>) -> Option<HeaderValue> {
    let text = Zeroizing::new(format!("Bearer {}", token.expose()));
    let mut value = HeaderValue::from_str(&text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::fixtures::base;

    fn asked(list: List<'_>) -> String {
        let token = Secret::new("canary-token".to_owned());
        request(&base(), &token, list, 2, 100).uri().to_string()
    }

    fn tenant(text: &str) -> TenantId {
        TenantId::parse(text).unwrap()
    }

    #[test]
    fn lists_are_asked_for_where_the_reference_has_them() {
        let tenant_id = &tenant("tnt_acme");
        let group_id = &GroupId::parse("grp_1").unwrap();
        let table = [
            (List::Tenants, "/api/v1/admin/tenants/"),
            (
                List::EffectiveUsers {
                    tenant_id,
                    application_id: "me",
                },
                "/api/v1/tenants/tnt_acme/applications/me/effective-users",
            ),
            (List::Groups, "/api/v1/admin/groups/"),
            (
                List::GroupMembers { group_id },
                "/api/v1/admin/groups/grp_1/members",
            ),
        ];
        for (list, path) in table {
            let address = format!("https://scaikey.example{path}?page=2&per_page=100");
            assert_eq!(asked(list), address);
        }
    }

    #[test]
    fn n_055_the_token_is_sent_and_not_shown() {
        let token = Secret::new("canary-token".to_owned());
        let request = request(&base(), &token, List::Groups, 1, 100);
        let header = &request.headers()["authorization"];
        assert_eq!(header, "Bearer canary-token");
        assert!(header.is_sensitive());
        assert!(!format!("{request:?}").contains("canary"));
        assert!(request.body().is_empty());
    }

    #[test]
    fn a_token_that_is_no_header_is_not_sent() {
        let token = Secret::new("a\r\nx: y".to_owned());
        let request = request(&base(), &token, List::Groups, 1, 100);
        assert!(!request.headers().contains_key("authorization"));
    }

    #[test]
    fn n_134_an_identifier_stays_one_segment() {
        let table = [
            ("a/b", Some("a%2Fb")),
            ("../x", Some("..%2Fx")),
            ("a?b=1", Some("a%3Fb%3D1")),
            ("a#b", Some("a%23b")),
            ("a%2fb", Some("a%252fb")),
            ("a;b&c+d", Some("a%3Bb%26c%2Bd")),
            ("é ", Some("%C3%A9%20")),
            ("...", Some("...")),
            ("a\r\n", Some("a%0D%0A")),
            ("", None),
            (".", None),
            ("..", None),
        ];
        let tenant_id = &tenant("tnt_acme");
        for (application_id, expected) in table {
            let address = asked(List::EffectiveUsers {
                tenant_id,
                application_id,
            });
            let expected = expected.map_or("/".to_owned(), |segment| {
                format!("https://scaikey.example/api/v1/tenants/tnt_acme/applications/{segment}/effective-users?page=2&per_page=100")
            });
            assert_eq!(address, expected, "{application_id:?}");
        }
        for dots in [".", ".."] {
            let group_id = &GroupId::parse(dots).unwrap();
            assert_eq!(asked(List::GroupMembers { group_id }), "/", "{dots}");
        }
    }

    proptest! {
        #[test]
        fn no_application_id_leads_elsewhere(application_id in ".{0,40}") {
            let tenant_id = &tenant("tnt_acme");
            let token = Secret::new("t".to_owned());
            let list = List::EffectiveUsers { tenant_id, application_id: &application_id };
            let request = request(&base(), &token, list, 1, 1);
            if let Some(host) = request.uri().host() {
                prop_assert_eq!(host, "scaikey.example");
                let url = url::Url::parse(&request.uri().to_string()).unwrap();
                let segments: Vec<_> = url.path_segments().unwrap().collect();
                prop_assert_eq!(segments.len(), 7);
                prop_assert_eq!(segments[6], "effective-users");
            }
        }
    }
}
