//! Everything a flow of the directory runs over, in memory: stores and a ScaiKey that can fail, and a
//! clock that only moves when somebody waits.

pub mod mirror;
pub mod scaikey;
pub mod stores;

use std::time::Duration;

use futures::executor::block_on;
use scaigate_directory::receive::{self, Received};
use scaigate_directory::settings::{self as directory, DirectorySettings};
use scaigate_directory::sync::{self, Report};
use scaigate_directory::webhook::WebhookSecrets;
use scaigate_kv::memory::MemoryDatabase;
use scaigate_kv::revocation::{self, Revocation};
use scaigate_kv::schema;
use scaigate_kv::session::{self, NewSession};
use scaigate_problem::{Code, Problem};
use scaigate_signin::settings::{self, Scaikey as Connection};
use scaigate_signin::{Credential, Memory, Ports, Principal, Service, User};
use scaigate_simulated::{ManualClock, Seeded};
use scaigate_types::{
    AdminRole, ClientId, Clock as _, Issuer, PersonId, Query as _, SessionId, Subject, TenantId,
    Value,
};
use scaikey_emulator::{WebhookDelivery, WebhookEvent, seed};

use scaikey::Scaikey;
use stores::{ShakyDatabase, ShakyKv};

/// ScaiKey's origin.
pub const BASE: &str = "https://scaikey.example";
/// The secret of the webhook.
pub const SECRET: &str = "webhook-secret-of-the-flows-0001";

const VARIABLES: &[(&str, &str)] = &[
    ("scaikey_base_url", BASE),
    ("scaiflow_scaikey_client_id", seed::CLIENT_ID),
    ("scaiflow_scaikey_client_secret", seed::CLIENT_SECRET),
    ("scaiflow_scaikey_webhook_secret", SECRET),
];

/// One deployment and its ScaiKey.
pub struct World {
    /// Time.
    pub clock: ManualClock,
    entropy: Seeded,
    /// The key-value store.
    pub kv: ShakyKv,
    /// The database. Its calls and those of the key-value store are one sequence.
    pub db: ShakyDatabase,
    /// ScaiKey.
    pub scaikey: Scaikey,
    /// The settings of the directory.
    pub settings: DirectorySettings,
    secrets: WebhookSecrets,
    issuer: Issuer,
    connection: Connection,
    memory: Memory,
}

impl World {
    /// With the settings that a deployment needs and no others.
    pub fn new() -> Self {
        Self::with(&[])
    }

    /// With further variables.
    pub fn with(more: &[(&str, &str)]) -> Self {
        let variables = |name: &str| {
            let mut all = more.iter().chain(VARIABLES);
            all.find(|(known, _)| *known == name)
                .map(|(_, value)| (*value).to_owned())
        };
        let clock = ManualClock::default();
        let kv = ShakyKv::default();
        let db = ShakyDatabase {
            inner: MemoryDatabase::new().unwrap(),
            plan: std::rc::Rc::clone(&kv.plan),
        };
        block_on(schema::migrate(&db.inner)).unwrap();
        Self {
            entropy: Seeded::default(),
            kv,
            db,
            scaikey: Scaikey::new(&clock),
            settings: directory::directory(&variables).unwrap(),
            secrets: directory::webhook_secrets(&variables).unwrap().unwrap(),
            issuer: Issuer::parse(BASE).unwrap(),
            connection: settings::scaikey(&variables).unwrap(),
            memory: Memory::default(),
            clock,
        }
    }

