//! The final slash. A FastAPI backend answers the other form of a collection's path with a redirect,
//! and the documents disagree about which form is the right one (`contract/scaikey.md` 3.1, 8.18).

use bytes::Bytes;
use http::header::LOCATION;
use http::uri::PathAndQuery;
use http::{Request, Response, Uri};

/// Whether the answer to a request at `asked` only says that the path is to be asked for with, or
/// without, a final slash: on the same host, and nothing else is different.
///
/// That, and no other redirect, may be answered by asking once more, [`with_other_slash`]. The new
/// address is made of ours, never of the answer's, so the token goes where it went before. (The
/// scheme is not compared for that reason: behind a gateway that ends TLS, the answer says `http`.)
#[must_use]
pub fn is_slash_redirect(asked: &Uri, answer: &Response<Bytes>) -> bool {
    let mut places = answer.headers().get_all(LOCATION).iter();
    let (301 | 302 | 307 | 308, Some(place), None) =
        (answer.status().as_u16(), places.next(), places.next())
    else {
        return false;
    };
    let Some(place) = place
        .to_str()
        .ok()
        .and_then(|text| text.parse::<Uri>().ok())
    else {
        return false;
    };
    let same_host = place.authority().is_none() || host_and_port(&place) == host_and_port(asked);
    same_host && place.path() == other(asked.path())
}

/// The same request for the other form of its path.
#[must_use]
pub fn with_other_slash(mut request: Request<Bytes>) -> Request<Bytes> {
    let mut parts = request.uri().clone().into_parts();
    let (path, query) = (other(request.uri().path()), request.uri().query());
    let changed = match query {
        Some(query) => PathAndQuery::try_from(format!("{path}?{query}")),
        None => PathAndQuery::try_from(path),
    };
    parts.path_and_query = changed.ok();
    // A path that was an address' stays one with a slash more or less.
    *request.uri_mut() = Uri::from_parts(parts).unwrap_or_default();
    request
}

fn other(path: &str) -> String {
    path.strip_suffix('/')
        .map_or_else(|| format!("{path}/"), str::to_owned)
}

/// Who is named, without the default port. Whoever puts a user into it is somebody else.
fn host_and_port(uri: &Uri) -> Option<(String, Option<u16>)> {
    let authority = uri.authority()?;
    if authority.as_str().contains('@') {
        return None;
    }
    let default = match uri.scheme_str() {
        Some("https") => Some(443),
        Some("http") => Some(80),
        _ => None,
    };
    let port = authority.port_u16().filter(|port| Some(*port) != default);
    Some((authority.host().to_ascii_lowercase(), port))
}

#[cfg(test)]
mod tests {
    use http::{HeaderValue, StatusCode};
    use scaigate_types::Secret;

    use super::super::{DirectoryError, List, UserRow, parse_page, request};
    use super::*;
    use crate::fixtures::base;

    const ASKED: &str = "https://scaikey.example/api/v1/admin/groups/g/members?page=1&per_page=2";

    fn redirect(status: u16, places: &[&'static str]) -> Response<Bytes> {
        let mut answer = Response::new(Bytes::new());
        *answer.status_mut() = StatusCode::from_u16(status).unwrap();
        for place in places {
            let place = HeaderValue::from_static(place);
            answer.headers_mut().append("location", place);
        }
        answer
    }

    #[test]
    fn only_the_other_form_of_the_same_address_may_be_asked_for() {
        let table = [
            (
                "https://scaikey.example/api/v1/admin/groups/g/members/?page=1&per_page=2",
                true,
            ),
            (
                "https://SCAIKEY.example:443/api/v1/admin/groups/g/members/",
                true,
            ),
            (
                "http://scaikey.example/api/v1/admin/groups/g/members/",
                true,
            ),
            ("/api/v1/admin/groups/g/members/?per_page=2&page=1", true),
            ("/api/v1/admin/groups/g/members", false),
            ("/api/v1/admin/groups/g/members//", false),
            ("/api/v1/admin/groups/h/members/", false),
            ("/login?next=/api/v1/admin/groups/g/members/", false),
            ("//evil.example/api/v1/admin/groups/g/members/", false),
            ("https://evil.example/api/v1/admin/groups/g/members/", false),
            (
                "https://scaikey.example:8443/api/v1/admin/groups/g/members/",
                false,
            ),
            (
                "https://scaikey.example@evil.example/api/v1/admin/groups/g/members/",
                false,
            ),
            (
                "https://u@scaikey.example/api/v1/admin/groups/g/members/",
                false,
            ),
            (
                "https://scaikey.example.evil.example/api/v1/admin/groups/g/members/",
                false,
            ),
            ("members/", false),
            ("", false),
        ];
        let asked = Uri::from_static(ASKED);
        for (place, expected) in table {
            for status in [301, 302, 307, 308] {
                let answer = redirect(status, &[place]);
                assert_eq!(is_slash_redirect(&asked, &answer), expected, "{place}");
            }
            let refused = parse_page::<UserRow>(&redirect(307, &[place]));
            assert_eq!(refused, Err(DirectoryError::Redirected));
        }
        let right = "/api/v1/admin/groups/g/members/";
        for answer in [
            redirect(200, &[right]),
            redirect(303, &[right]),
            redirect(307, &[]),
            redirect(307, &[right, right]),
        ] {
            assert!(!is_slash_redirect(&asked, &answer), "{answer:?}");
        }
    }

    #[test]
    fn the_slash_may_also_be_too_much() {
        let asked = Uri::from_static("https://scaikey.example/api/v1/admin/groups/?page=1");
        assert!(is_slash_redirect(
            &asked,
            &redirect(307, &["/api/v1/admin/groups?page=1"])
        ));
    }

    #[test]
    fn the_other_form_is_the_same_request_at_our_own_address() {
        let token = Secret::new("canary-token".to_owned());
        let first = request(&base(), &token, List::Groups, 3, 50);
        let without = with_other_slash(first.clone());
        let address = "https://scaikey.example/api/v1/admin/groups?page=3&per_page=50";
        assert_eq!(without.uri(), address);
        assert_eq!(without.headers(), first.headers());
        assert!(without.headers()["authorization"].is_sensitive());
        assert_eq!(with_other_slash(without).uri(), first.uri());
        let nowhere = with_other_slash(Request::new(Bytes::new()));
        assert_eq!(nowhere.uri().host(), None);
    }
}
