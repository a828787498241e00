//! What is measured: single requests, and the whole sign-in.

use std::net::SocketAddr;

use anyhow::{Context as _, Result, bail};
use clap::ValueEnum;
use serde_json::{Value, json};

use crate::bench::client::{Answer, Connection};

/// People of the emulator's seed; each connection is one of them, so that rows
/// of one person aren't fought over more than in life.
const PEOPLE: [&str; 12] = [
    "alice", "bob", "carol", "dave", "erin", "frank", "grace", "heidi", "ivan", "judy", "karl",
    "laura",
];

/// A case of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Case {
    /// A component that only answers `ok`: what the runner costs.
    Empty,
    /// `GET /v1/auth/config`.
    AuthConfig,
    /// `GET /v1/me` with a session token.
    Me,
    /// `POST /v1/auth/login`: state, nonce, PKCE, one write.
    Login,
    /// A whole sign-in: login, ScaiKey (the emulator), callback, token.
    SignIn,
}

/// The servers a case speaks to.
#[derive(Debug)]
pub struct Site {
    /// scaigate.
    pub application: SocketAddr,
    /// The emulator scaigate sends people to.
    pub emulator: SocketAddr,
    /// The empty component.
    pub empty: SocketAddr,
}

/// One of the parallel clients, with its connections and its person.
pub struct Client {
    application: Connection,
    emulator: Connection,
    empty: Connection,
    email: String,
}

impl Case {
    /// All cases, in the table's order.
    pub const ALL: [Self; 5] = [
        Self::Empty,
        Self::AuthConfig,
        Self::Me,
        Self::Login,
        Self::SignIn,
    ];

    /// The case's name in the table.
    pub fn title(self) -> &'static str {
        match self {
            Self::Empty => "empty component",
            Self::AuthConfig => "GET /v1/auth/config",
            Self::Me => "GET /v1/me",
            Self::Login => "POST /v1/auth/login",
            Self::SignIn => "whole sign-in",
        }
    }
}

/// The session token the case sends; empty for cases that send none.
///
/// # Errors
/// The sign-in that gets it fails.
pub fn token(case: Case, site: &Site) -> Result<String> {
    match case {
        Case::Me => Client::new(site, 0).sign_in().context("signing in"),
        Case::Empty | Case::AuthConfig | Case::Login | Case::SignIn => Ok(String::new()),
    }
}

impl Client {
    /// The client of that number.
    pub fn new(site: &Site, number: usize) -> Self {
        let name = PEOPLE
            .iter()
            .cycle()
            .nth(number)
            .copied()
            .unwrap_or_default();
        Self {
            application: Connection::new(site.application),
            emulator: Connection::new(site.emulator),
            empty: Connection::new(site.empty),
            email: format!("{name}@acme.example"),
        }
    }

    /// Does what the case measures, once.
    ///
    /// # Errors
    /// The answer isn't the expected one; the message names its status and error code.
    pub fn perform(&mut self, case: Case, token: &str) -> Result<()> {
        match case {
            Case::Empty => {
                expect(200, "empty", self.empty.request("GET", "/", &[], "")?)?;
            }
            Case::AuthConfig => {
                let answer = self
                    .application
                    .request("GET", "/v1/auth/config", &[], "")?;
                expect(200, "config", answer)?;
            }
            Case::Me => {
                let bearer = format!("Bearer {token}");
                let headers = [("authorization", bearer.as_str())];
                expect(
                    200,
                    "me",
                    self.application.request("GET", "/v1/me", &headers, "")?,
                )?;
            }
            Case::Login => {
                self.login()?;
            }
            Case::SignIn => {
                self.sign_in()?;
            }
        }
        Ok(())
    }

    fn login(&mut self) -> Result<Answer> {
        let body = json!({ "login_hint": self.email }).to_string();
        self.post("/v1/auth/login", &body)
    }

    /// Signs in as a browser would, and returns the session token.
    fn sign_in(&mut self) -> Result<String> {
        let login = self.login()?;
        let cookie = login
            .header("set-cookie")
            .and_then(|cookie| cookie.split(';').next())
            .context("login sets no cookie")?
            .to_owned();
        let authorize = field(&json_body(&login)?, "authorize_url")?;
        let answer = self.emulator.request("GET", path(&authorize)?, &[], "")?;
        let back = location("authorize", answer)?;
        let headers = [("cookie", cookie.as_str())];
        let answer = self
            .application
            .request("GET", path(&back)?, &headers, "")?;
        let home = location("callback", answer)?;
        let code = home
            .split(['?', '&', '#'])
            .find_map(|pair| pair.strip_prefix("session_code="))
            .context("the callback's redirect has no session_code")?;

        let mut session = json_body(&self.post(
            "/v1/auth/token",
            &json!({ "session_code": code }).to_string(),
        )?)?;
        if session.get("requires_selection").and_then(Value::as_bool) == Some(true) {
            let workspace = session
                .pointer("/workspaces/0/workspace_id")
                .context("a selection without workspaces")?;
            let body = json!({ "session_code": code, "workspace_id": workspace }).to_string();
            session = json_body(&self.post("/v1/auth/token", &body)?)?;
        }
        field(&session, "access_token")
    }

    fn post(&mut self, target: &str, body: &str) -> Result<Answer> {
        let headers = [("content-type", "application/json")];
        expect(
            200,
            target,
            self.application.request("POST", target, &headers, body)?,
        )
    }
}

fn expect(status: u16, what: &str, answer: Answer) -> Result<Answer> {
    if answer.status == status {
        return Ok(answer);
    }
    let code = json_body(&answer)
        .ok()
        .and_then(|body| Some(body.pointer("/error/code")?.as_str()?.to_owned()))
        .unwrap_or_default();
    bail!("{what} answered {} {code}", answer.status)
}

fn location(what: &str, answer: Answer) -> Result<String> {
    // RFC 6749 section 4.1.2 shows 302 and allows any redirect.
    let answer = match answer.status {
        302 | 303 => answer,
        _ => expect(303, what, answer)?,
    };
    let target = answer.header("location");
    Ok(target
        .with_context(|| format!("{what} redirects nowhere"))?
        .to_owned())
}

fn json_body(answer: &Answer) -> Result<Value> {
    serde_json::from_slice(&answer.body).context("a body that isn't JSON")
}

fn field(body: &Value, name: &str) -> Result<String> {
    let value = body.get(name).and_then(Value::as_str);
    Ok(value
        .with_context(|| format!("no `{name}` in the answer"))?
        .to_owned())
}

/// Path and query of an absolute URL.
fn path(url: &str) -> Result<&str> {
    url.split_once("://")
        .and_then(|(_, rest)| rest.find('/').and_then(|start| rest.get(start..)))
        .context("not an absolute URL with a path")
}
