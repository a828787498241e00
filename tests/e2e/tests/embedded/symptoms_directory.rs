//! The documented failures of the directory (`symptoms.md`): each is made to happen, says what it is
//! and what to do, and that is done and works.

use http::Method;
use scaigate_e2e::emulator::{Deviation, DirectoryLie, seed};
use scaigate_e2e::{Setup, World, set_scopes};
use serde_json::{Value, json};

const ALICE: &str = "usr_alice_acme";
const BOB: &str = "usr_bob_acme";

fn warning<'a>(report: &'a Value, code: &str) -> Option<&'a Value> {
    let list = report["warnings"].as_array().expect("warnings");
    list.iter().find(|one| one["code"] == code)
}

fn says(told: &Value, name: &str, words: &[&str]) {
    let text = told[name].as_str().expect("a text");
    for word in words {
        assert!(text.contains(word), "{name} without {word:?}: {told}");
    }
}

async fn sync(world: &World) -> Value {
    world.advance(1);
    world.sync().await
}

/// The findings about an address.
async fn why(world: &World, email: &str) -> Value {
    let answer = world.admin(&format!("/v1/admin/users?why={email}")).await;
    assert_eq!(answer["why"]["email"], email, "{answer}");
    answer["why"].clone()
}

/// The one finding about an address, and its code.
async fn found(world: &World, email: &str, code: &str) -> Value {
    let why = why(world, email).await;
    let findings = why["findings"].as_array().expect("findings");
    assert_eq!(findings.len(), 1, "{why}");
    assert_eq!(findings[0]["code"], code, "{why}");
    for name in ["message", "fix"] {
        assert!(
            !findings[0][name].as_str().expect("a text").is_empty(),
            "{why}"
        );
    }
    findings[0].clone()
}

async fn role(world: &World, user: &str) -> (Value, Value) {
    let row = world.mirrored(user).await;
    (row["admin_role"].clone(), row["admin_role_source"].clone())
}