    /// What a receiver works with.
    pub const fn receiver(&self) -> receive::Context<'_> {
        receive::Context {
            secrets: Some(&self.secrets),
            issuer: &self.issuer,
            settings: &self.settings,
        }
    }

    /// What a sync works with.
    pub const fn reader(&self) -> sync::Context<'_> {
        sync::Context {
            scaikey: Ok(&self.connection),
            settings: &self.settings,
        }
    }

    /// An event as ScaiKey sends it now.
    pub fn delivery(&self, event: &WebhookEvent) -> WebhookDelivery {
        self.scaikey.emulator.webhook(SECRET, event)
    }

    /// Lets a delivery arrive.
    pub async fn receive(&self, delivery: &WebhookDelivery) -> Result<Received, Problem> {
        receive::receive(self, self.receiver(), &delivery.headers, &delivery.body).await
    }

    /// Lets an event arrive, signed now, and expects that it is handled.
    pub fn event(&self, event: Option<WebhookEvent>) -> Received {
        let delivery = self.delivery(&event.unwrap());
        let received = block_on(self.receive(&delivery)).unwrap();
        assert!(received.is_handled);
        received
    }

    /// Syncs.
    pub fn sync(&self, force: bool) -> Result<Report, Problem> {
        block_on(sync::sync(self, self.reader(), force))
    }

    /// When a sync is due; whether that is now.
    pub fn is_sync_due(&self) -> bool {
        let due_at = block_on(sync::due_at(self, &self.settings)).unwrap();
        due_at <= self.clock.now()
    }

    /// Lets everybody use our application at ScaiKey, whoever is in which group.
    pub fn assign_everybody(&self) {
        let mut directory = self.scaikey.emulator.directory();
        let ids = directory.users.iter().map(|user| user.id.clone()).collect();
        let application = directory.client_mut(seed::CLIENT_ID).unwrap();
        application.assigned_users = ids;
    }

    /// Signs a mirrored user in.
    pub fn session(&self, user_id: &str, sid: &str) -> SessionId {
        let sql = "SELECT person_id, tenant_id FROM person WHERE subject = ?1";
        let rows = block_on(self.db.inner.query(sql, &[user_id.into()])).unwrap();
        let sid = SessionId::parse(sid).unwrap();
        let new = NewSession {
            sid: &sid,
            person_id: &PersonId::parse(rows[0].text(0).unwrap()).unwrap(),
            tenant_id: &TenantId::parse(rows[0].text(1).unwrap()).unwrap(),
            expires_at: self.clock.now().plus(Duration::from_secs(86_400)),
            code_hash: sid.as_str(),
            code_challenge: None,
            scaikey_sid: None,
            scaikey_tokens: b"sealed",
        };
        block_on(session::insert(&self.db.inner, &new, self.clock.now())).unwrap();
        sid
    }

    /// What every request that brings a token of the session is told.
    pub fn revocation(&self, sid: &SessionId) -> Option<Revocation> {
        block_on(revocation::read(&self.kv.inner, sid)).unwrap()
    }

    /// What `sql` finds: one number.
    pub fn number(&self, sql: &str) -> i64 {
        let rows = block_on(self.db.inner.query(sql, &[])).unwrap();
        rows[0].integer(0).unwrap()
    }

    /// Runs one statement behind everybody's back.
    pub fn sql(&self, sql: &str, parameters: &[Value]) {
        block_on(self.db.inner.query(sql, parameters)).unwrap();
    }
}

impl Ports for World {
    type Clock = ManualClock;
    type Entropy = Seeded;
    type Kv = ShakyKv;
    type Database = ShakyDatabase;
    type Outbound = Scaikey;

    fn clock(&self) -> &ManualClock {
        &self.clock
    }
    fn entropy(&self) -> &Seeded {
        &self.entropy
    }
    fn kv(&self) -> &ShakyKv {
        &self.kv
    }
    fn db(&self) -> &ShakyDatabase {
        &self.db
    }
    fn outbound(&self) -> &Scaikey {
        &self.scaikey
    }
    fn memory(&self) -> &Memory {
        &self.memory
    }
}

/// The code of a failure; `None` for a success.
pub fn code<T>(result: &Result<T, Problem>) -> Option<Code> {
    result.as_ref().err().map(Problem::code)
}

/// A service of the platform with these scopes.
pub fn service(world: &World, scopes: &[&str]) -> Principal {
    let service = Service {
        issuer: Issuer::parse(BASE).unwrap(),
        client_id: ClientId::parse("an-operator").unwrap(),
        tenant_id: None,
        is_platform: true,
        scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect(),
        permissions: Vec::new(),
        roles: Vec::new(),
        expires_at: world.clock.now().plus(Duration::from_secs(60)),
    };
    Principal::Service(service.into())
}

/// Somebody of acme with this role.
pub fn user(role: Option<AdminRole>) -> Principal {
    let tenant_id = TenantId::parse(seed::ACME).unwrap();
    let user = User {
        issuer: Issuer::parse(BASE).unwrap().of_tenant(&tenant_id).unwrap(),
        subject: Subject::parse("usr_caller_acme").unwrap(),
        tenant_id,
        person_id: Some(PersonId::parse("per_caller").unwrap()),
        email: None,
        name: None,
        admin_role: role,
        personal_workspace_id: None,
        workspace: None,
        scopes: Vec::new(),
        permissions: Vec::new(),
        roles: Vec::new(),
        groups: Vec::new(),
        credential: Credential::Session(SessionId::parse("ses_caller").unwrap()),
        expires_at: None,
    };
    Principal::User(user.into())
}
