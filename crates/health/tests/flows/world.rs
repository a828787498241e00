//! A deployment in memory: its stores, and a network that answers what a test says.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use futures::executor::block_on;
use http::{Request, Response};
use scaigate_health::{Finding, Judged, Report, detailed, judge};
use scaigate_kv::memory::{MemoryDatabase, MemoryKv};
use scaigate_kv::schema;
use scaigate_signin::{Memory, Ports};
use scaigate_types::{Clock, Entropy, Limits, Outbound, OutboundError, Timestamp};
use serde_json::json;

/// 2027-01-15T08:00:00Z.
pub const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);
pub const SCAIKEY: &str = "https://scaikey.example";
pub const SCAIGRID: &str = "https://scaigrid.example";

/// Good settings.
const VARIABLES: [(&str, &str); 6] = [
    ("scaikey_base_url", SCAIKEY),
    ("scaiflow_scaikey_client_id", "app_gate"),
    ("public_url", "https://gate.example"),
    ("app_url", "https://app.example"),
    (
        "session_secret",
        "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
    ),
    ("scaigrid_base_url", SCAIGRID),
];

/// The variables with `changes` made; an empty value unsets.
pub fn variables<'a>(changes: &'a [(&'a str, &'a str)]) -> impl Fn(&str) -> Option<String> + 'a {
    |name| {
        let mut all = changes.iter().chain(&VARIABLES);
        let (_, value) = all.find(|(known, _)| *known == name)?;
        Some((*value).to_owned())
    }
}

/// The settings with `changes` made; an empty value unsets.
pub fn judged(changes: &[(&str, &str)]) -> Judged {
    judge(&variables(changes))
}

/// An answer of the network.
#[derive(Clone)]
pub enum Says {
    Status(u16, String),
    Fails(OutboundError),
    /// With these headers instead of the usual ones.
    With(u16, Vec<(&'static str, String)>, String),
}

impl Says {
    pub fn json(status: u16, body: &serde_json::Value) -> Self {
        Self::Status(status, body.to_string())
    }

    /// As scaigate's own components answer a failure.
    pub fn problem(status: u16, code: &str, details: serde_json::Value) -> Self {
        Self::json(
            status,
            &json!({ "error": { "code": code, "details": details, "fix": "Mend it." } }),
        )
    }
}

/// Who is asked, by the beginning of the address; the longest counts.
#[derive(Default)]
pub struct Network {
    says: RefCell<BTreeMap<String, Says>>,
    /// Which call fails, from 1, and how.
    pub fail_at: Cell<Option<(u64, OutboundError)>>,
    pub calls: Cell<u64>,
    /// How long whoever is asked takes.
    pub takes: Cell<Duration>,
    clock: Still,
    pub asked: RefCell<Vec<Request<Bytes>>>,
}

impl Outbound for Network {
    async fn send(
        &self,
        request: Request<Bytes>,
        _: Limits,
    ) -> Result<Response<Bytes>, OutboundError> {
        let address = request.uri().to_string();
        self.asked.borrow_mut().push(request);
        self.calls.set(self.calls.get() + 1);
        self.clock.0.set(self.clock.0.get() + self.takes.get());
        if let Some((call, error)) = self.fail_at.get()
            && call == self.calls.get()
        {
            return Err(error);
        }
        let says = self.says.borrow();
        let of = says
            .iter()
            .filter(|(begins, _)| address.starts_with(*begins));
        let longest = of.max_by_key(|(begins, _)| begins.len());
        match longest.unwrap_or_else(|| panic!("{address}")).1 {
            Says::Fails(error) => Err(*error),
            Says::With(status, headers, body) => {
                let mut answer = Response::builder().status(*status);
                for (name, value) in headers {
                    answer = answer.header(*name, value);
                }
                Ok(answer.body(Bytes::from(body.clone())).unwrap())
            }
            Says::Status(status, body) => Ok(Response::builder()
                .status(*status)
                .header("content-type", "application/json")
                .header("date", "Fri, 15 Jan 2027 08:00:00 GMT")
                .header(
                    "location",
                    "https://gate.example/v1/auth/callback?error=login_required",
                )
                .body(Bytes::from(body.clone()))
                .unwrap()),
        }
    }
}

/// A clock that stands still while nobody is asked, and on which nobody ever waits to the end.
#[derive(Clone, Default)]
pub struct Still(Rc<Cell<Duration>>);

impl Clock for Still {
    fn now(&self) -> Timestamp {
        NOW.plus(self.0.get())
    }

    async fn sleep(&self, _: Duration) {
        std::future::pending().await
    }
}

impl Entropy for Still {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(7);
    }
}

pub struct World {
    pub kv: MemoryKv,
    pub db: MemoryDatabase,
    pub network: Network,
    clock: Still,
    memory: Memory,
}

impl World {
    /// Everything answers as it should, and nothing has been mirrored yet.
    pub fn new() -> Self {
        let clock = Still::default();
        let world = Self {
            kv: MemoryKv::default(),
            db: MemoryDatabase::new().unwrap(),
            network: Network {
                clock: clock.clone(),
                ..Network::default()
            },
            clock,
            memory: Memory::default(),
        };
        block_on(schema::migrate(&world.db)).unwrap();
        let discovery = json!({
            "issuer": SCAIKEY,
            "authorization_endpoint": format!("{SCAIKEY}/authorize"),
            "token_endpoint": format!("{SCAIKEY}/token"),
            "jwks_uri": format!("{SCAIKEY}/jwks"),
            "response_types_supported": ["code"],
            "code_challenge_methods_supported": ["S256"],
            "grant_types_supported": ["authorization_code"],
        });
        let keys = json!({ "keys": [{
            "kty": "OKP", "crv": "Ed25519", "kid": "k1", "use": "sig", "alg": "EdDSA",
            "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
        }] });
        for (begins, says) in [
            (format!("{SCAIKEY}/"), Says::json(200, &discovery)),
            (format!("{SCAIKEY}/jwks"), Says::json(200, &keys)),
            (
                format!("{SCAIKEY}/token"),
                Says::json(401, &json!({ "error": "invalid_client" })),
            ),
            (format!("{SCAIKEY}/authorize"), Says::json(302, &json!({}))),
            (
                format!("{SCAIGRID}/health"),
                Says::json(200, &json!({ "status": "ok" })),
            ),
            (
                "http://auth-config.spin.internal".to_owned(),
                Says::json(200, &json!({})),
            ),
            (
                "http://webhook.spin.internal".to_owned(),
                Says::json(204, &json!({})),
            ),
            (
                "http://tenants.spin.internal".to_owned(),
                Says::json(204, &json!({})),
            ),
            (
                "http://session.spin.internal".to_owned(),
                Says::json(200, &json!({})),
            ),
            (
                "http://proxies.spin.internal".to_owned(),
                Says::json(200, &json!({})),
            ),
        ] {
            world.network.says.borrow_mut().insert(begins, says);
        }
        world
    }

