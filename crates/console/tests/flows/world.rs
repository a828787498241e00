//! A browser, the console, and the components behind it.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use futures::executor::block_on;
use http::{HeaderMap, HeaderValue, Method, Request, Response, header};
use scaigate_console::{Console, Request as Sent, Returned, Route, Settings, settings};
use scaigate_problem::Problem;
use scaigate_simulated::{ManualClock, Seeded};
use scaigate_types::{Limits, Outbound, OutboundError};
use serde_json::{Value, json};

pub const ACCESS: &str = "ACCESS-TOKEN";
pub const REFRESH: &str = "REFRESH-TOKEN";

/// What becomes of a call.
#[derive(Clone, Copy)]
pub enum Fault {
    /// No answer.
    Error(OutboundError),
    /// This status, type and body instead of the answer.
    Instead(u16, &'static str, &'static str),
}

/// The other components.
#[derive(Default)]
pub struct Parts {
    /// What was called, in order.
    pub calls: RefCell<Vec<String>>,
    /// The number of the call that fails, and how.
    pub fails: Cell<Option<(usize, Fault)>>,
    /// The access token of the cookie says a role that is no more.
    pub is_revoked: Cell<bool>,
    /// The session code was used.
    is_redeemed: Cell<bool>,
}

impl Parts {
    fn answer(&self, request: &Request<Bytes>) -> (u16, Value) {
        let body: Value = serde_json::from_slice(request.body()).unwrap_or_default();
        match request.uri().path() {
            "/v1/auth/login" => (
                200,
                json!({ "authorize_url": "https://k.example/authorize", "state": "STATE" }),
            ),
            "/v1/auth/token" if self.is_redeemed.get() => (
                400,
                json!({ "error": { "code": "session_code_already_used" } }),
            ),
            "/v1/auth/token" if body.get("workspace_id").is_none() => (
                200,
                json!({ "requires_selection": true, "workspaces": [{ "workspace_id": "ws_1" }] }),
            ),
            path @ ("/v1/auth/token" | "/v1/auth/refresh") => {
                self.is_redeemed.set(path == "/v1/auth/token");
                self.is_revoked.set(false);
                let granted = json!({ "access_token": ACCESS, "refresh_token": REFRESH,
                                      "expires_in": 900, "refresh_after": 720 });
                (200, granted)
            }
            "/v1/auth/logout" => (200, json!({ "end_session_url": "https://k.example/out" })),
            _ if self.is_revoked.get() => (401, json!({ "error": { "code": "token_revoked" } })),
            _ => (200, json!({})),
        }
    }
}

impl Outbound for Parts {
    async fn send(
        &self,
        request: Request<Bytes>,
        _limits: Limits,
    ) -> Result<Response<Bytes>, OutboundError> {
        let host = request.uri().host().unwrap();
        let part = host.strip_suffix(".spin.internal").unwrap();
        let call = format!("{part} {}", request.uri().path());
        self.calls.borrow_mut().push(call);
        let number = self.calls.borrow().len();
        let (status, content_type, body) = match self.fails.get() {
            Some((at, Fault::Error(error))) if at == number => {
                // Whoever answers too late, or not to the end, has done what was asked.
                if !matches!(error, OutboundError::Refused | OutboundError::Denied) {
                    self.answer(&request);
                }
                return Err(error);
            }
            Some((at, Fault::Instead(status, kind, body))) if at == number => {
                (status, kind, body.to_owned())
            }
            _ => {
                let (status, body) = self.answer(&request);
                (status, "application/json", body.to_string())
            }
        };
        let answer = Response::builder().status(status);
        let answer = answer.header(header::CONTENT_TYPE, content_type);
        Ok(answer.body(Bytes::from(body)).unwrap())
    }
}

/// A browser, the console, and the components behind it.
pub struct World {
    settings: Settings,
    clock: ManualClock,
    entropy: Seeded,
    pub parts: Parts,
    jar: RefCell<BTreeMap<String, String>>,
}

/// What the browser gets: the status of a call that was passed on, or a failure.
pub type Outcome = Result<String, Problem>;

impl World {
    pub fn new() -> Self {
        let variables = |name: &str| {
            let value = match name {
                "public_url" => "https://gate.example",
                "console_secret" => "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
                _ => return None,
            };
            Some(value.to_owned())
        };
        Self {
            settings: settings::parse(&variables).ok().unwrap(),
            clock: ManualClock::default(),
            entropy: Seeded::default(),
            parts: Parts::default(),
            jar: RefCell::default(),
        }
    }

    pub fn begun() -> Self {
        let world = Self::new();
        world.begin().unwrap();
        world
    }

    pub fn signed_in() -> Self {
        let world = Self::begun();
        world.complete().unwrap();
        world
    }

    /// Signed in so many seconds ago.
    pub fn signed_in_since(seconds: u64) -> Self {
        let world = Self::signed_in();
        world.clock.advance(Duration::from_secs(seconds));
        world
    }

    fn console(&self) -> Console<'_, ManualClock, Seeded, Parts> {
        Console {
            settings: &self.settings,
            clock: &self.clock,
            entropy: &self.entropy,
            outbound: &self.parts,
        }
    }

    fn cookies(&self) -> impl Fn(&str) -> Option<String> {
        |name| self.jar.borrow().get(name).cloned()
    }

    fn set(&self, cookies: impl IntoIterator<Item = HeaderValue>) {
        let mut jar = self.jar.borrow_mut();
        for cookie in cookies {
            let (name, rest) = cookie.to_str().unwrap().split_once('=').unwrap();
            match rest.split(';').next().unwrap() {
                "" => jar.remove(name),
                value => jar.insert(name.to_owned(), value.to_owned()),
            };
        }
    }

    pub fn begin(&self) -> Outcome {
        let begun = block_on(self.console().begin(&self.cookies()))?;
        self.set(begun.cookies);
        Ok("ok".to_owned())
    }

    pub fn complete(&self) -> Outcome {
        let returned = Returned {
            state: Some("STATE"),
            session_code: Some("CODE"),
            error: None,
        };
        self.set(block_on(
            self.console().complete(&self.cookies(), returned),
        )?);
        Ok("ok".to_owned())
    }

    pub fn pass(&self) -> Outcome {
        let request = Sent {
            method: &Method::GET,
            query: "",
            body: &Bytes::new(),
            headers: &HeaderMap::new(),
            request_id: "req_1",
        };
        let route = Route::find(&Method::GET, &["v1", "me"]).unwrap();
        let passed = block_on(self.console().pass(&self.cookies(), &route, request))?;
        self.set(passed.cookie);
        Ok(passed.answer.status().as_str().to_owned())
    }

    pub fn switch(&self) -> Outcome {
        let cookies = self.cookies();
        self.set([block_on(self.console().switch_workspace(&cookies, "ws_2"))?]);
        Ok("ok".to_owned())
    }

    pub fn sign_out(&self) -> Outcome {
        let (outcome, cookie) = block_on(self.console().sign_out(&self.cookies()));
        self.set(cookie);
        assert!(outcome.signed_out && self.jar.borrow().is_empty());
        let where_else = if outcome.session_ended {
            "ended"
        } else {
            "ended here"
        };
        Ok(where_else.to_owned())
    }
}
