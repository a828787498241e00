//! What support needs, in one file, with the secrets taken out (S-27).
//!
//! Two nets: the secrets that the command knows are removed wherever they stand, and so is whatever has
//! the form of a credential, or stands under the name of one.

use std::path::Path;

use scaigate_health::SETTINGS;
use serde_json::{Map, Value, json};

use crate::arguments::Doctor;
use crate::environment;
use crate::failure::Failure;
use crate::settings::Settings;
use crate::{private_file, secrets, terminal};

/// Settings that hold secrets, or lists of them.
const SECRET: [&str; 8] = [
    "SCAIFLOW_SCAIKEY_CLIENT_SECRET",
    "SCAIFLOW_SCAIKEY_WEBHOOK_SECRET",
    "SCAIFLOW_API_TOKEN",
    "SCAIGRID_API_KEY",
    "CREDENTIALS_KEY",
    "SESSION_SECRET",
    "SCAIGATE_TOKEN",
    "SCAIKEY_ADMIN_TOKEN",
];
/// What the name of a secret's member holds.
const NAMES: [&str; 7] = [
    "secret", "token", "password", "api_key", "cookie", "authorization", "verifier",
];
/// How credentials begin, whoever made them.
const FORMS: [&str; 6] = ["eyJ", "sgk_", "Bearer ", "Basic ", "whsec_", "sk_"];
/// A run of base64 or hexadecimal as long as this is no word.
const LONGEST_WORD: usize = 40;
const REMOVED: &str = "[removed]";

/// Makes every secret of the settings known, so that nothing that is printed or written holds it.
///
/// # Errors
/// `.env` can't be read.
pub fn keep_secrets(settings: &Settings) -> Result<(), Failure> {
    for name in SECRET {
        let value = settings.get(name)?.unwrap_or_default();
        for part in value.split(',').map(str::trim).chain([value.as_str()]) {
            secrets::keep(part);
        }
    }
    Ok(())
}

/// Finds out whether the file can be written.
///
/// # Errors
/// It can't.
pub fn check_writable(path: &Path) -> Result<(), Failure> {
    private_file::check_writable(path)
}

/// Writes the file, readable by its owner alone.
///
/// # Errors
/// It can't be written, or a setting can't be read.
pub fn write(
    path: &Path,
    command: &Doctor,
    settings: &Settings,
    report: &Value,
    audit: Option<Value>,
) -> Result<(), Failure> {
    let mut set = Map::new();
    // Whether there is one is all that is told of a secret.
    for name in SECRET {
        set.insert(name.to_owned(), state(settings.get(name)?.as_ref()));
    }
    for name in SETTINGS.map(str::to_uppercase) {
        if !SECRET.contains(&name.as_str()) {
            let value = settings.get(&name)?;
            set.insert(name, value.map_or(Value::Null, Value::from));
        }
    }
    let mut report = report.clone();
    clean(&mut report);
    let mut audit = audit.unwrap_or(Value::Null);
    clean(&mut audit);
    let bundle = json!({
        "made_at": environment::now().rfc3339(),
        "command": env!("CARGO_PKG_VERSION"),
        "request_id": command.request_id,
        "since": command.since,
        "until": command.until,
        "settings": set,
        "report": report,
        "audit": audit,
    });
    let text = format!("{}\n", terminal::json(&bundle));
    private_file::replace(path, &secrets::redact(&text))
}

fn state(value: Option<&String>) -> Value {
    if value.is_some() { "set" } else { "unset" }.into()
}

/// Takes out of `value` what is a credential by its name or by its form.
fn clean(value: &mut Value) {
    match value {
        Value::String(text) if looks_secret(text) => REMOVED.clone_into(text),
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

fn looks_secret(text: &str) -> bool {
    let is_inner = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '=' | '_' | '-');
    FORMS.iter().any(|form| text.contains(form))
        || text
            .split(|c| !is_inner(c))
            .any(|word| word.len() >= LONGEST_WORD)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s_27_what_has_the_form_or_the_name_of_a_credential_is_taken_out() {
        let mut value = json!({
            "fix": "Set SCAIFLOW_SCAIKEY_CLIENT_SECRET with POST /v1/tenants/me/scaigrid_credentials.",
            "token": "short", "nested": [{ "client_secret": "x", "count": 3 }],
            "said": "it was eyJhbGciOi", "key": "sgk_live_1", "header": "Bearer abc",
            "hex": "0123456789abcdef0123456789abcdef0123456789abcdef",
            "refresh_token_count": 3, "request_id": "req_01JD8Z2Y3X4W5V6T7S8R9QPNMK",
        });
        clean(&mut value);
        assert_eq!(
            value,
            json!({
                "fix": "Set SCAIFLOW_SCAIKEY_CLIENT_SECRET with POST /v1/tenants/me/scaigrid_credentials.",
                "token": REMOVED, "nested": [{ "client_secret": REMOVED, "count": 3 }],
                "said": REMOVED, "key": REMOVED, "header": REMOVED, "hex": REMOVED,
                "refresh_token_count": 3, "request_id": "req_01JD8Z2Y3X4W5V6T7S8R9QPNMK",
            })
        );
    }
}
