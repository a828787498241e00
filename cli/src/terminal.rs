//! Text of others, made safe to print: a terminal obeys control characters, and a reader is misled by
//! characters that turn the writing around.

use serde_json::Value;

/// What stands in the place of a character that is not printed.
const REPLACEMENT: char = '\u{fffd}';

/// Whether a terminal or a reader may take the character for something else than a letter.
fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}' | '\u{2029}'
            | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// One line: everything unsafe replaced, line ends too.
pub fn line(text: &str) -> String {
    let shown = |c: char| if is_unsafe(c) { REPLACEMENT } else { c };
    text.chars().map(shown).collect()
}

/// One line of at most `max` characters.
pub fn short(text: &str, max: usize) -> String {
    let mut line = line(text.trim());
    if let Some((end, _)) = line.char_indices().nth(max) {
        line.truncate(end);
        line.push('…');
    }
    line
}

/// JSON on one line. What is unsafe can only be within a string, and is escaped there.
pub fn json(value: &Value) -> String {
    let mut text = String::new();
    let mut units = [0; 2];
    for c in value.to_string().chars() {
        if is_unsafe(c) {
            for unit in c.encode_utf16(&mut units) {
                text.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            text.push(c);
        }
    }
    text
}

#[cfg(test)]
#[expect(
    clippy::unwrap_used,
    reason = "a test that meets the unexpected should stop there"
)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn what_a_terminal_obeys_is_replaced() {
        for (text, shown) in [
            ("Zoë Zimmermann", "Zoë Zimmermann"),
            ("a\u{1b}[31mred", "a\u{fffd}[31mred"),
            ("a\u{9b}31m", "a\u{fffd}31m"),
            ("one\r\ntwo\tthree", "one\u{fffd}\u{fffd}two\u{fffd}three"),
            ("\u{202e}gnp.exe", "\u{fffd}gnp.exe"),
        ] {
            assert_eq!(line(text), shown);
        }
        assert_eq!(short(" abcdef ", 3), "abc…");
        assert_eq!(short("abc", 3), "abc");
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn json_is_the_same_value_without_anything_unsafe(text in any::<String>()) {
            let value = json!({ "x": [text] });
            let shown = super::json(&value);
            prop_assert!(!shown.chars().any(is_unsafe));
            prop_assert_eq!(serde_json::from_str::<Value>(&shown).unwrap(), value);
        }
    }
}
