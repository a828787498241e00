//! One deployment, and a ScaiGrid that says what it is told to.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures::executor::block_on;
use http::{HeaderMap, Method, Request, Response};
use http_body::{Body, Frame};
use http_body_util::{BodyExt, Full};
use scaigate_kv::memory::{MemoryDatabase, MemoryKv};
use scaigate_kv::schema;
use scaigate_problem::{Code, Problem};
use scaigate_proxy::{Call, Caller, Cut, GridPorts, Served, Settings, read, serve, settings};
use scaigate_signin::{Credential, Memory, Ports, Principal, Service, User};
use scaigate_simulated::{ManualClock, Seeded};
use scaigate_types::{
    AdminRole, ClientId, Issuer, Limits, Outbound, OutboundError, StreamLimits, Streaming, Subject,
    TenantId, Timestamp, WorkspaceId, WorkspaceRole,
};

/// A tenant's key.
pub const KEY: &str = "sgk_canary0tenant0key0000000000000000001";
/// The deployment's key.
pub const DEPLOYMENT_KEY: &str = "sgk_canary0deployment0key0000000000000001";
/// A caller's ScaiKey token.
pub const TOKEN: &str = "eyJ.canary-login-token.sig";
/// What seals keys.
pub const SEALS: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
/// What sealed them before.
pub const SEALED_BEFORE: &str = "ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8=";
/// A list of one model.
pub const MODELS: &str = r#"{"data":[{"slug":"openai/gpt-4o","modality":"chat"}]}"#;

const VARIABLES: &[(&str, &str)] = &[
    ("scaigrid_base_url", "https://scaigrid.example"),
    ("credentials_key", SEALS),
    ("session_secret", SEALED_BEFORE),
];

/// Reads the usual variables with `changes` made; an empty value unsets.
pub fn variables<'a>(changes: &'a [(&'a str, &'a str)]) -> impl Fn(&str) -> Option<String> + 'a {
    |name| {
        let mut all = changes.iter().chain(VARIABLES);
        all.find(|(known, _)| *known == name)
            .map(|(_, value)| (*value).to_owned())
    }
}

/// What ScaiGrid is told to do with a request.
pub enum Told {
    /// To answer: status, headers, pieces.
    Answer(
        u16,
        Vec<(&'static str, String)>,
        Vec<Result<Bytes, OutboundError>>,
    ),
    /// Not to.
    Fail(OutboundError),
}

/// JSON with this status.
pub fn told(status: u16, body: &str) -> Told {
    let json = vec![("content-type", "application/json".to_owned())];
    Told::Answer(status, json, vec![Ok(Bytes::from(body.to_owned()))])
}

/// What a request was, as ScaiGrid saw it.
#[derive(Clone, Debug)]
pub struct Seen {
    /// Method and address.
    pub line: String,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

/// ScaiGrid.
#[derive(Default)]
pub struct Grid {
    told: RefCell<VecDeque<Told>>,
    seen: RefCell<Vec<Seen>>,
}

impl Grid {
    /// Tells it what to do with the next requests.
    pub fn will(&self, told: impl IntoIterator<Item = Told>) {
        self.told.borrow_mut().extend(told);
    }

    /// What came, and forgets it.
    pub fn seen(&self) -> Vec<Seen> {
        self.seen.take()
    }

