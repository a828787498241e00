//! The segments of a path, decoded once and for all: what a route is chosen by is what it is given.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

/// Most segments of a path of ours.
const MAX_SEGMENTS: usize = 8;

/// The segments of `path`, decoded; `None` when there are too many, one is empty, no UTF-8, or holds a
/// slash, a control character or nothing but dots.
#[must_use]
pub fn segments(path: &str) -> Option<Vec<Cow<'_, str>>> {
    let segments: Vec<_> = path
        .strip_prefix('/')?
        .split('/')
        .take(MAX_SEGMENTS + 1)
        .map(|segment| percent_decode_str(segment).decode_utf8().ok())
        .collect::<Option<_>>()?;
    let is_name = |segment: &Cow<'_, str>| {
        !segment.is_empty()
            && segment.bytes().any(|byte| byte != b'.')
            && !segment.contains('/')
            && !segment.chars().any(char::is_control)
    };
    (segments.len() <= MAX_SEGMENTS && segments.iter().all(is_name)).then_some(segments)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn n_114_a_path_has_one_reading() {
        for (path, expected) in [
            ("/v1/admin/users", Some(vec!["v1", "admin", "users"])),
            ("/a/usr%5fx/role", Some(vec!["a", "usr_x", "role"])),
            ("/a/%C3%A9", Some(vec!["a", "é"])),
            ("/a/b%2Fc", None),
            ("/a/%2e%2e/b", None),
            ("/a/../b", None),
            ("/a/./b", None),
            ("/a//b", None),
            ("/a/", None),
            ("/", None),
            ("", None),
            ("a", None),
            ("/a/%00", None),
            ("/a/%0a", None),
            ("/a/%ff", None),
            ("/a/%c0%ae", None),
            ("/1/2/3/4/5/6/7/8/9", None),
        ] {
            let read = segments(path);
            let read = read
                .as_ref()
                .map(|all| all.iter().map(AsRef::as_ref).collect::<Vec<&str>>());
            assert_eq!(read, expected, "{path}");
        }
    }
}
