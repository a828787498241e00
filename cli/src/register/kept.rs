//! What has to survive between two runs: the registration that waits, or credentials that are not in
//! `.env` yet. One file beside it, for its owner alone.

use std::path::{Path, PathBuf};

use scaigate_types::Secret;
use serde_json::{Value, json};

use super::credentials::{Credentials, Found, is_token};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::{private_file, secrets};

const NAME: &str = ".scaigate-registration.json";
/// Longest identifier of a registration, in bytes.
const MAX_ID: usize = 128;
/// Longest status token, in bytes.
const MAX_TOKEN: usize = 4096;

/// The file.
pub struct Kept {
    path: PathBuf,
}

/// A registration that waits for approval.
#[derive(Clone, Debug)]
pub struct Registration {
    /// ScaiKey's identifier of it.
    pub request_id: String,
    /// What proves that it is ours.
    pub status_token: Secret<String>,
}

/// What is in the file.
#[derive(Clone, Debug)]
pub enum State {
    /// A registration waits.
    Waiting {
        /// At this ScaiKey.
        scaikey: String,
        /// The registration.
        registration: Registration,
    },
    /// ScaiKey has given credentials.
    Granted {
        /// This ScaiKey.
        scaikey: String,
        /// The credentials.
        credentials: Credentials,
    },
}

impl Registration {
    /// A registration, unless its parts are not what they should be.
    pub fn of(request_id: &str, status_token: &str) -> Option<Self> {
        let status_token = secrets::keep(status_token);
        let is_usable = is_token(request_id, MAX_ID) && is_token(status_token.expose(), MAX_TOKEN);
        is_usable.then(|| Self {
            request_id: request_id.to_owned(),
            status_token,
        })
    }
}

impl State {
    /// The ScaiKey it is about.
    pub fn scaikey(&self) -> &str {
        match self {
            Self::Waiting { scaikey, .. } | Self::Granted { scaikey, .. } => scaikey,
        }
    }

    fn json(&self) -> Value {
        match self {
            Self::Waiting {
                scaikey,
                registration,
            } => json!({
                "v": 1, "scaikey_base_url": scaikey,
                "request_id": registration.request_id,
                "status_token": registration.status_token.expose(),
            }),
            Self::Granted {
                scaikey,
                credentials,
            } => json!({
                "v": 1, "scaikey_base_url": scaikey, "app_id": credentials.app_id,
                "client_id": credentials.client_id.as_str(),
                "client_secret": credentials.client_secret.expose(),
            }),
        }
    }

    fn parse(text: &str) -> Option<Self> {
        let value: Value = serde_json::from_str(text).ok()?;
        if value.get("v") != Some(&1.into()) {
            return None;
        }
        let part = |name: &str| value.get(name).and_then(Value::as_str);
        let scaikey = part("scaikey_base_url")?.to_owned();
        match Credentials::find(&value) {
            Found::All(credentials) => Some(Self::Granted {
                scaikey,
                credentials,
            }),
            Found::None => Some(Self::Waiting {
                scaikey,
                registration: Registration::of(part("request_id")?, part("status_token")?)?,
            }),
            Found::Unusable => None,
        }
    }
}

impl Kept {
    /// The file beside `.env`.
    pub fn beside(env_file: &Path) -> Self {
        Self {
            path: env_file.with_file_name(NAME),
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What is in it; `None` when there is none.
    ///
    /// # Errors
    /// It can't be read, or is not one of ours.
    pub fn read(&self) -> Result<Option<State>, Failure> {
        let Some(text) = private_file::read(&self.path)? else {
            return Ok(None);
        };
        State::parse(&text).map(Some).ok_or_else(|| {
            let place = self.path.display();
            Failure::new(
                Exit::Failed,
                "registration_unreadable",
                format!("{place} is not what this command writes."),
            )
            .with_fix(format!("Remove {place} to begin anew."))
        })
    }

    /// Writes it.
    ///
    /// # Errors
    /// It can't be written.
    pub fn write(&self, state: &State) -> Result<(), Failure> {
        private_file::replace(&self.path, &format!("{}\n", state.json()))
    }

    /// Removes it.
    ///
    /// # Errors
    /// It can't be removed.
    pub fn remove(&self) -> Result<(), Failure> {
        private_file::remove(&self.path)
    }
}

#[cfg(test)]
#[expect(
    clippy::unwrap_used,
    reason = "a test that meets the unexpected should stop there"
)]
mod tests {
    use scaigate_types::ClientId;

    use super::*;

    #[test]
    fn what_is_kept_is_read_back() {
        let waiting = State::Waiting {
            scaikey: "https://k.example".to_owned(),
            registration: Registration::of("req_1", "status-token").unwrap(),
        };
        let read = State::parse(&waiting.json().to_string());
        assert!(
            matches!(read, Some(State::Waiting { scaikey, registration })
            if scaikey == "https://k.example" && registration.request_id == "req_1"
                && registration.status_token.expose() == "status-token")
        );
        let granted = State::Granted {
            scaikey: "https://k.example".to_owned(),
            credentials: Credentials {
                app_id: None,
                client_id: ClientId::parse("c").unwrap(),
                client_secret: Secret::new("client-secret".to_owned()),
            },
        };
        let read = State::parse(&granted.json().to_string());
        assert!(matches!(read, Some(State::Granted { credentials, .. })
            if credentials.client_id.as_str() == "c"
                && credentials.client_secret.expose() == "client-secret"));
    }

    #[test]
    fn what_is_not_ours_is_refused() {
        for text in [
            "",
            "{}",
            "[]",
            r#"{"v":2,"scaikey_base_url":"x","request_id":"a","status_token":"b"}"#,
            r#"{"v":1,"request_id":"a","status_token":"b"}"#,
            r#"{"v":1,"scaikey_base_url":"x","request_id":"a b","status_token":"b"}"#,
            r#"{"v":1,"scaikey_base_url":"x","request_id":"a"}"#,
            r#"{"v":1,"scaikey_base_url":"x","client_id":"a"}"#,
        ] {
            assert!(State::parse(text).is_none(), "{text}");
        }
    }
}
