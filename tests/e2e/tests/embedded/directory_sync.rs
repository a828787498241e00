//! The sync of the directory, from ScaiKey's lists to the mirror.

use scaigate_e2e::emulator::{Deviation, DirectoryLie, seed};
use scaigate_e2e::{Setup, World};
use serde_json::Value;

const ALICE: &str = "alice@acme.example";

fn warnings(report: &Value) -> Vec<&str> {
    let list = report["warnings"].as_array().expect("warnings");
    list.iter().filter_map(|one| one["code"].as_str()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_sync_mirrors_the_directory_and_a_second_changes_nothing() {
    let world =
        World::with(Setup::default().variable("scaiflow_super_admin_groups", "grp_acme_admins"))
            .await;
    let first = world.sync().await;
    for (name, value) in [
        ("skipped_reason", Value::Null),
        ("users_method", "effective_users".into()),
        ("users_seen", first["users_added"].clone()),
        ("users_undeleted", 0.into()),
        ("users_soft_deleted", 0.into()),
        ("groups_seen", 6.into()),
        ("groups_added", 6.into()),
        ("groups_undeleted", 0.into()),
        ("groups_soft_deleted", 0.into()),
        ("memberships_seen", first["memberships_added"].clone()),
        ("memberships_soft_deleted", 0.into()),
        ("super_admin_count", 2.into()),
        ("super_admins_group_promoted", 2.into()),
        ("super_admins_group_demoted", 0.into()),
    ] {
        assert_eq!(first[name], value, "{name}: {first}");
    }
    assert!(first["users_seen"].as_u64() > Some(20), "{first}");
    assert!(first["duration_seconds"].is_number());
    assert_eq!(warnings(&first), Vec::<&str>::new());

    let second = world.sync().await;
    for name in ["users_seen", "groups_seen", "memberships_seen"] {
        assert_eq!(second[name], first[name], "{name}");
    }
    for name in ["users_added", "groups_added", "memberships_added"] {
        assert_eq!(second[name], 0, "{name}: {second}");
    }
    let row = world.mirrored("usr_bob_acme").await;
    for (name, value) in [
        ("tenant_id", seed::ACME.into()),
        ("email", "bob@acme.example".into()),
        ("display_name", "Bob Bakker".into()),
        ("status", "ACTIVE".into()),
        ("admin_role", "super_admin".into()),
        ("admin_role_source", "group".into()),
        ("deleted_at", Value::Null),
    ] {
        assert_eq!(row[name], value, "{name}: {row}");
    }
    assert!(row["last_synced_at"].is_string(), "{row}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_person_who_signs_in_is_the_user_of_the_mirror() {
    let world =
        World::with(Setup::default().variable("scaiflow_super_admin_groups", "platform-admins"))
            .await;
    let session = world.sign_in(ALICE).await;
    world.sync().await;
    let token = session["access_token"].as_str().expect("a token");
    // The role came by a group: the token that does not say so is void, the next one says it.
    world.advance(2);
    let answer = world.client.get("/v1/me", Some(token)).await;
    answer.assert_problem(401, "token_revoked");
    let body = serde_json::json!({ "refresh_token": session["refresh_token"] });
    let refreshed = world.client.post("/v1/auth/refresh", &body).await.json();
    let token = refreshed["access_token"].as_str().expect("a token");
    let users = world.client.get("/v1/admin/users", Some(token)).await;
    assert_eq!(users.status, 200, "{}", users.text());
    let found = users.json()["users"]
        .as_array()
        .expect("users")
        .iter()
        .filter(|row| row["id"] == "usr_alice_acme")
        .count();
    assert_eq!(found, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn s_08_without_the_admin_scope_the_members_of_groups_are_walked() {
    let world = World::start().await;
    world
        .scaikey
        .switches()
        .set(Deviation::Directory(DirectoryLie::EffectiveUsersForbidden));
    let report = world.sync().await;
    assert_eq!(report["users_method"], "member_walk", "{report}");
    assert!(warnings(&report).contains(&"member_walk"), "{report}");
    assert!(report["users_seen"].as_u64() > Some(20), "{report}");
    assert_ne!(world.mirrored("usr_bob_acme").await, Value::Null);
}
