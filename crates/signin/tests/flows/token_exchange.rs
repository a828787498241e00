//! Tokens for one upstream each, traded for the caller's.

use std::collections::BTreeSet;
use std::time::Duration;

use futures::future::{join, join_all};
use scaigate_problem::{Code, Problem};
use scaigate_signin::token_exchange::{Exchanged, TokenExchange};
use scaigate_signin::{Ports, Principal};
use scaigate_types::Clock as _;
use serde_json::{Value, json};

use crate::world::scaikey::{Endpoint, claims_of, refusal};
use crate::world::{BASE, World, caller, code, detail};

const GRID: &str = "scaigrid";

fn audiences() -> Vec<String> {
    vec![GRID.to_owned(), "scaiqueue".to_owned()]
}

/// Somebody who calls: the principal and the bearer.
struct Caller {
    principal: Principal,
    bearer: String,
}

fn by(world: &World, bearer: String) -> Caller {
    let principal = caller(world, &world.instance(), &bearer).unwrap();
    Caller { principal, bearer }
}

fn by_session(world: &World) -> Caller {
    let session = world.session();
    by(world, session.access_token.expose().clone())
}

fn by_access_token(world: &World) -> Caller {
    world.session();
    by(world, world.scaikey.access_token(&json!({})))
}

fn by_service(world: &World) -> Caller {
    world.session();
    let claims = json!({"sub": "svc_a", "client_id": "svc_a"});
    by(world, world.scaikey.access_token(&claims))
}

const EVERYBODY: [fn(&World) -> Caller; 3] = [by_session, by_access_token, by_service];

async fn asked(
    world: &World,
    ports: &impl Ports,
    caller: &Caller,
    audience: &str,
    scope: Option<&str>,
) -> Result<Exchanged, Problem> {
    let audiences = audiences();
    let exchange = TokenExchange {
        keeper: (&world.settings).into(),
        audiences: &audiences,
    };
    let Caller { principal, bearer } = caller;
    exchange
        .for_audience(ports, principal, bearer, audience, scope)
        .await
}

/// Asks in a new instance.
fn ask(
    world: &World,
    caller: &Caller,
    audience: &str,
    scope: Option<&str>,
) -> Result<Exchanged, Problem> {
    world.run(asked(world, &world.instance(), caller, audience, scope))
}

fn token_calls(world: &World) -> usize {
    world.scaikey.count(Endpoint::Token)
}

#[test]
fn gives_a_token_for_the_audience_and_never_the_callers() {
    for by in EVERYBODY {
        let world = World::new();
        let caller = by(&world);
        let exchanged = ask(&world, &caller, GRID, Some("openid")).unwrap();
        let token = exchanged.access_token.expose();
        assert_ne!(token, &caller.bearer);
        let claims = claims_of(token);
        assert_eq!(
            (&claims["aud"], &claims["scope"]),
            (&json!(GRID), &json!("openid"))
        );
        let calls = world.scaikey.calls.borrow();
        let form = &calls.last().unwrap().form;
        assert_eq!(form.get("audience"), Some(GRID));
        assert_eq!(form.get("scope"), Some("openid"));
    }
}

#[test]
fn n_124_what_is_not_listed_or_wider_is_not_asked_for() {
    let world = World::new();
    let caller = by_access_token(&world);
    let before = world.scaikey.calls.borrow().len();
    for audience in ["", "scaigrid ", "ScaiGrid", "other", "app_gate"] {
        let result = ask(&world, &caller, audience, None);
        assert_eq!(code(&result), Some(Code::InvalidTarget), "{audience:?}");
        assert_eq!(detail(&result, "oauth_error"), "invalid_target");
    }
    for scope in ["admin", "openid admin", "openid  admin", "OPENID", "open"] {
        let result = ask(&world, &caller, GRID, Some(scope));
        assert_eq!(code(&result), Some(Code::InvalidScope), "{scope:?}");
        assert_eq!(detail(&result, "oauth_error"), "invalid_scope");
    }
    assert_eq!(
        world.scaikey.calls.borrow().len(),
        before,
        "nobody was asked"
    );
}

