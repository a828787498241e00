//! What is measured: single requests, the whole sign-in, and calls of ScaiGrid.

use clap::ValueEnum;

/// A case of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Case {
    /// A component that only answers `ok`: what the runner costs.
    Empty,
    /// The same, sent a session token as `/v1/me` is: what the cases that send a token are compared with.
    EmptyToken,
    /// A component that answers what `/v1/me` does and looks at nothing, called like it.
    Floor,
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
    /// `GET /whoami` of Apache with an access token of ScaiKey, signed with RS256.
    ApacheToken,
    /// `GET /me` of Fastify with a session token.
    FastifySession,
    /// `GET /whoami` of Fastify with an access token of ScaiKey.
    FastifyToken,
    /// Not a request: whole syncs of directories of several sizes, in a table of their own.
    Sync,
}

impl Case {
    /// All cases that are requests, in the table's order.
    pub const REQUESTS: [Self; 16] = [
        Self::Empty,
        Self::EmptyToken,
        Self::Floor,
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
    pub const PEERS: [Self; 4] = [
        Self::ApacheSession,
        Self::ApacheToken,
        Self::FastifySession,
        Self::FastifyToken,
    ];

    /// The case's name in the table.
    pub fn title(self) -> &'static str {
        match self {
            Self::Empty => "empty component",
            Self::EmptyToken => "empty, sent a token",
            Self::Floor => "me's answer, unread",
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
            Self::ApacheToken => "Apache, RS256 token",
            Self::FastifySession => "Fastify, session",
            Self::FastifyToken => "Fastify, RS256 token",
            Self::Sync => "sync",
        }
    }

    /// The case of the empty component that is sent as much.
    pub fn baseline(self) -> Self {
        match self {
            Self::EmptyToken
            | Self::Floor
            | Self::Me
            | Self::TokenSeen
            | Self::TokenSeenEs256
            | Self::TokenNew
            | Self::TokenNewEs256
            | Self::Lookup
            | Self::Stream
            | Self::ApacheToken
            | Self::FastifySession
            | Self::FastifyToken => Self::EmptyToken,
            Self::Empty
            | Self::AuthConfig
            | Self::Login
            | Self::SignIn
            | Self::Webhook
            | Self::LookupDirect
            | Self::StreamDirect
            | Self::ApacheSession
            | Self::Sync => Self::Empty,
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
