//! The audit log: that everything leaves its row, who may read it, and that it is a chain.

use std::collections::BTreeSet;

use http::{Method, Request, header};
use scaigate_e2e::emulator::WebhookEvent;
use scaigate_e2e::{
    Answer, CREDENTIALS_KEY, Deploying, Effect, MANIFEST, Setup, Target, When, World,
};
use serde_json::{Value, json};

use crate::directory_background::until;

const ALICE: (&str, &str) = ("usr_alice_acme", "alice@acme.example");
const BOB: (&str, &str) = ("usr_bob_acme", "bob@acme.example");
const LOG: &str = "/v1/admin/audit";

async fn rows(world: &World, query: &str) -> Vec<Value> {
    let page = world.admin(&format!("{LOG}?limit=1000&{query}")).await;
    page["entries"].as_array().expect("rows").clone()
}

async fn one(world: &World, query: &str) -> Value {
    let rows = rows(world, query).await;
    let first = rows.first().unwrap_or_else(|| panic!("no row: {query}"));
    first.clone()
}

async fn export(world: &World, query: &str) -> Answer {
    let request = Request::get(format!("{LOG}?{query}"))
        .header(header::ACCEPT, "application/x-ndjson")
        .header(
            header::AUTHORIZATION,
            format!("Bearer {}", world.operator_token("admin:read")),
        )
        .body(bytes::Bytes::new())
        .expect("a request");
    let answer = world.client.send(request).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer
}

fn lines(answer: &Answer) -> Vec<Value> {
    let lines = answer.text();
    let lines = lines.lines().map(serde_json::from_str);
    lines.collect::<Result<_, _>>().expect("JSON lines")
}

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_of_event_leaves_its_row() {
    let world = World::with(Setup::default().scaigrid()).await;
    world.sync().await;
    let token = world.administrator(ALICE.0, ALICE.1, "super_admin").await;
    let session = world.sign_in(BOB.1).await;
    // Tenants' keys.
    world
        .set_key(&token, "sgk_key_of_the_audit_test_0001_0123456789")
        .await;
    world
        .set_key(&token, "sgk_key_of_the_audit_test_0002_0123456789")
        .await;
    let removed = world
        .call(Method::DELETE, World::TENANT_KEY, &token, None)
        .await;
    assert_eq!(removed.status, 204);
    // Flows.
    let flow = world.save_flow(&token, "audited", "{}").await;
    let path = format!("/v1/flows/{}", flow["id"].as_str().expect("an id"));
    let body = json!({ "principal_type": "user", "principal_id": BOB.0, "level": "view" });
    let acls = format!("{path}/acls");
    let given = world.call(Method::POST, &acls, &token, Some(&body)).await;
    assert_eq!(given.status, 201, "{}", given.text());
    let acl = format!("{acls}/{}", given.json()["id"].as_str().expect("an id"));
    let taken = world.call(Method::DELETE, &acl, &token, None).await;
    assert!(taken.status.is_success(), "{}", taken.text());
    let deleted = world.call(Method::DELETE, &path, &token, None).await;
    assert!(deleted.status.is_success(), "{}", deleted.text());
    // Webhooks, one that holds and one that does not.
    let event = WebhookEvent::new("user.password_changed", BOB.0);
    assert_eq!(world.event(&event).await.status, 200);
    let unsigned = world.client.post(World::WEBHOOK, &json!({})).await;
    assert_eq!(unsigned.status, 400, "{}", unsigned.text());
    // Refusals, and the end of a session.
    // What a client says of its address is not where it is.
    let claim = Request::get("/v1/me")
        .header("spin-client-addr", "203.0.113.9:1")
        .header(header::AUTHORIZATION, "Bearer no.such.token")
        .body(bytes::Bytes::new())
        .expect("a request");
    assert_eq!(world.client.send(claim).await.status, 401);
    let refused = world
        .client
        .post("/v1/auth/refresh", &json!({ "refresh_token": "x" }))
        .await;
    assert!(refused.status.is_client_error(), "{}", refused.text());
    let body = json!({ "refresh_token": session["refresh_token"] });
    assert_eq!(
        world.client.post("/v1/auth/logout", &body).await.status,
        200
    );
    world.admin("/v1/admin/users").await;
    world.admin("/v1/admin/sync").await;

    let all = rows(&world, "").await;
    let seen: BTreeSet<&str> = all
        .iter()
        .filter_map(|row| row["action"].as_str())
        .collect();
    for action in [
        "admin.read",
        "credential.removed",
        "credential.set",
        "flow.access_given",
        "flow.access_taken",
        "flow.deleted",
        "membership.changed",
        "request.refused",
        "role.changed",
        "session.ended",
        "session.started",
        "sign_in",
        "sync.ended",
        "webhook.received",
        "webhook.refused",
    ] {
        assert!(seen.contains(action), "{action}: {seen:?}");
    }
    // Who, from where and by which request.
    for action in [
        "sign_in",
        "session.started",
        "session.ended",
        "role.changed",
        "credential.set",
        "credential.removed",
        "flow.deleted",
        "flow.access_given",
        "flow.access_taken",
        "sync.ended",
        "admin.read",
    ] {
        let row = one(&world, &format!("action={action}")).await;
        let request_id = row["request_id"].as_str().unwrap_or_default();
        assert!(request_id.starts_with("req_"), "{row}");
        assert_eq!(row["source"], "127.0.0.1", "{row}");
        let actor = row["actor"].as_str().unwrap_or_default();
        assert!(
            actor.starts_with("person:") || actor.starts_with("service:"),
            "{row}"
        );
    }
    for refused in ["/v1/me", "/v1/auth/refresh"] {
        let row = one(&world, &format!("action=request.refused&target={refused}")).await;
        assert_eq!(row["outcome"], "refused", "{row}");
        assert_eq!(row["source"], "127.0.0.1", "{row}");
    }
    // An answer's id finds what it did.
    let found = one(
        &world,
        &format!("request_id={}", given.header("x-request-id")),
    )
    .await;
    assert_eq!(found["action"], "flow.access_given");
}

