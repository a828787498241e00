//! ScaiKey, played in process: it serves discovery, keys, tokens and revocation, keeps its one-time
//! promises, and can be told to answer anything else.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use scaigate_jose::pkce_challenge;
use scaigate_scaikey::form::{self, Form};
use scaigate_types::{Clock, Limits, Outbound, OutboundError};
use serde_json::{Value, json};

use super::clock::{SimClock, give_way};
use super::plan::Plan;
use super::signer::Signer;
use super::{BASE, CLIENT_ID, CLIENT_SECRET, TENANT};

/// What ScaiKey serves to servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Endpoint {
    /// The platform flavour's discovery document.
    Discovery,
    /// The discovery document in the standard place.
    StandardDiscovery,
    /// The key set.
    Keys,
    /// Tokens.
    Token,
    /// Revocation.
    Revocation,
}

/// An answer, or none.
pub type Reply = Result<Response<Bytes>, OutboundError>;

/// One call that reached ScaiKey.
pub struct Call {
    /// What was called.
    pub endpoint: Endpoint,
    /// The form that was posted.
    pub form: Form,
    /// The bounds it was made with.
    pub limits: Limits,
}

/// How one call goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutboundFault {
    /// No answer. But for `Refused` and `Denied` ScaiKey did what it was asked.
    Error(OutboundError),
    /// Something else answers in ScaiKey's place: status, content type, body.
    Instead(u16, &'static str, &'static str),
}

struct IssuedCode {
    redirect_uri: String,
    challenge: Option<String>,
    nonce: Option<String>,
}

/// ScaiKey.
pub struct Scaikey {
    clock: Rc<SimClock>,
    /// Which call goes wrong.
    pub plan: Plan<OutboundFault>,
    /// What it was asked.
    pub calls: RefCell<Vec<Call>>,
    /// Changes to the discovery document; `null` takes a member out. The same for the others.
    pub discovery: RefCell<Value>,
    /// Changes to the claims of ID tokens.
    pub id_claims: RefCell<Value>,
    /// Changes to the claims of access tokens.
    pub access_claims: RefCell<Value>,
    /// Changes to token answers.
    pub answer: RefCell<Value>,
    /// The key that signs.
    pub signer: Cell<Signer>,
    /// The keys it publishes.
    pub published: RefCell<Vec<Signer>>,
    /// Whether tokens name their key.
    pub names_keys: Cell<bool>,
    /// Whether what a slow call asks is done when its answer leaves, not when it arrives: then a
    /// caller that is lost in between was never heard.
    pub acts_late: Cell<bool>,
    replies: RefCell<BTreeMap<Endpoint, Reply>>,
    latencies: RefCell<BTreeMap<Endpoint, Duration>>,
    codes: RefCell<BTreeMap<String, IssuedCode>>,
    grants: RefCell<BTreeSet<String>>,
    issued: Cell<u64>,
    /// Codes and refresh tokens that came a second time, for which ScaiKey may end a grant.
    pub replays: Cell<u64>,
    /// Tokens that were revoked.
    pub revoked: RefCell<Vec<String>>,
}

/// An answer with a content type.
pub fn reply(status: u16, content_type: &str, body: &str) -> Response<Bytes> {
    let mut response = Response::new(Bytes::copy_from_slice(body.as_bytes()));
    *response.status_mut() = status.try_into().unwrap();
    response
        .headers_mut()
        .insert("content-type", content_type.parse().unwrap());
    response
}

/// A JSON answer.
pub fn json_reply(status: u16, body: &Value) -> Response<Bytes> {
    reply(status, "application/json", &body.to_string())
}

/// The token endpoint's refusal.
pub fn refusal(status: u16, error: &str, description: &str) -> Response<Bytes> {
    json_reply(
        status,
        &json!({"error": error, "error_description": description}),
    )
}

fn patched(mut value: Value, changes: &Value) -> Value {
    for (name, change) in changes.as_object().into_iter().flatten() {
        if change.is_null() {
            value.as_object_mut().unwrap().remove(name);
        } else {
            value[name] = change.clone();
        }
    }
    value
}

impl Scaikey {
    /// A ScaiKey that does what its contract says.
    pub fn new(clock: Rc<SimClock>) -> Self {
        Self {
            clock,
            plan: Plan::default(),
            calls: RefCell::default(),
            discovery: RefCell::default(),
            id_claims: RefCell::default(),
            access_claims: RefCell::default(),
            answer: RefCell::default(),
            signer: Cell::new(Signer(1)),
            published: RefCell::new(vec![Signer(1)]),
            names_keys: Cell::new(true),
            acts_late: Cell::new(false),
            replies: RefCell::default(),
            latencies: RefCell::default(),
            codes: RefCell::default(),
            grants: RefCell::default(),
            issued: Cell::new(0),
            replays: Cell::new(0),
            revoked: RefCell::default(),
        }
    }