    fn answer(&self, request: Request<Bytes>) -> Told {
        let (parts, body) = request.into_parts();
        self.seen.borrow_mut().push(Seen {
            line: format!("{} {}", parts.method, parts.uri),
            headers: parts.headers,
            body,
        });
        let next = self.told.borrow_mut().pop_front();
        next.unwrap_or_else(|| told(200, MODELS))
    }
}

fn head(status: u16, headers: Vec<(&'static str, String)>) -> Response<()> {
    let mut builder = Response::builder().status(status);
    for (name, value) in headers {
        builder = builder.header(name, value);
    }
    builder.body(()).unwrap()
}

impl Outbound for Grid {
    async fn send(
        &self,
        request: Request<Bytes>,
        _: Limits,
    ) -> Result<Response<Bytes>, OutboundError> {
        match self.answer(request) {
            Told::Fail(error) => Err(error),
            Told::Answer(status, headers, pieces) => {
                let mut body = Vec::new();
                for piece in pieces {
                    body.extend_from_slice(&piece?);
                }
                Ok(head(status, headers).map(|()| body.into()))
            }
        }
    }
}

/// The pieces of an answer.
pub struct Pieces(VecDeque<Result<Bytes, OutboundError>>);

impl Body for Pieces {
    type Data = Bytes;
    type Error = OutboundError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, OutboundError>>> {
        Poll::Ready(self.0.pop_front().map(|piece| piece.map(Frame::data)))
    }
}

impl Streaming for Grid {
    type Download = Pieces;

    async fn exchange<B>(
        &self,
        request: Request<B>,
        _: StreamLimits,
    ) -> Result<Response<Pieces>, OutboundError>
    where
        B: Body<Data = Bytes> + 'static,
        B::Error: std::error::Error + Send + Sync + 'static,
    {
        let (parts, body) = request.into_parts();
        let mut body = Box::pin(body);
        let mut whole = Vec::new();
        while let Some(frame) = body.as_mut().frame().await {
            let frame = frame.map_err(|_| OutboundError::Interrupted)?;
            whole.extend_from_slice(&frame.into_data().unwrap());
        }
        match self.answer(Request::from_parts(parts, whole.into())) {
            Told::Fail(error) => Err(error),
            Told::Answer(status, headers, pieces) => {
                Ok(head(status, headers).map(|()| Pieces(pieces.into())))
            }
        }
    }
}

/// One deployment and its ScaiGrid.
pub struct World {
    /// Time.
    pub clock: ManualClock,
    entropy: Seeded,
    /// The key-value store.
    pub kv: MemoryKv,
    /// The database.
    pub db: MemoryDatabase,
    /// ScaiGrid.
    pub grid: Grid,
    /// The settings.
    pub settings: Settings,
    memory: Memory,
}

impl Ports for World {
    type Clock = ManualClock;
    type Entropy = Seeded;
    type Kv = MemoryKv;
    type Database = MemoryDatabase;
    type Outbound = Grid;

    fn clock(&self) -> &ManualClock {
        &self.clock
    }
    fn entropy(&self) -> &Seeded {
        &self.entropy
    }
    fn kv(&self) -> &MemoryKv {
        &self.kv
    }
    fn db(&self) -> &MemoryDatabase {
        &self.db
    }
    fn outbound(&self) -> &Grid {
        &self.grid
    }
    fn memory(&self) -> &Memory {
        &self.memory
    }
}

impl GridPorts for World {
    type Streaming = Grid;

    fn streaming(&self) -> &Grid {
        &self.grid
    }
}

/// What came of a request.
#[derive(Debug)]
pub struct Came {
    /// The body as far as it came.
    pub body: Vec<u8>,
    /// Why it ended early.
    pub cut: Option<Cut>,
    /// The headers.
    pub headers: HeaderMap,
    /// The status.
    pub status: u16,
}

impl World {
    /// With some variables changed.
    pub fn with(changes: &[(&str, &str)]) -> Self {
        let db = MemoryDatabase::new().unwrap();
        block_on(schema::migrate(&db)).unwrap();
        Self {
            clock: ManualClock::default(),
            entropy: Seeded::default(),
            kv: MemoryKv::default(),
            db,
            grid: Grid::default(),
            settings: settings::settings(&variables(changes)).unwrap(),
            memory: Memory::default(),
        }
    }

    /// With the usual ones.
    pub fn new() -> Self {
        Self::with(&[])
    }

    /// Sets the tenant's key.
    pub fn set_key(&self, key: &str) {
        let administrator = user(None, Some(AdminRole::TenantAdmin));
        let administrator = scaigate_proxy::tenant_keys::administrator(administrator).unwrap();
        let body = format!(r#"{{"api_key":"{key}"}}"#);
        let keys = self.settings.tenant_keys.as_ref().map_err(Vec::as_slice);
        block_on(scaigate_proxy::tenant_keys::set(
            self,
            keys,
            &self.settings.grid.base_url,
            &administrator,
            body.as_bytes(),
        ))
        .unwrap();
    }

    /// Sends a request as `principal`.
    pub fn ask(
        &self,
        method: &Method,
        target: &str,
        headers: &HeaderMap,
        principal: &Principal,
        body: &'static str,
    ) -> Result<Came, Problem> {
        let call = Call {
            path: read(method, target)?,
            headers,
            caller: Caller {
                principal,
                bearer: Some(TOKEN),
            },
            request_id: "req_test",
        };
        let body = Full::new(Bytes::from_static(body.as_bytes()));
        match block_on(serve(self, &self.settings, call, body))? {
            Served::Listed(listed) => Ok(Came {
                body: listed.body.into_bytes(),
                cut: None,
                headers: listed.headers.as_map().clone(),
                status: 200,
            }),
            Served::Passed(mut passed) => {
                let mut came = Came {
                    body: Vec::new(),
                    cut: None,
                    headers: passed.headers.as_map().clone(),
                    status: passed.status.as_u16(),
                };
                while let Some(frame) = block_on(passed.body.frame()) {
                    match frame {
                        Ok(frame) => came.body.extend_from_slice(&frame.into_data().unwrap()),
                        Err(cut) => came.cut = Some(cut),
                    }
                }
                Ok(came)
            }
        }
    }

    /// Reads an address as `principal`.
    pub fn get(&self, target: &str, principal: &Principal) -> Result<Came, Problem> {
        self.ask(&Method::GET, target, &HeaderMap::new(), principal, "")
    }

    /// Posts JSON as `principal`.
    pub fn post(
        &self,
        target: &str,
        principal: &Principal,
        body: &'static str,
    ) -> Result<Came, Problem> {
        let mut headers = HeaderMap::new();
        headers.insert("content-type", "application/json".parse().unwrap());
        self.ask(&Method::POST, target, &headers, principal, body)
    }
}

/// The tenant of everybody here.
pub fn tenant() -> TenantId {
    TenantId::parse("tnt_acme").unwrap()
}

fn plain_user() -> User {
    User {
        issuer: Issuer::parse("https://scaikey.example").unwrap(),
        subject: Subject::parse("usr_bob").unwrap(),
        tenant_id: tenant(),
        person_id: None,
        email: None,
        name: None,
        admin_role: None,
        personal_workspace_id: None,
        workspace: None,
        scopes: Vec::new(),
        permissions: Vec::new(),
        roles: Vec::new(),
        groups: Vec::new(),
        credential: Credential::AccessToken,
        expires_at: None,
    }
}

/// A person with a ScaiKey token and these roles.
pub fn user(role: Option<WorkspaceRole>, admin_role: Option<AdminRole>) -> Principal {
    changed(|user| {
        user.admin_role = admin_role;
        user.workspace = role.map(|role| (WorkspaceId::parse("ws_default").unwrap(), role));
    })
}

/// A person with a ScaiKey token, otherwise than usual.
pub fn changed(change: impl FnOnce(&mut User)) -> Principal {
    let mut user = plain_user();
    change(&mut user);
    Principal::User(Rc::new(user))
}

/// An author.
pub fn author() -> Principal {
    user(Some(WorkspaceRole::Author), None)
}

/// A test user, whom ScaiKey does not know.
pub fn dev(admin_role: Option<AdminRole>) -> Principal {
    let mut user = plain_user();
    user.credential = Credential::Mock;
    user.admin_role = admin_role;
    Principal::Dev(Rc::new(user))
}

/// A service with these scopes.
pub fn service(tenant_id: Option<TenantId>, scopes: &[&str]) -> Principal {
    Principal::Service(Rc::new(Service {
        issuer: Issuer::parse("https://scaikey.example").unwrap(),
        client_id: ClientId::parse("app_service").unwrap(),
        is_platform: tenant_id.is_none(),
        tenant_id,
        scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect(),
        permissions: Vec::new(),
        roles: Vec::new(),
        expires_at: Timestamp::from_secs(1_900_000_000),
    }))
}

/// The code of a failure; `None` for a success.
pub fn code<T>(result: &Result<T, Problem>) -> Option<Code> {
    result.as_ref().err().map(Problem::code)
}

/// The body of a failure.
pub fn body<T>(result: &Result<T, Problem>) -> serde_json::Value {
    result.as_ref().err().unwrap().body("/", "req_test")
}

/// The credential of a request that came.
pub fn credential(seen: &Seen) -> String {
    seen.headers["authorization"]
        .to_str()
        .unwrap()
        .trim_start_matches("Bearer ")
        .to_owned()
}
