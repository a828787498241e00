//! ScaiKey, as the command speaks to it: what it asks and reads is `scaigate-scaikey`'s.

use bytes::Bytes;
use http::{Method, Request, Response};
use scaigate_problem::Code;
use scaigate_scaikey::directory::{is_slash_redirect, with_other_slash};
use scaigate_scaikey::{
    Client, DiscoveryError, Metadata, OAuthError, TokenError, discovery, token,
};
use scaigate_types::{BaseUrl, ClientId, Secret};
use serde_json::Value;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::http_client::{HttpClient, TIMEOUT, json_request};
use crate::settings::Settings;
use crate::{secrets, terminal};

/// Longest words of ScaiKey that are shown, in characters.
const LONGEST: usize = 200;

/// A ScaiKey.
#[derive(Debug)]
pub struct ScaiKey<'a> {
    http: &'a HttpClient,
    /// Its address.
    pub base: BaseUrl,
}

impl<'a> ScaiKey<'a> {
    /// The ScaiKey of the flag, else of `SCAIKEY_BASE_URL`.
    ///
    /// # Errors
    /// Neither is there, or it is no address that credentials may be sent to.
    pub fn of(
        http: &'a HttpClient,
        settings: &Settings,
        flag: Option<&str>,
    ) -> Result<Self, Failure> {
        let text = match flag {
            Some(flag) => Some(flag.to_owned()),
            None => settings.get("SCAIKEY_BASE_URL")?,
        };
        let Some(text) = text else {
            return Err(Failure::usage("Nobody says where ScaiKey is.")
                .with_fix("Set SCAIKEY_BASE_URL in the environment or in .env."));
        };
        let base = settings.address(&text, "The address of ScaiKey")?;
        Ok(Self { http, base })
    }

    /// A token of our application for `scope` (`client_credentials`).
    ///
    /// # Errors
    /// The credentials are not set, or ScaiKey does not give a token.
    pub fn service_token(
        &self,
        settings: &Settings,
        scope: &str,
    ) -> Result<Secret<String>, Failure> {
        let client = client(settings)?;
        let metadata = self.metadata()?;
        let request = token::client_credentials_request(&metadata, &client, Some(scope));
        let tokens = token::parse_response(&self.send(request)?)
            .map_err(|error| self.no_token(&error, scope))?;
        Ok(secrets::keep(tokens.access_token.expose()))
    }

    /// Its discovery document.
    ///
    /// # Errors
    /// There is none, or it can't be used.
    pub fn metadata(&self) -> Result<Metadata, Failure> {
        let mut outcome = Err(DiscoveryError::NotFound);
        for request in discovery::requests(&self.base) {
            outcome = discovery::parse_response(&self.base, &self.send(request)?);
            if outcome != Err(DiscoveryError::NotFound) {
                break;
            }
        }
        outcome.map_err(|error| {
            Failure::of(Code::DiscoveryInvalid)
                .with("reason", terminal::short(&error.to_string(), LONGEST))
        })
    }

    fn no_token(&self, error: &TokenError, scope: &str) -> Failure {
        let refused = |code: Code| Failure::of(code).ending(Exit::Refused);
        let failure = match error {
            TokenError::Refused { error, .. } => match error {
                OAuthError::InvalidScope => Failure::new(
                    Exit::Refused,
                    "scope_refused",
                    format!("ScaiKey does not let our application have `{scope}`."),
                )
                .with_fix(
                    "Widen its scopes: `scaigate scaikey-register --app-id <app_…>` with an \
                     administrator's token, or in ScaiKey's console.",
                ),
                _ => refused(Code::ClientRefused).with("grant_type", "client_credentials"),
            },
            TokenError::RateLimited { .. } => refused(Code::ScaikeyRateLimited),
            TokenError::Unavailable { .. } => Failure::of(Code::ScaikeyUnavailable),
            _ => Failure::of(Code::ScaikeyInvalidResponse),
        };
        let words = match error {
            TokenError::Refused {
                description: Some(words),
                ..
            } => words.clone(),
            error => error.to_string(),
        };
        failure.with("reason", terminal::short(&words, LONGEST))
    }