    /// Makes every call of `endpoint` come to `reply`, whatever was asked.
    pub fn always(&self, endpoint: Endpoint, reply: Reply) {
        self.replies.borrow_mut().insert(endpoint, reply);
    }

    /// Lets `endpoint` answer by itself again.
    pub fn heal(&self, endpoint: Endpoint) {
        self.replies.borrow_mut().remove(&endpoint);
        self.latencies.borrow_mut().remove(&endpoint);
    }

    /// Makes answers of `endpoint` take `latency`; longer than the caller waits is a time-out.
    pub fn slow(&self, endpoint: Endpoint, latency: Duration) {
        self.latencies.borrow_mut().insert(endpoint, latency);
    }

    /// Makes every call hang.
    pub fn hang(&self) {
        use Endpoint::{Discovery, Keys, Revocation, StandardDiscovery, Token};
        for endpoint in [Discovery, StandardDiscovery, Keys, Token, Revocation] {
            self.slow(endpoint, Duration::MAX);
        }
    }

    /// How often `endpoint` was called.
    pub fn count(&self, endpoint: Endpoint) -> usize {
        self.calls
            .borrow()
            .iter()
            .filter(|call| call.endpoint == endpoint)
            .count()
    }

    /// Lets a person sign in at `authorize_url`: the query with which the browser comes back.
    pub fn authorize(&self, authorize_url: &str) -> String {
        let (_, query) = authorize_url.split_once('?').unwrap();
        let asked = form::parse(query.as_bytes(), 32).unwrap();
        let code = self.issue_code(
            asked.get("redirect_uri").unwrap(),
            asked.get("code_challenge"),
            asked.get("nonce"),
        );
        let state = asked.get("state").unwrap();
        form::encode(&[("code", code.as_str()), ("state", state), ("iss", BASE)])
    }

    /// A code as an app would get it for itself.
    pub fn issue_code(
        &self,
        redirect_uri: &str,
        challenge: Option<&str>,
        nonce: Option<&str>,
    ) -> String {
        let code = self.fresh("code");
        let issued = IssuedCode {
            redirect_uri: redirect_uri.to_owned(),
            challenge: challenge.map(str::to_owned),
            nonce: nonce.map(str::to_owned),
        };
        self.codes.borrow_mut().insert(code.clone(), issued);
        code
    }

    fn fresh(&self, kind: &str) -> String {
        self.issued.set(self.issued.get() + 1);
        format!("{kind}_canary_{}", self.issued.get())
    }

    fn serve(&self, endpoint: Endpoint, form: &Form) -> Response<Bytes> {
        match endpoint {
            Endpoint::Discovery => json_reply(200, &self.discovery_document()),
            Endpoint::StandardDiscovery => json_reply(404, &json!({"detail": "Not Found"})),
            Endpoint::Keys => {
                let keys: Vec<Value> = self
                    .published
                    .borrow()
                    .iter()
                    .map(|key| key.jwk())
                    .collect();
                json_reply(200, &json!({ "keys": keys }))
            }
            Endpoint::Token => self.token(form),
            Endpoint::Revocation => {
                let token = form.get("token").unwrap();
                self.grants.borrow_mut().remove(token);
                self.revoked.borrow_mut().push(token.to_owned());
                reply(200, "text/plain", "")
            }
        }
    }

    /// The discovery document.
    pub fn discovery_document(&self) -> Value {
        let at = |path: &str| format!("{BASE}/api/v1/platform/oauth/{path}");
        let document = json!({
            "issuer": BASE,
            "authorization_endpoint": at("authorize"),
            "token_endpoint": at("token"),
            "jwks_uri": at("jwks"),
            "revocation_endpoint": at("revoke"),
            "end_session_endpoint": at("logout"),
            "response_types_supported": ["code"],
            "grant_types_supported": ["authorization_code", "refresh_token", "password"],
            "code_challenge_methods_supported": ["S256"],
            "scopes_supported": ["openid", "profile", "email"],
            "authorization_response_iss_parameter_supported": true,
        });
        patched(document, &self.discovery.borrow())
    }

    fn token(&self, form: &Form) -> Response<Bytes> {
        let invalid = |why| refusal(400, "invalid_grant", why);
        let nonce = match form.get("grant_type") {
            Some("authorization_code") => {
                let Some(code) = self.codes.borrow_mut().remove(form.get("code").unwrap()) else {
                    self.replays.set(self.replays.get() + 1);
                    return invalid("code already used");
                };
                if form.get("redirect_uri") != Some(code.redirect_uri.as_str()) {
                    return invalid("redirect_uri does not match");
                }
                if form.get("code_verifier").map(pkce_challenge) != code.challenge {
                    return invalid("PKCE verification failed");
                }
                code.nonce
            }
            Some("refresh_token") => {
                if !self
                    .grants
                    .borrow_mut()
                    .remove(form.get("refresh_token").unwrap())
                {
                    self.replays.set(self.replays.get() + 1);
                    return invalid("unknown refresh token");
                }
                None
            }
            Some("password") if form.get("password") == Some("correct horse") => None,
            _ => return invalid("wrong user name or password"),
        };
        json_reply(200, &self.tokens(nonce.as_deref()))
    }