    /// From now on whoever asks for an address that begins so is answered so.
    pub fn says(&self, begins: &str, says: Says) {
        self.network
            .says
            .borrow_mut()
            .insert(begins.to_owned(), says);
    }

    /// Lets so much time pass.
    pub fn later(&self, duration: Duration) {
        self.clock.0.set(self.clock.0.get() + duration);
    }

    pub fn run(&self, judged: &Judged) -> Report {
        block_on(detailed(self, judged))
    }
}

impl Ports for World {
    type Clock = Still;
    type Entropy = Still;
    type Kv = MemoryKv;
    type Database = MemoryDatabase;
    type Outbound = Network;

    fn clock(&self) -> &Still {
        &self.clock
    }

    fn entropy(&self) -> &Still {
        &self.clock
    }

    fn kv(&self) -> &MemoryKv {
        &self.kv
    }

    fn db(&self) -> &MemoryDatabase {
        &self.db
    }

    fn outbound(&self) -> &Network {
        &self.network
    }

    fn memory(&self) -> &Memory {
        &self.memory
    }
}

/// Every finding with its check's name.
pub fn findings(report: &Report) -> Vec<(&'static str, &Finding)> {
    let mut all = Vec::new();
    for check in &report.checks {
        all.extend(check.findings.iter().map(|finding| (check.name, finding)));
    }
    all
}

/// The codes of what is more than good to know.
pub fn codes(report: &Report) -> Vec<&str> {
    let bad = findings(report).into_iter().map(|(_, finding)| finding);
    bad.filter(|finding| finding.severity > scaigate_health::Severity::Info)
        .map(|finding| finding.code.as_str())
        .collect()
}

/// The findings of one check.
pub fn of_check<'r>(report: &'r Report, name: &str) -> Vec<&'r Finding> {
    let all = findings(report).into_iter();
    all.filter(|(check, _)| *check == name)
        .map(|(_, finding)| finding)
        .collect()
}
