//! Access lists: levels, groups of the mirror as they are now, and the documented refusals.

use http::Method;
use scaigate_e2e::{Answer, MANIFEST, World};
use serde_json::{Value, json};

const ALICE: &str = "alice@acme.example";
const BOB: &str = "bob@acme.example";

async fn grant(world: &World, token: &str, path: &str, body: Value) -> Answer {
    world
        .call(Method::POST, &format!("{path}/acls"), token, Some(&body))
        .await
}

/// Alice's flow, and tokens of Alice and Bob, both authors, over a mirror that was synced.
async fn scene(world: &World) -> (String, String, String) {
    world.sync().await;
    let alice = world.token_with_role(ALICE, "author", None).await;
    let bob = world.token_with_role(BOB, "author", None).await;
    let flow = world.save_flow(&alice, "n", MANIFEST).await;
    let path = format!("/v1/flows/{}", flow["id"].as_str().expect("an id"));
    (path, alice, bob)
}

#[tokio::test(flavor = "multi_thread")]
async fn each_level_opens_what_it_is_for() {
    let world = World::start().await;
    let (path, alice, bob) = scene(&world).await;
    let acls = format!("{path}/acls");
    let change = json!({ "name": "changed" });
    for (level, may) in [
        ("none", [false; 4]),
        ("view", [true, false, false, false]),
        ("edit", [true, true, false, false]),
        ("deploy", [true, true, true, false]),
        ("admin", [true; 4]),
    ] {
        let mut acl_id = String::new();
        if level != "none" {
            let body =
                json!({ "principal_type": "user", "principal_id": "usr_bob_acme", "level": level });
            let given = grant(&world, &alice, &path, body).await;
            assert_eq!(given.status, 201, "{}", given.text());
            assert_eq!(given.json()["level"], level);
            assert_eq!(given.json()["granted_by"], "usr_alice_acme");
            acl_id = given.json()["id"].as_str().expect("an id").to_owned();
        }
        let package = format!("package-{level}");
        let flow_id = path.rsplit('/').next().expect("an id");
        let publish =
            json!({ "package_id": package, "name": "n", "version": "1.0.0", "flow_id": flow_id });
        let answers = [
            world.client.get(&path, Some(&bob)).await,
            world.call(Method::PUT, &path, &bob, Some(&change)).await,
            world
                .call(Method::POST, "/v1/catalog/publish", &bob, Some(&publish))
                .await,
            world.client.get(&acls, Some(&bob)).await,
        ];
        for (answer, may) in answers.iter().zip(may) {
            let code = match (may, level) {
                (true, _) => "",
                (false, "none") => "flow_not_found",
                (false, _) => "flow_access_denied",
            };
            assert_eq!(answer.code(), code, "{level}: {}", answer.text());
        }
        let listed = world.client.get("/v1/flows", Some(&bob)).await.json()["total"].clone();
        assert_eq!(listed, i64::from(may[0]), "{level}");
        if !acl_id.is_empty() {
            let path = format!("{acls}/{acl_id}");
            let taken = world.call(Method::DELETE, &path, &alice, None).await;
            assert_eq!(taken.status, 204, "{}", taken.text());
        }
    }
    assert_eq!(
        world.client.get(&acls, Some(&alice)).await.json(),
        json!([])
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_counts_as_it_is_in_the_mirror_now() {
    let world = World::start().await;
    let (path, alice, bob) = scene(&world).await;
    let body =
        json!({ "principal_type": "group", "principal_id": "grp_acme_staff", "level": "view" });
    assert_eq!(grant(&world, &alice, &path, body).await.status, 201);
    assert_eq!(world.client.get(&path, Some(&bob)).await.status, 200);
    for (table, deleted) in [
        ("group_membership", true),
        ("group_membership", false),
        ("directory_group", true),
    ] {
        let at = if deleted { "1" } else { "NULL" };
        world.sql(
            &format!("UPDATE {table} SET deleted_at = {at} WHERE group_id = 'grp_acme_staff'"),
            &[],
        );
        let status = if deleted { 404 } else { 200 };
        assert_eq!(
            world.client.get(&path, Some(&bob)).await.status,
            status,
            "{table}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_are_those_documented() {
    let world = World::start().await;
    let (path, alice, _) = scene(&world).await;
    let body = |kind: &str, id: &str, level: &str| json!({ "principal_type": kind, "principal_id": id, "level": level });
    for (wanted, status, code) in [
        (
            body("user", "usr_bob_acme", "owner"),
            400,
            "invalid_request",
        ),
        (body("team", "usr_bob_acme", "view"), 400, "invalid_request"),
        (
            json!({ "principal_type": "user", "level": "view" }),
            400,
            "invalid_request",
        ),
        (
            body("user", "usr_nobody", "view"),
            404,
            "principal_not_found",
        ),
        (
            body("user", "usr_sybil_umbra", "view"),
            404,
            "principal_not_found",
        ),
        (
            body("group", "grp_umbra_staff", "view"),
            404,
            "principal_not_found",
        ),
        (body("user", "usr_bob_acme", "view"), 201, ""),
        (body("user", "usr_bob_acme", "admin"), 409, "acl_exists"),
    ] {
        let answer = grant(&world, &alice, &path, wanted.clone()).await;
        assert_eq!(
            (answer.status.as_u16(), answer.code().as_str()),
            (status, code),
            "{wanted}"
        );
    }
    let unknown = format!("{path}/acls/acl_unknown");
    let answer = world.call(Method::DELETE, &unknown, &alice, None).await;
    answer.assert_problem(404, "acl_not_found");
}