/// A row says which person did something to `target`, from where, by which request.
#[track_caller]
fn is_whole(row: &Value, target: &str) {
    let text = |name: &str| row[name].as_str().unwrap_or_default();
    assert!(text("target").starts_with(target), "{row}");
    assert!(text("request_id").starts_with("req_"), "{row}");
    assert_eq!(row["source"], "127.0.0.1", "{row}");
    assert!(text("actor").starts_with("person:"), "{row}");
}

#[tokio::test(flavor = "multi_thread")]
async fn deployments_and_the_catalog_leave_their_rows() {
    let scene = Deploying::with(Setup::default(), MANIFEST).await;
    let (world, token) = (&scene.world, scene.token.as_str());
    let deployed = scene.deploy(token, None).await;
    assert_eq!(deployed.status, 200, "{}", deployed.text());
    let flow_id = scene.path.rsplit('/').next().expect("an id");
    let package =
        json!({ "package_id": "expense", "name": "n", "version": "1.0.0", "flow_id": flow_id });
    let publish = "/v1/catalog/publish";
    let published = world
        .call(Method::POST, publish, token, Some(&package))
        .await;
    assert!(published.status.is_success(), "{}", published.text());
    let path = "/v1/catalog/expense";
    let removed = world.call(Method::DELETE, path, token, None).await;
    assert_eq!(removed.status, 204, "{}", removed.text());
    for (action, target, answer) in [
        ("flow.deployed", "flow:", &deployed),
        ("catalog.published", "package:expense", &published),
        ("catalog.removed", "package:expense", &removed),
    ] {
        let row = one(world, &format!("action={action}")).await;
        is_whole(&row, target);
        assert_eq!(row["request_id"], answer.header("x-request-id"), "{row}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_sealed_anew_leaves_its_row() {
    let mut world = World::with(Setup::default().scaigrid()).await;
    world.sync().await;
    let token = world.administrator(ALICE.0, ALICE.1, "super_admin").await;
    world
        .set_key(&token, "sgk_key_of_the_audit_test_0003_0123456789")
        .await;
    let newer = "c2NhaWdhdGUtZTJlLWNyZWRlbnRpYWxzLWtleS0wMDI=";
    let both = format!("{newer},{CREDENTIALS_KEY}");
    world.crash(&[("credentials_key", &both)]).await;
    let status = world.client.get(World::TENANT_KEY, Some(&token)).await;
    assert_eq!(status.status, 200, "{}", status.text());
    let row = one(&world, "action=credential.sealed_anew").await;
    assert_eq!(row["target"], "credential:scaigrid", "{row}");
    // Nobody asked for it.
    assert_eq!(row["actor"], "scaigate", "{row}");
    assert_eq!(row["request_id"], Value::Null, "{row}");
}

/// The report is shown also when the database is down, so its row follows the answer.
#[tokio::test(flavor = "multi_thread")]
async fn whoever_reads_the_report_or_may_not_leaves_a_row() {
    const REPORT: &str = "/v1/health/detailed";
    let world = World::start().await;
    world.sync().await;
    let token = world.administrator(ALICE.0, ALICE.1, "super_admin").await;
    let sql = "SELECT action || ' ' || outcome FROM audit_log WHERE request_id = ?1";
    for (token, status, expected) in [
        (token.as_str(), 200, "admin.read success"),
        ("no.such.token", 401, "request.refused refused"),
    ] {
        let answer = world.client.get(REPORT, Some(token)).await;
        assert_eq!(answer.status, status, "{}", answer.text());
        let id = answer.header("x-request-id");
        until(&world, "the row is there", || {
            world.sql_text(sql, &[id]).is_some()
        })
        .await;
        assert_eq!(world.sql_text(sql, &[id]).as_deref(), Some(expected));
    }
    let row = one(&world, &format!("action=admin.read&target={REPORT}")).await;
    assert!(
        row["actor"]
            .as_str()
            .is_some_and(|actor| actor.starts_with("person:")),
        "{row}"
    );
}

/// Who is refused at a sync or a deployment, known or not.
#[tokio::test(flavor = "multi_thread")]
async fn refused_syncs_and_deployments_leave_their_rows() {
    let setup = Setup::default().variable("scaiflow_api_token", "a-token-of-the-audit-test-0001");
    let scene = Deploying::with(setup, MANIFEST).await;
    let world = &scene.world;
    let session = world.sign_in(BOB.1).await;
    let bob = session["access_token"].as_str().expect("a token");
    let deploy = format!("{}/deploy", scene.path);
    for (path, target, token, status, actor) in [
        ("/v1/admin/sync", "/v1/admin/sync", "no.such.token", 401, ""),
        ("/v1/admin/sync", "/v1/admin/sync", bob, 403, "person:"),
        (deploy.as_str(), "/v1/flows", "no.such.token", 401, ""),
        (deploy.as_str(), "/v1/flows", bob, 403, "person:"),
        ("/v1/dev/deploy", "/v1/dev", "no.such.token", 401, ""),
    ] {
        let answer = world.call(Method::POST, path, token, None).await;
        assert_eq!(answer.status, status, "{path}: {}", answer.text());
        let id = answer.header("x-request-id");
        let sql = "SELECT action FROM audit_log WHERE request_id = ?1";
        // Written after the answer.
        until(world, "the refusal is noted", || {
            world.sql_text(sql, &[id]).is_some()
        })
        .await;
        let row = one(world, &format!("request_id={id}")).await;
        assert_eq!(row["action"], "request.refused", "{row}");
        assert_eq!(row["outcome"], "refused", "{row}");
        assert_eq!(row["target"], target, "{row}");
        assert_eq!(row["detail"]["code"], answer.code(), "{row}");
        let by = row["actor"].as_str().unwrap_or_default();
        assert!(
            by.starts_with(actor) && by.is_empty() == actor.is_empty(),
            "{row}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_admin_reads_their_tenant_alone_and_others_nothing() {
    let world = World::start().await;
    world.sync().await;
    let token = world.administrator(ALICE.0, ALICE.1, "tenant_admin").await;
    world.sign_in("sybil@umbra.example").await;
    let other = one(&world, "action=sign_in").await["tenant_id"].clone();
    let other = other.as_str().expect("a tenant");
    let path = format!("{LOG}?limit=1000&tenant_id={other}");
    let page = world.client.get(&path, Some(&token)).await.json();
    let rows = page["entries"].as_array().expect("rows").clone();
    assert!(!rows.is_empty());
    for row in &rows {
        assert_ne!(row["tenant_id"], other, "{row}");
    }
    let chain = world
        .client
        .get(&format!("{LOG}/chain"), Some(&token))
        .await;
    chain.assert_problem(403, "admin_role_required");
    let bob = world.sign_in(BOB.1).await;
    let bob = bob["access_token"].as_str().expect("a token");
    world
        .client
        .get(LOG, Some(bob))
        .await
        .assert_problem(403, "admin_role_required");
    world
        .client
        .get(LOG, None)
        .await
        .assert_problem(401, "authentication_required");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_export_is_a_chain_in_pieces() {
    let world = World::start().await;
    world.sync().await;
    for _ in 0..5 {
        world.sign_in(BOB.1).await;
    }
    let (mut rows, mut cursor) = (Vec::new(), 0);
    loop {
        let piece = export(&world, &format!("limit=4&cursor={cursor}")).await;
        assert_eq!(piece.header("content-type"), "application/x-ndjson");
        rows.extend(lines(&piece));
        let Some(next) = piece.headers.get("x-next-cursor") else {
            break;
        };
        cursor = next.to_str().expect("text").parse().expect("a number");
        // Each piece is a read, which is a row: a log that is read for ever has no end.
        if rows.len() > 40 {
            break;
        }
    }
    assert!(rows.len() > 8, "{}", rows.len());
    let mut previous = String::new();
    for (number, row) in rows.iter().enumerate() {
        assert_eq!(row["seq"], number + 1, "{row}");
        assert_eq!(row["previous"], previous.as_str(), "{row}");
        previous = row["hash"].as_str().expect("sealed").to_owned();
    }
    let chain = world.admin(&format!("{LOG}/chain")).await;
    assert_eq!(chain["seal"]["is_ours"], true, "{chain}");
    assert_eq!(chain["seal"]["confirmed_from"], 1, "{chain}");
}

#[tokio::test(flavor = "multi_thread")]
async fn where_the_database_is_down_nothing_is_shown_and_refusals_stay_refusals() {
    let world = World::start().await;
    world.sync().await;
    let token = world.operator_token("admin:read");
    world
        .faults
        .set(Target::sqlite(), When::Always, Effect::Refuse);
    let answer = world.client.get(LOG, Some(&token)).await;
    assert_eq!(answer.status, 503, "{}", answer.text());
    let refused = world.client.get("/v1/me", Some("no.such.token")).await;
    assert_eq!(refused.status, 401, "{}", refused.text());
}
