//! Foreign text, bounded.

use crate::credential_name;

/// `text` for showing: at most `max` characters (a longer one ends in `…`), with a space for each
/// control character. Still foreign: escape it where it is shown.
pub(crate) fn display(text: &str, max: usize) -> String {
    let shown = |c: char| if c.is_control() { ' ' } else { c };
    let mut characters = text.trim().chars().map(shown);
    let mut short: String = characters.by_ref().take(max).collect();
    if characters.next().is_some() {
        short.pop();
        short.push('…');
    }
    short
}

/// Whether `text` can be a name in a path, a header or a log: 1 to `max` printable ASCII characters.
pub(crate) fn is_name(text: &str, max: usize) -> bool {
    (1..=max).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// Whether `text` can be an id of a request: `A-Z a-z 0-9 . _ : -`, at most 64 characters, and not
/// what an API key begins with.
pub(crate) fn is_id(text: &str) -> bool {
    let allowed =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b':' | b'-');
    is_name(text, 64) && text.bytes().all(allowed) && !credential_name::is_key(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_cut_at_characters_and_shown_without_controls() {
        for (text, max, expected) in [
            ("Support", 16, "Support"),
            ("  a\r\nb\u{0}c\u{85} ", 16, "a  b c"),
            ("äöüß", 4, "äöüß"),
            ("äöüßx", 4, "äöü…"),
            ("", 4, ""),
        ] {
            assert_eq!(display(text, max), expected, "{text:?}");
        }
    }

    #[test]
    fn names_are_bounded_and_printable() {
        assert!(is_name("sc_1", 4) && is_name("python-3.12", 64));
        for bad in ["", "sc_12", "a b", "a\n", "ä"] {
            assert!(!is_name(bad, 4), "{bad:?}");
        }
    }

    #[test]
    fn n_055_ids_of_requests_are_no_credentials() {
        for id in ["req_01J", "0af7651916cd43dd8448eb211c80319c", "a:b.c-d"] {
            assert!(is_id(id), "{id}");
        }
        let key = format!("sgk_{}", "a".repeat(32));
        let long = "a".repeat(65);
        for bad in ["", "a b", "a/b", "req_\u{e9}", &key, &long] {
            assert!(!is_id(bad), "{bad}");
        }
    }
}
