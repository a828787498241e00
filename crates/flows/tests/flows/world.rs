//! Everything a flow runs over, in memory.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use futures::executor::block_on;
use scaigate_flows::{Content, Writer, caller};
use scaigate_kv::memory::{MemoryDatabase, MemoryKv};
use scaigate_kv::schema;
use scaigate_problem::{Code, Problem};
use scaigate_signin::{Credential, Memory, Ports, Principal, User};
use scaigate_simulated::{ManualClock, Seeded};
use scaigate_types::{
    AdminRole, FlowId, Issuer, Limits, Outbound, OutboundError, PersonId, Query, Subject, TenantId,
    Value as SqlValue,
};
use serde_json::Value;

/// A manifest, as JSON text.
pub const MANIFEST: &str = r#""manifest:\n  name: expense\n""#;

/// One answer of [`Outside`].
pub type Told = Result<(u16, String), OutboundError>;

/// What is outside: ScaiGrid, for the tests that tell it what to answer.
#[derive(Default)]
pub struct Outside {
    told: RefCell<VecDeque<Told>>,
    seen: RefCell<Vec<(String, String)>>,
    clock: ManualClock,
    /// How many seconds it takes for an answer.
    pub takes: Cell<u64>,
}

impl Outside {
    /// Tells it what to answer; it refuses connections after that.
    pub fn will(&self, told: impl IntoIterator<Item = Told>) {
        self.told.borrow_mut().extend(told);
    }

    /// Method and address of what came, and the credential.
    pub fn seen(&self) -> Vec<(String, String)> {
        self.seen.borrow().clone()
    }
}

impl Outbound for Outside {
    async fn send(
        &self,
        request: http::Request<Bytes>,
        limits: Limits,
    ) -> Result<http::Response<Bytes>, OutboundError> {
        let line = format!("{} {}", request.method(), request.uri());
        let credential = request.headers()["authorization"].to_str().unwrap();
        let credential = credential.trim_start_matches("Bearer ").to_owned();
        self.seen.borrow_mut().push((line, credential));
        let takes = self.takes.get().min(limits.timeout.as_secs());
        self.clock.advance(Duration::from_secs(takes));
        if takes < self.takes.get() {
            return Err(OutboundError::Timeout);
        }
        let told = self.told.borrow_mut().pop_front();
        let (status, body) = told.unwrap_or(Err(OutboundError::Refused))?;
        let answer = http::Response::builder().status(status);
        Ok(answer.body(Bytes::from(body)).unwrap())
    }
}

pub struct World {
    clock: ManualClock,
    entropy: Seeded,
    kv: MemoryKv,
    pub db: MemoryDatabase,
    pub outside: Outside,
    memory: Memory,
}

impl Ports for World {
    type Clock = ManualClock;
    type Entropy = Seeded;
    type Kv = MemoryKv;
    type Database = MemoryDatabase;
    type Outbound = Outside;

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
    fn outbound(&self) -> &Outside {
        &self.outside
    }
    fn memory(&self) -> &Memory {
        &self.memory
    }
}

/// A person of ScaiKey.
pub fn user(subject: &str, tenant: &str, admin_role: Option<AdminRole>) -> User {
    User {
        issuer: Issuer::parse("https://scaikey.test").unwrap(),
        subject: Subject::parse(subject).unwrap(),
        tenant_id: TenantId::parse(tenant).unwrap(),
        person_id: Some(PersonId::parse(&format!("per_{subject}_{tenant}")).unwrap()),
        email: Some(format!("{subject}@example.test")),
        name: None,
        admin_role,
        personal_workspace_id: None,
        workspace: None,
        scopes: vec!["scaicore:manage".to_owned()],
        permissions: Vec::new(),
        roles: Vec::new(),
        groups: Vec::new(),
        credential: Credential::AccessToken,
        expires_at: None,
    }
}

impl World {
    pub fn new() -> Self {
        let clock = ManualClock::default();
        let world = Self {
            outside: Outside {
                clock: clock.clone(),
                ..Outside::default()
            },
            clock,
            entropy: Seeded::default(),
            kv: MemoryKv::default(),
            db: MemoryDatabase::new().unwrap(),
            memory: Memory::default(),
        };
        block_on(schema::migrate(&world.db)).unwrap();
        world
    }

    /// Somebody who may change flows, of the tenant acme.
    pub fn writer(&self, subject: &str) -> Writer {
        self.writer_of(user(subject, "tnt_acme", None))
    }

    pub fn writer_of(&self, user: User) -> Writer {
        block_on(caller::writer(self, Principal::User(Rc::new(user)))).unwrap()
    }

    pub fn sql(&self, sql: &str, parameters: &[&str]) {
        let parameters: Vec<SqlValue> = parameters.iter().map(|text| (*text).into()).collect();
        block_on(self.db.query(sql, &parameters)).unwrap();
    }

    pub fn number(&self, sql: &str) -> i64 {
        block_on(self.db.query(sql, &[])).unwrap()[0]
            .integer(0)
            .unwrap()
    }

    /// Puts a user into the mirror.
    pub fn mirrors(&self, subject: &str, tenant: &str) {
        self.sql(
            "INSERT INTO person (person_id, issuer, subject, tenant_id, created_at, last_seen_at)
             VALUES ('row_' || ?1 || ?2, 'https://scaikey.test', ?1, ?2, 0, 0)",
            &[subject, tenant],
        );
    }

    /// Puts a group with one member into the mirror.
    pub fn group(&self, group_id: &str, tenant: &str, member: &str) {
        self.sql(
            "INSERT INTO directory_group (tenant_id, group_id, name, synced_at, changed_at, cause)
             VALUES (?1, ?2, 'Group', 1, 0, 'sync:1')",
            &[tenant, group_id],
        );
        self.sql(
            "INSERT INTO group_membership (tenant_id, group_id, user_id, changed_at, cause)
             VALUES (?1, ?2, ?3, 0, 'sync:1')",
            &[tenant, group_id, member],
        );
    }

    /// Saves a flow.
    pub fn saves(&self, writer: &Writer, json: &str) -> FlowId {
        let content = content(json);
        let new = scaigate_flows::flow::New {
            name: "Expense approval",
            description: None,
            content: &content,
        };
        let detail = block_on(scaigate_flows::flow::create(self, writer, new)).unwrap();
        FlowId::parse(parsed(&detail)["id"].as_str().unwrap()).unwrap()
    }

    /// Gives a user a right.
    pub fn grants(&self, writer: &Writer, flow_id: &FlowId, subject: &str, level: &str) {
        let wanted = scaigate_flows::acl::Wanted {
            principal_type: "user",
            principal_id: subject,
            level,
        };
        block_on(scaigate_flows::acl::grant(self, writer, flow_id, wanted)).unwrap();
    }
}

pub fn content(json: &str) -> Content {
    Content::new(serde_json::from_str(json).unwrap()).unwrap()
}

pub fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

/// The code of a failure; `None` for a success.
pub fn code<T>(result: &Result<T, Problem>) -> Option<Code> {
    result.as_ref().err().map(Problem::code)
}

/// The member `detail` of a failure.
pub fn detail<T>(result: &Result<T, Problem>) -> Value {
    result.as_ref().err().unwrap().body("/", "req_1")["detail"].clone()
}
