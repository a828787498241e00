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
use scaigate_simulated::Plan;
use scaigate_types::{Clock, Limits, Outbound, OutboundError, Timestamp};
use serde_json::{Value, json};

use super::clock::{SimClock, give_way};
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
    /// When.
    pub at: Timestamp,
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
    /// Changes to the claims of exchanged tokens.
    pub exchange_claims: RefCell<Value>,
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
            exchange_claims: RefCell::default(),
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

    /// The most calls of `endpoint` that fell into any thirty seconds.
    pub fn most_in_thirty_seconds(&self, endpoint: Endpoint) -> usize {
        let calls = self.calls.borrow();
        let of_endpoint = calls.iter().filter(|call| call.endpoint == endpoint);
        let times: Vec<Timestamp> = of_endpoint.map(|call| call.at).collect();
        let from = |start: &Timestamp| {
            let within = |at: &&Timestamp| *at >= start && at.since(*start).as_secs() < 30;
            times.iter().filter(within).count()
        };
        times.iter().map(from).max().unwrap_or_default()
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
            Some("urn:ietf:params:oauth:grant-type:token-exchange") => {
                return json_reply(200, &self.exchanged(form));
            }
            Some("client_credentials") => return json_reply(200, &self.own_token(form)),
            _ => return invalid("wrong user name or password"),
        };
        json_reply(200, &self.tokens(nonce.as_deref()))
    }

    fn tokens(&self, nonce: Option<&str>) -> Value {
        let shared = self.shared_claims();
        let id_claims = patched(
            shared.clone(),
            &json!({
                "aud": CLIENT_ID, "nonce": nonce, "auth_time": 1_799_999_000, "sid": "sk_session",
                "email": "ada@acme.example", "email_verified": true, "name": "Ada",
            }),
        );
        let refresh_token = self.fresh("refresh");
        self.grants.borrow_mut().insert(refresh_token.clone());
        let body = json!({
            "access_token": self.access_token(&self.access_claims.borrow()),
            "refresh_token": refresh_token,
            "id_token": self.sign(&patched(id_claims, &self.id_claims.borrow())),
            "token_type": "Bearer",
            "expires_in": 3600,
            "scope": "openid profile email",
        });
        patched(body, &self.answer.borrow())
    }

    fn shared_claims(&self) -> Value {
        let now = self.clock.now().secs();
        json!({
            "iss": BASE, "sub": "usr_ada", "tenant_id": TENANT, "iat": now, "exp": now + 3600,
        })
    }

    /// The claims of an access token of Ada's, issued now.
    pub fn access_token_claims(&self) -> Value {
        patched(
            self.shared_claims(),
            &json!({
                "aud": CLIENT_ID, "client_id": CLIENT_ID, "scope": "openid profile email",
                "jti": self.fresh("jti"),
            }),
        )
    }

    /// An access token of Ada's, issued now, with `changes` to its claims.
    pub fn access_token(&self, changes: &Value) -> String {
        self.sign(&patched(self.access_token_claims(), changes))
    }

    /// A logout token for Ada, issued now, with `changes` to its claims.
    pub fn logout_token(&self, changes: &Value) -> String {
        let now = self.clock.now().secs();
        let claims = json!({
            "iss": BASE, "aud": CLIENT_ID, "sub": "usr_ada", "iat": now, "exp": now + 120,
            "jti": self.fresh("jti"),
            "events": {"http://schemas.openid.net/event/backchannel-logout": {}},
        });
        self.sign(&patched(claims, changes))
    }

    /// The answer to an exchange: the subject's claims, for another audience and a narrower scope.
    fn exchanged(&self, form: &Form) -> Value {
        let kind = Some("urn:ietf:params:oauth:token-type:access_token");
        assert_eq!(form.get("subject_token_type"), kind);
        let subject = claims_of(form.get("subject_token").unwrap());
        let now = self.clock.now().secs();
        let mut changes = json!({
            "aud": form.get("audience"), "iat": now, "exp": now + 3600, "jti": self.fresh("jti"),
            "act": {"sub": CLIENT_ID},
        });
        if let Some(scope) = form.get("scope") {
            changes["scope"] = scope.into();
        }
        let claims = patched(patched(subject, &changes), &self.exchange_claims.borrow());
        let body = json!({
            "access_token": self.sign(&claims), "issued_token_type": kind, "token_type": "Bearer",
            "expires_in": 3600,
        });
        patched(body, &self.answer.borrow())
    }

    fn own_token(&self, form: &Form) -> Value {
        let scope = form.get("scope").unwrap_or("users:read groups:read");
        let changes = json!({
            "sub": CLIENT_ID, "token_type": "client_credentials", "scope": scope,
            "platform_token": true, "tenant_id": null,
        });
        let body = json!({
            "access_token": self.access_token(&changes), "token_type": "Bearer",
            "expires_in": 3600, "scope": scope,
        });
        patched(body, &self.answer.borrow())
    }

    /// A token of these claims, by the key that signs now.
    pub fn sign(&self, claims: &Value) -> String {
        let mut header = json!({"alg": "EdDSA"});
        if self.names_keys.get() {
            header["kid"] = self.signer.get().kid().into();
        }
        self.signer.get().sign(&header, claims)
    }
}

/// The claims of a compact token, whoever signed it.
pub fn claims_of(compact: &str) -> Value {
    let payload = compact.split('.').nth(1).unwrap();
    let bytes = scaigate_types::encoding::from_base64url(payload).unwrap();
    serde_json::from_slice(&bytes).unwrap()
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
            at: self.clock.now(),
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
