//! Codes that no other suite produces.

use scaigate_e2e::World;

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
