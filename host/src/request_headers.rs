//! The headers of a request as a component sees them.
//!
//! The `spin-*` headers are appended: when a client sends one of its own, the
//! component sees the client's value first and the runner's last, as under Spin.

use std::net::SocketAddr;
use std::str;

use anyhow::{Context as _, bail, ensure};
use http::header::{CONNECTION, HOST};
use http::request::Parts;
use http::uri::{Authority, Scheme};
use http::{HeaderMap, HeaderName, HeaderValue, Uri};

use crate::allowed_hosts::internal_component;
use crate::routes::RouteMatch;

/// Removes what a component must not see: `Connection`, and a `Host` that
/// claims to be a component of the application.
pub(crate) fn strip_forbidden(headers: &mut HeaderMap) {
    let internal = headers
        .get(HOST)
        .and_then(|host| host.to_str().ok())
        .is_some_and(|host| internal_component(host).is_some());
    if internal {
        headers.remove(HOST);
    }
    headers.remove(CONNECTION);
}

/// Gives the request an absolute URI, with the authority from `Host` or from
/// the request target.
///
/// # Errors
///
/// No authority, two different ones, or one that cannot be parsed.
pub(crate) fn make_absolute(parts: &mut Parts, scheme: Scheme) -> anyhow::Result<()> {
    let host = parts
        .headers
        .get(HOST)
        .map(|host| -> anyhow::Result<Authority> {
            let host = host.to_str().context("`Host` is not text")?;
            host.parse().context("`Host` is not an authority")
        })
        .transpose()?;
    let mut uri = std::mem::take(&mut parts.uri).into_parts();
    let authority = match (host, uri.authority.take()) {
        (None, None) => bail!("the request has no `Host`"),
        (Some(one), None) | (None, Some(one)) => one,
        (Some(host), Some(target)) => {
            ensure!(host == target, "`Host` differs from the request target");
            host
        }
    };
    uri.scheme = Some(scheme);
    uri.authority = Some(authority);
    if uri.path_and_query.is_none() {
        uri.path_and_query = Some(http::uri::PathAndQuery::from_static("/"));
    }
    parts.uri = Uri::from_parts(uri)?;
    Ok(())
}

/// Appends the `spin-*` headers to a request with an absolute URI.
///
/// # Errors
///
/// A client's header value that is not UTF-8.
pub(crate) fn append_spin_headers(
    parts: &mut Parts,
    route: &RouteMatch,
    client: SocketAddr,
) -> anyhow::Result<()> {
    for value in parts.headers.values() {
        str::from_utf8(value.as_bytes()).context("a header value is not UTF-8")?;
    }
    // Calls between components carry no `Host`; Spin then says "localhost".
    let host = match parts.headers.get(HOST) {
        Some(host) => host.to_str()?.to_owned(),
        None => "localhost".to_owned(),
    };
    let target = parts
        .uri
        .path_and_query()
        .map_or("/", http::uri::PathAndQuery::as_str);
    let scheme = parts.uri.scheme_str().unwrap_or("http");
    let full_url = format!("{scheme}://{host}{target}");
    let client = client.to_string();
    let mut added: Vec<(String, &str)> = vec![
        ("spin-path-info".to_owned(), &route.path_info),
        ("spin-full-url".to_owned(), &full_url),
        ("spin-matched-route".to_owned(), &route.based),
        ("spin-base-path".to_owned(), "/"),
        ("spin-raw-component-route".to_owned(), &route.raw),
        ("spin-component-route".to_owned(), route.raw_prefix()),
        ("spin-client-addr".to_owned(), &client),
    ];
    for (name, value) in &route.parameters {
        let name = format!("spin-path-match-{name}")
            .replace('_', "-")
            .to_ascii_lowercase();
        added.push((name, value));
    }
    for (name, value) in added {
        // What cannot be a header is left out, as in Spin.
        if let (Ok(name), Ok(value)) = (
            HeaderName::try_from(name),
            HeaderValue::from_bytes(value.as_bytes()),
        ) {
            parts.headers.append(name, value);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(target: &str, headers: &[(&'static str, &'static str)]) -> Parts {
        let mut request = http::Request::new(());
        if let Ok(uri) = target.parse() {
            *request.uri_mut() = uri;
        }
        for (name, value) in headers {
            request
                .headers_mut()
                .append(*name, HeaderValue::from_static(value));
        }
        request.into_parts().0
    }

    fn route() -> RouteMatch {
        RouteMatch {
            component: "web".to_owned(),
            raw: "/foo/:user_id/...".to_owned(),
            based: "/foo/:user_id/...".to_owned(),
            path_info: "/bar".to_owned(),
            parameters: vec![("user_id".to_owned(), "42".to_owned())],
        }
    }

    #[test]
    fn spin_headers_come_after_what_the_client_sent() -> anyhow::Result<()> {
        let mut parts = parts(
            "/foo/42/bar?x=1",
            &[("host", "a.test:80"), ("spin-client-addr", "1.2.3.4:5")],
        );
        make_absolute(&mut parts, Scheme::HTTP)?;
        append_spin_headers(&mut parts, &route(), "127.0.0.1:9".parse()?)?;
        let seen: Vec<String> = parts
            .headers
            .iter()
            .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap_or_default()))
            .collect();
        assert_eq!(
            seen,
            [
                "host: a.test:80",
                "spin-client-addr: 1.2.3.4:5",
                "spin-client-addr: 127.0.0.1:9",
                "spin-path-info: /bar",
                "spin-full-url: http://a.test:80/foo/42/bar?x=1",
                "spin-matched-route: /foo/:user_id/...",
                "spin-base-path: /",
                "spin-raw-component-route: /foo/:user_id/...",
                "spin-component-route: /foo/:user_id",
                "spin-path-match-user-id: 42",
            ]
        );
        Ok(())
    }

    #[test]
    fn strips_connection_and_an_internal_host() {
        for (host, kept) in [
            ("web.spin.internal", false),
            ("web.spin.internal:80", false),
            ("a.b.spin.internal", true),
            ("a.test", true),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(HOST, HeaderValue::from_static(host));
            headers.insert(CONNECTION, HeaderValue::from_static("close"));
            strip_forbidden(&mut headers);
            assert_eq!(headers.contains_key(HOST), kept, "{host}");
            assert!(!headers.contains_key(CONNECTION));
        }
    }

    #[test]
    fn the_authority_must_be_unambiguous() {
        for (target, headers, valid) in [
            ("/x", &[("host", "a.test")] as &[_], true),
            ("http://a.test/x", &[], true),
            ("http://a.test/x", &[("host", "a.test")], true),
            ("http://a.test/x", &[("host", "b.test")], false),
            ("/x", &[], false),
            ("/x", &[("host", "a b")], false),
        ] {
            let made = make_absolute(&mut parts(target, headers), Scheme::HTTP);
            assert_eq!(made.is_ok(), valid, "{target} {headers:?}");
        }
    }
}