#[test]
fn n_123_n_124_n_126_n_129_n_130_an_answer_that_is_not_what_was_asked_for_is_refused() {
    // Changes to the claims of the exchanged token.
    let claims: [(Value, &str); 11] = [
        (json!({"sub": "usr_bob"}), "it is somebody else's"),
        (
            json!({"sub": "svc_b", "client_id": "svc_b"}),
            "it is somebody else's",
        ),
        (json!({"tenant_id": "tnt_beta"}), "it is of another tenant"),
        (json!({"tenant_id": null}), "it is of another tenant"),
        (json!({"aud": "scaiqueue"}), "issued for another audience"),
        (
            json!({"aud": [GRID, "scaiqueue"]}),
            "it is for other audiences too",
        ),
        (
            json!({"scope": "openid profile"}),
            "it allows more than was asked for",
        ),
        (
            json!({"scope": "admin"}),
            "it allows more than was asked for",
        ),
        (
            json!({"iss": "https://evil.example"}),
            "issued by another issuer",
        ),
        (
            json!({"exp": 1_000_000_000}),
            "the access token has expired",
        ),
        (
            json!({"nonce": "n"}),
            "the claims are not those of an access token",
        ),
    ];
    for (changes, reason) in claims {
        let world = World::new();
        let caller = by_access_token(&world);
        world.scaikey.exchange_claims.replace(changes.clone());
        let result = ask(&world, &caller, GRID, Some("openid"));
        assert_eq!(
            code(&result),
            Some(Code::ScaikeyInvalidResponse),
            "{changes}"
        );
        let expected = format!("the exchanged token: {reason}");
        assert_eq!(detail(&result, "reason"), expected, "{changes}");
        assert_eq!(world.number("SELECT count(*) FROM exchanged_token"), 0);
    }
    let id_token = "urn:ietf:params:oauth:token-type:id_token";
    for changes in [
        json!({"issued_token_type": null}),
        json!({"issued_token_type": id_token}),
        json!({"token_type": "N_A"}),
        json!({"token_type": null}),
        json!({"access_token": null}),
        json!({"access_token": "opaque"}),
    ] {
        let world = World::new();
        let caller = by_access_token(&world);
        world.scaikey.answer.replace(changes.clone());
        let result = ask(&world, &caller, GRID, None);
        assert_eq!(
            code(&result),
            Some(Code::ScaikeyInvalidResponse),
            "{changes}"
        );
        assert_eq!(world.number("SELECT count(*) FROM exchanged_token"), 0);
    }
}

/// Which of the two it was helps whoever has to find the cause (S-14).
#[test]
fn a_signature_that_does_not_hold_is_told_with_its_cause() {
    let world = World::new();
    let caller = by_access_token(&world);
    let token = world.scaikey.access_token(&json!({"aud": GRID}));
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let forged = format!("{signed}.{}", "A".repeat(signature.len()));
    world
        .scaikey
        .answer
        .replace(json!({"access_token": forged}));
    let result = ask(&world, &caller, GRID, None);
    assert_eq!(code(&result), Some(Code::ScaikeyInvalidResponse));
    assert_eq!(
        detail(&result, "reason"),
        "the exchanged token: the signature could not be verified: the signature does not match"
    );
}

#[test]
fn n_124_without_a_scope_the_answer_is_no_wider_than_the_callers_token() {
    let world = World::new();
    let caller = by_access_token(&world);
    world
        .scaikey
        .exchange_claims
        .replace(json!({"scope": "openid admin"}));
    let result = ask(&world, &caller, GRID, None);
    assert_eq!(code(&result), Some(Code::ScaikeyInvalidResponse));
}

#[test]
fn n_125_no_service_is_traded_for_a_person_of_the_same_name() {
    let world = World::new();
    let caller = by_access_token(&world);
    let service = json!({"token_type": "client_credentials", "client_id": "usr_ada"});
    world.scaikey.exchange_claims.replace(service);
    let result = ask(&world, &caller, GRID, None);
    assert_eq!(code(&result), Some(Code::ScaikeyInvalidResponse));
}

