//! Deploying a flow on the wasm that ships: what ScaiGrid is sent, with whose credential, what is answered
//! and recorded, and who may (`contract/scaiflow.md` 2.9).

use http::Method;
use scaigate_e2e::grid::Endpoint;
use scaigate_e2e::grid::seed::{ACME_KEY, ACME_SCOPE};
use scaigate_e2e::{Deploying, MANIFEST, Setup, World};
use serde_json::{Value, json};

const BOB: &str = "bob@acme.example";
const SYBIL: &str = "sybil@umbra.example";

/// A manifest that needs a queue which is there, and becomes a model.
const WHOLE: &str = r#""manifest:\n  name: expense\n  publish_as_model: true\n  scaiqueue: {scope: support, queue: review, consumer_mode: fifo}\n""#;

#[tokio::test(flavor = "multi_thread")]
async fn a_manifest_becomes_a_core_and_a_model() {
    let scene = Deploying::with(Setup::default(), WHOLE).await;
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
        let scene = Deploying::with(Setup::default(), content).await;
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
    let scene = Deploying::with(Setup::default(), MANIFEST).await;
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
    let scene = Deploying::with(setup, WHOLE).await;
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
        let scene = Deploying::with(setup, WHOLE).await;
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
