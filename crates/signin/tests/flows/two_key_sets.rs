//! Two key sets behind one instance and one key-value store: what one of them vouches for is
//! nothing to whoever trusts the other (N-080).

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Request, Response, header};
use scaigate_problem::Code;
use scaigate_signin::authenticate::{self, Acceptance};
use scaigate_signin::settings::{self, Provider};
use scaigate_signin::{Memory, Ports};
use scaigate_simulated::Seeded;
use scaigate_types::{Clock as _, Limits, Outbound, OutboundError};
use serde_json::{Value, json};

use crate::world::clock::SimClock;
use crate::world::scaikey::json_reply;
use crate::world::stores::{ShakyDatabase, ShakyKv};
use crate::world::{CLIENT_ID, Signer, World, code, says, variables};

const ONE: &str = "https://one.example";
const OTHER: &str = "https://other.example";
const DISCOVERY: &str = "/api/v1/platform/oauth/.well-known/openid-configuration";
/// Both name their key so: a name says nothing about whose it is.
const KID: &str = "key";
/// Long enough for discovery to be read again, and nothing else.
const FRESH: Duration = Duration::from_secs(600);

/// What lies where, and how often it was asked for.
#[derive(Default)]
struct Web {
    documents: RefCell<BTreeMap<String, Value>>,
    asked: RefCell<BTreeMap<String, usize>>,
}

impl Web {
    /// Puts a ScaiKey's discovery document at its place, with this `jwks_uri`.
    fn discovery(&self, base: &str, jwks_uri: &str) {
        let at = |path: &str| format!("{base}/api/v1/platform/oauth/{path}");
        let document = json!({
            "issuer": base,
            "authorization_endpoint": at("authorize"),
            "token_endpoint": at("token"),
            "jwks_uri": jwks_uri,
            "response_types_supported": ["code"],
            "code_challenge_methods_supported": ["S256"],
        });
        self.put(&format!("{base}{DISCOVERY}"), document);
    }

    /// Puts a set of one key at `uri`.
    fn keys(&self, uri: &str, key: Signer) {
        let mut jwk = key.jwk();
        jwk["kid"] = KID.into();
        self.put(uri, json!({ "keys": [jwk] }));
    }

    fn put(&self, uri: &str, document: Value) {
        self.documents.borrow_mut().insert(uri.to_owned(), document);
    }

    fn asked(&self, uri: &str) -> usize {
        self.asked.borrow().get(uri).copied().unwrap_or_default()
    }
}

impl Outbound for Web {
    async fn send(
        &self,
        request: Request<Bytes>,
        _: Limits,
    ) -> Result<Response<Bytes>, OutboundError> {
        let uri = request.uri().to_string();
        let document = self.documents.borrow().get(&uri).cloned();
        *self.asked.borrow_mut().entry(uri).or_default() += 1;
        Ok(match document {
            Some(document) => json_reply(200, &document),
            None => json_reply(404, &json!({})),
        })
    }
}

/// An instance that reaches this web.
struct Instance<'w> {
    world: &'w World,
    web: &'w Web,
    memory: Memory,
}

impl Ports for Instance<'_> {
    type Clock = SimClock;
    type Entropy = Seeded;
    type Kv = ShakyKv;
    type Database = ShakyDatabase;
    type Outbound = Web;

    fn clock(&self) -> &SimClock {
        &self.world.clock
    }
    fn entropy(&self) -> &Seeded {
        self.world.entropy()
    }
    fn kv(&self) -> &ShakyKv {
        &self.world.kv
    }
    fn db(&self) -> &ShakyDatabase {
        &self.world.db
    }
    fn outbound(&self) -> &Web {
        self.web
    }
    fn memory(&self) -> &Memory {
        &self.memory
    }
}

/// Two ScaiKeys, each with a key of its own.
struct Both {
    world: World,
    web: Web,
}

fn jwks_uri(base: &str) -> String {
    format!("{base}/keys")
}

fn provider(base: &str) -> Provider {
    let changes = [("scaikey_base_url", base)];
    settings::provider(&variables(&changes)).ok().unwrap()
}

/// The key of each.
fn signer(base: &str) -> Signer {
    if base == ONE { Signer(1) } else { Signer(2) }
}

impl Both {
    fn new() -> Self {
        let web = Web::default();
        for base in [ONE, OTHER] {
            web.discovery(base, &jwks_uri(base));
            web.keys(&jwks_uri(base), signer(base));
        }
        Self {
            world: World::new(),
            web,
        }
    }

