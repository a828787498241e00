//! Deploying with credentials, over stores and a ScaiGrid that fail at every step: what is told, what is
//! recorded, and that no credential is ever heard or sent for somebody else.

use std::rc::Rc;

use futures::executor::block_on;
use http::HeaderMap;
use scaigate_flows::Writer;
use scaigate_flows::deploy::{self, Upstream, Wanted};
use scaigate_flows::dev_token::DevToken;
use scaigate_problem::{Code, Problem};
use scaigate_proxy::{Caller, Settings, settings, tenant_keys};
use scaigate_signin::Principal;
use scaigate_types::{AdminRole, FlowId, OutboundError};
use serde_json::{Value, json};

use crate::every_call_failing::RECORD;
use crate::world::{Told, World, code, content, detail, user};

const KEY: &str = "sgk_canary0tenant0key0000000000000000001";
const DEPLOYMENT_KEY: &str = "sgk_canary0deployment0key0000000000000001";
const TOKEN: &str = "eyJ.canary-login-token.sig";
const SEALS: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

/// All four steps: two lists, a core, a model.
const WHOLE: &str = r#""manifest:\n  name: expense\n  publish_as_model: true\n  scaiqueue: {scope: support, queue: review}\n""#;
const STEPS: [(&str, &str); 4] = [
    ("GET", "/v1/modules/scaiqueue/scopes"),
    ("GET", "/v1/modules/scaiqueue/scopes/sc_1/queues"),
    ("POST", "/v1/modules/scaicore/cores"),
    ("POST", "/v1/modules/scaicore/cores/core_1/publish"),
];
/// What the failure of each step is called.
const NAMES: [Code; 4] = [
    Code::ScaiqueueProvisionFailed,
    Code::ScaiqueueProvisionFailed,
    Code::ScaicoreCreateFailed,
    Code::ScaicorePublishFailed,
];

/// The honest answers to [`STEPS`].
fn honest() -> Vec<Told> {
    let data = |status, data: Value| Ok((status, json!({ "data": data }).to_string()));
    vec![
        data(200, json!([{ "id": "sc_1", "slug": "support" }])),
        data(
            200,
            json!([{ "id": "q_1", "scope_id": "sc_1", "slug": "review" }]),
        ),
        data(201, json!({ "id": "core_1" })),
        data(200, json!({ "published_slug": "scaicore/acme/expense" })),
    ]
}

/// A flow to deploy, and with what.
struct Scene {
    world: World,
    alice: Writer,
    flow_id: FlowId,
    settings: Settings,
}

