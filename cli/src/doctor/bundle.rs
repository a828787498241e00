//! What support needs, in one file, with the secrets taken out (S-27): those that the command knows
//! wherever they stand, and whatever else has the form of a credential or stands under the name of one.

use std::path::Path;

use scaigate_health::SETTINGS;
use serde_json::{Map, Value, json};

use super::clean::clean;
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
