//! The troubleshooting guide that runs, where it is about one caller, one person or one row and not about the
//! deployment: told by the answer or by the command, with the fix, and gone when that is done. Health is
//! held to what it can know of each (`docs/health.md`).

use http::Method;
use scaigate_e2e::emulator::seed;
use scaigate_e2e::{Answer, Effect, Setup, Target, When, World};
use serde_json::{Value, json};

use crate::negative_5_3::{VERIFIER, exchange};

const ALICE: &str = "alice@acme.example";
const BOB: &str = "bob@acme.example";
const ZOE: &str = "zoe@acme.example";
const HOUR: u64 = 3600;

#[track_caller]
fn fix_says(told: &Value, words: &str) {
    let fix = told["fix"].as_str().expect("a fix");
    assert!(fix.contains(words), "{words:?} in {told}");
}

/// What `scaigate admin why` says of an address: the one finding, which the route tells too.
async fn why(world: &World, email: &str, code: &str) -> Value {
    let operator = world.operator_token("admin:read");
    let answer = world.admin(&format!("/v1/admin/users?why={email}")).await;
    let findings = answer["why"]["findings"].as_array().expect("findings");
    assert_eq!(findings.len(), 1, "{answer}");
    assert_eq!(findings[0]["code"], code, "{answer}");
    let printed = world.scaigate(&operator, &["admin", "why", email]).await;
    assert_eq!(printed.code, 0, "{printed:?}");
    for name in ["message", "fix"] {
        let text = findings[0][name].as_str().expect("a text");
        assert!(printed.stdout.contains(text), "{text} in {printed:?}");
    }
    assert!(printed.stdout.contains(&format!("{code}: ")), "{printed:?}");
    findings[0].clone()
}

/// The command that a fix names.
async fn sync_by_command(world: &World) {
    world.advance(5);
    let operator = world.operator_token("admin:read");
    let ran = world.scaigate(&operator, &["sync"]).await;
    assert_eq!(ran.code, 0, "{ran:?}");
}

async fn refresh(world: &World, session: &Value) -> Answer {
    let body = json!({ "refresh_token": session["refresh_token"] });
    world.client.post("/v1/auth/refresh", &body).await
}

