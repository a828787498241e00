//! scaigate's own routes, over HTTP.

use std::time::Duration;

use bytes::Bytes;
use http::header::ACCEPT;
use http::{HeaderValue, Method, Response};
use scaigate_scaikey::form;
use scaigate_types::{BaseUrl, Secret};
use serde_json::Value;

use crate::arguments::Server;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::http_client::{HttpClient, TIMEOUT, json_request};
use crate::scaikey::ScaiKey;
use crate::settings::Settings;

/// A scaigate, and who we are there.
#[derive(Debug)]
pub struct Api<'a> {
    http: &'a HttpClient,
    base: BaseUrl,
    token: Secret<String>,
}

impl<'a> Api<'a> {
    /// The scaigate that the flags or the settings name, with the token they name, else with one that
    /// ScaiKey gives our application for `scope`.
    ///
    /// # Errors
    /// A setting is missing or wrong, or there is no token to be had.
    pub fn connect(
        http: &'a HttpClient,
        settings: &Settings,
        server: &Server,
        scope: &str,
    ) -> Result<Self, Failure> {
        let base = settings.scaigate(server.url.as_deref())?;
        let token = match settings.secret(server.token.as_ref(), "SCAIGATE_TOKEN")? {
            Some(token) => token,
            None => ScaiKey::of(http, settings, None)?.service_token(settings, scope)?,
        };
        Ok(Self { http, base, token })
    }

    /// Reads a resource.
    ///
    /// # Errors
    /// scaigate refuses, or does not answer.
    pub fn get(&self, path: &str, query: &[(&str, &str)]) -> Result<Value, Failure> {
        let answer = self.send(Method::GET, path, query, None, TIMEOUT)?;
        self.json(&answer)
    }

    /// Reads a resource in another form than JSON.
    ///
    /// # Errors
    /// As [`Api::get`].
    pub fn get_as(
        &self,
        path: &str,
        query: &[(&str, &str)],
        form: &'static str,
    ) -> Result<Response<Bytes>, Failure> {
        let address = format!("{}?{}", self.base.join(path), form::encode(query));
        let mut request = json_request(Method::GET, &address, Some(&self.token), None)?;
        request
            .headers_mut()
            .insert(ACCEPT, HeaderValue::from_static(form));
        let answer = self.http.send(&self.whom(), request, TIMEOUT)?;
        if !answer.status().is_success() {
            return Err(Failure::answered(&self.whom(), &answer));
        }
        Ok(answer)
    }

    /// Sends JSON, or nothing. An answer that is no success is a failure.
    ///
    /// # Errors
    /// scaigate refuses, or does not answer in time.
    pub fn send(
        &self,
        method: Method,
        path: &str,
        query: &[(&str, &str)],
        body: Option<&Value>,
        timeout: Duration,
    ) -> Result<Response<Bytes>, Failure> {
        let mut address = self.base.join(path);
        if !query.is_empty() {
            address.push('?');
            address.push_str(&form::encode(query));
        }
        let request = json_request(method, &address, Some(&self.token), body)?;
        let answer = self.http.send(&self.whom(), request, timeout)?;
        if !answer.status().is_success() {
            return Err(Failure::answered(&self.whom(), &answer));
        }
        Ok(answer)
    }

    /// The JSON of a success.
    ///
    /// # Errors
    /// It is none: somebody else has answered.
    pub fn json(&self, answer: &Response<Bytes>) -> Result<Value, Failure> {
        serde_json::from_slice(answer.body()).map_err(|_| self.unreadable())
    }

    /// The answer is not what its description says.
    pub fn unreadable(&self) -> Failure {
        let message = format!(
            "{} answered with something else than it should.",
            self.whom()
        );
        Failure::new(Exit::Failed, "unreadable_answer", message)
            .with_fix("Check --url: it is the address of scaigate itself, without /v1.")
    }

    fn whom(&self) -> String {
        whom(&self.base)
    }
}

/// A scaigate by its address.
pub fn whom(base: &BaseUrl) -> String {
    format!("scaigate at {base}")
}