    fn instance(&self) -> Instance<'_> {
        Instance {
            world: &self.world,
            web: &self.web,
            memory: Memory::default(),
        }
    }

    /// A token of a service of ScaiKey `base`, whoever signs it.
    fn token(&self, base: &str, signer: Signer) -> String {
        self.named(base, signer, KID)
    }

    /// One that names a key nobody has.
    fn nobodys(&self, base: &str) -> String {
        self.named(base, Signer(9), "nobody")
    }

    fn named(&self, base: &str, signer: Signer, kid: &str) -> String {
        let now = self.world.clock.now().secs();
        let claims = json!({
            "iss": base, "sub": "svc_a", "client_id": "svc_a", "aud": CLIENT_ID, "scope": "openid",
            "platform_token": true, "iat": now, "exp": now + 7_200,
        });
        signer.sign(&json!({"alg": "EdDSA", "kid": kid}), &claims)
    }

    /// What becomes of `token` where ScaiKey `base` is trusted.
    fn brought(&self, ports: &Instance<'_>, base: &str, token: &str) -> Outcome {
        let provider = provider(base);
        let acceptance = Acceptance {
            signer: &self.world.settings.sessions.signer,
            deployment: &self.world.settings.deployment,
            provider: Ok(&provider),
        };
        let mut headers = HeaderMap::new();
        let bearer = format!("Bearer {token}").parse().unwrap();
        headers.insert(header::AUTHORIZATION, bearer);
        let now = ports.clock().now();
        let authenticated = authenticate::authenticate(ports, &acceptance, &headers, now);
        let result = self.world.run(authenticated).unwrap().required();
        match code(&result) {
            None => Outcome::Good,
            Some(Code::TokenInvalid) if says(&result, "the signature could not be verified") => {
                Outcome::Forged
            }
            Some(Code::TokenInvalid) if says(&result, "issued by another issuer") => {
                Outcome::Foreign
            }
            other => Outcome::Else(other),
        }
    }
}

#[derive(Debug, PartialEq)]
enum Outcome {
    Good,
    /// Not signed with a key of that ScaiKey.
    Forged,
    /// Another ScaiKey's by its own words.
    Foreign,
    Else(Option<Code>),
}

#[test]
fn n_080_a_key_of_one_address_verifies_nothing_for_another() {
    for (first, second) in [(ONE, OTHER), (OTHER, ONE)] {
        for remembers in [true, false] {
            let both = Both::new();
            let own = both.instance();
            let bring = |base: &str, token: &str| {
                let fresh = both.instance();
                both.brought(if remembers { &own } else { &fresh }, base, token)
            };
            // Alternating: what is remembered of one is there when the other is asked about.
            for round in 0..3 {
                for (base, stranger) in [(first, second), (second, first)] {
                    let said = format!("{base} {remembers} {round}");
                    let good = both.token(base, signer(base));
                    assert_eq!(bring(base, &good), Outcome::Good, "{said}");
                    // The claims are this one's, the key is the other's.
                    let forged = both.token(base, signer(stranger));
                    assert_eq!(bring(base, &forged), Outcome::Forged, "{said}");
                }
                both.world.clock.advance(Duration::from_secs(60));
            }
            for base in [ONE, OTHER] {
                // Apart, and each of them still read once for all.
                assert_eq!(both.web.asked(&jwks_uri(base)), 1, "{base}");
            }
        }
    }
}

#[test]
fn n_080_a_verdict_on_a_token_is_that_of_one_scaikey() {
    for (first, second) in [(ONE, OTHER), (OTHER, ONE)] {
        let both = Both::new();
        let own = both.instance();
        let token = both.token(first, signer(first));
        // Within two seconds the whole verdict is remembered, then that the signature was good.
        for seconds in [0, 1, 5, 60] {
            assert_eq!(both.brought(&own, first, &token), Outcome::Good);
            both.world.clock.advance(Duration::from_secs(seconds));
            assert_eq!(
                both.brought(&own, second, &token),
                Outcome::Forged,
                "{seconds}"
            );
            assert_eq!(both.brought(&own, first, &token), Outcome::Good);
        }
    }
}

#[test]
fn n_080_a_key_set_that_moved_is_not_the_one_that_was_left() {
    for remembers in [true, false] {
        let both = Both::new();
        let own = both.instance();
        let bring = |token: &str| {
            let fresh = both.instance();
            both.brought(if remembers { &own } else { &fresh }, ONE, token)
        };
        let left = both.token(ONE, signer(ONE));
        assert_eq!(bring(&left), Outcome::Good, "{remembers}");
        both.world.clock.advance(FRESH - Duration::from_secs(60));
        // The keys are read again, discovery is not: they outlive it.
        assert_eq!(bring(&both.nobodys(ONE)), Outcome::Forged);
        assert_eq!(both.web.asked(&jwks_uri(ONE)), 2, "{remembers}");
        let moved = format!("{ONE}/keys/elsewhere");
        both.web.discovery(ONE, &moved);
        both.web.keys(&moved, Signer(4));
        both.world.clock.advance(Duration::from_secs(60));
        let old_key = both.token(ONE, signer(ONE));
        assert_eq!(bring(&old_key), Outcome::Forged, "{remembers}");
        let new_key = both.token(ONE, Signer(4));
        assert_eq!(bring(&new_key), Outcome::Good, "{remembers}");
        let asked = (both.web.asked(&jwks_uri(ONE)), both.web.asked(&moved));
        assert_eq!(asked, (2, 1), "{remembers}");
    }
}

#[test]
fn n_080_a_search_at_one_address_holds_up_none_at_another() {
    let both = Both::new();
    for base in [ONE, OTHER] {
        let token = both.token(base, signer(base));
        let outcome = both.brought(&both.instance(), base, &token);
        assert_eq!(outcome, Outcome::Good, "{base}");
    }
    both.world.clock.advance(Duration::from_secs(1));
    for (base, asked) in [(ONE, (2, 1)), (OTHER, (2, 2))] {
        for _ in 0..5 {
            let outcome = both.brought(&both.instance(), base, &both.nobodys(base));
            assert_eq!(outcome, Outcome::Forged, "{base}");
        }
        let all = [ONE, OTHER].map(|base| both.web.asked(&jwks_uri(base)));
        assert_eq!((all[0], all[1]), asked, "{base}");
    }
}
