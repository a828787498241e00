//! Cookies in and out.

use http::{HeaderMap, header};

/// Most bytes of `Cookie` headers looked at; a browser sends less.
const MAX_BYTES: usize = 16_384;

/// The value of the cookie `name`. `None` when it is missing, or there twice: then somebody else
/// (a sibling host) may have planted one.
#[must_use]
pub fn find<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut found = None;
    let mut bytes = 0;
    for value in headers.get_all(header::COOKIE) {
        bytes += value.len();
        if bytes > MAX_BYTES {
            return None;
        }
        for pair in value.to_str().ok()?.split(';') {
            let Some((key, value)) = pair.trim().split_once('=') else {
                continue;
            };
            if key == name {
                if found.is_some() {
                    return None;
                }
                found = Some(value);
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_is_found_once_or_not_at_all() {
        for (headers, want) in [
            (vec!["a=1; b=2"], Some("2")),
            (vec!["a=1", "b=2"], Some("2")),
            (vec!["b=1; b=2"], None),
            (vec!["b=1", "b=1"], None),
            (vec!["xb=1; b"], None),
            (vec!["b="], Some("")),
            (vec![], None),
        ] {
            let mut map = HeaderMap::new();
            for value in &headers {
                map.append("cookie", value.parse().unwrap());
            }
            assert_eq!(find(&map, "b"), want, "{headers:?}");
        }
    }
}
