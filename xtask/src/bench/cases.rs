//! What is measured: single requests, the whole sign-in, and calls of ScaiGrid.

use std::net::SocketAddr;

use anyhow::{Context as _, Result, bail};
use clap::ValueEnum;
use serde_json::Value;

use crate::bench::client::Answer;
use crate::bench::peers::{self, Peers};
use crate::bench::person::{Client, TOKENS};
use crate::bench::{grid, person};

/// A case of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Case {
    /// A component that only answers `ok`: what the runner costs.
    Empty,
    /// `GET /v1/auth/config`.
    AuthConfig,
    /// `GET /v1/me` with a session token.
    Me,
    /// `GET /v1/auth/whoami` with one access token of ScaiKey, signed with RS256.
    TokenSeen,
    /// The same, signed with ES256.
    TokenSeenEs256,
    /// `GET /v1/auth/whoami` with an access token nobody has seen, signed with RS256.
    TokenNew,
    /// The same, signed with ES256.
    TokenNewEs256,
    /// `POST /v1/auth/login`: state, nonce, PKCE, one write.
    Login,
    /// A whole sign-in: login, ScaiKey (the emulator), callback, token.
    SignIn,
    /// `POST /v1/webhooks/scaikey`: an event nobody has sent before, durable when it is answered.
    Webhook,
    /// `GET /v1/models` of ScaiGrid (the emulator), without us.
    LookupDirect,
    /// `GET /v1/scaigrid/models`: the same through us.
    Lookup,
    /// `POST /v1/inference/chat` of ScaiGrid (the emulator), streamed, without us.
    StreamDirect,
    /// `POST /v1/scaigrid/inference/chat`, streamed: the same through us.
    Stream,
    /// `GET /me` of Apache with a session (`--peers`).
    ApacheSession,
    /// `GET /me` of Fastify with a session token.
    FastifySession,
    /// `GET /whoami` of Fastify with an access token of ScaiKey.
    FastifyToken,
    /// Not a request: whole syncs of directories of several sizes, in a table of their own.
    Sync,
}

/// The servers a case speaks to.
#[derive(Debug)]
pub struct Site {
    /// scaigate.
    pub application: SocketAddr,
    /// The emulator scaigate sends people to.
    pub emulator: SocketAddr,
    /// The emulator scaigate calls for people who are signed in.
    pub grid: SocketAddr,
    /// The empty component.
    pub empty: SocketAddr,
    /// What somebody would take instead, where it is measured.
    pub peers: Option<Peers>,
}

impl Case {
    /// All cases that are requests, in the table's order.
    pub const REQUESTS: [Self; 14] = [
        Self::Empty,
        Self::AuthConfig,
        Self::Me,
        Self::TokenSeen,
        Self::TokenSeenEs256,
        Self::TokenNew,
        Self::TokenNewEs256,
        Self::Login,
        Self::SignIn,
        Self::Webhook,
        Self::LookupDirect,
        Self::Lookup,
        Self::StreamDirect,
        Self::Stream,
    ];

    /// The cases of what somebody would take instead.
    pub const PEERS: [Self; 3] = [
        Self::ApacheSession,
        Self::FastifySession,
        Self::FastifyToken,
    ];

    /// The case's name in the table.
    pub fn title(self) -> &'static str {
        match self {
            Self::Empty => "empty component",
            Self::AuthConfig => "GET /v1/auth/config",
            Self::Me => "GET /v1/me",
            Self::TokenSeen => "RS256 token, seen",
            Self::TokenSeenEs256 => "ES256 token, seen",
            Self::TokenNew => "RS256 token, new",
            Self::TokenNewEs256 => "ES256 token, new",
            Self::Login => "POST /v1/auth/login",
            Self::SignIn => "whole sign-in",
            Self::Webhook => "webhook, user.updated",
            Self::LookupDirect => "models, ScaiGrid alone",
            Self::Lookup => "models, proxied",
            Self::StreamDirect => "chat, ScaiGrid alone",
            Self::Stream => "chat, proxied",
            Self::ApacheSession => "Apache, session",
            Self::FastifySession => "Fastify, session",
            Self::FastifyToken => "Fastify, RS256 token",
            Self::Sync => "sync",
        }
    }

    /// The case that does the same without us.
    pub fn direct(self) -> Option<Self> {
        match self {
            Self::Lookup => Some(Self::LookupDirect),
            Self::Stream => Some(Self::StreamDirect),
            _ => None,
        }
    }
}

/// The token the case sends, or several, one a line; empty for cases that send none.
///
/// # Errors
/// The sign-in that gets it fails.
pub fn token(case: Case, site: &Site) -> Result<String> {
    match case {
        Case::Me => Client::new(site, 0).sign_in().context("signing in"),
        Case::ApacheSession => peers::apache_session(site),
        Case::FastifySession => peers::fastify_session(site),
        Case::FastifyToken | Case::TokenSeen => person::access_tokens(site, "RS256", 1),
        Case::TokenSeenEs256 => person::access_tokens(site, "ES256", 1),
        Case::TokenNew => person::access_tokens(site, "RS256", TOKENS),
        Case::TokenNewEs256 => person::access_tokens(site, "ES256", TOKENS),
        Case::Lookup | Case::LookupDirect | Case::Stream | Case::StreamDirect => grid::token(site),
        Case::Empty
        | Case::AuthConfig
        | Case::Login
        | Case::SignIn
        | Case::Webhook
        | Case::Sync => Ok(String::new()),
    }
}

/// The answer, if it has this status.
///
/// # Errors
/// It has another one; the message names it and the error's code.
pub fn expect(status: u16, what: &str, answer: Answer) -> Result<Answer> {
    if answer.status == status {
        return Ok(answer);
    }
    let code = json_body(&answer)
        .ok()
        .and_then(|body| Some(body.pointer("/error/code")?.as_str()?.to_owned()))
        .unwrap_or_default();
    bail!("{what} answered {} {code}", answer.status)
}

/// Where an answer redirects to.
///
/// # Errors
/// It is no redirect.
pub fn location(what: &str, answer: Answer) -> Result<String> {
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

/// An answer's body.
///
/// # Errors
/// It isn't JSON.
pub fn json_body(answer: &Answer) -> Result<Value> {
    serde_json::from_slice(&answer.body).context("a body that isn't JSON")
}

/// A member of a body that is a text.
///
/// # Errors
/// There is none of that name.
pub fn field(body: &Value, name: &str) -> Result<String> {
    let value = body.get(name).and_then(Value::as_str);
    Ok(value
        .with_context(|| format!("no `{name}` in the answer"))?
        .to_owned())
}

/// Path and query of an absolute URL.
///
/// # Errors
/// It is none.
pub fn path(url: &str) -> Result<&str> {
    url.split_once("://")
        .and_then(|(_, rest)| rest.find('/').and_then(|start| rest.get(start..)))
        .context("not an absolute URL with a path")
}
