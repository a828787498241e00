//! `negative-cases.md` 5.7 where a sync is what tells: N-104, N-105, N-106. N-103, N-107 and N-108 are
//! with the lists, the pages and the roles.

use scaigate_e2e::emulator::{Directory, seed};
use scaigate_e2e::{Setup, World};
use serde_json::{Value, json};

const ALICE: &str = "alice@acme.example";

async fn me(world: &World, session: &Value) -> scaigate_e2e::Answer {
    let token = session["access_token"].as_str();
    world.client.get("/v1/me", token).await
}

/// A session is over: its token within two seconds, its refresh token at once.
async fn is_over(world: &World, session: &Value, what: &str) {
    let body = json!({ "refresh_token": session["refresh_token"] });
    let answer = world.client.post("/v1/auth/refresh", &body).await;
    assert!(answer.status.is_client_error(), "{what}: {}", answer.text());
    world.advance(2);
    let answer = me(world, session).await;
    answer.assert_problem(401, "token_revoked");
}

#[tokio::test(flavor = "multi_thread")]
async fn n_105_a_sync_ends_the_sessions_of_whoever_may_not_act_any_more() {
    type Change = fn(&mut Directory);
    let changes: [(&str, Change); 6] = [
        ("suspended", |directory| {
            directory.set_user_status("usr_alice_acme", "SUSPENDED");
        }),
        ("deleted", |directory| {
            directory.set_user_status("usr_alice_acme", "DELETED");
        }),
        ("gone", |directory| directory.remove_user("usr_alice_acme")),
        ("without access", |directory| {
            directory.remove_member("grp_acme_admins", "usr_alice_acme");
            directory.remove_member("grp_acme_staff", "usr_alice_acme");
        }),
        ("of a suspended tenant", |directory| {
            "SUSPENDED".clone_into(&mut directory.tenants[0].status);
        }),
        ("of a status that nobody knows", |directory| {
            directory.set_user_status("usr_alice_acme", "PENDING_REVIEW");
        }),
    ];
    let world = World::start().await;
    let before = world.scaikey.directory().clone();
    for (what, change) in changes {
        world.follow(&before, false).await;
        let session = world.sign_in(ALICE).await;
        let other = world.sign_in("sybil@umbra.example").await;
        assert_eq!(me(&world, &session).await.status, 200);
        change(&mut world.scaikey.directory());
        world.advance(1);
        world.sync().await;
        is_over(&world, &session, what).await;
        assert_eq!(me(&world, &other).await.status, 200, "{what}");
        // Back, they sign in again, and what is over stays over.
        world.follow(&before, false).await;
        let again = world.sign_in(ALICE).await;
        assert_eq!(me(&world, &again).await.status, 200, "{what}");
        is_over(&world, &session, what).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn n_105_a_tenant_that_is_deleted_takes_its_peoples_sessions_with_it() {
    let world = World::start().await;
    world.sync().await;
    let sybil = world.sign_in("sybil@umbra.example").await;
    let alice = world.sign_in(ALICE).await;
    let umbra = |directory: &mut Directory, status: &str| {
        let umbra = directory
            .tenants
            .iter_mut()
            .find(|tenant| tenant.id == seed::UMBRA);
        status.clone_into(&mut umbra.expect("umbra").status);
    };
    umbra(&mut world.scaikey.directory(), "DELETED");
    world.advance(1);
    let report = world.sync().await;
    assert_eq!(report["users_soft_deleted"], 14, "{report}");
    assert_eq!(report["groups_soft_deleted"], 3, "{report}");
    is_over(&world, &sybil, "of a deleted tenant").await;
    assert_eq!(me(&world, &alice).await.status, 200);
    umbra(&mut world.scaikey.directory(), "ACTIVE");
    world.advance(1);
    let report = world.sync().await;
    assert_eq!(report["users_undeleted"], 14, "{report}");
    assert_eq!(report["groups_undeleted"], 3, "{report}");
    world.live().assert_is(&world.expected(false), "back");
    world.sign_in("sybil@umbra.example").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn n_106_leaving_the_group_takes_the_role_from_the_tokens_that_are_out() {
    let setup = Setup::default().variable("scaiflow_super_admin_groups", "grp_acme_admins");
    let world = World::with(setup).await;
    world.sync().await;
    let session = world.sign_in(ALICE).await;
    let token = session["access_token"].as_str().expect("a token");
    let access = world.minted(json!({ "sub": "usr_alice_acme" }));
    for token in [token, &access] {
        let answer = world.client.get("/v1/admin/users", Some(token)).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
    world
        .scaikey
        .directory()
        .remove_member("grp_acme_admins", "usr_alice_acme");
    world.advance(1);
    let report = world.sync().await;
    assert_eq!(report["super_admins_group_demoted"], 1, "{report}");
    world.advance(2);
    let answer = world.client.get("/v1/admin/users", Some(token)).await;
    answer.assert_problem(401, "token_revoked");
    let answer = world.client.get("/v1/admin/users", Some(&access)).await;
    answer.assert_problem(403, "admin_role_required");
    // The session goes on, as what it is now.
    let session = world.refreshed(&session).await;
    assert_eq!(me(&world, &session).await.json()["admin_role"], Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn n_104_an_address_that_changes_hands_takes_nothing_with_it() {
    let world = World::start().await;
    world.sync().await;
    let alice = world.sign_in(ALICE).await;
    world.set_role("usr_alice_acme", Some("super_admin")).await;
    {
        let mut directory = world.scaikey.directory();
        let alice = directory.user_mut("usr_alice_acme").expect("Alice");
        "alice.ahrens@acme.example".clone_into(&mut alice.email);
        let mallory = directory.user_mut("usr_amir_umbra").expect("Amir");
        ALICE.clone_into(&mut mallory.email);
    }
    world.advance(2);
    world.sync().await;
    let taken = world.sign_in(ALICE).await;
    assert_eq!(taken["tenant_id"], seed::UMBRA, "{taken}");
    assert_ne!(taken["user"]["id"], alice["user"]["id"]);
    assert_eq!(me(&world, &taken).await.json()["admin_role"], Value::Null);
    let row = world.mirrored("usr_alice_acme").await;
    assert_eq!(row["email"], "alice.ahrens@acme.example", "{row}");
    assert_eq!(row["admin_role"], "super_admin", "{row}");
    assert_eq!(
        world.mirrored("usr_amir_umbra").await["admin_role"],
        Value::Null
    );
    let alice = world.refreshed(&alice).await;
    assert_eq!(me(&world, &alice).await.json()["admin_role"], "super_admin");
}

#[tokio::test(flavor = "multi_thread")]
async fn n_104_the_bootstrap_address_of_somebody_else_makes_nobody_super_admin() {
    let setup = Setup::default().variable("bootstrap_super_admin", "user:alice@acme.example");
    let world = World::with(setup).await;
    world.sync().await;
    assert_eq!(
        world.mirrored("usr_alice_acme").await["admin_role_source"],
        "bootstrap"
    );
    // An administrator of another tenant calls a user of theirs so.
    {
        let mut directory = world.scaikey.directory();
        let amir = directory.user_mut("usr_amir_umbra").expect("Amir");
        "Alice@acme.example".clone_into(&mut amir.email);
        // Whom a sign-in finds by the address is the first.
        let position = directory
            .users
            .iter()
            .position(|user| user.id == "usr_amir_umbra");
        let amir = directory.users.remove(position.expect("Amir"));
        directory.users.insert(0, amir);
    }
    for synced in [false, true] {
        if synced {
            world.advance(1);
            world.sync().await;
        }
        let session = world.sign_in("Alice@acme.example").await;
        assert_eq!(session["tenant_id"], seed::UMBRA, "{session}");
        let role = me(&world, &session).await.json()["admin_role"].clone();
        assert_eq!(role, Value::Null, "synced: {synced}");
        assert_eq!(
            world.mirrored("usr_amir_umbra").await["admin_role"],
            Value::Null
        );
    }
    assert_eq!(
        world.mirrored("usr_alice_acme").await["admin_role"],
        "super_admin"
    );
    // Nor when the address is theirs alone.
    world.scaikey.directory().remove_user("usr_alice_acme");
    world.advance(1);
    let report = world.sync().await;
    let warnings = report["warnings"].as_array().expect("warnings");
    let told = |code: &str| warnings.iter().any(|warning| warning["code"] == code);
    assert!(told("bootstrap_super_admin_spent"), "{report}");
    assert!(told("no_super_admin"), "{report}");
    let session = world.sign_in("Alice@acme.example").await;
    let role = me(&world, &session).await.json()["admin_role"].clone();
    assert_eq!(role, Value::Null);
    assert_eq!(
        world.mirrored("usr_amir_umbra").await["admin_role"],
        Value::Null
    );
}
