//! With an administrator's token: creating the application at once, or widening its scopes.

use bytes::Bytes;
use http::{Method, Response};
use scaigate_types::Secret;
use serde_json::{Value, json};

use super::application::SCOPES;
use super::credentials::{Credentials, Found};
use super::{LONGEST, Run, member, text};
use crate::failure::Failure;
use crate::http_client::segment;
use crate::output::Report;
use crate::terminal;

/// The collection, with the slash of the generated reference (`contract/scaikey.md` 8.18).
const APPLICATIONS: &str = "/api/v1/admin/applications/";
/// Most scopes of an application that are read.
const MOST_SCOPES: usize = 500;

impl Run<'_> {
    /// `POST /api/v1/admin/applications/` (5.2, way 2).
    pub(super) fn create(&self, token: &Secret<String>) -> Result<Report, Failure> {
        let mut body = self.application()?;
        for (name, id) in [
            ("tenant_id", &self.command.tenant),
            ("partner_id", &self.command.partner),
        ] {
            if let Some(id) = id {
                body.insert(name.to_owned(), id.as_str().into());
            }
        }
        self.check_files()?;
        let body = Value::from(body);
        let answer = self
            .scaikey
            .call(Method::POST, APPLICATIONS, Some(token), Some(&body))?;
        match Credentials::find(&self.success(&answer)?) {
            Found::All(credentials) => self.finish(&credentials, None),
            Found::None | Found::Unusable => Err(self
                .unreadable("the application is made, and the answer holds no credentials")
                .with_fix(
                    "Make a new secret for the application in ScaiKey's console and put both into .env.",
                )),
        }
    }

    /// `PATCH /api/v1/admin/applications/{id}` with the scopes it has and those it needs: the list
    /// replaces (3.5). The credentials stay as they are.
    pub(super) fn widen(&self, app_id: &str) -> Result<Report, Failure> {
        let token = self
            .settings
            .secret(self.command.admin_token.as_ref(), "SCAIKEY_ADMIN_TOKEN")?;
        let Some(token) = token else {
            return Err(Failure::usage("--app-id needs an administrator's token.")
                .with_fix("Give it with --admin-token - or set SCAIKEY_ADMIN_TOKEN."));
        };
        let path = format!("{APPLICATIONS}{}", segment(app_id));
        let answer = self.scaikey.call(Method::GET, &path, Some(&token), None)?;
        let row = self.success(&answer)?;
        let former = scopes(&row).ok_or_else(|| {
            // Without them the new list would take some away.
            self.unreadable("the application comes without its scopes")
        })?;
        let mut wanted = former.clone();
        let missing = SCOPES
            .iter()
            .filter(|scope| !former.iter().any(|own| own == *scope));
        wanted.extend(missing.map(|scope| (*scope).to_owned()));
        let added: Vec<_> = wanted.iter().skip(former.len()).cloned().collect();
        if !added.is_empty() {
            let body = json!({ "allowed_scopes": wanted });
            let answer = self
                .scaikey
                .call(Method::PATCH, &path, Some(&token), Some(&body))?;
            self.success(&answer)?;
        }
        self.widened(app_id, &row, &added)
    }

    fn widened(&self, app_id: &str, row: &Value, added: &[String]) -> Result<Report, Failure> {
        let mut human = if added.is_empty() {
            format!("{app_id} has every scope that it needs.\n")
        } else {
            let added = terminal::short(&added.join(", "), LONGEST);
            format!(
                "{app_id} may have {added} now. A token that exists does not: wait for its end, at most \
                 an hour, or start scaigate again.\n"
            )
        };
        let client_id = text(row, "client_id");
        let ours = self.settings.get("SCAIFLOW_SCAIKEY_CLIENT_ID")?;
        let is_ours = ours.as_deref() == client_id;
        if !is_ours {
            human.push_str(&format!(
                "It is not the application of SCAIFLOW_SCAIKEY_CLIENT_ID: its client id is {}.\n",
                terminal::short(client_id.unwrap_or("not told"), LONGEST)
            ));
        }
        Ok(Report::done(
            human,
            json!({
                "app_id": app_id, "client_id": client_id, "added_scopes": added,
                "is_configured_client": is_ours,
            }),
        ))
    }

    /// The body of a success.
    pub(super) fn success(&self, answer: &Response<Bytes>) -> Result<Value, Failure> {
        if !answer.status().is_success() {
            return Err(self.scaikey.refusal(answer));
        }
        serde_json::from_slice(answer.body()).map_err(|_| self.unreadable("it is no JSON"))
    }
}

/// The scopes of an application; `None` when they are not all told.
fn scopes(row: &Value) -> Option<Vec<String>> {
    let scopes = member(row, "allowed_scopes")?.as_array()?;
    if scopes.len() > MOST_SCOPES {
        return None;
    }
    scopes
        .iter()
        .map(|scope| scope.as_str().map(str::to_owned))
        .collect()
}