    /// Sends a request to it.
    ///
    /// # Errors
    /// No answer came.
    pub fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, Failure> {
        let whom = format!("ScaiKey at {}", self.base.origin());
        self.http.send(&whom, request, TIMEOUT)
    }

    /// Sends JSON, or nothing, to `path`, as whoever the token is. A redirect that only puts a slash
    /// at the end, or takes it away, is followed once (`contract/scaikey.md` 8.18).
    ///
    /// # Errors
    /// No answer came.
    pub fn call(
        &self,
        method: Method,
        path: &str,
        token: Option<&Secret<String>>,
        body: Option<&Value>,
    ) -> Result<Response<Bytes>, Failure> {
        let request = json_request(method, &self.base.join(path), token, body)?;
        let answer = self.send(request.clone())?;
        if is_slash_redirect(request.uri(), &answer) {
            return self.send(with_other_slash(request));
        }
        Ok(answer)
    }

    /// Why ScaiKey did not do what it was asked for.
    pub fn refusal(&self, response: &Response<Bytes>) -> Failure {
        let status = response.status().as_u16();
        let message = format!("ScaiKey answered {status}.");
        let code = match status {
            401 | 403 => "scaikey_refused",
            429 => "scaikey_rate_limited",
            500.. => "scaikey_unavailable",
            300..=399 => "scaikey_invalid_response",
            _ => "scaikey_refused",
        };
        let fix = match status {
            401 => "Get a new administrator's token: this one is wrong or has expired.",
            403 => {
                "Use the token of a super_admin, or of whoever administers that partner or tenant."
            }
            404 => "Check the address of ScaiKey and the identifier.",
            429 => "Wait a minute and run the command again.",
            500.. => "Run the command again; if it persists, look at ScaiKey's health.",
            300..=399 => "Set SCAIKEY_BASE_URL to the address that ScaiKey calls itself by.",
            _ => "Correct what `reason` names and run the command again.",
        };
        let failure = Failure::new(Exit::of_status(status), code, message).with_fix(fix);
        match words(response.body()) {
            Some(words) => failure.with("reason", terminal::short(&words, LONGEST)),
            None => failure,
        }
    }
}

/// Our application's credentials.
fn client(settings: &Settings) -> Result<Client, Failure> {
    let id = settings.get("SCAIFLOW_SCAIKEY_CLIENT_ID")?;
    let secret = settings.secret(None, "SCAIFLOW_SCAIKEY_CLIENT_SECRET")?;
    let (Some(id), Some(secret)) = (id, secret) else {
        return Err(
            Failure::usage("There is no token, and no credentials to get one with.").with_fix(
                "Set SCAIGATE_TOKEN to an administrator's token, or SCAIFLOW_SCAIKEY_CLIENT_ID and \
                 SCAIFLOW_SCAIKEY_CLIENT_SECRET (`scaigate scaikey-register` makes them).",
            ),
        );
    };
    let id = ClientId::parse(&id).map_err(|error| {
        Failure::usage(format!(
            "SCAIFLOW_SCAIKEY_CLIENT_ID is not usable: {error}."
        ))
    })?;
    Ok(Client { id, secret })
}

/// `detail`, as a text or as a list of faults; or the standard pair.
fn words(body: &Bytes) -> Option<String> {
    let body: Value = serde_json::from_slice(body).ok()?;
    let detail = body
        .get("detail")
        .or_else(|| body.get("error_description"))
        .or_else(|| body.get("error"))?;
    match detail {
        Value::String(text) => Some(text.clone()),
        Value::Array(faults) => {
            let fault = |fault: &Value| {
                let place = fault.get("loc").and_then(Value::as_array);
                let place = place.into_iter().flatten().filter_map(Value::as_str);
                let place = place.collect::<Vec<_>>().join(".");
                let words = fault.get("msg").and_then(Value::as_str)?;
                Some(format!("{place}: {words}"))
            };
            let faults: Vec<_> = faults.iter().take(5).filter_map(fault).collect();
            Some(faults.join("; ")).filter(|text| !text.is_empty())
        }
        _ => None,
    }
}
