//! One function per route: parsed input in, one flow, its result as an answer.

use std::time::Duration;

use http::header;
use scaigate_jose::RefreshToken;
use scaigate_problem::{Code, Problem};
use scaigate_runtime::answer::doubled;
use scaigate_runtime::spin::{SpinPorts, note_refusal};
use scaigate_runtime::{Answer, Fields, Incoming, answer};
use scaigate_scaikey::TokenResponse;
use scaigate_signin::begin::{self, BeginRequest, Begun};
use scaigate_signin::callback::{self, CallbackFailure};
use scaigate_signin::code_post::{self, CodePost};
use scaigate_signin::logout::{self, LogoutRequest};
use scaigate_signin::redeem::{self, RedeemRequest, Redeemed};
use scaigate_signin::upstream_refresh::{self, Refreshed};
use scaigate_signin::{Ports, authenticate, membership_json, refresh, refresh_after};
use scaigate_types::{Clock, ReturnTo};
use serde_json::{Value, json};

use crate::browser;
use crate::remembered::Remembered;

/// One request and what it is answered with.
pub struct Call<'a> {
    /// The ports.
    pub ports: &'a SpinPorts,
    /// The settings.
    pub remembered: &'a Remembered,
    /// The request.
    pub incoming: &'a Incoming,
}

/// ScaiKey's tokens as ScaiFlow and ScaiWave document them.
fn token_json(
    access_token: &str,
    refresh_token: Option<&str>,
    id_token: Option<&str>,
    scope: Option<&str>,
    expires_in: Duration,
) -> String {
    doubled(&json!({
        "access_token": access_token,
        "refresh_token": refresh_token,
        "id_token": id_token,
        "token_type": "Bearer",
        "expires_in": expires_in.as_secs(),
        "refresh_after": refresh_after(expires_in),
        "scope": scope,
    }))
}

fn scaikey_tokens(tokens: &TokenResponse) -> String {
    token_json(
        tokens.access_token.expose(),
        tokens
            .refresh_token
            .as_ref()
            .map(|token| token.expose().as_str()),
        tokens
            .id_token
            .as_ref()
            .map(|token| token.expose().as_str()),
        tokens.scope.as_deref(),
        tokens.expires_in,
    )
}

