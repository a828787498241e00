//! Those who send what is measured.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};

use crate::bench::answer::{expect, field, json_body, location, path};
use crate::bench::cases::Case;
use crate::bench::client::{Answer, Connection};
use crate::bench::site::Site;
use crate::bench::{grid, peers};
use crate::settings::{CLIENT_ID, CLIENT_SECRET, WEBHOOK_SECRET};

/// People of the emulator's seed; each connection is one of them, so that rows
/// of one person aren't fought over more than in life.
pub const PEOPLE: [&str; 12] = [
    "alice", "bob", "carol", "dave", "erin", "frank", "grace", "heidi", "ivan", "judy", "karl",
    "laura",
];

/// One of the parallel clients, with its connections and its person.
pub struct Client {
    application: Connection,
    emulator: Connection,
    grid: Connection,
    empty: Connection,
    apache: Connection,
    fastify: Connection,
    email: String,
    /// Many tokens, and which is sent next.
    tokens: Vec<String>,
    next: usize,
}

/// What a sign-in gives.
pub struct Begun {
    /// The answer with the session's tokens.
    pub tokens: Value,
    /// The session code it was given for: spent.
    pub session_code: String,
}

/// The id and the text of an event that nobody has sent before: a person of the seed has another name.
pub fn event(name: &str) -> (String, String) {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let id = format!("evt_{}_{number}", std::process::id());
    let event = json!({
        "created_at": format!("2026-01-01T{:02}:{:02}:{:02}.{:03}Z",
            number / 3_600_000 % 24, number / 60_000 % 60, number / 1000 % 60, number % 1000),
        "data": {
            "email": format!("{name}@acme.example"), "name": format!("{name} {number}"),
            "tenant_id": "tnt_acme0001", "user_id": format!("usr_{name}_acme"),
        },
        "id": id,
        "type": "user.updated",
    });
    (id, event.to_string())
}

/// Delivers an event as ScaiKey would, signed with `secret` now.
///
/// # Errors
/// There is no answer.
pub fn deliver(application: &mut Connection, event: &str, secret: &str) -> Result<Answer> {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    let seconds = seconds.to_string();
    let mac = hmac_sha256::HMAC::mac(format!("{seconds}.{event}"), secret);
    let hex: String = mac.iter().map(|byte| format!("{byte:02x}")).collect();
    let signature = format!("t={seconds},v1={hex}");
    let headers = [
        ("content-type", "application/json"),
        ("x-scaikey-timestamp", seconds.as_str()),
        ("x-scaikey-signature", signature.as_str()),
    ];
    application.request("POST", "/v1/webhooks/scaikey", &headers, event)
}

/// Access tokens that are got before a measurement of ones nobody has seen. A turn that needs more
/// begins again: an instance has forgotten the first by then.
pub const TOKENS: usize = 4000;

/// As many different access tokens of our application, one a line.
///
/// # Errors
/// ScaiKey does not give one.
pub fn access_tokens(site: &Site, algorithm: &str, count: usize) -> Result<String> {
    let mut client = Client::new(site, 0);
    let json = [("content-type", "application/json")];
    let command = json!({ "behaviour": {
        "signing_alg": algorithm, "access_token_jti": true,
    } });
    let answer =
        client
            .emulator
            .request("POST", "/_emulator/switches", &json, &command.to_string())?;
    expect(200, "the emulator's switches", answer)?;
    let mut tokens = Vec::new();
    for _ in 0..count {
        tokens.push(granted(&mut client.emulator, SERVICE)?);
    }
    // What else is signed from now on is as it was.
    let command = json!({ "behaviour": { "signing_alg": "RS256" } });
    let answer =
        client
            .emulator
            .request("POST", "/_emulator/switches", &json, &command.to_string())?;
    expect(200, "the emulator's switches", answer)?;
    Ok(tokens.join("\n"))
}

/// The grant of an application for itself.
pub const SERVICE: &str = "grant_type=client_credentials";