    fn tokens(&self, nonce: Option<&str>) -> Value {
        let now = self.clock.now().secs();
        let shared = json!({
            "iss": BASE, "sub": "usr_ada", "tenant_id": TENANT, "iat": now, "exp": now + 3600,
        });
        let id_claims = patched(
            shared.clone(),
            &json!({
                "aud": CLIENT_ID, "nonce": nonce, "auth_time": 1_799_999_000, "sid": "sk_session",
                "email": "ada@acme.example", "email_verified": true, "name": "Ada",
            }),
        );
        let refresh_token = self.fresh("refresh");
        self.grants.borrow_mut().insert(refresh_token.clone());
        let access_claims = patched(
            shared,
            &json!({"aud": "platform", "jti": self.fresh("jti")}),
        );
        let body = json!({
            "access_token": self.sign(&patched(access_claims, &self.access_claims.borrow())),
            "refresh_token": refresh_token,
            "id_token": self.sign(&patched(id_claims, &self.id_claims.borrow())),
            "token_type": "Bearer",
            "expires_in": 3600,
            "scope": "openid profile email",
        });
        patched(body, &self.answer.borrow())
    }

    fn sign(&self, claims: &Value) -> String {
        let mut header = json!({"alg": "EdDSA"});
        if self.names_keys.get() {
            header["kid"] = self.signer.get().kid().into();
        }
        self.signer.get().sign(&header, claims)
    }
}

fn endpoint_of(request: &Request<Bytes>) -> Endpoint {
    match request.uri().path() {
        "/api/v1/platform/oauth/.well-known/openid-configuration" => Endpoint::Discovery,
        "/.well-known/openid-configuration" => Endpoint::StandardDiscovery,
        "/api/v1/platform/oauth/jwks" => Endpoint::Keys,
        "/api/v1/platform/oauth/token" => Endpoint::Token,
        "/api/v1/platform/oauth/revoke" => Endpoint::Revocation,
        other => unreachable!("nobody may call {other}"),
    }
}

impl Outbound for Scaikey {
    async fn send(&self, request: Request<Bytes>, limits: Limits) -> Reply {
        assert!(
            request.uri().to_string().starts_with(BASE),
            "only ScaiKey is called"
        );
        let endpoint = endpoint_of(&request);
        let fault = self.plan.next(format!("{endpoint:?}"));
        if limits.timeout.is_zero() {
            return Err(OutboundError::Timeout);
        }
        if let Some(OutboundFault::Error(
            error @ (OutboundError::Refused | OutboundError::Denied),
        )) = fault
        {
            return Err(error);
        }
        let form = form::parse(request.body(), 32).unwrap();
        if matches!(endpoint, Endpoint::Token | Endpoint::Revocation) {
            let basic = format!("{CLIENT_ID}:{CLIENT_SECRET}");
            assert_eq!(
                request.headers()["authorization"],
                format!("Basic {}", base64(&basic))
            );
        }
        self.calls.borrow_mut().push(Call {
            endpoint,
            form: form.clone(),
            limits,
        });
        let act = || match self.replies.borrow().get(&endpoint) {
            Some(reply) => reply.clone(),
            None if matches!(fault, Some(OutboundFault::Instead(..))) => {
                Err(OutboundError::Interrupted)
            }
            None => Ok(self.serve(endpoint, &form)),
        };
        let early = (!self.acts_late.get()).then(act);
        let latency = self
            .latencies
            .borrow()
            .get(&endpoint)
            .copied()
            .unwrap_or_default();
        let hangs = fault == Some(OutboundFault::Error(OutboundError::Timeout));
        if hangs || latency >= limits.timeout {
            self.clock.sleep(limits.timeout).await;
            return Err(OutboundError::Timeout);
        }
        give_way(1).await;
        self.clock.sleep(latency).await;
        let answer = early.unwrap_or_else(act);
        match fault {
            Some(OutboundFault::Error(error)) => Err(error),
            Some(OutboundFault::Instead(status, kind, body)) => Ok(reply(status, kind, body)),
            None => answer,
        }
    }
}

fn base64(text: &str) -> String {
    // The one in the vocabulary is for URLs; these credentials are chosen to need no padding.
    scaigate_types::encoding::base64url(text.as_bytes())
}
