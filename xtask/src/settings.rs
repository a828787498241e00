//! The application's variables: for the emulator, or from `.env` and the
//! environment under the documented upper-case names.

use std::collections::BTreeMap;
use std::fs;
use std::io::{ErrorKind, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::manifest::Manifest;

/// Values by lower-case variable name.
pub type Settings = BTreeMap<String, String>;

/// Keys that are ours to make, of 32 bytes, each kept in a file of its name.
const GENERATED: [&str; 3] = ["session_secret", "credentials_key", "console_secret"];

/// The client the emulator is seeded with.
pub const CLIENT_ID: &str = "scaigate-dev-client";
/// Its secret: no secret at all, as it is printed here.
pub const CLIENT_SECRET: &str = "scaigate-dev-secret";

/// The secret of webhooks between the emulator and us: no secret either.
pub const WEBHOOK_SECRET: &str = "scaigate-dev-webhook-secret";

/// The settings of a sign-in at the emulator.
pub fn for_emulator(own: &str, emulator: &str) -> Settings {
    [
        ("scaikey_base_url", emulator),
        ("scaiflow_scaikey_client_id", CLIENT_ID),
        ("scaiflow_scaikey_client_secret", CLIENT_SECRET),
        ("public_url", own),
        ("app_url", &format!("{own}/")),
        ("env", "dev"),
        ("scaiflow_scaikey_webhook_secret", WEBHOOK_SECRET),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into()
}

/// Adds the settings of calls of a ScaiGrid emulator: all that the configuration can allow.
pub fn add_grid(settings: &mut Settings, grid: &str) {
    settings.insert("scaigrid_base_url".to_owned(), grid.to_owned());
    let calls = "inference,core_invoke,checkpoint_resolve";
    settings.insert("scaigrid_allowed_posts".to_owned(), calls.to_owned());
}

/// The settings of a deployment, from `.env` in the folder and the environment,
/// which wins. Names compare without case; ones the application doesn't declare
/// are left alone. `public_url` falls back to where we serve.
///
/// # Errors
/// `.env` can't be read or parsed, or required variables are missing: all of
/// them are named at once.
pub fn from_environment(root: &Path, manifest: &Manifest, own: &str) -> Result<Settings> {
    let path = root.join(".env");
    let file = match fs::read_to_string(&path) {
        Ok(text) => parse_dotenv(&text).with_context(|| path.display().to_string())?,
        Err(error) if error.kind() == ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(error).with_context(|| path.display().to_string()),
    };
    let environment = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    let mut settings = select(manifest, file.into_iter().chain(environment));
    if manifest.declares("public_url") {
        settings
            .entry("public_url".to_owned())
            .or_insert_with(|| own.to_owned());
    }
    let missing: Vec<String> = manifest
        .variables
        .iter()
        .filter(|variable| variable.required && !settings.contains_key(&variable.name))
        .filter(|variable| !GENERATED.contains(&variable.name.as_str()))
        .map(|variable| variable.name.to_uppercase())
        .collect();
    if !missing.is_empty() {
        bail!(
            "missing settings: {}; put them into .env or the environment",
            missing.join(", ")
        );
    }
    Ok(settings)
}

/// Adds the keys that are ours to make, and that nobody set: from the state
/// folder, where the first start leaves them.
///
/// # Errors
/// The folder can't be read or written.
pub fn add_generated(settings: &mut Settings, manifest: &Manifest, state: &Path) -> Result<()> {
    for name in GENERATED {
        if manifest.declares(name) && !settings.contains_key(name) {
            settings.insert(name.to_owned(), kept_secret(state, name)?);
        }
    }
    Ok(())
}

/// The variables the application declares; a later value wins over an earlier one.
fn select(manifest: &Manifest, values: impl Iterator<Item = (String, String)>) -> Settings {
    values
        .map(|(name, value)| (name.to_lowercase(), value))
        .filter(|(name, _)| manifest.declares(name))
        .collect()
}

fn kept_secret(state: &Path, name: &str) -> Result<String> {
    let path = state.join(name);
    match fs::read_to_string(&path) {
        Ok(text) => return Ok(text.trim().to_owned()),
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(error).with_context(|| path.display().to_string()),
    }
    let mut key = [0; 32];
    fs::File::open("/dev/urandom")?.read_exact(&mut key)?;
    let text = STANDARD.encode(key);
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(state)?;
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&path)
        .with_context(|| path.display().to_string())?;
    writeln!(file, "{text}")?;
    Ok(text)
}

/// `NAME=value` lines, optionally after `export`; values bare (a ` #` begins a
/// comment), or in single or double quotes. No expansion.
fn parse_dotenv(text: &str) -> Result<Vec<(String, String)>> {
    let mut values = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let pair = line.strip_prefix("export ").unwrap_or(line);
        let parsed = pair.split_once('=').and_then(|(name, value)| {
            let name = name.trim();
            let plain = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
            (!name.is_empty() && name.chars().all(plain))
                .then(|| Some((name.to_owned(), parse_value(value.trim())?)))?
        });
        // The line may hold a credential: it is named, not shown.
        let Some(value) = parsed else {
            bail!("line {} isn't NAME=value", index + 1)
        };
        values.push(value);
    }
    Ok(values)
}

