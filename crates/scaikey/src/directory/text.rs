//! Texts of a row: what is only shown, and what is compared.

use std::borrow::Cow;

use super::field::Field;

/// Longest e-mail address, in bytes: 64 before the `@`, 255 after (RFC 5321 §4.5.3.1).
const MAX_EMAIL: usize = 320;
/// Longest name, in characters.
const MAX_NAME: usize = 256;

/// An address as it is, or none: part of one would be somebody else's.
pub(super) fn email(field: Field<'_>) -> Option<String> {
    let email = field.text()?;
    let (local, domain) = email.split_once('@')?;
    let usable = email.len() <= MAX_EMAIL
        && !local.is_empty()
        && !domain.is_empty()
        && !domain.contains('@')
        && email.chars().all(|c| is_plain(c) && !c.is_whitespace());
    usable.then(|| email.into_owned())
}

/// A text that is compared with others (a group's name can make a super admin, a slug is part of a
/// path): as it is, or none. Taking characters out could make it another one's.
pub(super) fn exact(field: Field<'_>) -> Option<String> {
    let text = field.text()?;
    let usable = has_content(&text) && fits(&text) && text.chars().all(is_plain);
    usable.then(|| text.into_owned())
}

/// A text for people to read: without what would disturb a page or a terminal, and cut where it is
/// too long.
pub(super) fn shown(field: Field<'_>) -> Option<String> {
    let text = field.text()?;
    let is_tidy = |text: &str| {
        text.len() <= MAX_NAME && text.bytes().all(|byte| (b' '..=b'~').contains(&byte))
    };
    let text = if is_tidy(&text) {
        text
    } else {
        let kept = text.trim_start().chars().filter(|c| is_plain(*c));
        Cow::Owned(kept.take(MAX_NAME).collect())
    };
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

/// A full name of its two halves, or of the one there is.
pub(super) fn joined(first: Option<String>, last: Option<String>) -> Option<String> {
    match (first, last) {
        (Some(first), Some(last)) => {
            let both = Field::Text(Cow::Owned(format!("{first} {last}")));
            shown(both)
        }
        (first, last) => first.or(last),
    }
}

fn has_content(text: &str) -> bool {
    !text.trim().is_empty()
}

fn fits(text: &str) -> bool {
    text.len() <= MAX_NAME || text.chars().nth(MAX_NAME).is_none()
}

/// Neither a control character nor one of Unicode's that change how a line is ordered or broken: a
/// text with them reads as another one.
fn is_plain(c: char) -> bool {
    let disturbs = matches!(
        c,
        '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
    );
    !disturbs && !c.is_control()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(text: &str) -> Field<'_> {
        Field::Text(Cow::Borrowed(text))
    }

    #[test]
    fn an_address_is_kept_whole_or_not_at_all() {
        let at_limit = format!("{}@b", "a".repeat(MAX_EMAIL - 2));
        let over = format!("{}@b", "a".repeat(MAX_EMAIL - 1));
        let table = [
            ("a@b.example", true),
            ("ä@b.example", true),
            (at_limit.as_str(), true),
            (over.as_str(), false),
            ("a@b.example ", false),
            ("a@b\n.example", false),
            ("a@\u{202e}b.example", false),
            ("a@b@c", false),
            ("@b", false),
            ("a@", false),
            ("nobody", false),
            ("", false),
        ];
        for (text, is_kept) in table {
            let expected = is_kept.then(|| text.to_owned());
            assert_eq!(email(field(text)), expected, "{text:?}");
        }
        assert_eq!(email(Field::Other), None);
    }

    #[test]
    fn a_text_that_is_compared_is_never_repaired() {
        let at_limit = "é".repeat(MAX_NAME);
        let over = "é".repeat(MAX_NAME + 1);
        let table = [
            ("Super Admins", true),
            (" admins ", true),
            (at_limit.as_str(), true),
            (over.as_str(), false),
            ("ad\u{200e}mins", false),
            ("ad\u{0}mins", false),
            ("admins\n", false),
            ("  ", false),
            ("", false),
        ];
        for (text, is_kept) in table {
            let expected = is_kept.then(|| text.to_owned());
            assert_eq!(exact(field(text)), expected, "{text:?}");
        }
        assert_eq!(exact(Field::Absent), None);
    }

    #[test]
    fn a_shown_text_is_tidied_and_cut() {
        let long = "é".repeat(MAX_NAME + 50);
        let cut = "é".repeat(MAX_NAME);
        let ascii = "x".repeat(100_000);
        let cut_ascii = "x".repeat(MAX_NAME);
        let table = [
            ("Ada Lovelace", Some("Ada Lovelace")),
            ("  Ada ", Some("Ada")),
            ("Ada\u{1b}[31m\u{202e}", Some("Ada[31m")),
            ("日本", Some("日本")),
            ("A\tB", Some("AB")),
            (long.as_str(), Some(cut.as_str())),
            (ascii.as_str(), Some(cut_ascii.as_str())),
            ("\u{202e}\n", None),
            ("   ", None),
            ("", None),
        ];
        for (text, expected) in table {
            assert_eq!(shown(field(text)).as_deref(), expected, "{text:?}");
        }
    }

    #[test]
    fn a_full_name_is_made_of_what_there_is() {
        let text = |text: &str| Some(text.to_owned());
        assert_eq!(joined(text("Ada"), text("Lovelace")), text("Ada Lovelace"));
        assert_eq!(joined(text("Ada"), None), text("Ada"));
        assert_eq!(joined(None, text("Lovelace")), text("Lovelace"));
        assert_eq!(joined(None, None), None);
        let long = joined(text(&"a".repeat(MAX_NAME)), text("b"));
        assert_eq!(long, text(&"a".repeat(MAX_NAME)));
    }
}
