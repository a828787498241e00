//! Several workspaces: choosing one, switching, losing one.

use scaigate_e2e::{Answer, World};
use serde_json::{Value, json};

fn text(value: &Value) -> &str {
    value.as_str().expect("a text")
}

/// Gives a person a second workspace of the tenant.
fn add_workspace(world: &World, person: &str, tenant: &str, id: &str, name: &str, role: &str) {
    world.sql(
        "INSERT OR IGNORE INTO workspace (workspace_id, tenant_id, name, kind, created_by, created_at)
         VALUES (?1, ?2, ?3, 'shared', ?4, 0)",
        &[id, tenant, name, person],
    );
    world.sql(
        "INSERT INTO membership (person_id, workspace_id, role, created_at) VALUES (?1, ?2, ?3, 0)",
        &[person, id, role],
    );
}

/// Alice, signed in once, and a member of three workspaces since.
async fn alice(world: &World) -> Value {
    let session = world.sign_in("alice@acme.example").await;
    let person = text(&session["user"]["id"]);
    add_workspace(world, person, "tnt_acme0001", "ws_zebra", "Zebra", "viewer");
    add_workspace(
        world,
        person,
        "tnt_acme0001",
        "ws_badger",
        "Badger",
        "operator",
    );
    session
}

async fn redeem(world: &World, code: &str, workspace_id: &str) -> Answer {
    let body = json!({ "session_code": code, "workspace_id": workspace_id });
    world.client.post("/v1/auth/token", &body).await
}

async fn refresh(world: &World, token: &Value, workspace_id: Option<&str>) -> Answer {
    let mut body = json!({ "refresh_token": token });
    if let Some(id) = workspace_id {
        body["workspace_id"] = id.into();
    }
    world.client.post("/v1/auth/refresh", &body).await
}

#[tokio::test(flavor = "multi_thread")]
async fn with_several_workspaces_the_code_stays_good_until_one_is_chosen() {
    let world = World::start().await;
    let first = alice(&world).await;
    let code = world
        .session_code(&world.browser(), &json!({}), "alice@acme.example")
        .await;
    for _ in 0..2 {
        let asked = world.redeem(&code).await;
        assert_eq!(asked.status, 200, "{}", asked.text());
        assert_eq!(
            asked.json(),
            json!({
                "requires_selection": true,
                "workspaces": [
                    first["workspace"],
                    { "workspace_id": "ws_badger", "name": "Badger", "role": "operator" },
                    { "workspace_id": "ws_zebra", "name": "Zebra", "role": "viewer" },
                ],
            })
        );
    }
    redeem(&world, &code, "ws_nobodys")
        .await
        .assert_problem(403, "workspace_forbidden");
    redeem(&world, &code, "with space")
        .await
        .assert_problem(400, "invalid_request");
    let chosen = redeem(&world, &code, "ws_badger").await;
    assert_eq!(chosen.status, 200, "{}", chosen.text());
    let chosen = chosen.json();
    assert_eq!(chosen["workspace"]["workspace_id"], "ws_badger");
    assert_eq!(chosen["workspace"]["role"], "operator");
    let token = chosen["access_token"].as_str();
    let me = world.client.get("/v1/me", token).await.json();
    assert_eq!(
        me["workspace"],
        json!({ "workspace_id": "ws_badger", "role": "operator" })
    );
    let list = world.client.get("/v1/me/workspaces", token).await.json();
    assert_eq!(list["workspaces"].as_array().map(Vec::len), Some(3));
    assert_eq!(list["current_workspace_id"], "ws_badger");
    for id in ["ws_badger", "ws_zebra"] {
        redeem(&world, &code, id)
            .await
            .assert_problem(400, "session_code_already_used");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_switches_the_workspace_and_the_switch_stays() {
    let world = World::start().await;
    let session = alice(&world).await;
    let switched = refresh(&world, &session["refresh_token"], Some("ws_zebra")).await;
    assert_eq!(switched.status, 200, "{}", switched.text());
    let switched = switched.json();
    assert_eq!(
        switched["workspace"],
        json!({ "workspace_id": "ws_zebra", "name": "Zebra", "role": "viewer" })
    );
    let stays = refresh(&world, &switched["refresh_token"], None)
        .await
        .json();
    assert_eq!(stays["workspace"], switched["workspace"]);
    // A refusal costs nothing: the token is still good.
    let refused = refresh(&world, &stays["refresh_token"], Some("ws_nobodys")).await;
    refused.assert_problem(403, "workspace_forbidden");
    let back = text(&session["workspace"]["workspace_id"]);
    let back = refresh(&world, &stays["refresh_token"], Some(back)).await;
    assert_eq!(
        back.json()["workspace"],
        session["workspace"],
        "{}",
        back.text()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_workspace_of_another_tenant_is_not_there_even_for_its_member() {
    let world = World::start().await;
    let session = world.sign_in("alice@acme.example").await;
    let umbra = world.sign_in("sybil@umbra.example").await;
    let theirs = text(&umbra["workspace"]["workspace_id"]);
    world.sql(
        "INSERT INTO membership (person_id, workspace_id, role, created_at) VALUES (?1, ?2, 'admin', 0)",
        &[text(&session["user"]["id"]), theirs],
    );
    let refused = refresh(&world, &session["refresh_token"], Some(theirs)).await;
    refused.assert_problem(403, "workspace_forbidden");
    let list = world
        .client
        .get("/v1/me/workspaces", session["access_token"].as_str())
        .await
        .json();
    assert_eq!(list["workspaces"], json!([session["workspace"]]));
    let again = world.sign_in("alice@acme.example").await;
    assert_eq!(again["workspace"], session["workspace"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_removed_from_a_workspace_is_out_at_the_next_refresh() {
    let world = World::start().await;
    let session = alice(&world).await;
    let person = text(&session["user"]["id"]);
    let removed = "UPDATE membership SET removed_at = 1 WHERE person_id = ?1 AND workspace_id = ?2";
    world.sql(
        removed,
        &[person, text(&session["workspace"]["workspace_id"])],
    );
    let refused = refresh(&world, &session["refresh_token"], None).await;
    refused.assert_problem(403, "workspace_forbidden");
    // The token is still good for a workspace that is left.
    let other = refresh(&world, &session["refresh_token"], Some("ws_badger")).await;
    assert_eq!(other.status, 200, "{}", other.text());
    // With none left there is nothing to sign in to, and signing in does not bring it back.
    world.sql(removed, &[person, "ws_badger"]);
    world.sql(removed, &[person, "ws_zebra"]);
    let code = world
        .session_code(&world.browser(), &json!({}), "alice@acme.example")
        .await;
    world
        .redeem(&code)
        .await
        .assert_problem(403, "no_workspace");
}
