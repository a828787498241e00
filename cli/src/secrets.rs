//! The secrets of this run. Whatever is printed passes here, so that one that a server sends back,
//! or that slips into a message, is not shown.

use std::sync::{Mutex, PoisonError};

use scaigate_types::Secret;

/// Shorter ones would blot out half of what is printed, and are no secrets.
const SHORTEST: usize = 8;
const REMOVED: &str = "[removed]";

static KNOWN: Mutex<Vec<Secret<String>>> = Mutex::new(Vec::new());

/// Notes a secret, and wraps it.
pub fn keep(text: &str) -> Secret<String> {
    let secret = Secret::new(text.to_owned());
    if text.len() >= SHORTEST {
        let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
        known.push(secret.clone());
        // As JSON writes it.
        let escaped = serde_json::Value::from(text).to_string();
        let escaped = escaped.trim_matches('"');
        if escaped != text {
            known.push(Secret::new(escaped.to_owned()));
        }
        // The longest first: one may be part of another.
        known.sort_by_key(|secret| std::cmp::Reverse(secret.expose().len()));
    }
    secret
}

/// The text without any of them.
pub fn redact(text: &str) -> String {
    let known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    known.iter().fold(text.to_owned(), |text, secret| {
        text.replace(secret.expose().as_str(), REMOVED)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_removed_wherever_it_is_printed() {
        keep("canary-secret-1");
        keep("canary-secret-1-and-more");
        keep("quo\"ted-secret-2");
        keep("short");
        for (text, shown) in [
            ("a canary-secret-1 b", "a [removed] b"),
            (
                "canary-secret-1-and-more, canary-secret-1",
                "[removed], [removed]",
            ),
            (r#"{"x":"quo\"ted-secret-2"}"#, r#"{"x":"[removed]"}"#),
            ("short", "short"),
            ("nothing", "nothing"),
        ] {
            assert_eq!(redact(text), shown);
        }
    }
}