impl Scene {
    fn new(changes: &[(&str, &str)]) -> Self {
        let usual = [
            ("scaigrid_base_url", "https://scaigrid.example"),
            ("credentials_key", SEALS),
            ("session_secret", SEALS),
        ];
        let variables = |name: &str| {
            let mut all = changes.iter().chain(&usual);
            let found = all.find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        let world = World::new();
        let alice = world.writer("usr_alice");
        Self {
            flow_id: world.saves(&alice, WHOLE),
            settings: settings::settings(&variables).unwrap(),
            world,
            alice,
        }
    }

    /// With the tenant's key, and nothing else that is used.
    fn with_key() -> Self {
        let scene = Self::new(&[("scaiflow_deploy_auth", "api_key")]);
        let principal = Rc::new(user("usr_root", "tnt_acme", Some(AdminRole::TenantAdmin)));
        let administrator = tenant_keys::administrator(Principal::User(principal)).unwrap();
        let keys = scene.settings.tenant_keys.as_ref().map_err(Vec::as_slice);
        let body = json!({ "api_key": KEY }).to_string();
        let base_url = &scene.settings.grid.base_url;
        let set = tenant_keys::set(
            &scene.world,
            keys,
            base_url,
            &administrator,
            body.as_bytes(),
        );
        block_on(set).unwrap();
        scene
    }

    fn deploys(&self) -> Result<Value, Problem> {
        let principal = Principal::User(Rc::new(user("usr_alice", "tnt_acme", None)));
        let caller = Caller {
            principal: &principal,
            bearer: Some(TOKEN),
        };
        let grid = Upstream::new(&self.world, Ok(&self.settings), Some(caller), "req_1");
        let wanted = Wanted::default();
        let outcome = deploy::deploy(&self.world, &grid, &self.alice, &self.flow_id, &wanted);
        let outcome = block_on(outcome);
        let said = match &outcome {
            Ok(done) => done.to_string(),
            Err(problem) => problem.body("/", "req_1").to_string(),
        };
        assert!(!said.contains("canary"), "{said}");
        outcome
    }

    /// What is recorded of the last attempt.
    fn recorded(&self) -> Value {
        let rows = deploy::deployments(&self.world, self.alice.reader(), &self.flow_id, 1);
        let rows: Value = serde_json::from_str(&block_on(rows).unwrap().rows).unwrap();
        rows[0].clone()
    }
}

#[test]
fn each_call_goes_where_it_belongs_with_one_credential() {
    for (scene, expected) in [(Scene::new(&[]), TOKEN), (Scene::with_key(), KEY)] {
        scene.world.outside.will(honest());
        let done = scene.deploys().unwrap();
        assert_eq!(done["core_id"], "core_1");
        assert_eq!(done["published_slug"], "scaicore/acme/expense");
        let seen = scene.world.outside.seen();
        assert_eq!(seen.len(), STEPS.len());
        for ((line, credential), (method, path)) in seen.iter().zip(STEPS) {
            assert_eq!(*line, format!("{method} https://scaigrid.example{path}"));
            assert_eq!(credential, expected);
        }
    }
}

#[test]
fn n_144_scaigrid_fails_at_every_step() {
    for error in [
        OutboundError::Refused,
        OutboundError::Timeout,
        OutboundError::Interrupted,
        OutboundError::TooLarge,
        OutboundError::Denied,
    ] {
        for (step, name) in NAMES.into_iter().enumerate() {
            let scene = Scene::with_key();
            let before = honest().into_iter().take(step);
            // A read is tried twice.
            scene
                .world
                .outside
                .will(before.chain([Err(error), Err(error)]));
            let outcome = scene.deploys();
            assert_eq!(code(&outcome), Some(name), "{error:?} at {step}");
            let cause = match error {
                OutboundError::Refused | OutboundError::Denied => "scaigrid_unreachable",
                OutboundError::Timeout => "scaigrid_timeout",
                OutboundError::Interrupted | OutboundError::TooLarge => "scaigrid_invalid_response",
            };
            let problem = outcome.unwrap_err().body("/", "req_1");
            assert_eq!(problem["error"]["details"]["cause"], cause, "{error:?}");
            assert_eq!(scene.recorded()["error"], name.as_str());
            let core = if step == 3 {
                json!("core_1")
            } else {
                Value::Null
            };
            assert_eq!(scene.recorded()["core_id"], core);
        }
    }
}

#[test]
fn n_120_a_scaigrid_that_repeats_the_credential_is_not_listened_to() {
    let escaped = KEY.replacen('s', "\\u0073", 1);
    for (step, name) in NAMES.into_iter().enumerate() {
        for (status, said) in [(200, KEY), (422, KEY), (200, &escaped), (422, &escaped)] {
            let scene = Scene::with_key();
            let body = format!(
                r#"{{"data":{{"id":"{said}","published_slug":"{said}"}},"error":{{"code":"{said}","message":"{said}"}}}}"#
            );
            let before = honest().into_iter().take(step);
            scene.world.outside.will(before.chain([Ok((status, body))]));
            // That nothing is heard is looked at in there.
            let outcome = scene.deploys();
            assert_eq!(code(&outcome), Some(name), "{status} at {step}");
        }
    }
}

#[test]
fn n_144_the_database_fails_at_every_step() {
    let calls = {
        let scene = Scene::with_key();
        scene.world.outside.will(honest());
        scene.world.db.failing.heal();
        scene.deploys().unwrap();
        scene.world.db.failing.heal()
    };
    let mut with_core = 0;
    for call in 1..=calls {
        let scene = Scene::with_key();
        scene.world.outside.will(honest());
        scene.world.db.failing.fail_at(call);
        let outcome = scene.deploys();
        scene.world.db.failing.heal();
        assert_eq!(code(&outcome), Some(Code::StoreUnavailable), "call {call}");
        let body = outcome.unwrap_err().body("/", "req_1");
        let was_made = scene.world.outside.seen().len() == STEPS.len();
        let named = body["error"]["details"]["core_id"] == "core_1";
        assert_eq!(named, was_made, "call {call}: {body}");
        with_core += u64::from(named);
    }
    assert_eq!(with_core, RECORD, "only the record comes after ScaiGrid");
}

#[test]
fn all_calls_together_have_a_minute() {
    let scene = Scene::with_key();
    scene.world.outside.takes.set(25);
    scene.world.outside.will(honest());
    let outcome = scene.deploys();
    // Two calls take fifty seconds; the third has ten.
    assert_eq!(code(&outcome), Some(Code::ScaicoreCreateFailed));
    assert_eq!(scene.world.outside.seen().len(), 3);
    let scene = Scene::with_key();
    scene.world.outside.takes.set(30);
    scene.world.outside.will(honest());
    assert_eq!(code(&scene.deploys()), Some(Code::ScaicoreCreateFailed));
    // There is no time left to ask.
    assert_eq!(scene.world.outside.seen().len(), 2);
}

#[test]
fn without_a_credential_it_is_412_and_names_the_tenant() {
    let scene = Scene::new(&[("scaiflow_deploy_auth", "api_key")]);
    let outcome = scene.deploys();
    assert_eq!(code(&outcome), Some(Code::MissingScaigridCredentials));
    let detail = detail(&outcome);
    assert_eq!(detail["error"], "missing_scaigrid_credentials");
    assert_eq!(
        detail["message"],
        "no ScaiGrid credentials for tenant 'tnt_acme'"
    );
    let fix = detail["fix"].as_str().unwrap();
    assert!(
        fix.contains("POST /v1/tenants/me/scaigrid_credentials, which you may not"),
        "{fix}"
    );
    assert!(scene.world.outside.seen().is_empty());
    assert_eq!(scene.recorded()["error"], "missing_scaigrid_credentials");
}

#[test]
fn what_is_not_configured_is_told_when_it_is_needed() {
    let scene = Scene::new(&[]);
    let principal = Principal::User(Rc::new(user("usr_alice", "tnt_acme", None)));
    let caller = Caller {
        principal: &principal,
        bearer: Some(TOKEN),
    };
    let none = Err(Problem::new(Code::ScaigridNotConfigured));
    let grid = Upstream::new(&scene.world, none, Some(caller), "req_1");
    let wanted = Wanted::default();
    let outcome = deploy::deploy(&scene.world, &grid, &scene.alice, &scene.flow_id, &wanted);
    let outcome = block_on(outcome);
    assert_eq!(code(&outcome), Some(Code::ScaigridNotConfigured));
}

#[test]
fn the_deprecated_deploy_speaks_with_the_deployments_key_alone() {
    let token = DevToken::new(Some("dev-token".to_owned()));
    let mut headers = HeaderMap::new();
    headers.insert("authorization", "Bearer dev-token".parse().unwrap());
    let key = ("scaigrid_api_key", DEPLOYMENT_KEY);
    for (changes, expected) in [
        (&[key, ("env", "dev")][..], Ok(DEPLOYMENT_KEY)),
        (
            &[key, ("env", "dev"), ("scaiflow_deploy_auth", "api_key")],
            Ok(DEPLOYMENT_KEY),
        ),
        (
            &[key, ("env", "dev"), ("scaiflow_deploy_auth", "user_jwt")],
            Err(Code::MissingScaigridCredentials),
        ),
        (&[key], Err(Code::MissingScaigridCredentials)),
        (&[("env", "dev")], Err(Code::MissingScaigridCredentials)),
    ] {
        let scene = Scene::new(changes);
        scene.world.outside.will(honest());
        let grid = Upstream::new(&scene.world, Ok(&scene.settings), None, "req_1");
        let caller = token.presented(&headers).unwrap().check().unwrap();
        let body = content(WHOLE);
        let wanted = Wanted::default();
        let outcome = block_on(deploy::dev_deploy(&grid, caller, &body, &wanted));
        let seen = scene.world.outside.seen();
        match expected {
            Ok(key) => {
                assert_eq!(outcome.unwrap()["core_id"], "core_1");
                assert!(seen.iter().all(|(_, credential)| credential == key));
            }
            Err(expected) => {
                assert_eq!(code(&outcome), Some(expected), "{changes:?}");
                let fix = detail(&outcome)["fix"].clone();
                assert!(fix.as_str().unwrap().contains("SCAIGRID_API_KEY"), "{fix}");
                assert!(seen.is_empty());
            }
        }
    }
}
