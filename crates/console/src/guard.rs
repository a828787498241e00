//! Whose requests they are: the page's own, or somebody else's.

use http::HeaderMap;
use scaigate_problem::{Code, Problem};
use scaigate_types::BaseUrl;

/// What the page's script adds to each of its calls. A page of another origin can't: a browser asks
/// first, and no answer of ours allows it.
pub const HEADER: &str = "x-scaigate-console";

const FIX: &str = "Open the console at `/` of `public_url`. A program calls /v1 with a bearer token instead of the console's cookie.";

fn refused(reason: &str) -> Problem {
    Problem::new(Code::OriginNotAllowed)
        .with("reason", reason)
        .with_fix(FIX)
}

/// The one value of the header `name`: `Some(None)` when there are several, or it is no text.
fn single<'a>(headers: &'a HeaderMap, name: &str) -> Option<Option<&'a str>> {
    let mut values = headers.get_all(name).iter();
    let first = values.next()?;
    let is_alone = values.next().is_none();
    Some(first.to_str().ok().filter(|_| is_alone))
}

/// Requires that the page's own script sends a request: with the page's header, and from where the
/// browser says it comes from, if it says so (N-024). Reads are no exception: their answers are
/// personal, and may renew the cookie.
///
/// # Errors
/// [`Code::OriginNotAllowed`].
pub fn of_own_page(headers: &HeaderMap, own: &BaseUrl) -> Result<(), Problem> {
    if single(headers, HEADER) != Some(Some("1")) {
        return Err(refused("the page's own header is missing"));
    }
    let is_own = |name, wanted: &str| match single(headers, name) {
        None => true,
        Some(value) => value == Some(wanted),
    };
    if !is_own("origin", own.origin().as_str()) {
        return Err(refused("sent by a page of another origin"));
    }
    if !is_own("sec-fetch-site", "same-origin") {
        return Err(refused("the browser says that another page sent it"));
    }
    Ok(())
}

/// Whether a browser says that something else than the console's page, or the person, goes to this
/// address: another site's link, a frame, an image.
#[must_use]
pub fn foreign_navigation(headers: &HeaderMap) -> bool {
    let is_other = |name, allowed: &[&str]| {
        single(headers, name)
            .is_some_and(|value| value.is_none_or(|value| !allowed.contains(&value)))
    };
    is_other("sec-fetch-site", &["same-origin", "none"])
        || is_other("sec-fetch-mode", &["navigate"])
        || is_other("sec-fetch-dest", &["document"])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, http::HeaderValue::from_static(value));
        }
        headers
    }

    #[test]
    fn n_024_only_the_page_itself_may_call() {
        let own = BaseUrl::parse("https://gate.example", false).unwrap();
        let page = (HEADER, "1");
        for (pairs, may) in [
            (vec![], false),
            (vec![page], true),
            (vec![page, page], false),
            (vec![(HEADER, "0")], false),
            (vec![page, ("origin", "https://gate.example")], true),
            (
                vec![page, ("origin", "https://gate.example.evil.example")],
                false,
            ),
            (vec![page, ("origin", "http://gate.example")], false),
            (vec![page, ("origin", "null")], false),
            (
                vec![
                    page,
                    ("origin", "https://gate.example"),
                    ("origin", "https://evil.example"),
                ],
                false,
            ),
            (vec![page, ("sec-fetch-site", "same-origin")], true),
            (vec![page, ("sec-fetch-site", "same-site")], false),
            (vec![page, ("sec-fetch-site", "cross-site")], false),
            (vec![page, ("sec-fetch-site", "none")], false),
            (vec![("sec-fetch-site", "same-origin")], false),
        ] {
            assert_eq!(
                of_own_page(&headers(&pairs), &own).is_ok(),
                may,
                "{pairs:?}"
            );
        }
    }

    #[test]
    fn n_017_nobody_else_starts_a_sign_in() {
        let own = [
            ("sec-fetch-site", "same-origin"),
            ("sec-fetch-mode", "navigate"),
            ("sec-fetch-dest", "document"),
        ];
        for (pairs, foreign) in [
            (vec![], false),
            (own.to_vec(), false),
            (vec![("sec-fetch-site", "none")], false),
            (vec![("sec-fetch-site", "cross-site")], true),
            (vec![("sec-fetch-site", "same-site")], true),
            (vec![("sec-fetch-mode", "no-cors")], true),
            (vec![("sec-fetch-dest", "iframe")], true),
        ] {
            assert_eq!(foreign_navigation(&headers(&pairs)), foreign, "{pairs:?}");
        }
    }
}
