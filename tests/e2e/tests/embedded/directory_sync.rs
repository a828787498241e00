//! The sync of the directory, from ScaiKey's lists to the mirror.

use scaigate_e2e::emulator::{Deviation, DirectoryLie, Endpoint, Fault, seed};
use scaigate_e2e::{Scene, Setup, World, reorganised};
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

#[tokio::test(flavor = "multi_thread")]
async fn clocks_that_differ_are_told_of_and_do_no_harm() {
    for (skew, is_told) in [(-200, false), (200, false), (4000, true), (-4000, true)] {
        let setup = Setup::default().behaviour(|behaviour| behaviour.date_skew_seconds = skew);
        let world = World::with(setup).await;
        let report = world.sync().await;
        let told = warnings(&report).contains(&"clock_skew");
        assert_eq!(told, is_told, "{skew}: {report}");
        // What comes and goes is followed all the same.
        let before = world.scaikey.directory().clone();
        world.follow(&reorganised(&before), false).await;
        world.follow(&before, false).await;
    }
    let setup = Setup::default().behaviour(|behaviour| behaviour.date_header = false);
    let world = World::with(setup).await;
    let before = world.scaikey.directory().clone();
    world.sync().await;
    world.follow(&reorganised(&before), false).await;
    world.follow(&before, false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_across_tenants_gives_nothing_to_the_other_tenant() {
    let setup = Setup::default().variable("scaiflow_super_admin_groups", "grp_acme_admins");
    let world = World::with(setup).await;
    {
        // Somebody of umbra in a group of acme, with the identifier of somebody of acme.
        let mut directory = world.scaikey.directory();
        let mut twin = directory.user("usr_erin_acme").expect("Erin").clone();
        seed::UMBRA.clone_into(&mut twin.tenant_id);
        "erin@umbra.example".clone_into(&mut twin.email);
        // The first of an identifier is whom a group's members are.
        directory.users.insert(0, twin);
        directory.add_member("grp_acme_admins", "usr_erin_acme");
    }
    let report = world.sync().await;
    assert!(warnings(&report).contains(&"foreign_members"), "{report}");
    assert_eq!(report["super_admin_count"], 2, "{report}");
    let page = world.admin("/v1/admin/users?search=usr_erin_acme").await;
    let rows = page["users"].as_array().expect("users");
    assert_eq!(rows.len(), 2, "{page}");
    for row in rows {
        assert_eq!(row["admin_role"], Value::Null, "{row}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_that_goes_while_it_is_read_is_not_mirrored() {
    let world = World::start().await;
    let recorder = world.scaikey.recorder();
    recorder.hold(Endpoint::GroupMembers);
    let gone = async {
        recorder.stands(Endpoint::GroupMembers).await;
        let group = world.scaikey.changes().delete_group("grp_umbra_research");
        assert!(group.is_some());
        recorder.release(Endpoint::GroupMembers);
    };
    let (report, ()) = tokio::join!(world.sync(), gone);
    assert_eq!(report["groups_seen"], 5, "{report}");
    assert_eq!(report["groups_added"], 5, "{report}");
    world
        .live()
        .assert_is(&world.expected(false), "without the group");
}

#[tokio::test(flavor = "multi_thread")]
async fn members_that_are_not_found_of_a_group_that_is_listed_fail_the_sync() {
    let scene = Scene::new(false, |_| {}).await;
    let gone = || Fault::Status {
        code: 404,
        retry_after: None,
    };
    let switches = scene.world.scaikey.switches();
    switches.fail_next(Endpoint::GroupMembers, gone(), 1);
    let one = scene.fails(502, "sync_incomplete", "of one group").await;
    switches.fail_always(Endpoint::GroupMembers, gone());
    let all = scene.fails(502, "sync_incomplete", "of all groups").await;
    for answer in [one, all] {
        let details = &answer.json()["error"]["details"];
        assert_eq!(details["list"], "group_members", "{details}");
    }
    switches.clear_all();
    scene.follow(&scene.after).await;
}
