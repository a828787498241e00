//! A backup is made while the runner works, and put back as `docs/deploy.md` says.

use http::Method;
use scaigate_e2e::World;
use serde_json::json;

use crate::negative_5_3::refresh;

const ALICE: &str = "alice@acme.example";
const IVAN: &str = "usr_ivan_acme";
/// Another than the backup was made with, which it does not list.
const NEW_SECRET: &str = "YS1zZXNzaW9uLXNlY3JldC1hZnRlci1hLXJlc3RvcmU=";

#[tokio::test(flavor = "multi_thread")]
async fn a_restored_backup_revives_no_session_and_a_sync_brings_the_mirror_up_to_date() {
    let mut world = World::start().await;
    world.sync().await;
    let session = world.sign_in(ALICE).await;
    let token = session["access_token"].as_str().expect("a token");
    let backup = world.back_up();

    // After the backup she signs out, and somebody is suspended.
    let body = json!({ "refresh_token": session["refresh_token"] });
    let out = world.call(Method::POST, "/v1/auth/logout", token, Some(&body));
    assert_eq!(out.await.status, 200);
    let changes = world.scaikey.changes();
    changes.suspend_user(IVAN).expect("a change");
    world.sync().await;
    assert_eq!(world.mirrored(IVAN).await["status"], "SUSPENDED");

    world
        .restore(&backup, &[("session_secret", NEW_SECRET)])
        .await;
    assert_eq!(
        world.mirrored(IVAN).await["status"],
        "ACTIVE",
        "as it was then"
    );
    let me = world.client.get("/v1/me", Some(token)).await;
    me.assert_problem(401, "token_invalid");
    let refreshed = refresh(&world, &session["refresh_token"]).await;
    refreshed.assert_problem(400, "refresh_token_invalid");
    world.sync().await;
    assert_eq!(world.mirrored(IVAN).await["status"], "SUSPENDED");
    let session = world.sign_in(ALICE).await;
    let token = session["access_token"].as_str();
    assert_eq!(world.client.get("/v1/me", token).await.status, 200);
}
