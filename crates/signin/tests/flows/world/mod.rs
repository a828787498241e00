//! Everything a flow runs over, in memory: stores that can fail, a ScaiKey that can misbehave, a
//! clock that only moves when somebody waits.

pub mod clock;
pub mod scaikey;
mod signer;
pub mod stores;

use std::future::Future;
use std::rc::Rc;
use std::time::Duration;

use futures::future::{Either, select};
use scaigate_jose::token_hash;
use scaigate_kv::{keys, schema};
use scaigate_problem::{Code, Problem};
use scaigate_signin::authenticate::{self, Acceptance};
use scaigate_signin::begin::{self, BeginRequest, Begun};
use scaigate_signin::callback::{self, CallbackFailure, Completed};
use scaigate_signin::code_post::{self, CodePost};
use scaigate_signin::redeem::{self, RedeemRequest, Redeemed};
use scaigate_signin::settings::{self, Settings};
use scaigate_signin::{Memory, Ports, Principal, SessionAnswer};
use scaigate_simulated::Seeded;
use scaigate_types::{Clock as _, Kv as _, Query as _, Secret, Value as SqlValue};

pub use signer::Signer;

use clock::SimClock;
use scaikey::Scaikey;
use stores::{ShakyDatabase, ShakyKv};

/// ScaiKey's origin and issuer.
pub const BASE: &str = "https://scaikey.example";
/// Our client there. Chosen so that `id:secret` is 24 bytes, base64 of which looks alike in both
/// alphabets and has no padding.
pub const CLIENT_ID: &str = "app_gate";
/// Its secret.
pub const CLIENT_SECRET: &str = "canary-secret-1";
/// Our origin.
pub const PUBLIC_URL: &str = "https://gate.example";
/// The app's return address.
pub const APP: &str = "https://app.example/done";
/// The tenant of whoever signs in.
pub const TENANT: &str = "tnt_acme";
/// An app's verifier.
pub const VERIFIER: &str = "an-app-verifier-of-at-least-forty-three-characters";

/// The documented variables, with good values.
pub const VARIABLES: &[(&str, &str)] = &[
    ("scaikey_base_url", BASE),
    ("scaiflow_scaikey_client_id", CLIENT_ID),
    ("scaiflow_scaikey_client_secret", CLIENT_SECRET),
    ("public_url", PUBLIC_URL),
    ("app_url", "https://app.example/done, https://other.example"),
    (
        "session_secret",
        "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
    ),
];

/// Reads [`VARIABLES`] with `changes` made; an empty value unsets.
pub fn variables<'a>(changes: &'a [(&'a str, &'a str)]) -> impl Fn(&str) -> Option<String> + 'a {
    |name| {
        let mut all = changes.iter().chain(VARIABLES);
        all.find(|(known, _)| *known == name)
            .map(|(_, value)| (*value).to_owned())
    }
}

/// One deployment and its ScaiKey.
pub struct World {
    /// Time.
    pub clock: Rc<SimClock>,
    entropy: Seeded,
    order: Rc<Seeded>,
    /// The key-value store.
    pub kv: ShakyKv,
    /// The database.
    pub db: ShakyDatabase,
    /// ScaiKey.
    pub scaikey: Scaikey,
    /// The settings.
    pub settings: Settings,
    memory: Memory,
}

/// An instance of the component: it shares everything with the others but what it remembers.
pub struct Instance<'w> {
    world: &'w World,
    memory: Memory,
}

/// A sign-in on its way back from ScaiKey.
#[derive(Clone, Debug)]
pub struct Returning {
    /// The browser's cookie.
    pub browser: String,
    /// The state.
    pub state: String,
    /// The query of the callback.
    pub query: String,
}

impl World {
    /// With the documented defaults.
    pub fn new() -> Self {
        Self::with(&[])
    }

    /// With some variables changed.
    pub fn with(changes: &[(&str, &str)]) -> Self {
        let settings = settings::settings(&variables(changes)).ok().unwrap();
        let clock = Rc::new(SimClock::default());
        let order = Rc::new(Seeded::default());
        let world = Self {
            entropy: Seeded::default(),
            kv: ShakyKv::new(Rc::clone(&order)),
            db: ShakyDatabase::new(Rc::clone(&order)),
            order,
            scaikey: Scaikey::new(Rc::clone(&clock)),
            clock,
            settings,
            memory: Memory::default(),
        };
        world.run(schema::migrate(&world.db.inner)).unwrap();
        world
    }

    /// Makes requests that run at once take turns in another order.
    pub fn shuffle(&self, seed: u64) {
        self.order.reseed(seed);
    }

    /// Runs to the end.
    pub fn run<F: Future>(&self, future: F) -> F::Output {
        self.clock.run(future)
    }