#[tokio::test(flavor = "multi_thread")]
async fn s_03_a_code_used_twice_is_named_and_the_first_tokens_are_the_fix() {
    let world = World::start().await;
    let code = world.app_code(ALICE, Some(VERIFIER)).await;
    let tokens = exchange(&world, &code).await.json();
    let again = exchange(&world, &code).await;
    again.assert_problem(400, "code_already_used");
    let told = &again.json()["error"];
    fix_says(told, "The first exchange stands: use its tokens");
    fix_says(told, "or sign in again");
    // Of one caller's code, so nothing of the deployment.
    world.cured("code_already_used").await;
    let first = world
        .client
        .get("/v1/me", tokens["access_token"].as_str())
        .await;
    assert_eq!(first.status, 200, "{}", first.text());
    let anew = world.app_code(ALICE, Some(VERIFIER)).await;
    assert_eq!(exchange(&world, &anew).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn s_12_who_is_not_here_is_explained_until_they_are() {
    let world = World::start().await;
    world.sync().await;
    let told = why(&world, ZOE, "not_assigned").await;
    fix_says(&told, "Assign the user");
    // To a mirror they are like everybody whom ScaiKey has never heard of.
    world.cured("not_assigned").await;
    let mut directory = world.scaikey.directory();
    let ours = directory.client_mut(seed::CLIENT_ID).expect("ours");
    ours.assigned_users.push("usr_zoe_acme".to_owned());
    drop(directory);
    sync_by_command(&world).await;
    why(&world, ZOE, "present").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn s_13_who_is_in_the_group_and_not_super_admin_is_explained_until_they_are() {
    let mut world = World::start().await;
    world.sync().await;
    let setting = ("scaiflow_super_admin_groups", "grp_acme_admins");
    world.crash(&[setting]).await;
    let told = why(&world, BOB, "groups_read_at_sync").await;
    fix_says(&told, "POST /v1/admin/sync");
    let message = told["message"].as_str().expect("a text");
    assert!(message.contains("last sync 2026-11-22T12:00"), "{told}");
    // Health names no person. That nobody at all is super admin is of the deployment.
    world.cured("groups_read_at_sync").await;
    fix_says(&world.diagnosed("no_super_admin").await, "scaigate sync");
    sync_by_command(&world).await;
    why(&world, BOB, "present").await;
    world.cured("no_super_admin").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn s_17_who_reads_and_can_not_write_is_told_what_is_missing_until_it_is_there() {
    let world = World::start().await;
    let viewer = world.token_with_role(ALICE, "viewer", None).await;
    let read = world.client.get("/v1/flows", Some(&viewer)).await;
    assert_eq!(read.status, 200, "{}", read.text());
    let flow = json!({ "name": "n", "content": {} });
    let refused = world
        .call(Method::POST, "/v1/flows", &viewer, Some(&flow))
        .await;
    refused.assert_problem(403, "insufficient_scope");
    let told = &refused.json()["error"];
    assert_eq!(told["details"]["required"], json!(["scaicore:manage"]));
    assert_eq!(told["details"]["present"], json!(["scaicore:view"]));
    fix_says(told, "authors scaicore:manage too");
    // Of one caller's role, so nothing of the deployment.
    world.cured("insufficient_scope").await;
    let author = world.token_with_role(ALICE, "author", None).await;
    let saved = world
        .call(Method::POST, "/v1/flows", &author, Some(&flow))
        .await;
    assert_eq!(saved.status, 201, "{}", saved.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn s_24_an_old_value_is_told_with_its_age_until_a_sync_is_forced() {
    let setup = Setup::default().variable("scaiflow_sync_interval_minutes", "60");
    let world = World::with(setup).await;
    world.sync().await;
    // Nothing begins a sync by time.
    let door = Target::Outbound("sync.spin.internal".to_owned());
    world.faults.set(door, When::Always, Effect::Refuse);
    let event = world.scaikey.changes().update_user("usr_bob_acme", |bob| {
        bob.last_name = "Younger".to_owned();
    });
    event.expect("a change");
    world.advance(2 * HOUR);
    let old = world.mirrored("usr_bob_acme").await;
    assert!(!old.to_string().contains("Younger"), "{old}");
    let at = old["last_synced_at"].as_str().expect("a time");
    assert!(at.starts_with("2026-11-22T12:00"), "{old}");
    let found = world.diagnosed("sync_overdue").await;
    fix_says(&found, "scaigate sync");
    let due = found["evidence"]["due_at"].as_str().expect("a time");
    assert!(due.starts_with("2026-11-22T13:00"), "{found}");
    sync_by_command(&world).await;
    let new = world.mirrored("usr_bob_acme").await;
    assert!(new.to_string().contains("Younger"), "{new}");
    let at = new["last_synced_at"].as_str().expect("a time");
    assert!(at.starts_with("2026-11-22T14:00"), "{new}");
    world.cured("sync_overdue").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn s_30_a_refresh_that_comes_too_late_is_named_and_one_in_time_never_is() {
    let world = World::start().await;
    let session = world.sign_in(ALICE).await;
    let life = session["expires_in"].as_u64().expect("a number");
    world.advance(life + 61);
    let late = world
        .client
        .get("/v1/me", session["access_token"].as_str())
        .await;
    late.assert_problem(401, "token_expired");
    fix_says(&late.json()["error"], "refresh_after");
    // Of one caller's token, so nothing of the deployment.
    world.cured("token_expired").await;
    let mut session = refresh(&world, &session).await.json();
    for _ in 0..3 {
        world.advance(session["refresh_after"].as_u64().expect("a number"));
        let in_time = world
            .client
            .get("/v1/me", session["access_token"].as_str())
            .await;
        assert_eq!(in_time.status, 200, "{}", in_time.text());
        session = refresh(&world, &session).await.json();
    }
}