impl Call<'_> {
    /// Adds what tells an operator that addresses do not fit (S-01): the browser's cookie belongs
    /// to the host it called, and ScaiKey sends it back to `public_url`.
    fn host_mismatch(&self) -> Option<Value> {
        let ours = self
            .remembered
            .settings
            .deployment
            .public_url
            .origin()
            .as_str();
        let host = self.incoming.header("host")?;
        let plain = host.len() <= 255 && host.bytes().all(|c| c.is_ascii_graphic());
        let same = ours
            .split_once("://")
            .is_some_and(|(_, ours)| ours.eq_ignore_ascii_case(host));
        (plain && !same).then(|| {
            json!({
                "code": "origin_mismatch",
                "host": host,
                "public_url": ours,
                "fix": "Open the app and this service under the host of public_url: localhost and 127.0.0.1 are two.",
            })
        })
    }

    async fn begin(&self, request: BeginRequest<'_>) -> Result<Begun, Problem> {
        let deployment = &self.remembered.settings.deployment;
        let browser = browser::value(deployment, self.incoming);
        begin::begin(
            self.ports,
            &self.remembered.settings,
            &BeginRequest { browser, ..request },
        )
        .await
    }

    fn with_cookie(&self, begun: &Begun, mut answer: Answer) -> Answer {
        let deployment = &self.remembered.settings.deployment;
        if let Some(cookie) = browser::set(deployment, &begun.browser, begun.expires_in) {
            answer.headers_mut().append(header::SET_COOKIE, cookie);
        }
        answer
    }

    /// `POST /v1/auth/login`: begins a sign-in, or takes the code that ScaiWave's clients post.
    pub async fn post_login(&self) -> Result<Answer, Problem> {
        // ScaiWave documents the code as a form field or a query parameter.
        let fields = Fields::of_body(self.incoming)?.or(Fields::of_query(self.incoming)?);
        if let Some(code) = fields.secret("code") {
            let post = CodePost {
                code: &code,
                code_verifier: fields.get("code_verifier"),
                redirect_uri: fields.required("redirect_uri")?,
            };
            let tokens = code_post::exchange(self.ports, &self.remembered.settings, &post).await?;
            return Ok(answer::json_text(scaikey_tokens(&tokens)));
        }
        let begun = self
            .begin(BeginRequest {
                return_to: fields.get("return_to"),
                code_challenge: fields.get("code_challenge"),
                code_challenge_method: fields.get("code_challenge_method"),
                login_hint: fields.get("login_hint"),
                prompt: fields.get("prompt"),
                browser: None,
            })
            .await?;
        let warnings: Vec<Value> = self.host_mismatch().into_iter().collect();
        let body = json!({
            "authorize_url": begun.authorize_url,
            "state": begun.state,
            "expires_in": begun.expires_in.as_secs(),
            "warnings": warnings,
        });
        Ok(self.with_cookie(&begun, answer::json(&body)))
    }

    /// `GET /v1/auth/login`: the callback when it carries an answer of ScaiKey, else begins a
    /// sign-in by navigation (OpenID Connect Core §4: `iss`, `target_link_uri`, `login_hint`).
    pub async fn get_login(&self) -> Result<Answer, Problem> {
        let fields = Fields::of_query(self.incoming)?;
        if ["code", "error", "state"]
            .iter()
            .any(|name| fields.get(name).is_some())
        {
            return self.callback().await;
        }
        let base = &self.remembered.settings.scaikey.provider.base;
        if fields.get("iss").is_some_and(|iss| iss != base.as_str()) {
            return Err(Problem::new(Code::IssuerMismatch).with("field", "iss"));
        }
        let begun = self
            .begin(BeginRequest {
                return_to: fields.get("return_to").or(fields.get("target_link_uri")),
                code_challenge: fields.get("code_challenge"),
                code_challenge_method: fields.get("code_challenge_method"),
                login_hint: fields.get("login_hint"),
                prompt: fields.get("prompt"),
                browser: None,
            })
            .await?;
        let answer = answer::see_other(&begun.authorize_url);
        Ok(self.with_cookie(&begun, answer))
    }

    /// `GET /v1/auth/callback`: back to the app with a session code, or with what went wrong.
    pub async fn callback(&self) -> Result<Answer, Problem> {
        let settings = &self.remembered.settings;
        let browser = browser::value(&settings.deployment, self.incoming);
        match callback::complete(self.ports, settings, &self.incoming.query, browser).await {
            Ok(done) => Ok(answer::see_other(&done.return_to.with_query(&[
                ("session_code", done.session_code.expose()),
                ("state", &done.state),
            ]))),
            Err(CallbackFailure {
                problem,
                return_to: Some((return_to, state)),
            }) => Ok(self.tell_app(&problem, &return_to, &state)),
            Err(CallbackFailure {
                problem,
                return_to: None,
            }) => self.show(problem),
        }
    }

    fn tell_app(&self, problem: &Problem, return_to: &ReturnTo, state: &str) -> Answer {
        let code = problem.code();
        note_refusal(self.incoming, code);
        let mut description = format!("{} {}", code.message(), code.fix());
        if code == Code::RedirectUriMismatch {
            // A redirect has no `details`: what to register has to be in the words (S-32).
            let public_url = &self.remembered.settings.deployment.public_url;
            let redirect_uri = public_url.join(begin::CALLBACK_PATH);
            description = format!("{description} It is {redirect_uri}.");
        }
        answer::see_other(&return_to.with_query(&[
            ("error", code.as_str()),
            ("error_description", &description),
            ("state", state),
            ("request_id", self.incoming.request_id()),
        ]))
    }

    /// A failure that belongs to no app: a page for a person, the documented body otherwise.
    fn show(&self, problem: Problem) -> Result<Answer, Problem> {
        let code = problem.code();
        let problem = match self.host_mismatch() {
            Some(mismatch) => problem.with("origin_mismatch", mismatch),
            None => problem,
        };
        if !self.incoming.wants_html() {
            return Err(problem);
        }
        note_refusal(self.incoming, code);
        let reference = format!(
            "Code {}, request {}.",
            code.as_str(),
            self.incoming.request_id()
        );
        Ok(answer::page(
            code.status(),
            "Sign-in failed",
            &[code.message(), code.fix(), &reference],
        ))
    }

    /// `POST /v1/auth/exchange`: ScaiFlow's canvas brings code and verifier.
    pub async fn exchange(&self) -> Result<Answer, Problem> {
        let fields = Fields::of_body(self.incoming)?;
        let code = fields
            .secret("code")
            .ok_or_else(|| Problem::invalid_field("code", "missing"))?;
        let post = CodePost {
            code: &code,
            code_verifier: Some(fields.required("code_verifier")?),
            redirect_uri: fields.required("redirect_uri")?,
        };
        let tokens = code_post::exchange(self.ports, &self.remembered.settings, &post).await?;
        Ok(answer::json_text(scaikey_tokens(&tokens)))
    }

    /// `POST /v1/auth/token`: a session code for a session, or ScaiWave's password grant.
    pub async fn token(&self) -> Result<Answer, Problem> {
        let fields = Fields::of_body(self.incoming)?;
        let settings = &self.remembered.settings;
        match fields.get("grant_type") {
            None | Some("session_code") => {}
            Some("password") => {
                let password = fields
                    .secret("password")
                    .unwrap_or_else(|| String::new().into());
                let username = fields.get("username").unwrap_or_default();
                let tokens = code_post::password(self.ports, settings, username, &password).await?;
                return Ok(answer::json_text(scaikey_tokens(&tokens)));
            }
            Some(_) => {
                return Err(Problem::new(Code::UnsupportedGrantType)
                    .with_oauth_error("unsupported_grant_type"));
            }
        }
        let request = RedeemRequest {
            session_code: fields.required("session_code")?,
            code_verifier: fields.get("code_verifier"),
            workspace_id: fields.get("workspace_id"),
        };
        Ok(answer::json(
            &match redeem::redeem(self.ports, settings, &request).await? {
                Redeemed::Session(session) => session.to_json(),
                Redeemed::RequiresSelection(workspaces) => json!({
                    "requires_selection": true,
                    "workspaces": workspaces.iter().map(membership_json).collect::<Vec<_>>(),
                }),
            },
        ))
    }

    /// `POST /v1/auth/refresh`: our refresh token for a session, ScaiKey's for its tokens.
    pub async fn refresh(&self) -> Result<Answer, Problem> {
        let fields = Fields::of_body(self.incoming)?;
        let settings = &self.remembered.settings;
        let token = fields
            .secret("refresh_token")
            .ok_or_else(|| Problem::invalid_field("refresh_token", "missing"))?;
        if RefreshToken::looks_like(token.expose()) {
            let workspace_id = fields.get("workspace_id");
            let session =
                refresh::refresh(self.ports, settings, token.expose(), workspace_id).await?;
            return Ok(answer::json(&session.to_json()));
        }
        let refreshed = upstream_refresh::refresh(self.ports, settings, &token).await?;
        Ok(answer::json_text(self.refreshed_json(&refreshed)))
    }

    fn refreshed_json(&self, refreshed: &Refreshed) -> String {
        token_json(
            &refreshed.access_token,
            refreshed.refresh_token.as_deref(),
            refreshed.id_token.as_deref(),
            refreshed.scope.as_deref(),
            // To the nearest second: the moments since ScaiKey answered are not a second of life.
            Duration::from_secs(
                refreshed
                    .expires_at
                    .since(self.ports.clock().now())
                    .saturating_add(Duration::from_millis(500))
                    .as_secs(),
            ),
        )
    }

    /// `POST /v1/auth/logout`.
    pub async fn logout(&self) -> Result<Answer, Problem> {
        let fields = Fields::of_body(self.incoming)?;
        let session_token = match authenticate::bearer(&self.incoming.headers) {
            Ok(token) => Some(token),
            Err(problem) if problem.code() == Code::AuthenticationRequired => None,
            Err(problem) => return Err(problem),
        };
        let request = LogoutRequest {
            refresh_token: fields.get("refresh_token"),
            session_token,
            post_logout_redirect_uri: fields.get("post_logout_redirect_uri"),
        };
        let done = logout::logout(self.ports, &self.remembered.settings, &request).await?;
        Ok(answer::json(&done.to_json()))
    }
}
