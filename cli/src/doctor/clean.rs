//! Taking out what is a credential by its name or by its form: a server's words may hold one that this
//! command has never seen.

use serde_json::Value;

/// What the name of a secret's member holds.
const NAMES: [&str; 7] = [
    "secret",
    "token",
    "password",
    "api_key",
    "cookie",
    "authorization",
    "verifier",
];
/// How credentials begin, whoever made them; a letter or digit follows.
const FORMS: [&str; 4] = ["eyJ", "sgk_", "whsec_", "sk_"];
/// What stands before a credential in a header.
const SCHEMES: [&str; 2] = ["Bearer", "Basic"];
/// A run of base64 or hexadecimal as long as this is no word.
const LONGEST_WORD: usize = 40;
const REMOVED: &str = "[removed]";

/// Takes the credentials out of `value`.
pub fn clean(value: &mut Value) {
    match value {
        Value::String(text) => *text = clean_text(text),
        Value::Array(items) => items.iter_mut().for_each(clean),
        Value::Object(members) => {
            for (name, member) in members {
                let name = name.to_ascii_lowercase();
                let is_named = NAMES.iter().any(|secret| name.contains(secret));
                // Numbers and truths under such a name are counts and states.
                if is_named && member.is_string() {
                    *member = REMOVED.into();
                } else {
                    clean(member);
                }
            }
        }
        _ => {}
    }
}

/// The text with every word taken out that is a credential.
pub fn clean_text(text: &str) -> String {
    let mut cleaned = String::with_capacity(text.len());
    let mut before = "";
    for piece in text.split_inclusive(char::is_whitespace) {
        let word = piece.trim_end();
        // `<access_token>` in a fix is none.
        let follows = SCHEMES.contains(&before.trim_start_matches(['`', '"', '(']));
        if looks_secret(word) || follows && !word.starts_with('<') {
            cleaned.push_str(REMOVED);
            cleaned.push_str(piece.get(word.len()..).unwrap_or_default());
        } else {
            cleaned.push_str(piece);
        }
        before = word;
    }
    cleaned
}

fn looks_secret(word: &str) -> bool {
    let is_inner = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '=' | '_' | '-');
    let has_form = |form: &str| {
        let after = word.split_once(form).map(|(_, rest)| rest);
        after.is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_alphanumeric()))
    };
    FORMS.into_iter().any(has_form)
        || word
            .split(|c| !is_inner(c))
            .any(|run| run.len() >= LONGEST_WORD)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn s_27_what_has_the_form_or_the_name_of_a_credential_is_taken_out() {
        let kept = json!({
            "fix": "Set SCAIFLOW_SCAIKEY_CLIENT_SECRET with POST /v1/tenants/me/scaigrid_credentials.",
            "how": "Send `Authorization: Bearer <access_token>` with a key (sgk_…) of yours.",
            "refresh_token_count": 3, "request_id": "req_01JD8Z2Y3X4W5V6T7S8R9QPNMK",
            "url": "https://gate.example/api/v1/webhooks/scaikey",
        });
        let mut value = kept.clone();
        clean(&mut value);
        assert_eq!(value, kept);
        let mut value = json!({
            "token": "short", "nested": [{ "client_secret": "x", "count": 3 }],
            "said": "it was eyJhbGciOi indeed", "key": "sgk_live_1", "header": "Bearer abc",
            "hex": "0123456789abcdef0123456789abcdef0123456789abcdef",
        });
        clean(&mut value);
        assert_eq!(
            value,
            json!({
                "token": REMOVED, "nested": [{ "client_secret": REMOVED, "count": 3 }],
                "said": "it was [removed] indeed", "key": REMOVED, "header": "Bearer [removed]",
                "hex": REMOVED,
            })
        );
    }
}
