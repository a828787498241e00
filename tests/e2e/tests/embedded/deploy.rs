//! Deploying a flow on the wasm that ships: what ScaiGrid is sent, what is answered and recorded, who may,
//! and every documented failure (`contract/scaiflow.md` 2.9, 6.1).

use http::{Method, Request};
use scaigate_e2e::grid::seed::{ACME_KEY, ACME_SCOPE};
use scaigate_e2e::grid::{Endpoint, Fault};
use scaigate_e2e::{Answer, Effect, MANIFEST, Setup, Target, When, World, together};
use serde_json::{Value, json};

const ALICE: &str = "alice@acme.example";
const BOB: &str = "bob@acme.example";
const SYBIL: &str = "sybil@umbra.example";

/// A manifest that needs a queue which is there, and becomes a model.
const WHOLE: &str = r#""manifest:\n  name: expense\n  publish_as_model: true\n  scaiqueue: {scope: support, queue: review, consumer_mode: fifo}\n""#;
/// One that needs a scope and a queue which are not.
const FRESH: &str = r#""manifest:\n  name: expense\n  scaiqueue: {scope: fresh, queue: work}\n""#;

struct Scene {
    world: World,
    token: String,
    path: String,
}

impl Scene {
    /// Alice, who is an administrator at ScaiGrid, and her flow with this content.
    async fn with(setup: Setup, content: &str) -> Self {
        let world = World::with(setup.scaigrid()).await;
        let token = world.signed_in_as(ALICE, "author", None).await;
        let flow = world.save_flow(&token, "Expense approval", content).await;
        let path = format!("/v1/flows/{}", flow["id"].as_str().expect("an id"));
        Self { world, token, path }
    }

    async fn deploy(&self, token: &str, body: Option<&Value>) -> Answer {
        let path = format!("{}/deploy", self.path);
        self.world.call(Method::POST, &path, token, body).await
    }

    /// What is recorded, the newest first.
    async fn recorded(&self) -> Value {
        let path = format!("{}/deployments", self.path);
        let answer = self.world.client.get(&path, Some(&self.token)).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()["items"].clone()
    }