#[test]
fn n_127_never_outlives_what_it_was_traded_for() {
    let world = World::new();
    world.session();
    let now = world.clock.now();
    let end = |seconds: u64| now.plus(Duration::from_secs(seconds));
    // Lives of the caller's token, of the answer's claim and of its `expires_in`: the shortest.
    for (own, claim, expires_in, expected) in [
        (600, 3600, 3600, 600),
        (3600, 600, 3600, 600),
        (3600, 3600, 600, 600),
        (300, 600, 900, 300),
    ] {
        let claims = json!({"exp": now.secs() + own});
        let caller = by(&world, world.scaikey.access_token(&claims));
        let claims = json!({"exp": now.secs() + claim});
        world.scaikey.exchange_claims.replace(claims);
        world
            .scaikey
            .answer
            .replace(json!({"expires_in": expires_in}));
        let exchanged = ask(&world, &caller, GRID, None).unwrap();
        assert_eq!(exchanged.expires_at, end(expected));
    }
    world
        .scaikey
        .answer
        .replace(json!({"refresh_token": "never_kept"}));
    let caller = by(&world, world.scaikey.access_token(&json!({})));
    assert!(ask(&world, &caller, GRID, None).is_ok());
}

#[test]
fn n_131_what_is_kept_for_one_is_nobody_elses() {
    let world = World::new();
    let ada = by_access_token(&world);
    let again = by(&world, world.scaikey.access_token(&json!({})));
    let (session, other) = (by_session(&world), by_session(&world));
    let bob = by(
        &world,
        world.scaikey.access_token(&json!({"sub": "usr_bob"})),
    );
    world
        .scaikey
        .id_claims
        .replace(json!({"tenant_id": "tnt_beta"}));
    world.session();
    let issuer = format!("{BASE}/tenants/tnt_beta");
    let claims = json!({"iss": issuer, "tenant_id": "tnt_beta"});
    let beta = by(&world, world.scaikey.access_token(&claims));
    let callers = [ada, again, session, other, bob, beta];
    let own = world.instance();
    let mut tokens = BTreeSet::new();
    for _ in 0..2 {
        for caller in &callers {
            for (audience, scope) in [
                (GRID, None),
                ("scaiqueue", None),
                (GRID, Some("openid")),
                (GRID, Some("email")),
            ] {
                let exchanged = world.run(asked(&world, &own, caller, audience, scope));
                tokens.insert(exchanged.unwrap().access_token.expose().clone());
            }
        }
    }
    assert_eq!(tokens.len(), callers.len() * 4);
    let of_beta = |token: &&String| claims_of(token)["tenant_id"] == "tnt_beta";
    assert_eq!(tokens.iter().filter(of_beta).count(), 4);
}

#[test]
fn a_second_call_is_answered_from_memory_and_elsewhere_from_the_database() {
    let world = World::new();
    let caller = by_access_token(&world);
    let own = world.instance();
    let calls = token_calls(&world);
    let first = world.run(asked(&world, &own, &caller, GRID, None)).unwrap();
    assert_eq!(token_calls(&world), calls + 1);
    world.db.plan.heal();
    let second = world.run(asked(&world, &own, &caller, GRID, None)).unwrap();
    assert_eq!(world.db.plan.heal(), [""; 0], "from memory");
    let third = ask(&world, &caller, GRID, None).unwrap();
    assert_eq!(world.db.plan.heal().len(), 1, "from the database");
    assert_eq!(token_calls(&world), calls + 1);
    for next in [&second, &third] {
        assert_eq!(next.access_token.expose(), first.access_token.expose());
        assert_eq!(next.expires_at, first.expires_at);
    }
    let kept = "SELECT count(*) FROM exchanged_token WHERE instr(sealed, 'ey') = 1";
    assert_eq!(world.number(kept), 0, "sealed");
}

#[test]
fn thirty_seconds_before_its_end_a_new_one_is_traded() {
    let world = World::new();
    let caller = by_access_token(&world);
    world.scaikey.answer.replace(json!({"expires_in": 600}));
    let own = world.instance();
    let first = world.run(asked(&world, &own, &caller, GRID, None)).unwrap();
    let calls = token_calls(&world);
    world.clock.advance(Duration::from_secs(569));
    for ports in [&own, &world.instance()] {
        let next = world
            .run(asked(&world, ports, &caller, GRID, None))
            .unwrap();
        assert_eq!(next.access_token.expose(), first.access_token.expose());
    }
    assert_eq!(token_calls(&world), calls);
    world.clock.advance(Duration::from_secs(1));
    let next = world.run(asked(&world, &own, &caller, GRID, None)).unwrap();
    assert_ne!(next.access_token.expose(), first.access_token.expose());
    assert_eq!(token_calls(&world), calls + 1);
}

