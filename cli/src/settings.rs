//! Settings: a flag, else the environment, else `.env`, under the documented upper-case names.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use scaigate_types::{BaseUrl, Secret};

use crate::dotenv;
use crate::failure::Failure;
use crate::{environment, private_file, secrets};

/// Longest credential, in bytes.
const MAX_SECRET: usize = 16 * 1024;
/// Where scaigate serves when nobody says otherwise.
const LOCAL: &str = "http://127.0.0.1:3000";

/// Where settings come from.
#[derive(Debug)]
pub struct Settings {
    environment: BTreeMap<String, String>,
    /// `.env`.
    pub env_file: PathBuf,
    /// Whether `http` is taken for hosts that are not this machine.
    insecure_http: bool,
}

impl Settings {
    /// The settings of this run.
    pub fn new(env_file: PathBuf, insecure_http: bool) -> Self {
        Self {
            environment: environment::variables(),
            env_file,
            insecure_http,
        }
    }

    /// A setting; `None` when it is unset or blank.
    ///
    /// # Errors
    /// The environment does not have it, and `.env` can't be read.
    pub fn get(&self, name: &str) -> Result<Option<String>, Failure> {
        let value = match self.environment.get(name) {
            Some(value) => Some(value.clone()),
            None => values(&self.env_file)?.remove(name),
        };
        Ok(value
            .map(|value| value.trim().to_owned())
            .filter(|value| !value.is_empty()))
    }

    /// What the environment says, whatever `.env` does.
    pub fn in_environment(&self, name: &str) -> Option<&str> {
        self.environment.get(name).map(String::as_str)
    }

    /// A credential: the flag, else the setting.
    ///
    /// # Errors
    /// As [`Settings::get`], or it has characters that no credential has.
    pub fn secret(
        &self,
        flag: Option<&Secret<String>>,
        name: &str,
    ) -> Result<Option<Secret<String>>, Failure> {
        let text = match flag {
            Some(flag) => Some(flag.expose().clone()),
            None => self.get(name)?,
        };
        let Some(text) = text else { return Ok(None) };
        let kept = secrets::keep(&text);
        if text.is_empty()
            || text.len() > MAX_SECRET
            || !text.bytes().all(|byte| byte.is_ascii_graphic())
        {
            return Err(Failure::usage(format!(
                "{name} is not a credential: it has to be printable ASCII without spaces."
            )));
        }
        Ok(Some(kept))
    }

    /// Where scaigate is.
    ///
    /// # Errors
    /// It is no address that credentials may be sent to.
    pub fn scaigate(&self, flag: Option<&str>) -> Result<BaseUrl, Failure> {
        let text = match flag {
            Some(flag) => flag.to_owned(),
            None => self.get("PUBLIC_URL")?.unwrap_or_else(|| LOCAL.to_owned()),
        };
        self.address(&text, "--url or PUBLIC_URL")
    }

    /// An address that credentials may be sent to; `name` is what it was given as.
    ///
    /// # Errors
    /// It is no such address.
    pub fn address(&self, text: &str, name: &str) -> Result<BaseUrl, Failure> {
        BaseUrl::parse(text, self.insecure_http).map_err(|error| {
            let failure = Failure::usage(format!("{name} is not usable: {error}."));
            match error {
                scaigate_types::origin::UrlError::Insecure => failure.with_fix(
                    "Use https. If the network between here and there is yours alone, type --insecure-http.",
                ),
                _ => failure.with_fix("Give an address like https://id.example, without path parameters."),
            }
        })
    }
}

/// The assignments of a `.env` file, names in upper case.
///
/// # Errors
/// It can't be read, or a line is no assignment.
pub fn values(env_file: &Path) -> Result<BTreeMap<String, String>, Failure> {
    let text = private_file::read(env_file)?.unwrap_or_default();
    let values = dotenv::read(&text).map_err(|line| bad_line(env_file, line))?;
    let upper = |(name, value): (String, String)| (name.to_uppercase(), value);
    Ok(values.into_iter().map(upper).collect())
}

/// A line of `.env` is no assignment.
fn bad_line(env_file: &Path, dotenv::BadLine(line): dotenv::BadLine) -> Failure {
    let place = env_file.display();
    Failure::usage(format!("{place}: line {line} isn't NAME=value."))
        .with_fix("Correct the line, or name another file with --env-file.")
}
