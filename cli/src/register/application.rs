//! The application that scaigate is at ScaiKey.

use scaigate_types::Origin;
use serde_json::{Map, Value};

use super::Run;
use crate::arguments::ApplicationScope;
use crate::failure::Failure;

/// What sign-in, the directory and the roles need, and what the application may pass on.
pub const SCOPES: [&str; 9] = [
    "openid",
    "profile",
    "email",
    "groups",
    "offline_access",
    "users:read",
    "groups:read",
    "admin:read",
    "admin:write",
];

/// Where ScaiKey sends the browser back to, below `PUBLIC_URL`.
const CALLBACK: &str = "/v1/auth/callback";
/// Longest name, in characters.
const MAX_NAME: usize = 100;

impl Run<'_> {
    /// What is asked for, in the fields of direct creation (`contract/scaikey.md` 5.1).
    pub(super) fn application(&self) -> Result<Map<String, Value>, Failure> {
        let command = self.command;
        let is_plain = command.name.chars().all(|c| !c.is_control());
        if !is_plain || !(1..=MAX_NAME).contains(&command.name.chars().count()) {
            return Err(Failure::usage(format!(
                "The name has to be of 1 to {MAX_NAME} characters."
            )));
        }
        let scope = match command.scope {
            ApplicationScope::Global => "GLOBAL",
            ApplicationScope::Partner => "PARTNER",
            ApplicationScope::Tenant => "TENANT",
        };
        let mut body = Map::new();
        body.insert("name".to_owned(), command.name.as_str().into());
        body.insert("application_type".to_owned(), "WEB".into());
        body.insert("scope".to_owned(), scope.into());
        body.insert("redirect_uris".to_owned(), self.redirect_uris()?.into());
        body.insert("allowed_scopes".to_owned(), SCOPES.to_vec().into());
        Ok(body)
    }

    fn redirect_uris(&self) -> Result<Vec<String>, Failure> {
        let own = match &self.command.public_url {
            Some(flag) => Some(flag.clone()),
            None => self.settings.get("PUBLIC_URL")?,
        };
        let Some(own) = own else {
            return Err(Failure::usage("Nobody says where this scaigate is.")
                .with_fix("Set PUBLIC_URL in the environment or in .env, or give --public-url."));
        };
        let own = self.settings.address(&own, "--public-url or PUBLIC_URL")?;
        let mut uris = vec![own.join(CALLBACK)];
        for uri in &self.command.redirect_uris {
            if Origin::of(uri).is_err() || uri.contains('#') {
                return Err(Failure::usage(
                    "A --redirect-uri is no absolute http(s) URL.",
                ));
            }
            if !uris.contains(uri) {
                uris.push(uri.clone());
            }
        }
        Ok(uris)
    }
}