    /// An instance that has just been started.
    pub fn instance(&self) -> Instance<'_> {
        Instance {
            world: self,
            memory: Memory::default(),
        }
    }

    /// Makes the key-value store forget ScaiKey's documents.
    pub fn forget_documents(&self) {
        let uri = format!("{BASE}/api/v1/platform/oauth/jwks");
        for key in [
            keys::discovery(&token_hash("discovery", BASE)),
            keys::jwks(&token_hash("jwks", &uri)),
        ] {
            self.run(self.kv.inner.delete(&key)).unwrap();
        }
    }

    /// What `sql` finds: one number.
    pub fn number(&self, sql: &str) -> i64 {
        self.run(self.db.inner.query(sql, &[])).unwrap()[0]
            .integer(0)
            .unwrap()
    }

    /// Runs one statement behind everybody's back.
    pub fn sql(&self, sql: &str, parameters: &[SqlValue]) {
        self.run(self.db.inner.query(sql, parameters)).unwrap();
    }

    /// Begins a sign-in.
    pub fn begin(&self, request: &BeginRequest<'_>) -> Result<Begun, Problem> {
        self.run(begin::begin(self, &self.settings, request))
    }

    /// A person who has signed in at ScaiKey and comes back.
    pub fn returning(&self, request: &BeginRequest<'_>) -> Returning {
        let begun = self.begin(request).ok().unwrap();
        let query = self.scaikey.authorize(&begun.authorize_url);
        Returning {
            browser: begun.browser,
            state: begun.state,
            query,
        }
    }

    /// Finishes a sign-in.
    #[expect(clippy::result_large_err, reason = "the flow's own failure, as it is")]
    pub fn complete(&self, returning: &Returning) -> Result<Completed, CallbackFailure> {
        let browser = Some(returning.browser.as_str());
        self.run(callback::complete(
            self,
            &self.settings,
            &returning.query,
            browser,
        ))
    }

    /// A sign-in up to its session code.
    pub fn session_code(&self, request: &BeginRequest<'_>) -> String {
        let completed = self.complete(&self.returning(request)).unwrap();
        completed.session_code.expose().clone()
    }

    /// Redeems a session code.
    pub fn redeem(&self, request: &RedeemRequest<'_>) -> Result<Redeemed, Problem> {
        self.run(redeem::redeem(self, &self.settings, request))
    }

    /// A sign-in to its end.
    pub fn session(&self) -> SessionAnswer {
        let session_code = self.session_code(&BeginRequest::default());
        session_of(self.redeem(&redeem_request(&session_code)))
    }

    /// A refresh token of ScaiKey that an app got through us.
    pub fn scaikey_refresh_token(&self) -> Secret<String> {
        let code = Secret::new(self.scaikey.issue_code(APP, None, None));
        let post = CodePost {
            code: &code,
            code_verifier: None,
            redirect_uri: APP,
        };
        let tokens = self
            .run(code_post::exchange(self, &self.settings, &post))
            .unwrap();
        tokens.refresh_token.unwrap()
    }

    /// Starts `future` and drops it after `time`, as a lost instance would.
    pub async fn abandoned<F: Future>(&self, future: F, time: Duration) {
        let (future, sleep) = (
            std::pin::pin!(future),
            std::pin::pin!(self.clock.sleep(time)),
        );
        let is_lost = matches!(select(future, sleep).await, Either::Right(_));
        assert!(is_lost, "it was to be lost midway");
    }
}

/// A redemption with the code only.
pub fn redeem_request(session_code: &str) -> RedeemRequest<'_> {
    RedeemRequest {
        session_code,
        code_verifier: None,
        workspace_id: None,
    }
}

/// The session of a redemption.
pub fn session_of(redeemed: Result<Redeemed, Problem>) -> SessionAnswer {
    match redeemed.unwrap() {
        Redeemed::Session(answer) => *answer,
        Redeemed::RequiresSelection(_) => unreachable!("one workspace needs no selection"),
    }
}

/// The code of a failure; `None` for a success.
pub fn code<T>(result: &Result<T, Problem>) -> Option<Code> {
    result.as_ref().err().map(Problem::code)
}

/// A member of the failure's `error.details`.
pub fn detail<T>(result: &Result<T, Problem>, name: &str) -> serde_json::Value {
    let problem = result.as_ref().err().unwrap();
    problem.body("/", "req_1")["error"]["details"][name].clone()
}

/// Whether the failure's `error.details.reason` is `reason`, or `reason: ` and its cause.
pub fn says<T>(result: &Result<T, Problem>, reason: &str) -> bool {
    let said = detail(result, "reason");
    let rest = said.as_str().and_then(|said| said.strip_prefix(reason));
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(": "))
}

macro_rules! ports {
    ($type:ty, $self:ident => $world:expr) => {
        impl Ports for $type {
            type Clock = SimClock;
            type Entropy = Seeded;
            type Kv = ShakyKv;
            type Database = ShakyDatabase;
            type Outbound = Scaikey;

            fn clock(&$self) -> &SimClock {
                &$world.clock
            }
            fn entropy(&$self) -> &Seeded {
                &$world.entropy
            }
            fn kv(&$self) -> &ShakyKv {
                &$world.kv
            }
            fn db(&$self) -> &ShakyDatabase {
                &$world.db
            }
            fn outbound(&$self) -> &Scaikey {
                &$world.scaikey
            }
            fn memory(&$self) -> &Memory {
                &$self.memory
            }
        }
    };
}

ports!(World, self => self);
ports!(Instance<'_>, self => self.world);

/// Whom `ports` take the bearer of `token` for.
pub fn caller(world: &World, ports: &impl Ports, token: &str) -> Result<Principal, Problem> {
    let mut headers = http::HeaderMap::new();
    let bearer = format!("Bearer {token}").parse().unwrap();
    headers.insert(http::header::AUTHORIZATION, bearer);
    caller_with(world, ports, &headers)
}

/// Whom `ports` take the sender of `headers` for.
pub fn caller_with(
    world: &World,
    ports: &impl Ports,
    headers: &http::HeaderMap,
) -> Result<Principal, Problem> {
    let acceptance = Acceptance {
        signer: &world.settings.sessions.signer,
        deployment: &world.settings.deployment,
        provider: Ok(&world.settings.scaikey.provider),
    };
    let now = ports.clock().now();
    world
        .run(authenticate::authenticate(ports, &acceptance, headers, now))?
        .required()
}