#[tokio::test(flavor = "multi_thread")]
async fn s_08_a_sync_without_admin_scope_walks_and_says_how_to_get_it() {
    let world = World::start().await;
    set_scopes(&mut world.scaikey.directory(), "openid groups:read");
    let report = sync(&world).await;
    assert_eq!(report["users_method"], "member_walk", "{report}");
    let told = warning(&report, "member_walk").expect("a warning");
    says(told, "message", &["admin:read or admin:write"]);
    says(
        told,
        "fix",
        &[
            "scaigate scaikey-register",
            "admin:read",
            "admin:write",
            "groups:read",
        ],
    );
    world.live().assert_is(&world.expected(true), "the walk");
    // Afterwards it is still to be seen.
    let state = world.admin("/v1/admin/sync").await;
    assert_eq!(state["last"]["warnings"], report["warnings"], "{state}");
    assert_eq!(
        state["last"]["statistics"]["users_method"], "member_walk",
        "{state}"
    );
    // Whom only the application's users had is told to be missing for that.
    let walter = found(&world, "walter@acme.example", "in_no_visible_group").await;
    says(&walter, "fix", &["scaigate scaikey-register"]);
    // The fix.
    set_scopes(
        &mut world.scaikey.directory(),
        "openid admin:read admin:write groups:read",
    );
    let report = sync(&world).await;
    assert_eq!(report["users_method"], "effective_users", "{report}");
    assert!(warning(&report, "member_walk").is_none(), "{report}");
    world
        .live()
        .assert_is(&world.expected(false), "the application's users");
    found(&world, "walter@acme.example", "present").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn s_08_who_is_lost_to_the_walk_is_told_of_and_comes_back() {
    let world = World::start().await;
    sync(&world).await;
    set_scopes(&mut world.scaikey.directory(), "openid groups:read");
    let report = sync(&world).await;
    assert_eq!(report["users_soft_deleted"], 1, "{report}");
    let told = warning(&report, "users_without_group_removed").expect("a warning");
    says(told, "message", &["1 users"]);
    says(told, "fix", &["admin:read", "scaigate scaikey-register"]);
    found(&world, "walter@acme.example", "in_no_visible_group").await;
    set_scopes(
        &mut world.scaikey.directory(),
        "openid admin:read groups:read",
    );
    let report = sync(&world).await;
    assert_eq!(report["users_undeleted"], 1, "{report}");
    found(&world, "walter@acme.example", "present").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn s_09_no_groups_seen_has_three_causes_and_each_is_told() {
    // No scope.
    let world = World::start().await;
    let lie = Deviation::Directory(DirectoryLie::GroupsForbidden);
    world.scaikey.switches().set(lie);
    let report = sync(&world).await;
    assert_eq!(report["groups_seen"], 0, "{report}");
    let told = warning(&report, "groups_scope_missing").expect("a warning");
    says(told, "message", &["groups:read"]);
    says(told, "fix", &["groups:read", "scaigate scaikey-register"]);
    assert!(warning(&report, "no_groups").is_none(), "{report}");
    world.scaikey.switches().clear_all();
    let report = sync(&world).await;
    assert_eq!(report["groups_seen"], 6, "{report}");
    assert!(
        warning(&report, "groups_scope_missing").is_none(),
        "{report}"
    );

    // No groups.
    let world = World::start().await;
    let groups = std::mem::take(&mut world.scaikey.directory().groups);
    let users = groups
        .iter()
        .flat_map(|group| group.members.clone())
        .collect();
    let assign = |directory: &mut scaigate_e2e::emulator::Directory| {
        let ours = directory.client_mut(seed::CLIENT_ID).expect("ours");
        ours.assigned_users = users;
    };
    assign(&mut world.scaikey.directory());
    let report = sync(&world).await;
    assert_eq!(report["groups_seen"], 0, "{report}");
    assert!(report["users_seen"].as_u64() > Some(20), "{report}");
    let told = warning(&report, "no_groups").expect("a warning");
    says(told, "message", &["complete and empty"]);
    assert!(
        warning(&report, "groups_scope_missing").is_none(),
        "{report}"
    );
    world.scaikey.directory().groups = groups;
    let report = sync(&world).await;
    assert_eq!(report["groups_seen"], 6, "{report}");
    assert!(warning(&report, "no_groups").is_none(), "{report}");

    // Paging that does not complete.
    let setup = Setup::default().behaviour(|behaviour| behaviour.max_per_page = 4);
    let world = World::with(setup).await;
    let assign = |directory: &mut scaigate_e2e::emulator::Directory| {
        // So that the groups are the first list of more than a page.
        directory.users.truncate(3);
        for group in &mut directory.groups {
            group.members.clear();
        }
    };
    assign(&mut world.scaikey.directory());
    let lie = Deviation::Directory(DirectoryLie::LaterPagesEmpty);
    world.scaikey.switches().set(lie);
    let answer = world.try_sync(false).await;
    answer.assert_problem(502, "sync_incomplete");
    let error = &answer.json()["error"];
    assert_eq!(error["details"]["list"], "groups", "{error}");
    says(
        &error["details"],
        "reason",
        &["promises more rows than its pages have"],
    );
    says(error, "fix", &["details.list", "report it to ScaiKey"]);
    world.scaikey.switches().clear_all();
    assert_eq!(sync(&world).await["groups_seen"], 6);
}

#[tokio::test(flavor = "multi_thread")]
async fn s_10_no_super_admin_is_said_in_the_documented_lines_and_both_ways_out_work() {
    const LINES: [&str; 3] = [
        "ScaiKey sync OK but no super_admin elected. Two ways to bootstrap:",
        "  (manual)  scaigate admin grant <email> --role super_admin",
        "  (group)   set SCAIFLOW_SUPER_ADMIN_GROUPS to a comma-separated list of group ids/names",
    ];
    let said = |world: &World| {
        let lines: Vec<_> = world
            .logs
            .lines()
            .into_iter()
            .map(|line| line.line)
            .collect();
        lines.windows(3).filter(|window| *window == LINES).count()
    };
    let world = World::start().await;
    let report = sync(&world).await;
    assert_eq!(report["super_admin_count"], 0, "{report}");
    let told = warning(&report, "no_super_admin").expect("a warning");
    assert_eq!(told["message"], LINES.join("\n"));
    says(told, "fix", &["scaigate admin grant"]);
    assert_eq!(said(&world), 1);
    // By hand: nobody is super admin yet, so it is the operator who does it.
    world.set_role(ALICE, Some("super_admin")).await;
    let report = sync(&world).await;
    assert_eq!(report["super_admin_count"], 1, "{report}");
    assert!(warning(&report, "no_super_admin").is_none(), "{report}");
    assert_eq!(said(&world), 1);
    let session = world.sign_in("alice@acme.example").await;
    let token = session["access_token"].as_str().expect("a token");
    let answer = world
        .call(Method::POST, "/v1/admin/sync", token, None)
        .await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(
        role(&world, ALICE).await,
        (json!("super_admin"), json!("manual"))
    );

    // By a group, named by its name and by its identifier.
    for named in ["platform-admins", " grp_acme_admins ,grp_other"] {
        let setup = Setup::default().variable("scaiflow_super_admin_groups", named);
        let world = World::with(setup).await;
        let report = sync(&world).await;
        assert_eq!(report["super_admin_count"], 2, "{report}");
        assert_eq!(report["super_admins_group_promoted"], 2, "{report}");
        assert_eq!(said(&world), 0);
        assert_eq!(
            role(&world, BOB).await,
            (json!("super_admin"), json!("group"))
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn s_12_a_user_of_scaikey_who_is_not_here_is_explained() {
    let world = World::start().await;
    let bob = "bob@acme.example";
    // Nothing has been synced.
    let told = found(&world, bob, "not_yet_synced").await;
    says(&told, "fix", &["POST /v1/admin/sync"]);
    assert_eq!(why(&world, bob).await["last_sync_at"], Value::Null);
    sync(&world).await;
    found(&world, bob, "present").await;
    let state = why(&world, bob).await;
    assert_eq!(state["users_method"], "effective_users", "{state}");
    assert!(
        state["last_sync_at"]
            .as_str()
            .expect("a time")
            .starts_with("2026-11-22T12:")
    );
    // Without regard to case, as an address is typed.
    let told = why(&world, "BOB@acme.example").await;
    assert_eq!(told["findings"][0]["user_id"], BOB, "{told}");
    assert_eq!(told["findings"][0]["tenant_id"], seed::ACME, "{told}");

    // Not assigned to the application; and then assigned.
    let zoe = "zoe@acme.example";
    let told = found(&world, zoe, "not_assigned").await;
    says(&told, "fix", &["Assign the user", "POST /v1/admin/sync"]);
    assert_eq!(told["user_id"], Value::Null, "{told}");
    world.sign_in(zoe).await;
    let told = found(&world, zoe, "known_from_sign_in").await;
    says(&told, "fix", &["POST /v1/admin/sync", "assign them"]);
    {
        let mut directory = world.scaikey.directory();
        let ours = directory.client_mut(seed::CLIENT_ID).expect("ours");
        ours.assigned_users.push("usr_zoe_acme".to_owned());
    }
    sync(&world).await;
    found(&world, zoe, "present").await;

    // Deleted at ScaiKey, or without access any more; and back.
    world.scaikey.directory().set_user_status(BOB, "DELETED");
    sync(&world).await;
    let told = found(&world, bob, "soft_deleted").await;
    says(&told, "fix", &["Restore or assign"]);
    assert_eq!(told["user_id"], BOB, "{told}");
    world.scaikey.directory().set_user_status(BOB, "ACTIVE");
    sync(&world).await;
    found(&world, bob, "present").await;

    // Suspended, or with the tenant; and active again.
    world.scaikey.directory().set_user_status(BOB, "SUSPENDED");
    sync(&world).await;
    let told = found(&world, bob, "suspended").await;
    says(&told, "message", &["SUSPENDED"]);
    world.scaikey.directory().set_user_status(BOB, "ACTIVE");
    let suspend = |status: &str| {
        let mut directory = world.scaikey.directory();
        let acme = directory
            .tenants
            .iter_mut()
            .find(|tenant| tenant.id == seed::ACME);
        status.clone_into(&mut acme.expect("acme").status);
    };
    suspend("SUSPENDED");
    sync(&world).await;
    found(&world, bob, "tenant_inactive").await;
    suspend("ACTIVE");
    sync(&world).await;
    found(&world, bob, "present").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn s_12_in_no_group_that_we_see_is_told_by_the_walk() {
    let world = World::start().await;
    set_scopes(&mut world.scaikey.directory(), "openid groups:read");
    sync(&world).await;
    let walter = "walter@acme.example";
    let told = found(&world, walter, "in_no_visible_group").await;
    says(&told, "fix", &["Put the user into a group", "admin:read"]);
    world
        .scaikey
        .directory()
        .add_member("grp_acme_staff", "usr_walter_acme");
    sync(&world).await;
    found(&world, walter, "present").await;
    world
        .scaikey
        .directory()
        .remove_member("grp_acme_staff", "usr_walter_acme");
    sync(&world).await;
    found(&world, walter, "in_no_visible_group").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn s_12_an_address_is_a_text_and_no_pattern() {
    let world = World::start().await;
    sync(&world).await;
    for email in [
        "%25",
        "_@acme.example",
        "'",
        "bob@acme.example%20",
        "b%C3%B6b@acme.example",
    ] {
        let answer = world.admin(&format!("/v1/admin/users?why={email}")).await;
        let findings = answer["why"]["findings"].as_array().expect("findings");
        assert_eq!(findings.len(), 1, "{answer}");
        assert_eq!(findings[0]["code"], "not_assigned", "{answer}");
    }
    let token = world.operator_token("admin:read");
    for why in ["a%00b".to_owned(), "x".repeat(321)] {
        let path = format!("/v1/admin/users?why={why}");
        let answer = world.client.get(&path, Some(&token)).await;
        answer.assert_problem(400, "invalid_request");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn s_13_in_the_group_and_not_super_admin_is_explained_and_an_event_repairs_it() {
    let setup = Setup::default().variable("scaiflow_super_admin_groups", "grp_acme_admins");
    let world = World::with(setup).await;
    sync(&world).await;
    let carol = ("usr_carol_acme", "carol@acme.example");
    // The webhook says it at once, with no sync in between.
    world.advance(5);
    let event = world
        .scaikey
        .changes()
        .add_member("grp_acme_admins", carol.0);
    world.handled(&event.expect("a change")).await;
    assert_eq!(
        role(&world, carol.0).await,
        (json!("super_admin"), json!("group"))
    );
    let event = world
        .scaikey
        .changes()
        .remove_member("grp_acme_admins", carol.0);
    world.advance(1);
    world.handled(&event.expect("a change")).await;
    assert_eq!(role(&world, carol.0).await, (Value::Null, Value::Null));
    // Without it: who is not there yet is told when the groups were read. The membership is here and the
    // role is not, as when the setting is new.
    let sql = "UPDATE person SET admin_role = NULL, admin_role_source = NULL WHERE subject = ?1";
    world.sql(sql, &[BOB]);
    let told = found(&world, "bob@acme.example", "groups_read_at_sync").await;
    let last = why(&world, "bob@acme.example").await["last_sync_at"].clone();
    let time = last.as_str().expect("a time");
    says(
        &told,
        "message",
        &["Groups are read at sync; last sync", time],
    );
    says(&told, "fix", &["POST /v1/admin/sync"]);
    sync(&world).await;
    assert_eq!(
        role(&world, BOB).await,
        (json!("super_admin"), json!("group"))
    );
    found(&world, "bob@acme.example", "present").await;
    // What was given by hand is kept, and that is told.
    world.set_role(BOB, Some("tenant_admin")).await;
    sync(&world).await;
    assert_eq!(
        role(&world, BOB).await,
        (json!("tenant_admin"), json!("manual"))
    );
    let told = found(&world, "bob@acme.example", "manual_role_kept").await;
    says(&told, "fix", &["DELETE /v1/admin/users/{id}/role"]);
    world.set_role(BOB, None).await;
    sync(&world).await;
    assert_eq!(
        role(&world, BOB).await,
        (json!("super_admin"), json!("group"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn s_26_a_bootstrap_super_admin_is_one_at_sync_or_sign_in_whichever_is_first() {
    let setup = || Setup::default().variable("bootstrap_super_admin", "user:Carol@ACME.example");
    let carol = "usr_carol_acme";
    let by_setting = (json!("super_admin"), json!("bootstrap"));
    // At the sync, without ever having been here.
    let world = World::with(setup()).await;
    let report = sync(&world).await;
    assert_eq!(report["super_admin_count"], 1, "{report}");
    assert_eq!(report["super_admins_group_promoted"], 0, "{report}");
    assert!(warning(&report, "no_super_admin").is_none(), "{report}");
    assert_eq!(role(&world, carol).await, by_setting);
    sync(&world).await;
    assert_eq!(role(&world, carol).await, by_setting);

    // At the sign-in, without any sync.
    let world = World::with(setup()).await;
    let session = world.sign_in("carol@acme.example").await;
    let token = session["access_token"].as_str().expect("a token");
    let me = world.client.get("/v1/me", Some(token)).await.json();
    assert_eq!(me["admin_role"], "super_admin", "{me}");
    assert_eq!(role(&world, carol).await, by_setting);
    sync(&world).await;
    assert_eq!(role(&world, carol).await, by_setting);

    // Nobody while several have the address; the reason is told, and the fix works.
    let world = World::with(setup()).await;
    {
        let mut directory = world.scaikey.directory();
        let sybil = directory.user_mut("usr_sybil_umbra").expect("Sybil");
        "carol@acme.example".clone_into(&mut sybil.email);
    }
    let report = sync(&world).await;
    assert_eq!(report["super_admin_count"], 0, "{report}");
    let told = warning(&report, "bootstrap_super_admin_ambiguous").expect("a warning");
    says(told, "message", &["BOOTSTRAP_SUPER_ADMIN"]);
    says(told, "fix", &["scaigate admin grant"]);
    world.set_role(carol, Some("super_admin")).await;
    let report = sync(&world).await;
    assert_eq!(report["super_admin_count"], 1, "{report}");

    // Not somebody who may not act; the next sync sees to it when they may.
    let world = World::with(setup()).await;
    world
        .scaikey
        .directory()
        .set_user_status(carol, "SUSPENDED");
    let report = sync(&world).await;
    assert_eq!(report["super_admin_count"], 0, "{report}");
    let told = warning(&report, "bootstrap_super_admin_waits").expect("a warning");
    says(told, "message", &["BOOTSTRAP_SUPER_ADMIN", "suspended"]);
    says(told, "fix", &["Activate", "why=<email>"]);
    found(&world, "carol@acme.example", "suspended").await;
    world.scaikey.directory().set_user_status(carol, "ACTIVE");
    sync(&world).await;
    assert_eq!(role(&world, carol).await, by_setting);
}
