//! The catalog: publishing, the bump, to whom it is shown, installing, deleting.

use http::Method;
use scaigate_e2e::{Answer, MANIFEST, World};
use serde_json::{Value, json};

const ALICE: &str = "alice@acme.example";
const BOB: &str = "bob@acme.example";
const PUBLISH: &str = "/v1/catalog/publish";

async fn publish(world: &World, token: &str, changes: Value) -> Answer {
    let content: Value = serde_json::from_str(MANIFEST).expect("a text");
    let mut body = json!({
        "package_id": "expense", "name": "Expense", "version": "0.1.0", "content": content,
    });
    for (name, value) in changes.as_object().expect("changes") {
        body[name] = value.clone();
    }
    world.call(Method::POST, PUBLISH, token, Some(&body)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_package_is_published_bumped_installed_and_deleted() {
    let world = World::start().await;
    let alice = world.token_with_role(ALICE, "author", None).await;
    let bob = world.token_with_role(BOB, "viewer", None).await;
    let row = publish(
        &world,
        &alice,
        json!({ "description": "d", "readme": "# Use" }),
    )
    .await;
    assert_eq!(row.status, 201, "{}", row.text());
    let row = row.json();
    assert_eq!(
        (
            &row["version"],
            &row["author_id"],
            &row["author_email"],
            &row["visibility"]
        ),
        (
            &json!("0.1.0"),
            &json!("usr_alice_acme"),
            &json!(ALICE),
            &json!("tenant")
        )
    );
    let again = publish(&world, &alice, json!({})).await.json();
    assert_eq!(again["version"], "0.1.1");
    let list = world.client.get("/api/v1/catalog", Some(&bob)).await.json();
    assert_eq!(list, json!([again]));
    let install = "/v1/catalog/expense/install";
    let first = world.call(Method::POST, install, &bob, None).await;
    assert!(
        first
            .text()
            .ends_with(&format!(",\"content\":{MANIFEST}}}")),
        "{}",
        first.text()
    );
    let second = world.call(Method::POST, install, &bob, None).await.json();
    assert_ne!(first.json()["id"], second["id"]);
    assert_eq!(
        world.client.get("/v1/flows", Some(&alice)).await.json()["total"],
        0
    );
    let path = "/v1/catalog/expense";
    let refused = world.call(Method::DELETE, path, &bob, None).await;
    refused.assert_problem(403, "insufficient_scope");
    let bob = world.token_with_role(BOB, "author", None).await;
    let refused = world.call(Method::DELETE, path, &bob, None).await;
    refused.assert_problem(403, "package_access_denied");
    let deleted = world.call(Method::DELETE, path, &alice, None).await;
    assert_eq!(deleted.status, 204, "{}", deleted.text());
    assert_eq!(
        world.client.get("/v1/catalog", Some(&bob)).await.json(),
        json!([])
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_compile_is_refused_and_says_so() {
    let world = World::start().await;
    let alice = world.token_with_role(ALICE, "author", None).await;
    let refused = publish(&world, &alice, json!({ "content": { "nodes": [] } })).await;
    refused.assert_problem(400, "compile_error");
    let detail = refused.json()["detail"].clone();
    assert!(
        detail["errors"][0]
            .as_str()
            .expect("a text")
            .contains("not part of scaigate"),
        "{detail}"
    );
    for changes in [
        json!({ "version": "1" }),
        json!({ "package_id": "a/b" }),
        json!({ "package_id": "publish" }),
        json!({ "content": null }),
        json!({ "name": "" }),
        json!({ "visibility": "public" }),
        json!({ "visibility": "groups" }),
        json!({ "visibility_group_ids": ["grp_acme_staff"] }),
    ] {
        let refused = publish(&world, &alice, changes.clone()).await;
        assert_eq!(
            refused.code(),
            "invalid_request",
            "{changes}: {}",
            refused.text()
        );
    }
    assert_eq!(
        world.client.get("/v1/catalog", Some(&alice)).await.json(),
        json!([])
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_shown_to_groups_of_the_tenant_alone() {
    let world = World::start().await;
    world.sync().await;
    let alice = world.token_with_role(ALICE, "author", None).await;
    let bob = world.token_with_role(BOB, "author", None).await;
    let groups = |id: &str| json!({ "visibility": "groups", "visibility_group_ids": [id] });
    publish(&world, &alice, groups("grp_umbra_staff"))
        .await
        .assert_problem(404, "group_not_found");
    publish(&world, &alice, groups("grp_acme_staff")).await;
    let seen =
        async |token: &str| world.client.get("/v1/catalog", Some(token)).await.json() != json!([]);
    assert!(seen(&alice).await && seen(&bob).await);
    world.sql("UPDATE group_membership SET deleted_at = 1", &[]);
    assert!(seen(&alice).await && !seen(&bob).await);
    let path = "/v1/catalog/expense";
    let hidden = world
        .call(
            Method::PATCH,
            path,
            &bob,
            Some(&json!({ "visibility": "tenant" })),
        )
        .await;
    hidden.assert_problem(404, "package_not_found");
    let shown = world
        .call(
            Method::PATCH,
            path,
            &alice,
            Some(&json!({ "visibility": "tenant" })),
        )
        .await;
    assert_eq!(
        shown.json()["visibility_group_ids"],
        json!([]),
        "{}",
        shown.text()
    );
    assert!(seen(&bob).await);
}
