//! `scaigate scaikey-register`: an application at ScaiKey, and its credentials in `.env`
//! (`contract/scaikey.md` 5.2).

mod application;
mod approval;
mod credentials;
mod direct;
mod kept;

use serde_json::{Value, json};

use crate::arguments::Register;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::http_client::HttpClient;
use crate::output::Report;
use crate::scaikey::ScaiKey;
use crate::settings::{self, Settings};
use crate::{dotenv, private_file};

use credentials::Credentials;
use kept::{Kept, State};

/// Longest words of ScaiKey that are shown, in characters.
const LONGEST: usize = 200;

/// One run of the command.
struct Run<'a> {
    command: &'a Register,
    settings: &'a Settings,
    scaikey: ScaiKey<'a>,
    kept: Kept,
}

/// Runs the command.
///
/// # Errors
/// ScaiKey refuses or does not answer, a file can't be written, or the registration still waits.
pub fn run(command: &Register, http: &HttpClient, settings: &Settings) -> Result<Report, Failure> {
    let kept = Kept::beside(&settings.env_file);
    let state = kept.read()?;
    // What was begun goes on where it was begun.
    let began_at = state.as_ref().map(State::scaikey);
    let address = command.scaikey_url.as_deref().or(began_at);
    let run = Run {
        command,
        settings,
        scaikey: ScaiKey::of(http, settings, address)?,
        kept,
    };
    if let Some(began_at) = began_at
        && began_at != run.scaikey.base.as_str()
    {
        return Err(run.is_pending_elsewhere(began_at));
    }
    let waiting = match state {
        // Given once already, and not written yet.
        Some(State::Granted { credentials, .. }) => return run.finish(&credentials, None),
        Some(State::Waiting { registration, .. }) => Some(registration),
        None => None,
    };
    if let Some(app_id) = &command.app_id {
        return run.widen(app_id);
    }
    let looks_only = command.status || command.cancel;
    let token = match looks_only {
        true => None,
        false => settings.secret(command.admin_token.as_ref(), "SCAIKEY_ADMIN_TOKEN")?,
    };
    match (waiting, token) {
        (Some(registration), None) if command.cancel => run.cancel(&registration),
        (Some(registration), None) => run.wait_for(&registration),
        (Some(_), Some(_)) => Err(Failure::new(
            Exit::Refused,
            "registration_pending",
            "A registration waits for approval already.",
        )
        .with_fix("Cancel it first: `scaigate scaikey-register --cancel`.")),
        (None, _) if looks_only => Err(Failure::new(
            Exit::NotFound,
            "no_registration",
            "No registration waits for approval here.",
        )
        .with_fix("Begin one with `scaigate scaikey-register`, in the folder of .env.")),
        (None, Some(token)) => run.create(&token),
        (None, None) => run.submit(),
    }
}

impl Run<'_> {
    fn is_pending_elsewhere(&self, began_at: &str) -> Failure {
        Failure::new(
            Exit::Usage,
            "registration_elsewhere",
            format!("A registration at {began_at} has been begun, and is not finished."),
        )
        .with_fix(format!(
            "Leave --scaikey-url out to go on with it, or cancel it with --cancel, or remove {}.",
            self.kept.path().display()
        ))
    }

    /// Finds out whether what is given once could be kept, before it is asked for.
    fn check_files(&self) -> Result<(), Failure> {
        settings::values(&self.settings.env_file)?;
        private_file::check_writable(&self.settings.env_file)?;
        private_file::check_writable(self.kept.path())
    }

    /// Writes the credentials into `.env`, by way of the kept file: whatever fails here, the next run
    /// ends it.
    fn finish(
        &self,
        credentials: &Credentials,
        request_id: Option<&str>,
    ) -> Result<Report, Failure> {
        let base = self.scaikey.base.as_str();
        self.kept.write(&State::Granted {
            scaikey: base.to_owned(),
            credentials: credentials.clone(),
        })?;
        let path = &self.settings.env_file;
        let values = [
            ("SCAIKEY_BASE_URL", base),
            ("SCAIFLOW_SCAIKEY_CLIENT_ID", credentials.client_id.as_str()),
            (
                "SCAIFLOW_SCAIKEY_CLIENT_SECRET",
                credentials.client_secret.expose().as_str(),
            ),
        ];
        let mut text = private_file::read(path)?.unwrap_or_default();
        for (name, value) in values {
            text = dotenv::set(&text, name, value).map_err(|dotenv::Unwritable| {
                let message = format!("{name} can't be written into a line of .env.");
                Failure::new(Exit::Failed, "value_unwritable", message).with_fix(format!(
                    "Take it from {} and set it in the environment.",
                    self.kept.path().display()
                ))
            })?;
        }
        private_file::replace(path, &text)?;
        self.kept.remove()?;
        Ok(self.registered(credentials, request_id, &values))
    }

    fn registered(
        &self,
        credentials: &Credentials,
        request_id: Option<&str>,
        values: &[(&str, &str)],
    ) -> Report {
        let path = self.settings.env_file.display();
        let written: Vec<_> = values.iter().map(|(name, _)| *name).collect();
        let mut human = format!(
            "Registered as {}. Written into {path}: {}.\n",
            credentials.client_id,
            written.join(", "),
        );
        let is_hidden = |(name, value): &&(&str, &str)| {
            let other = self.settings.in_environment(name);
            other.is_some_and(|other| other != *value)
        };
        let hidden: Vec<_> = values
            .iter()
            .filter(is_hidden)
            .map(|(name, _)| *name)
            .collect();
        if !hidden.is_empty() {
            human.push_str(&format!(
                "Unset {} in the environment: what is there counts more than {path}.\n",
                hidden.join(", ")
            ));
        }
        human.push_str("Next: start scaigate again, then `scaigate sync`.\n");
        Report::done(
            human,
            json!({
                "status": "APPROVED", "request_id": request_id, "app_id": credentials.app_id,
                "client_id": credentials.client_id.as_str(), "env_file": path.to_string(),
                "written": written, "set_in_environment": hidden,
            }),
        )
    }

    /// A success of ScaiKey that is not what the contract says.
    fn unreadable(&self, what: &str) -> Failure {
        Failure::of(scaigate_problem::Code::ScaikeyInvalidResponse).with("reason", what)
    }
}

/// A member of an answer, or of the `data` that is wrapped around it.
fn member<'a>(answer: &'a Value, name: &str) -> Option<&'a Value> {
    let data = answer.get("data");
    answer
        .get(name)
        .or_else(|| data?.get(name))
        .filter(|value| !value.is_null())
}

/// A member that is a text.
fn text<'a>(answer: &'a Value, name: &str) -> Option<&'a str> {
    member(answer, name)?.as_str()
}