/// The access token that ScaiKey gives our application for a grant.
///
/// # Errors
/// It gives none.
pub fn granted(scaikey: &mut Connection, grant: &str) -> Result<String> {
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let body = format!("{grant}&client_id={CLIENT_ID}&client_secret={CLIENT_SECRET}");
    let target = "/api/v1/platform/oauth/token";
    let answer = scaikey.request("POST", target, &form, &body)?;
    let answer = expect(200, "the emulator's token endpoint", answer)?;
    field(&json_body(&answer)?, "access_token")
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
            grid: Connection::new(site.grid),
            empty: Connection::new(site.empty),
            apache: Connection::new(site.peers.map_or(site.empty, |peers| peers.apache)),
            fastify: Connection::new(site.peers.map_or(site.empty, |peers| peers.fastify)),
            email: format!("{name}@acme.example"),
            tokens: Vec::new(),
            // The clients begin far apart, so that no two send the same one soon.
            next: number * TOKENS / 16,
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
            Case::Me | Case::Floor | Case::EmptyToken => {
                let bearer = format!("Bearer {token}");
                let headers = [("authorization", bearer.as_str())];
                let (server, target) = match case {
                    Case::Me => (&mut self.application, "/v1/me"),
                    Case::Floor => (&mut self.empty, "/v1/me"),
                    _ => (&mut self.empty, "/"),
                };
                expect(200, "me", server.request("GET", target, &headers, "")?)?;
            }
            Case::TokenSeen | Case::TokenSeenEs256 => {
                self.whoami(token)?;
            }
            Case::TokenNew | Case::TokenNewEs256 => {
                if self.tokens.is_empty() {
                    // Once a client: to look for lines in each request would be measured too.
                    self.tokens = token.lines().map(str::to_owned).collect();
                }
                let count = self.tokens.len().max(1);
                let token = self.tokens.get(self.next % count).context("no tokens")?;
                let token = token.clone();
                self.next += 1;
                self.whoami(&token)?;
            }
            Case::Login => {
                self.login()?;
            }
            Case::SignIn => {
                self.sign_in()?;
            }
            Case::Webhook => self.webhook()?,
            Case::LookupDirect => grid::lookup(&mut self.grid, "/v1/models", token)?,
            Case::Lookup => {
                grid::lookup(&mut self.application, "/v1/scaigrid/models", token)?;
            }
            Case::StreamDirect => grid::stream(&mut self.grid, "/v1/inference/chat", token)?,
            Case::Stream => {
                grid::stream(&mut self.application, "/v1/scaigrid/inference/chat", token)?;
            }
            Case::ApacheSession => {
                peers::ask(&mut self.apache, "/me", "cookie", token)?;
            }
            Case::ApacheToken => {
                let bearer = format!("Bearer {token}");
                peers::ask(&mut self.apache, "/whoami", "authorization", &bearer)?;
            }
            Case::FastifySession | Case::FastifyToken => {
                let bearer = format!("Bearer {token}");
                let target = match case {
                    Case::FastifySession => "/me",
                    _ => "/whoami",
                };
                peers::ask(&mut self.fastify, target, "authorization", &bearer)?;
            }
            Case::Sync => bail!("a sync is no request"),
        }
        Ok(())
    }

    /// Sends an event about the client's own person, as ScaiKey would.
    fn webhook(&mut self) -> Result<()> {
        let name = self.email.split('@').next().unwrap_or_default();
        let (_, event) = event(name);
        let answer = deliver(&mut self.application, &event, WEBHOOK_SECRET)?;
        expect(200, "webhook", answer)?;
        Ok(())
    }

    fn whoami(&mut self, token: &str) -> Result<Answer> {
        let bearer = format!("Bearer {token}");
        let headers = [("authorization", bearer.as_str())];
        let target = "/v1/auth/whoami";
        expect(
            200,
            "whoami",
            self.application.request("GET", target, &headers, "")?,
        )
    }

    fn login(&mut self) -> Result<Answer> {
        let body = json!({ "login_hint": self.email }).to_string();
        self.post("/v1/auth/login", &body)
    }

    /// Signs in as a browser would, and returns the session token.
    ///
    /// # Errors
    /// An answer on the way isn't the expected one.
    pub fn sign_in(&mut self) -> Result<String> {
        field(&self.begin_session()?.tokens, "access_token")
    }

    /// Signs in as a browser would.
    ///
    /// # Errors
    /// An answer on the way isn't the expected one.
    pub fn begin_session(&mut self) -> Result<Begun> {
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
        Ok(Begun {
            tokens: session,
            session_code: code.to_owned(),
        })
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
