//! Giving and taking administrators' roles: who may, whose, and what it does to sessions.

use http::Method;
use scaigate_e2e::emulator::seed;
use scaigate_e2e::{Answer, Setup, World, together};
use serde_json::{Value, json};

const ALICE: (&str, &str) = ("usr_alice_acme", "alice@acme.example");
const BOB: (&str, &str) = ("usr_bob_acme", "bob@acme.example");
const SYBIL: (&str, &str) = ("usr_sybil_umbra", "sybil@umbra.example");

async fn world() -> World {
    let world = World::start().await;
    world.sync().await;
    world
}

async fn give(world: &World, token: &str, user: &str, role: &str) -> Answer {
    let path = format!("/v1/admin/users/{user}/role");
    let body = json!({ "role": role });
    world.call(Method::POST, &path, token, Some(&body)).await
}

async fn take(world: &World, token: &str, user: &str) -> Answer {
    let path = format!("/v1/admin/users/{user}/role");
    world.call(Method::DELETE, &path, token, None).await
}

async fn role(world: &World, user: &str) -> (Value, Value) {
    let row = world.mirrored(user).await;
    (row["admin_role"].clone(), row["admin_role_source"].clone())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_super_admin_gives_and_takes_every_role_of_everybody() {
    let world = world().await;
    let token = world.administrator(ALICE.0, ALICE.1, "super_admin").await;
    for user in ["usr_carol_acme", "usr_otto_umbra", SYBIL.0] {
        // Otto has access by no group: he is not mirrored.
        let known = world.mirrored(user).await != Value::Null;
        for given in ["tenant_admin", "super_admin", "tenant_admin"] {
            let answer = give(&world, &token, user, given).await;
            if !known {
                answer.assert_problem(404, "user_not_found");
                continue;
            }
            assert_eq!(answer.status, 204, "{}", answer.text());
            assert!(answer.body.is_empty());
            assert_eq!(role(&world, user).await, (json!(given), json!("manual")));
        }
        if known {
            assert_eq!(take(&world, &token, user).await.status, 204);
            // It is gone, and taking it again is as well.
            assert_eq!(role(&world, user).await, (Value::Null, Value::Null));
            assert_eq!(take(&world, &token, user).await.status, 204);
        }
    }
    let feed = world.admin("/v1/admin/changes?limit=1000").await;
    let last = feed["changes"]
        .as_array()
        .expect("changes")
        .last()
        .expect("one");
    assert_eq!(last["cause"]["type"], "admin", "{last}");
    assert_eq!(last["id"], SYBIL.0, "{last}");
    assert_eq!(
        last["fields"],
        json!(["admin_role", "admin_role_source"]),
        "{last}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_admin_gives_and_takes_that_role_in_their_tenant_alone() {
    let world = world().await;
    world.set_role(BOB.0, Some("super_admin")).await;
    let token = world.administrator(ALICE.0, ALICE.1, "tenant_admin").await;
    assert_eq!(
        give(&world, &token, "usr_carol_acme", "tenant_admin")
            .await
            .status,
        204
    );
    assert_eq!(role(&world, "usr_carol_acme").await.0, "tenant_admin");
    assert_eq!(take(&world, &token, "usr_carol_acme").await.status, 204);
    // Not what is above them, given or taken, nor to themselves.
    for answer in [
        give(&world, &token, "usr_carol_acme", "super_admin").await,
        give(&world, &token, ALICE.0, "super_admin").await,
        give(&world, &token, BOB.0, "tenant_admin").await,
        take(&world, &token, BOB.0).await,
    ] {
        answer.assert_problem(403, "admin_role_required");
        let details = &answer.json()["error"]["details"];
        assert_eq!(details["required"], json!(["super_admin"]), "{details}");
    }
    assert_eq!(role(&world, BOB.0).await.0, "super_admin");
    // Other tenants' users are not there, whatever is asked.
    for user in [SYBIL.0, "usr_nobody_umbra"] {
        for query in ["", "?tenant_id=tnt_umbra0001", "?tenant_id=tnt_acme0001"] {
            let user = format!("{user}/role{query}");
            for method in [Method::POST, Method::DELETE] {
                let body = json!({ "role": "tenant_admin" });
                let path = format!("/v1/admin/users/{user}");
                let answer = world.call(method, &path, &token, Some(&body)).await;
                answer.assert_problem(404, "user_not_found");
            }
        }
    }
    assert_eq!(role(&world, SYBIL.0).await.0, Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_else_gives_or_takes_a_role() {
    let world = world().await;
    let session = world.sign_in("erin@acme.example").await;
    let erin = session["access_token"]
        .as_str()
        .expect("a token")
        .to_owned();
    let now = world.clock.wall().as_secs();
    let service = |changes: Value| {
        let mut claims = json!({
            "sub": seed::CLIENT_ID, "tenant_id": null, "scope": "admin:write", "exp": now + 60,
            "token_type": "client_credentials", "platform_token": true,
        });
        for (name, value) in changes.as_object().expect("changes") {
            claims[name] = value.clone();
        }
        world.minted(claims)
    };
    for (who, token, code) in [
        ("a viewer", erin.clone(), "admin_role_required"),
        (
            "a reader",
            world.operator_token("admin:read"),
            "insufficient_scope",
        ),
        ("no scope", world.operator_token(""), "insufficient_scope"),
        (
            "a longer word",
            world.operator_token("admin:writer"),
            "insufficient_scope",
        ),
        (
            "of a tenant",
            service(json!({ "platform_token": null, "tenant_id": seed::ACME })),
            "insufficient_scope",
        ),
    ] {
        for answer in [
            give(&world, &token, BOB.0, "super_admin").await,
            take(&world, &token, BOB.0).await,
        ] {
            assert_eq!(answer.status, 403, "{who}: {}", answer.text());
            answer.assert_problem(403, code);
        }
    }
    // A person's token is a person's, whatever scope it has.
    let token = world.minted(json!({ "scope": "admin:write" }));
    let answer = give(&world, &token, BOB.0, "super_admin").await;
    answer.assert_problem(403, "admin_role_required");
    let token = world.minted(json!({ "scope": "admin:write", "platform_token": true }));
    let answer = give(&world, &token, BOB.0, "super_admin").await;
    answer.assert_problem(401, "token_invalid");
    let token = service(json!({}));
    assert_eq!(give(&world, &token, BOB.0, "super_admin").await.status, 204);
    // Who is nobody is told so before anything else.
    let answer = world
        .client
        .post("/v1/admin/users/x/role", &json!({ "role": 1 }))
        .await;
    answer.assert_problem(401, "authentication_required");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_that_is_none_or_a_user_who_is_not_there_is_refused_by_name() {
    let world = world().await;
    let token = world.operator_token("admin:write");
    for body in [
        json!({ "role": "partner_admin" }),
        json!({ "role": "SUPER_ADMIN" }),
        json!({ "role": "" }),
        json!({ "role": null }),
        json!({}),
        json!({ "role": "tenant_admin", "tenant_id": "x" }),
        json!(["super_admin"]),
    ] {
        let answer = world
            .call(
                Method::POST,
                "/v1/admin/users/usr_bob_acme/role",
                &token,
                Some(&body),
            )
            .await;
        answer.assert_problem(400, "invalid_request");
    }
    let long = "x".repeat(300);
    for user in [
        "usr_nobody",
        "USR_BOB_ACME",
        "%27",
        "a%2Fb",
        "%00",
        "%FF",
        long.as_str(),
    ] {
        let answer = give(&world, &token, user, "tenant_admin").await;
        assert_eq!(answer.status, 404, "{user}: {}", answer.text());
    }
    let answer = world
        .call(
            Method::PUT,
            "/v1/admin/users/usr_bob_acme/role",
            &token,
            None,
        )
        .await;
    answer.assert_problem(405, "method_not_allowed");
    assert_eq!(answer.header("allow"), "POST, DELETE");
    // A deleted user keeps what they had and gets nothing new.
    world.set_role("usr_dave_acme", Some("tenant_admin")).await;
    world.advance(1);
    let event = world
        .scaikey
        .changes()
        .delete_user("usr_dave_acme")
        .expect("a change");
    world.handled(&event).await;
    give(&world, &token, "usr_dave_acme", "super_admin")
        .await
        .assert_problem(404, "user_not_found");
    take(&world, &token, "usr_dave_acme")
        .await
        .assert_problem(404, "user_not_found");
    assert_eq!(role(&world, "usr_dave_acme").await.0, "tenant_admin");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_super_admin_stays() {
    let world = world().await;
    let token = world.operator_token("admin:write");
    assert_eq!(give(&world, &token, BOB.0, "super_admin").await.status, 204);
    for answer in [
        take(&world, &token, BOB.0).await,
        give(&world, &token, BOB.0, "tenant_admin").await,
    ] {
        answer.assert_problem(409, "last_super_admin");
    }
    assert_eq!(
        role(&world, BOB.0).await,
        (json!("super_admin"), json!("manual"))
    );
    // One who can't act is none.
    assert_eq!(
        give(&world, &token, "usr_carol_acme", "super_admin")
            .await
            .status,
        204
    );
    world.advance(1);
    let event = world
        .scaikey
        .changes()
        .suspend_user("usr_carol_acme")
        .expect("a change");
    world.handled(&event).await;
    take(&world, &token, BOB.0)
        .await
        .assert_problem(409, "last_super_admin");
    assert_eq!(take(&world, &token, "usr_carol_acme").await.status, 204);
    assert_eq!(
        give(&world, &token, SYBIL.0, "super_admin").await.status,
        204
    );
    assert_eq!(take(&world, &token, BOB.0).await.status, 204);
    take(&world, &token, SYBIL.0)
        .await
        .assert_problem(409, "last_super_admin");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_super_admins_who_take_each_others_role_one_is_left() {
    let world = world().await;
    for _ in 0..5 {
        let alice = world.administrator(ALICE.0, ALICE.1, "super_admin").await;
        let bob = world.administrator(BOB.0, BOB.1, "super_admin").await;
        let both = [(alice, BOB.0), (bob, ALICE.0)];
        let answers = together(2, |n| {
            let (token, user) = both[n].clone();
            let client = world.client.clone();
            let request = http::Request::delete(format!("/v1/admin/users/{user}/role"))
                .header("authorization", format!("Bearer {token}"))
                .body(bytes::Bytes::new())
                .expect("a request");
            async move { client.send(request).await }
        })
        .await;
        let done = answers.iter().filter(|answer| answer.status == 204).count();
        assert_eq!(
            done,
            1,
            "{:?}",
            answers.iter().map(Answer::text).collect::<Vec<_>>()
        );
        let left = "SELECT count(*) FROM person WHERE admin_role = 'super_admin'";
        assert_eq!(world.rows(left), ["1"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_identifier_that_two_tenants_have_needs_the_tenant() {
    let world = World::start().await;
    {
        let mut directory = world.scaikey.directory();
        let mut twin = directory.user(BOB.0).expect("Bob").clone();
        seed::UMBRA.clone_into(&mut twin.tenant_id);
        directory.users.push(twin);
    }
    world.sync().await;
    let token = world.operator_token("admin:write");
    let answer = give(&world, &token, BOB.0, "tenant_admin").await;
    answer.assert_problem(409, "user_ambiguous");
    let details = &answer.json()["error"]["details"];
    assert_eq!(details["tenant_ids"], json!([seed::ACME, seed::UMBRA]));
    let path = format!("/v1/admin/users/{}/role?tenant_id={}", BOB.0, seed::UMBRA);
    let body = json!({ "role": "tenant_admin" });
    let answer = world.call(Method::POST, &path, &token, Some(&body)).await;
    assert_eq!(answer.status, 204, "{}", answer.text());
    let rows = "SELECT tenant_id, admin_role FROM person WHERE subject = 'usr_bob_acme' ORDER BY 1";
    assert_eq!(
        world.rows(rows),
        ["tnt_acme0001 | -", "tnt_umbra0001 | tenant_admin"]
    );
    // For an administrator of one of the tenants there is no doubt.
    let alice = world.administrator(ALICE.0, ALICE.1, "tenant_admin").await;
    assert_eq!(
        give(&world, &alice, BOB.0, "tenant_admin").await.status,
        204
    );
    assert_eq!(take(&world, &alice, BOB.0).await.status, 204);
    assert_eq!(
        world.rows(rows),
        ["tnt_acme0001 | -", "tnt_umbra0001 | tenant_admin"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn n_106_a_role_is_what_every_token_says_within_two_seconds() {
    let world = world().await;
    world.set_role(SYBIL.0, Some("super_admin")).await;
    let session = world.sign_in(BOB.1).await;
    let token = session["access_token"].as_str().expect("a token");
    let users = async |token: &str| world.client.get("/v1/admin/users", Some(token)).await;
    users(token)
        .await
        .assert_problem(403, "admin_role_required");
    let me = async |token: &str| world.client.get("/v1/me", Some(token)).await;
    let access = world.minted(json!({ "sub": BOB.0 }));
    users(&access)
        .await
        .assert_problem(403, "admin_role_required");

    world.set_role(BOB.0, Some("super_admin")).await;
    world.advance(2);
    me(token).await.assert_problem(401, "token_revoked");
    assert_eq!(users(&access).await.status, 200);
    let session = world.refreshed(&session).await;
    let token = session["access_token"].as_str().expect("a token");
    assert_eq!(me(token).await.json()["admin_role"], "super_admin");
    assert_eq!(users(token).await.status, 200);
    // The same again changes nothing, for nobody.
    world.set_role(BOB.0, Some("super_admin")).await;
    world.advance(2);
    assert_eq!(users(token).await.status, 200);

    for (given, status) in [
        (Some("tenant_admin"), 403),
        (Some("super_admin"), 200),
        (None, 403),
    ] {
        world.set_role(BOB.0, given).await;
        world.advance(2);
        assert_eq!(users(&access).await.status, status, "{given:?}");
    }
    users(token).await.assert_problem(401, "token_revoked");
    let session = world.refreshed(&session).await;
    let token = session["access_token"].as_str().expect("a token");
    users(token)
        .await
        .assert_problem(403, "admin_role_required");
    assert_eq!(me(token).await.json()["admin_role"], Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_given_by_hand_stays_and_what_came_by_a_group_goes_with_it() {
    let setup = Setup::default().variable("scaiflow_super_admin_groups", "grp_acme_admins");
    let world = World::with(setup).await;
    world.sync().await;
    let by_group = (json!("super_admin"), json!("group"));
    let by_hand = (json!("super_admin"), json!("manual"));
    assert_eq!(role(&world, ALICE.0).await, by_group);
    assert_eq!(role(&world, BOB.0).await, by_group);
    // By hand what the group gives already: from then on it is by hand.
    world.set_role(ALICE.0, Some("super_admin")).await;
    assert_eq!(role(&world, ALICE.0).await, by_hand);
    // By hand less than the group gives: it stays less.
    world.set_role("usr_carol_acme", Some("tenant_admin")).await;
    world
        .scaikey
        .directory()
        .add_member("grp_acme_admins", "usr_carol_acme");
    world
        .scaikey
        .directory()
        .remove_member("grp_acme_admins", ALICE.0);
    world
        .scaikey
        .directory()
        .remove_member("grp_acme_admins", BOB.0);
    world.advance(1);
    let report = world.sync().await;
    assert_eq!(report["super_admins_group_demoted"], 1, "{report}");
    assert_eq!(report["super_admins_group_promoted"], 0, "{report}");
    assert_eq!(report["super_admin_count"], 1, "{report}");
    assert_eq!(role(&world, ALICE.0).await, by_hand);
    assert_eq!(role(&world, BOB.0).await, (Value::Null, Value::Null));
    assert_eq!(
        role(&world, "usr_carol_acme").await,
        (json!("tenant_admin"), json!("manual"))
    );
    // Taken by hand, the groups decide again.
    world.set_role("usr_carol_acme", None).await;
    world.advance(1);
    let report = world.sync().await;
    assert_eq!(report["super_admins_group_promoted"], 1, "{report}");
    assert_eq!(role(&world, "usr_carol_acme").await, by_group);
    // Somebody who was deleted comes back with what they had.
    world
        .scaikey
        .directory()
        .set_user_status(ALICE.0, "DELETED");
    world.advance(1);
    let report = world.sync().await;
    assert_eq!(report["super_admin_count"], 1, "{report}");
    assert_eq!(role(&world, ALICE.0).await, by_hand);
    world.scaikey.directory().set_user_status(ALICE.0, "ACTIVE");
    world.advance(1);
    let report = world.sync().await;
    assert_eq!(report["users_undeleted"], 1, "{report}");
    assert_eq!(report["super_admin_count"], 2, "{report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_setting_nobody_is_super_admin_by_a_group() {
    let world = world().await;
    // As if the setting had been there until the restart.
    let sql = "UPDATE person SET admin_role = 'super_admin', admin_role_source = 'group',
                 changed_at = 1 WHERE subject IN (?1, ?2)";
    world.sql(sql, &[ALICE.0, BOB.0]);
    world.set_role(SYBIL.0, Some("super_admin")).await;
    world.advance(1);
    let report = world.sync().await;
    assert_eq!(report["super_admins_group_demoted"], 2, "{report}");
    assert_eq!(report["super_admin_count"], 1, "{report}");
    assert_eq!(role(&world, ALICE.0).await, (Value::Null, Value::Null));
    assert_eq!(
        role(&world, SYBIL.0).await,
        (json!("super_admin"), json!("manual"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn n_103_a_group_of_another_tenant_elects_nobody_by_what_it_is_called() {
    let setup = Setup::default().variable(
        "scaiflow_super_admin_groups",
        "grp_acme_admins,platform-admins",
    );
    let world = World::with(setup).await;
    let call = |name: &str| {
        let mut directory = world.scaikey.directory();
        let group = directory.group_mut("grp_umbra_admins").expect("a group");
        name.clone_into(&mut group.name);
    };
    // By the identifier of a group that elects, and by its name: of two that are called so, neither.
    for name in ["grp_acme_admins", "grp_acme_admins ", "platform-admins"] {
        call(name);
        world.advance(1);
        let report = world.sync().await;
        assert_eq!(
            role(&world, SYBIL.0).await,
            (Value::Null, Value::Null),
            "{name}"
        );
        // The group named by its identifier elects whatever others are called.
        assert_eq!(
            role(&world, ALICE.0).await.0,
            "super_admin",
            "{name}: {report}"
        );
    }
    let report = world.sync().await;
    let codes: Vec<_> = report["warnings"]
        .as_array()
        .expect("warnings")
        .iter()
        .map(|one| &one["code"])
        .collect();
    assert!(
        codes.contains(&&json!("super_admin_group_ambiguous")),
        "{codes:?}"
    );
}
