//! Codes that no other suite produces.

use http::Method;
use scaigate_e2e::emulator::{Endpoint, Fault};
use scaigate_e2e::{MANIFEST, Setup, World, grid};
use serde_json::json;

use crate::negative_5_3::{refresh, scaikey_tokens};

const ALICE: &str = "alice@acme.example";

#[tokio::test(flavor = "multi_thread")]
async fn a_database_of_a_newer_version_is_not_touched() {
    let world = World::start().await;
    let session = world.sign_in(ALICE).await;
    world.sql("UPDATE schema_version SET version = 9999", &[]);
    world.host().kill_instances();
    let answer = world
        .client
        .get("/v1/me/workspaces", session["access_token"].as_str())
        .await;
    answer.assert_problem(503, "schema_newer");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_scaigrid_refuses_is_told_by_its_own_code() {
    let world = World::with(Setup::default().scaigrid()).await;
    let token = world.signed_in_as(ALICE, "viewer", None).await;
    for (upstream, error, status, code) in [
        (
            403,
            "MODULE_NOT_ENABLED",
            403,
            "scaigrid_module_not_enabled",
        ),
        (429, "BACKEND_RATE_LIMITED", 429, "model_rate_limited"),
        (429, "QUOTA_EXCEEDED", 403, "scaigrid_quota_exceeded"),
    ] {
        let fault = grid::Fault::Error {
            code: upstream,
            error: error.to_owned(),
            message: "no".to_owned(),
        };
        let switches = world.grid().switches();
        switches.fail_next(grid::Endpoint::Modules, fault, 1);
        let answer = world.client.get("/v1/scaigrid/modules", Some(&token)).await;
        answer.assert_problem(status, code);
        let details = &answer.json()["error"]["details"];
        assert_eq!(details["upstream_code"], error);
        assert_eq!(details["upstream_status"], upstream);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_audience_that_scaikey_does_not_trade_for_is_told_with_the_setting() {
    let audience = "scaigrid_exchange_audience";
    let mut world = World::with(Setup::default().variable(audience, "another").scaigrid()).await;
    let token = world.signed_in_as(ALICE, "viewer", None).await;
    let answer = world.client.get("/v1/scaigrid/models", Some(&token)).await;
    answer.assert_problem(502, "invalid_target");
    let problem = &answer.json()["error"];
    assert_eq!(problem["details"]["error"], "invalid_target");
    let fix = problem["fix"].as_str().expect("a fix");
    assert!(fix.contains("Set `scaigrid_exchange_audience`"), "{fix}");
    world.crash(&[(audience, World::GRID_AUDIENCE)]).await;
    let answer = world.client.get("/v1/scaigrid/models", Some(&token)).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn scopes_that_scaikey_does_not_give_are_told_by_a_sync() {
    let world = World::start().await;
    let fault = Fault::Answer {
        code: 400,
        body: json!({ "error": "invalid_scope", "error_description": "none is allowed" })
            .to_string(),
    };
    let switches = world.scaikey.switches();
    switches.fail_always(Endpoint::Token, fault);
    let answer = world.try_sync(false).await;
    answer.assert_problem(502, "invalid_scope");
    let details = &answer.json()["error"]["details"];
    assert_eq!(details["error_description"], "none is allowed");
    switches.heal(Endpoint::Token);
    world.sync().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_that_a_flow_does_not_have() {
    let world = World::start().await;
    let token = world.token_with_role(ALICE, "author", None).await;
    let flow = world.save_flow(&token, "n", MANIFEST).await;
    let path = format!("/v1/flows/{}/versions", flow["id"].as_str().expect("an id"));
    for version in ["1.0.1", "1.0.00", "2.0.0"] {
        let path = format!("{path}/{version}");
        let answer = world.client.get(&path, Some(&token)).await;
        answer.assert_problem(404, "flow_version_not_found");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flow_has_a_thousand_rights_at_most() {
    let world = World::start().await;
    world.sync().await;
    let token = world.token_with_role(ALICE, "author", None).await;
    let flow = world.save_flow(&token, "n", MANIFEST).await;
    let id = flow["id"].as_str().expect("an id");
    world.sql(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000)
         INSERT INTO flow_acl (tenant_id, flow_id, acl_id, principal_type, principal_issuer,
                               principal_id, level, granted_by, granted_at)
         SELECT tenant_id, flow_id, 'acl_' || i, 'group', '', 'grp_' || i, 1, owner_id, 0
           FROM flow, n WHERE flow_id = ?1",
        &[id],
    );
    let path = format!("/v1/flows/{id}/acls");
    let right =
        json!({ "principal_type": "user", "principal_id": "usr_bob_acme", "level": "view" });
    let full = world.call(Method::POST, &path, &token, Some(&right)).await;
    full.assert_problem(409, "limit_reached");
    assert_eq!(full.json()["error"]["details"]["limit"], 1000);
    let taken = world
        .call(Method::DELETE, &format!("{path}/acl_1"), &token, None)
        .await;
    assert_eq!(taken.status, 204, "{}", taken.text());
    let given = world.call(Method::POST, &path, &token, Some(&right)).await;
    assert_eq!(given.status, 201, "{}", given.text());
}

/// A refresh of ScaiKey's that is done once is not done again because its answer can't be opened.
#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_was_sealed_with_a_removed_secret_is_waited_out() {
    let mut world = World::start().await;
    let token = scaikey_tokens(&world, ALICE).await["refresh_token"].clone();
    assert_eq!(refresh(&world, &token).await.status, 200);
    let asked = world.scaikey.recorder().count(Endpoint::Token);
    let secret = "c2NhaWdhdGUtZTJlLXNlc3Npb24tc2VjcmV0LTAwMDI=";
    world.crash(&[("session_secret", secret)]).await;
    let answer = refresh(&world, &token).await;
    answer.assert_problem(503, "refresh_busy");
    assert!(!answer.header("retry-after").is_empty());
    assert_eq!(world.scaikey.recorder().count(Endpoint::Token), asked);
}

#[tokio::test(flavor = "multi_thread")]
async fn content_that_we_can_not_have_written_is_our_failure_and_shows_nothing() {
    let world = World::start().await;
    let token = world.token_with_role(ALICE, "author", None).await;
    let flow = world.save_flow(&token, "n", MANIFEST).await;
    let id = flow["id"].as_str().expect("an id");
    world.sql("DROP TRIGGER flow_version_is_final", &[]);
    world.sql(
        "UPDATE flow_version SET content = x'6f6e6520ff' WHERE flow_id = ?1",
        &[id],
    );
    let path = format!("/v1/flows/{id}");
    let answer = world.client.get(&path, Some(&token)).await;
    answer.assert_problem(500, "internal");
    assert_eq!(answer.json()["error"]["details"], json!({}));
}