#[test]
fn whom_nothing_proves_has_nothing_to_trade() {
    let local = ("public_url", "http://127.0.0.1:3000");
    let world = World::with(&[local, ("env", "dev"), ("scaiwave_auth_mode", "mock")]);
    let caller = by(&world, "anything".to_owned());
    let result = ask(&world, &caller, GRID, None);
    assert_eq!(code(&result), Some(Code::ScaikeyLoginRequired));
    let mut headers = http::HeaderMap::new();
    headers.insert("x-dev-subject", "grace".parse().unwrap());
    let principal = crate::world::caller_with(&world, &world, &headers).unwrap();
    let caller = Caller {
        principal,
        bearer: String::new(),
    };
    let result = ask(&world, &caller, GRID, None);
    assert_eq!(code(&result), Some(Code::ScaikeyLoginRequired));
    assert_eq!(world.scaikey.calls.borrow().len(), 0);
}

#[test]
fn scaikeys_refusal_is_told() {
    for (error, expected) in [
        ("invalid_client", Code::ClientRefused),
        ("unauthorized_client", Code::ClientRefused),
        ("unsupported_grant_type", Code::UnsupportedGrantType),
        ("invalid_grant", Code::InvalidGrant),
        ("invalid_target", Code::InvalidTarget),
        ("invalid_scope", Code::InvalidScope),
    ] {
        let world = World::new();
        let caller = by_access_token(&world);
        world
            .scaikey
            .always(Endpoint::Token, Ok(refusal(400, error, "no")));
        assert_eq!(
            code(&ask(&world, &caller, GRID, None)),
            Some(expected),
            "{error}"
        );
    }
}

/// A session whose tokens of ScaiKey have run out.
fn with_old_tokens(world: &World) -> Caller {
    world.scaikey.answer.replace(json!({"expires_in": 60}));
    let caller = by_session(world);
    world.scaikey.answer.replace(Value::Null);
    world.clock.advance(Duration::from_secs(40));
    caller
}

#[test]
fn n_047_fifty_callers_of_a_session_refresh_its_tokens_once() {
    for seed in 0..5 {
        let world = World::new();
        world.shuffle(seed);
        let caller = with_old_tokens(&world);
        world
            .scaikey
            .slow(Endpoint::Token, Duration::from_millis(100));
        let instances: Vec<_> = (0..50).map(|_| world.instance()).collect();
        let all = instances
            .iter()
            .map(|own| asked(&world, own, &caller, GRID, None));
        for outcome in world.run(join_all(all)) {
            assert_eq!(code(&outcome), None, "order {seed}");
        }
        let calls = world.scaikey.calls.borrow();
        let refreshes = calls
            .iter()
            .filter(|call| call.form.get("grant_type") == Some("refresh_token"))
            .count();
        assert_eq!((refreshes, world.scaikey.replays.get()), (1, 0));
    }
}

#[test]
fn n_052_a_lost_leader_does_not_lose_the_session() {
    let world = World::new();
    let caller = with_old_tokens(&world);
    world.scaikey.slow(Endpoint::Token, Duration::from_secs(1));
    world.scaikey.acts_late.set(true);
    let (leader, own) = (world.instance(), world.instance());
    let answer = world.run(async {
        let waiting = async {
            world.clock.sleep(Duration::from_millis(100)).await;
            asked(&world, &own, &caller, GRID, None).await
        };
        let lost = asked(&world, &leader, &caller, GRID, None);
        join(world.abandoned(lost, Duration::from_millis(500)), waiting)
            .await
            .1
    });
    assert_eq!(code(&answer), None);
    assert_eq!(world.scaikey.replays.get(), 0);
    world.clock.advance(Duration::from_secs(100));
    assert_eq!(code(&ask(&world, &caller, "scaiqueue", None)), None);
}

#[test]
fn n_129_an_ended_session_has_nothing_to_trade() {
    let world = World::new();
    let caller = by_session(&world);
    let provider = &world.settings.scaikey.provider;
    let token = world.scaikey.logout_token(&json!({}));
    let flow = scaigate_signin::backchannel_logout::backchannel_logout(&world, provider, &token);
    assert!(world.run(flow).is_ok());
    let result = ask(&world, &caller, GRID, None);
    assert_eq!(code(&result), Some(Code::ScaikeyLoginRequired));
}
