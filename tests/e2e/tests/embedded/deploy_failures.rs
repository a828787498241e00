//! Deploying that fails: every documented failure (`contract/scaiflow.md` 6.1), every call that may fail, what
//! deploying again does, and many deploys at once.

use http::{Method, Request};
use scaigate_e2e::grid::{Endpoint, Fault, Gate};
use scaigate_e2e::{Deploying, Effect, MANIFEST, Setup, Target, When, together};
use serde_json::json;

const ALICE: &str = "alice@acme.example";
const BOB: &str = "bob@acme.example";

/// A manifest that needs a queue which is there, and becomes a model.
const WHOLE: &str = r#""manifest:\n  name: expense\n  publish_as_model: true\n  scaiqueue: {scope: support, queue: review, consumer_mode: fifo}\n""#;
/// One that needs a scope and a queue which are not.
const FRESH: &str = r#""manifest:\n  name: expense\n  scaiqueue: {scope: fresh, queue: work}\n""#;

#[tokio::test(flavor = "multi_thread")]
async fn s_22_a_limit_says_whose_it_is_and_how_long_to_wait() {
    let setup = Setup::default().variable("rate_limits", "deploy=3");
    let scene = Deploying::with(setup, WHOLE).await;
    scene.world.clock.freeze();
    // ScaiGrid's, at any step: the documented body, and what a lookup would say of it.
    let limited = Fault::Status {
        code: 429,
        retry_after: Some(17),
    };
    for (endpoint, code) in [
        (Endpoint::Scopes, "scaiqueue_provision_failed"),
        (Endpoint::CreateCore, "scaicore_create_failed"),
    ] {
        let switches = scene.world.grid().switches();
        switches.fail_next(endpoint, limited.clone(), 1);
        let answer = scene.deploy(&scene.token, None).await;
        answer.assert_problem(502, code);
        assert_eq!(answer.json()["detail"]["status"], 429);
        assert_eq!(answer.header("retry-after"), "17");
        let details = &answer.json()["error"]["details"];
        assert_eq!(details["cause"], "scaigrid_rate_limited");
        assert_eq!(details["category"], "scaigrid");
        assert_eq!(details["remaining"], 0);
        assert!(
            details["limit"].is_u64() && details["reset"].is_u64(),
            "{details}"
        );
    }
    // Ours: saving the flow counted too.
    let answer = scene.deploy(&scene.token, None).await;
    answer.assert_problem(429, "rate_limited");
    let details = &answer.json()["error"]["details"];
    assert_eq!(
        (&details["category"], &details["limit"]),
        (&json!("deploy"), &json!(3))
    );
    assert_ne!(answer.header("retry-after"), "");
    assert_eq!(scene.recorded().await.as_array().expect("rows").len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_step_that_scaigrid_refuses_has_its_documented_body() {
    // The queue is refused: Bob may not manage any. Nothing is made.
    let scene = Deploying::with(Setup::default(), FRESH).await;
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
    let scene = Deploying::with(Setup::default(), &other).await;
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
    let scene = Deploying::with(Setup::default(), WHOLE).await;
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
        let scene = Deploying::with(Setup::default(), content).await;
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
    let scene = Deploying::with(setup, MANIFEST).await;
    let answer = scene.deploy(&scene.token, None).await;
    answer.assert_problem(503, "scaigrid_not_configured");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_scaigrid_is_waited_for_so_long_and_no_longer() {
    let scene = Deploying::with(Setup::default(), MANIFEST).await;
    let world = &scene.world;
    // Made, and its answer held: time moves once it is made.
    let recorder = world.grid().recorder();
    recorder.hold_at(Endpoint::CreateCore, Gate::After);
    let waiting = async {
        recorder.held(Endpoint::CreateCore, 1).await;
        world.advance(30);
    };
    let (answer, ()) = tokio::join!(scene.deploy(&scene.token, None), waiting);
    answer.assert_problem(502, "scaicore_create_failed");
    let details = answer.json()["error"]["details"].clone();
    assert_eq!(details["cause"], "scaigrid_timeout");
    // It does take effect, and nobody pretends to know.
    recorder.left(Endpoint::CreateCore, 1).await;
    assert_eq!(details["core_may_exist"], true);
    assert_eq!(scene.cores(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn deploying_again_makes_no_second_queue_and_a_lost_answer_is_mended() {
    let scene = Deploying::with(Setup::default(), FRESH).await;
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
        let scene = Deploying::with(setup, FRESH).await;
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
        _ => &[
            "scaiqueue_provision_failed",
            "scaicore_create_failed",
            "scaicore_publish_failed",
        ],
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn n_144_every_call_of_a_deployment_may_fail() {
    let scene = Deploying::with(Setup::default(), WHOLE).await;
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
        world.faults.reset_calls();
        let answer = world.call(Method::POST, &path, &token, None).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let calls = world.faults.count(&target);
        assert!(calls > 0, "{target:?}");
        let mut failed = 0;
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
                    // A read of ScaiGrid's, or a statement, that was tried again, or is not needed by an
                    // instance that is warm. The index of what is revoked is never done without.
                    assert_ne!(target, Target::key_value(), "{what}");
                    assert_eq!(scene.cores(), before + 1, "{what}");
                    assert_eq!(
                        scene.recorded().await[0]["core_id"],
                        body["core_id"],
                        "{what}"
                    );
                    continue;
                }
                failed += 1;
                assert!(allowed(&target).contains(&code.as_str()), "{what}: {body}");
                // Whoever is left with a core hears of it.
                let details = &body["error"]["details"];
                let is_told = details["core_id"].is_string()
                    || body["detail"]["core_id"].is_string()
                    || details["core_may_exist"] == true;
                assert!(is_told || scene.cores() == before, "{what}: {body}");
            }
        }
        assert!(failed > 0, "{target:?}");
    }
}