fn parse_value(text: &str) -> Option<String> {
    for quote in ['"', '\''] {
        if let Some(rest) = text.strip_prefix(quote) {
            let (value, after) = rest.split_once(quote)?;
            let after = after.trim();
            return (after.is_empty() || after.starts_with('#')).then(|| value.to_owned());
        }
    }
    if text.starts_with('#') {
        return Some(String::new());
    }
    let end = text.find(" #").unwrap_or(text.len());
    Some(text.get(..end)?.trim_end().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::Variable;

    fn manifest(names: &[&str]) -> Manifest {
        let variables = names
            .iter()
            .map(|name| Variable {
                name: (*name).to_owned(),
                required: true,
                secret: false,
            })
            .collect();
        Manifest {
            components: Vec::new(),
            variables,
        }
    }

    #[test]
    fn reads_dotenv_lines() -> Result<()> {
        for (line, value) in [
            ("A=b", "b"),
            ("export A = b ", "b"),
            ("A=\"b # c\" # d", "b # c"),
            ("A='b'", "b"),
            ("A=b#c # d", "b#c"),
            ("A=", ""),
            ("A= # nothing", ""),
            ("A=b=c==", "b=c=="),
        ] {
            assert_eq!(
                parse_dotenv(line)?,
                [("A".to_owned(), value.to_owned())],
                "{line}"
            );
        }
        assert_eq!(parse_dotenv("# A=b\n\n")?, []);
        Ok(())
    }

    #[test]
    fn refuses_bad_dotenv_lines_without_showing_them() {
        for line in ["A", "=secret", "A B=secret", "A=\"secret", "A=\"sec\"ret"] {
            let error = parse_dotenv(line).map_err(|error| error.to_string());
            assert_eq!(error, Err("line 1 isn't NAME=value".to_owned()), "{line}");
        }
    }

    #[test]
    fn takes_declared_names_of_any_case_and_the_last_value() {
        let pairs = [("PUBLIC_URL", "a"), ("HOME", "/"), ("public_url", "b")];
        let pairs = pairs.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let settings = select(&manifest(&["public_url"]), pairs.into_iter());
        assert_eq!(
            settings,
            Settings::from([("public_url".to_owned(), "b".to_owned())])
        );
    }

    #[test]
    fn names_all_missing_settings_at_once() {
        let names = ["xtask_test_one", "xtask_test_two", "session_secret"];
        let error = from_environment(Path::new("/nonexistent"), &manifest(&names), "http://h");
        assert_eq!(
            error.map_err(|error| error.to_string()),
            Err("missing settings: XTASK_TEST_ONE, XTASK_TEST_TWO; put them into .env or the environment".to_owned())
        );
    }
}