    fn cores(&self) -> usize {
        let grid = self.world.grid().grid();
        grid.cores.iter().filter(|c| c.name == "expense").count()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_manifest_becomes_a_core_and_a_model() {
    let scene = Scene::with(Setup::default(), WHOLE).await;
    let answer = scene.deploy(&scene.token, None).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.header("cache-control"), "no-store");
    let done = answer.json();
    assert_eq!(done["published_slug"], "scaicore/acme/expense");
    assert_eq!(done["version"], "1.0.0");
    let row = scene.recorded().await[0].clone();
    assert_eq!(row["id"], done["deployment_id"]);
    assert_eq!(row["core_id"], done["core_id"]);
    assert_eq!(row["deployed_by"], "usr_alice_acme");
    assert_eq!(
        (&row["status"], &row["error"]),
        (&json!("succeeded"), &Value::Null)
    );
    let seen = scene.world.grid().recorder().requests();
    let lines: Vec<String> = seen
        .iter()
        .map(|seen| format!("{} {}", seen.method, seen.target()))
        .collect();
    assert_eq!(
        lines,
        [
            "GET /v1/modules/scaiqueue/scopes".to_owned(),
            format!("GET /v1/modules/scaiqueue/scopes/{ACME_SCOPE}/queues"),
            "POST /v1/modules/scaicore/cores".to_owned(),
            format!(
                "POST /v1/modules/scaicore/cores/{}/publish",
                done["core_id"].as_str().expect("an id")
            ),
        ]
    );
    let sent = seen[2].json().expect("JSON");
    assert_eq!(sent["name"], "expense");
    assert_eq!(json!(sent["source"]).to_string(), WHOLE);
    // The body overrides the manifest; the other prefix answers too.
    let body = json!({ "publish_as_model": false, "group_ids": ["grp_1"] });
    let path = format!("/api{}/deploy", scene.path);
    let answer = scene
        .world
        .call(Method::POST, &path, &scene.token, Some(&body))
        .await;
    assert_eq!(
        answer.json()["published_slug"],
        Value::Null,
        "{}",
        answer.text()
    );
    let body = json!({ "publish_as_model": true, "group_ids": ["grp_1"] });
    let answer = scene.deploy(&scene.token, Some(&body)).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let last = scene.world.grid().recorder().last(Endpoint::PublishCore);
    assert_eq!(
        last.expect("one").json(),
        Some(json!({ "group_ids": ["grp_1"] }))
    );
    assert_eq!(scene.cores(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_manifest_is_a_compile_error_that_says_so() {
    for content in [
        r#"{"nodes":[],"edges":[]}"#,
        r#""nodes: []""#,
        r#""a: [""#,
        "7",
    ] {
        let scene = Scene::with(Setup::default(), content).await;
        let answer = scene.deploy(&scene.token, None).await;
        answer.assert_problem(400, "compile_error");
        let body = answer.json();
        assert_eq!(body["detail"]["error"], "compile_error");
        assert_eq!(body["detail"]["errors"][0], body["detail"]["message"]);
        let fix = body["detail"]["fix"].as_str().expect("a fix");
        assert!(fix.contains("not part of scaigate"), "{fix}");
        assert_eq!(scene.world.grid().recorder().total(), 0);
        assert_eq!(scene.recorded().await, json!([]));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn levels_roles_and_tenants_decide_who_deploys() {
    let scene = Scene::with(Setup::default(), MANIFEST).await;
    let world = &scene.world;
    world.sync().await;
    let bob = world.signed_in_as(BOB, "viewer", None).await;
    let refused = scene.deploy(&bob, None).await;
    refused.assert_problem(403, "insufficient_scope");
    assert_eq!(
        refused.json()["error"]["details"]["required"],
        json!(["scaicore:manage"])
    );
    let bob = world.signed_in_as(BOB, "author", None).await;
    scene
        .deploy(&bob, None)
        .await
        .assert_problem(404, "flow_not_found");
    for (level, may) in [("view", false), ("edit", false), ("deploy", true)] {
        world.sql("DELETE FROM flow_acl", &[]);
        let body =
            json!({ "principal_type": "user", "principal_id": "usr_bob_acme", "level": level });
        let path = format!("{}/acls", scene.path);
        let granted = world
            .call(Method::POST, &path, &scene.token, Some(&body))
            .await;
        assert_eq!(granted.status, 201, "{}", granted.text());
        let answer = scene.deploy(&bob, None).await;
        if may {
            // ScaiGrid has a mind of its own: Bob only looks there.
            answer.assert_problem(502, "scaicore_create_failed");
            assert_eq!(answer.json()["detail"]["status"], 403);
            let details = &answer.json()["error"]["details"];
            assert_eq!(details["cause"], "scaigrid_forbidden");
            assert_eq!(details["source"], "caller_token");
        } else {
            answer.assert_problem(403, "flow_access_denied");
        }
    }
    let sybil = world
        .signed_in_as(SYBIL, "admin", Some("tenant_admin"))
        .await;
    scene
        .deploy(&sybil, None)
        .await
        .assert_problem(404, "flow_not_found");
    let root = world
        .signed_in_as(SYBIL, "admin", Some("super_admin"))
        .await;
    scene
        .deploy(&root, None)
        .await
        .assert_problem(403, "flow_access_denied");
    let service = world.operator_token("admin:write scaicore:manage");
    scene
        .deploy(&service, None)
        .await
        .assert_problem(403, "user_required");
    assert_eq!(scene.cores(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn s_06_without_a_credential_it_is_412_and_names_the_way() {
    let setup = Setup::default().variable("scaiflow_deploy_auth", "api_key");
    let scene = Scene::with(setup, WHOLE).await;
    let world = &scene.world;
    let admin = world
        .signed_in_as(BOB, "viewer", Some("tenant_admin"))
        .await;
    for (token, may) in [(&scene.token, false), (&admin, true)] {
        let answer = scene.deploy(token, None).await;
        answer.assert_problem(412, "missing_scaigrid_credentials");
        let body = answer.json();
        assert_eq!(body["error"]["details"]["caller_may_set"], may);
        let detail = &body["detail"];
        assert_eq!(detail["error"], "missing_scaigrid_credentials");
        assert_eq!(
            detail["message"],
            "no ScaiGrid credentials for tenant 'tnt_acme0001'"
        );
        let fix = detail["fix"].as_str().expect("a fix");
        let way = "POST /v1/tenants/me/scaigrid_credentials";
        assert!(fix.contains(way), "{fix}");
    }
    let row = scene.recorded().await[0].clone();
    assert_eq!(row["error"], "missing_scaigrid_credentials");
    assert_eq!(world.grid().recorder().total(), 0);
    world.set_key(&admin, ACME_KEY).await;
    let answer = scene.deploy(&scene.token, None).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    for seen in world.grid().recorder().requests() {
        assert_eq!(seen.credential.expect("one").secret(), ACME_KEY);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn g7_a_session_token_never_leaves_and_with_exchange_no_login_token_does() {
    for (setup, audience) in [
        (Setup::default(), None),
        (
            Setup::default().variable("scaigrid_exchange_audience", World::GRID_AUDIENCE),
            Some(World::GRID_AUDIENCE),
        ),
    ] {
        let scene = Scene::with(setup, WHOLE).await;
        let answer = scene.deploy(&scene.token, None).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let recorder = scene.world.grid().recorder();
        assert!(recorder.mentions(&scene.token).is_empty());
        for seen in recorder.requests() {
            let claims = seen.credential.expect("one").claims().expect("a token");
            assert_eq!(claims["sub"], "usr_alice_acme");
            if let Some(audience) = audience {
                assert_eq!(claims["aud"], audience);
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_step_that_scaigrid_refuses_has_its_documented_body() {
    // The queue is refused: Bob may not manage any. Nothing is made.
    let scene = Scene::with(Setup::default(), FRESH).await;
    let bob = scene
        .world
        .signed_in_as(BOB, "admin", Some("tenant_admin"))
        .await;
    let answer = scene.deploy(&bob, None).await;
    answer.assert_problem(502, "scaiqueue_auth");
    let detail = answer.json()["detail"].clone();
    assert_eq!(detail["status"], 403);
    assert!(
        detail["fix"].to_string().contains("scaiqueue:manage"),
        "{detail}"
    );
    assert_eq!(scene.world.grid().recorder().count(Endpoint::CreateCore), 0);
    // The queue is there, and another one.
    let other = WHOLE.replace("consumer_mode: fifo", "consumer_mode: priority");
    let scene = Scene::with(Setup::default(), &other).await;
    let answer = scene.deploy(&scene.token, None).await;
    answer.assert_problem(502, "scaiqueue_provision_failed");
    let detail = answer.json()["detail"].clone();
    assert_eq!(
        (&detail["scope"], &detail["queue"]),
        (&json!("support"), &json!("review"))
    );
    assert!(
        detail["message"].to_string().contains("consumer_mode fifo"),
        "{detail}"
    );
    assert_eq!(scene.world.grid().recorder().count(Endpoint::CreateCore), 0);
    // The core, then the model.
    let scene = Scene::with(Setup::default(), WHOLE).await;
    let fault = Fault::Error {
        code: 422,
        error: "VALIDATION_ERROR".to_owned(),
        message: "verifier error: no entry point".to_owned(),
    };
    let switches = scene.world.grid().switches();
    switches.fail_next(Endpoint::CreateCore, fault.clone(), 1);
    let answer = scene.deploy(&scene.token, None).await;
    answer.assert_problem(502, "scaicore_create_failed");
    let detail = answer.json()["detail"].clone();
    assert_eq!(detail["message"], "verifier error: no entry point");
    assert_eq!(detail["status"], 422);
    switches.fail_next(Endpoint::PublishCore, fault, 1);
    let answer = scene.deploy(&scene.token, None).await;
    answer.assert_problem(502, "scaicore_publish_failed");
    let row = scene.recorded().await[0].clone();
    assert_eq!(answer.json()["detail"]["core_id"], row["core_id"]);
    assert_eq!(row["status"], "failed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scaigrid_that_is_down_is_502_at_every_step() {
    for (content, code) in [
        (WHOLE, "scaiqueue_provision_failed"),
        (MANIFEST, "scaicore_create_failed"),
    ] {
        let scene = Scene::with(Setup::default(), content).await;
        let authority = scene.world.grid().address().to_string();
        let target = Target::Outbound(authority);
        scene.world.faults.set(target, When::Always, Effect::Refuse);
        let answer = scene.deploy(&scene.token, None).await;
        answer.assert_problem(502, code);
        let body = answer.json();
        assert_eq!(body["error"]["details"]["cause"], "scaigrid_unreachable");
        assert_eq!(body["error"]["details"].get("core_may_exist"), None);
        assert_eq!(body["detail"]["error"], code);
        assert_eq!(body["detail"].get("status"), None);
        assert_eq!(scene.recorded().await[0]["error"], code);
        scene.world.faults.clear();
        assert_eq!(scene.deploy(&scene.token, None).await.status, 200);
    }
    let setup = Setup::default().variable("scaigrid_base_url", "");
    let scene = Scene::with(setup, MANIFEST).await;
    let answer = scene.deploy(&scene.token, None).await;
    answer.assert_problem(503, "scaigrid_not_configured");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_scaigrid_is_waited_for_so_long_and_no_longer() {
    let scene = Scene::with(Setup::default(), MANIFEST).await;
    let world = &scene.world;
    let hang = Fault::AnswerNever;
    world
        .grid()
        .switches()
        .fail_next(Endpoint::CreateCore, hang, 1);
    let waiting = async {
        world
            .grid()
            .recorder()
            .arrived(Endpoint::CreateCore, 1)
            .await;
        world.advance(30);
    };
    let (answer, ()) = tokio::join!(scene.deploy(&scene.token, None), waiting);
    answer.assert_problem(502, "scaicore_create_failed");
    let details = answer.json()["error"]["details"].clone();
    assert_eq!(details["cause"], "scaigrid_timeout");
    // It did take effect, and nobody pretends to know.
    assert_eq!(details["core_may_exist"], true);
    assert_eq!(scene.cores(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn deploying_again_makes_no_second_queue_and_a_lost_answer_is_mended() {
    let scene = Scene::with(Setup::default(), FRESH).await;
    let grid = scene.world.grid();
    // What was made before the answer was lost is found.
    for lost in [Endpoint::CreateScope, Endpoint::CreateQueue] {
        grid.switches().fail_next(lost, Fault::AnswerLost, 1);
        let answer = scene.deploy(&scene.token, None).await;
        answer.assert_problem(502, "scaiqueue_provision_failed");
    }
    for _ in 0..2 {
        let answer = scene.deploy(&scene.token, None).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
    // A read whose connection breaks is tried again by itself; what makes something never is.
    grid.switches().fail_next(Endpoint::Scopes, Fault::Reset, 1);
    assert_eq!(scene.deploy(&scene.token, None).await.status, 200);
    let before = scene.cores();
    let asked = grid.recorder().count(Endpoint::CreateCore);
    grid.switches()
        .fail_next(Endpoint::CreateCore, Fault::AnswerLost, 1);
    let answer = scene.deploy(&scene.token, None).await;
    answer.assert_problem(502, "scaicore_create_failed");
    assert_eq!(answer.json()["error"]["details"]["core_may_exist"], true);
    assert_eq!(scene.cores(), before + 1);
    assert_eq!(grid.recorder().count(Endpoint::CreateCore), asked + 1);
    assert_eq!(
        grid.grid()
            .scopes
            .iter()
            .filter(|s| s.slug == "fresh")
            .count(),
        1
    );
    assert_eq!(
        grid.grid()
            .queues
            .iter()
            .filter(|q| q.slug == "work")
            .count(),
        1
    );
    // Where names are unique, ScaiGrid says that it is there.
    grid.switches().change(|b| b.core_names_unique = true);
    let answer = scene.deploy(&scene.token, None).await;
    answer.assert_problem(502, "scaicore_create_failed");
    assert_eq!(answer.json()["detail"]["status"], 409);
}

#[tokio::test(flavor = "multi_thread")]
async fn parallel_deploys_share_one_queue_and_make_a_core_each() {
    const MANY: usize = 8;
    for setup in [Setup::default(), Setup::default().without_reuse()] {
        let scene = Scene::with(setup, FRESH).await;
        let answers = together(MANY, |_| {
            let client = scene.world.client.clone();
            let request = Request::post(format!("{}/deploy", scene.path))
                .header("authorization", format!("Bearer {}", scene.token))
                .body(bytes::Bytes::new())
                .expect("a request");
            async move { client.send(request).await }
        })
        .await;
        let mut cores: Vec<String> = answers
            .iter()
            .map(|answer| {
                assert_eq!(answer.status, 200, "{}", answer.text());
                answer.json()["core_id"].to_string()
            })
            .collect();
        cores.sort();
        cores.dedup();
        assert_eq!(cores.len(), MANY);
        let recorded = scene.recorded().await;
        let rows = recorded.as_array().expect("rows");
        assert_eq!(rows.len(), MANY);
        assert!(rows.iter().all(|row| row["status"] == "succeeded"));
        let grid = scene.world.grid().grid();
        assert_eq!(grid.scopes.iter().filter(|s| s.slug == "fresh").count(), 1);
        assert_eq!(grid.queues.iter().filter(|q| q.slug == "work").count(), 1);
    }
}

/// What may come of a deployment whose `target` fails once.
fn allowed(target: &Target) -> &'static [&'static str] {
    match target {
        Target::Sqlite(_) | Target::KeyValue(_) => &["store_unavailable"],
        // The last statement seals nothing: what fails is the read of one that can be done without.
        _ => &[
            "scaiqueue_provision_failed",
            "scaicore_create_failed",
            "scaicore_publish_failed",
        ],
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn n_144_every_call_of_a_deployment_may_fail() {
    let scene = Scene::with(Setup::default(), WHOLE).await;
    let world = &scene.world;
    let grid = Target::Outbound(world.grid().address().to_string());
    for target in [Target::sqlite(), Target::key_value(), grid] {
        let path = format!("{}/deploy", scene.path);
        let fresh = async || {
            let token = world.signed_in_as(ALICE, "author", None).await;
            world.forget_documents();
            token
        };
        let token = fresh().await;
        world
            .faults
            .set(target.clone(), When::Nth(u64::MAX), Effect::Refuse);
        let answer = world.call(Method::POST, &path, &token, None).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let calls = world.faults.count(&target);
        world.faults.clear();
        assert!(calls > 0, "{target:?}");
        for effect in [Effect::Refuse, Effect::LoseAnswer] {
            for call in 1..=calls {
                let token = fresh().await;
                let before = scene.cores();
                world.faults.set(target.clone(), When::Nth(call), effect);
                let answer = world.call(Method::POST, &path, &token, None).await;
                world.faults.clear();
                let what = format!("{target:?}, call {call} of {calls}, {effect:?}");
                let body = answer.json();
                let code = answer.code();
                if answer.status == 200 {
                    // A read that was tried again.
                    assert!(matches!(target, Target::Outbound(_)), "{what}");
                    continue;
                }
                assert!(allowed(&target).contains(&code.as_str()), "{what}: {body}");
                // Whoever is left with a core hears of it.
                let details = &body["error"]["details"];
                let is_told = details["core_id"].is_string()
                    || body["detail"]["core_id"].is_string()
                    || details["core_may_exist"] == true;
                assert!(is_told || scene.cores() == before, "{what}: {body}");
            }
        }
    }
}
