//! Self-registration: asked for by anybody, decided by an administrator of ScaiKey (5.2, way 3).

use std::thread;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Response};
use scaigate_scaikey::form;
use serde_json::{Value, json};

use super::credentials::{Credentials, Found};
use super::kept::{Registration, State};
use super::{LONGEST, Run, text};
use crate::exit::Exit;
use crate::failure::{Failure, retry_after};
use crate::http_client::segment;
use crate::output::{self, Report};
use crate::progress::Line;
use crate::terminal;

const REGISTRATIONS: &str = "/api/v1/public/register/applications";
/// The longest wait between two questions, unless ScaiKey asks for more.
const SLOWEST: Duration = Duration::from_secs(30);

/// What became of a registration.
enum Outcome {
    Pending,
    Approved(Credentials),
    /// Approved, and the credentials have been given before.
    Collected,
    /// Never to be approved.
    Over {
        code: &'static str,
        message: &'static str,
        reason: Option<String>,
    },
    /// Not to be told now; ask again after so many seconds.
    Later(Failure, Option<u64>),
}

impl Run<'_> {
    /// Asks for an application, and waits.
    pub(super) fn submit(&self) -> Result<Report, Failure> {
        let Some(email) = &self.command.email else {
            return Err(Failure::usage(
                "Registering without an administrator's token needs --email: whom ScaiKey's \
                 administrator may ask.",
            )
            .with_fix(
                "Give --email ops@acme.example, or an administrator's token with --admin-token -.",
            ));
        };
        let mut body = self.application()?;
        body.insert("email".to_owned(), email.as_str().into());
        for (name, slug) in [
            ("tenant", &self.command.tenant),
            ("partner", &self.command.partner),
        ] {
            if let Some(slug) = slug {
                body.insert(name.to_owned(), slug.as_str().into());
            }
        }
        self.check_files()?;
        let body = Value::from(body);
        let answer = self
            .scaikey
            .call(Method::POST, REGISTRATIONS, None, Some(&body))?;
        let answer = self.success(&answer)?;
        let parts = text(&answer, "request_id").zip(text(&answer, "status_token"));
        let registration = parts
            .and_then(|(id, token)| Registration::of(id, token))
            .ok_or_else(|| self.unreadable("it names no request_id and status_token"))?;
        self.kept.write(&State::Waiting {
            scaikey: self.scaikey.base.as_str().to_owned(),
            registration: registration.clone(),
        })?;
        output::note(&format!(
            "Asked for as {}. An administrator of ScaiKey has to approve it: {}/admin/applications",
            registration.request_id, self.scaikey.base
        ));
        self.wait_for(&registration)
    }

    /// Asks until it is decided, or once.
    pub(super) fn wait_for(&self, registration: &Registration) -> Result<Report, Failure> {
        let is_once = self.command.status || self.command.no_wait;
        let mut line = Line::new(self.command.progress);
        let mut left = Duration::from_secs(self.command.wait * 60);
        let mut pause = Duration::from_secs(self.command.poll);
        loop {
            let (asked, wait) = match self.look(registration)? {
                Outcome::Approved(credentials) => {
                    return self.finish(&credentials, Some(&registration.request_id));
                }
                Outcome::Collected => return Err(self.collected()?),
                Outcome::Over {
                    code,
                    message,
                    reason,
                } => return Err(self.over(code, message, reason)?),
                Outcome::Later(failure, _) if is_once => return Err(failure),
                Outcome::Pending if is_once => return Ok(pending(registration)),
                Outcome::Later(failure, wait) => (Some(failure), wait),
                Outcome::Pending => (None, None),
            };
            let wait = wait.map_or(pause, |seconds| pause.max(Duration::from_secs(seconds)));
            if wait > left {
                return Err(asked.unwrap_or_else(|| still_pending(registration)));
            }
            if let Some(line) = &mut line {
                line.say(&format!("{} waits for approval", registration.request_id));
            }
            thread::sleep(wait);
            left -= wait;
            pause = SLOWEST.min(pause * 3 / 2);
        }
    }

    fn look(&self, registration: &Registration) -> Result<Outcome, Failure> {
        let answer = match self.ask(Method::GET, registration) {
            Ok(answer) => answer,
            Err(failure) if failure.exit == Exit::Unreachable => {
                return Ok(Outcome::Later(failure, None));
            }
            Err(failure) => return Err(failure),
        };
        match answer.status().as_u16() {
            404 => Err(self.unknown(&answer)),
            429 | 500.. => Ok(Outcome::Later(
                self.scaikey.refusal(&answer),
                retry_after(&answer),
            )),
            _ => self.outcome(&self.success(&answer)?),
        }
    }

    fn outcome(&self, answer: &Value) -> Result<Outcome, Failure> {
        let over = |code, message| Outcome::Over {
            code,
            message,
            reason: ["reason", "rejection_reason", "message"]
                .iter()
                .find_map(|name| text(answer, name))
                .map(|reason| terminal::short(reason, LONGEST)),
        };
        let status = text(answer, "status").unwrap_or_default().to_uppercase();
        Ok(match status.as_str() {
            "APPROVED" => match Credentials::find(answer) {
                Found::All(credentials) => Outcome::Approved(credentials),
                Found::None => Outcome::Collected,
                Found::Unusable => return Err(self.unreadable("the credentials can't be used")),
            },
            "PENDING" => Outcome::Pending,
            "REJECTED" => over("registration_rejected", "ScaiKey's administrator said no."),
            "CANCELLED" => over("registration_cancelled", "The registration was cancelled."),
            "EXPIRED" => over("registration_expired", "Nobody decided in time."),
            _ => return Err(self.unreadable("the registration has a status that nobody documents")),
        })
    }

    /// Cancels it. Here it is forgotten even if ScaiKey does not know it any more.
    pub(super) fn cancel(&self, registration: &Registration) -> Result<Report, Failure> {
        let answer = self.ask(Method::DELETE, registration)?;
        match answer.status().as_u16() {
            404 => {
                self.kept.remove()?;
                Err(Failure::new(
                    Exit::NotFound,
                    "registration_unknown",
                    "ScaiKey does not know the registration; it is forgotten here too.",
                ))
            }
            409 => Err(self.scaikey.refusal(&answer).with_fix(
                "It is decided already: `scaigate scaikey-register --status` ends it here.",
            )),
            status if (200..300).contains(&status) => {
                self.kept.remove()?;
                let id = &registration.request_id;
                Ok(Report::done(
                    format!("{id} is cancelled.\n"),
                    json!({ "request_id": id, "status": "CANCELLED" }),
                ))
            }
            _ => Err(self.scaikey.refusal(&answer)),
        }
    }

    fn ask(&self, method: Method, registration: &Registration) -> Result<Response<Bytes>, Failure> {
        let token = registration.status_token.expose().as_str();
        let path = format!(
            "{REGISTRATIONS}/{}?{}",
            segment(&registration.request_id),
            form::encode(&[("status_token", token)])
        );
        self.scaikey.call(method, &path, None, None)
    }

    fn unknown(&self, answer: &Response<Bytes>) -> Failure {
        self.scaikey.refusal(answer).with_fix(format!(
            "Check the address of ScaiKey. If it is right, the registration is gone: remove {} and \
             begin anew.",
            self.kept.path().display()
        ))
    }

    fn over(&self, code: &str, message: &str, reason: Option<String>) -> Result<Failure, Failure> {
        self.kept.remove()?;
        let failure = Failure::new(Exit::Refused, code, message)
            .with_fix("Agree with ScaiKey's administrator, then run the command again.");
        Ok(match reason {
            Some(reason) => failure.with("reason", reason),
            None => failure,
        })
    }

    fn collected(&self) -> Result<Failure, Failure> {
        self.kept.remove()?;
        Ok(Failure::new(
            Exit::Failed,
            "credentials_collected",
            "The registration is approved, and its credentials have been given before.",
        )
        .with_fix(
            "Make a new secret for the application in ScaiKey's console and put both into .env, or \
             register again.",
        ))
    }
}

fn pending(registration: &Registration) -> Report {
    let id = &registration.request_id;
    Report::done(
        format!("{id} waits for approval. Run the command again to go on.\n"),
        json!({ "request_id": id, "status": "PENDING" }),
    )
}

fn still_pending(registration: &Registration) -> Failure {
    let message = format!("{} still waits for approval.", registration.request_id);
    Failure::new(Exit::Failed, "registration_pending", message)
        .with_fix("Run the command again to go on waiting; --cancel gives it up.")
}
