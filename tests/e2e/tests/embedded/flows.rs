//! Flows on the wasm that ships: saved as given, versions, levels, other tenants, other modes.

use http::{Method, Request};
use scaigate_e2e::{Answer, MANIFEST, Setup, World, together};
use serde_json::{Value, json};

const ALICE: &str = "alice@acme.example";
const BOB: &str = "bob@acme.example";
const SYBIL: &str = "sybil@umbra.example";

fn path_of(flow: &Value) -> String {
    format!("/v1/flows/{}", flow["id"].as_str().expect("an id"))
}

/// What stands behind `"content":` in an answer, to the end of the object.
fn content_of(answer: &Answer) -> String {
    let text = answer.text();
    let (_, rest) = text.split_once(",\"content\":").expect("content");
    rest.strip_suffix('}').expect("an object").to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn content_comes_back_byte_for_byte() {
    let world = World::start().await;
    let alice = world.token_with_role(ALICE, "author", None).await;
    let large = format!("\"{}\"", "é".repeat((1_048_576 - 2) / 2));
    for content in [
        r#"{ "b" : [ ],	"a":1, "a":2 }"#,
        r#"{"n":123456789012345678901234567890.5e-400,"z":-0.0,"one":1E+00}"#,
        r#"{"s":"\ud800\u0041\/ é \ud83d\ude00","":null}"#,
        "[]",
        "\"\"",
        MANIFEST,
        &large,
    ] {
        let body = format!("{{\"name\":\"n\",\"content\": {content} }}");
        let saved = world
            .call_raw(Method::POST, "/v1/flows", &alice, body)
            .await;
        assert_eq!(saved.status, 201, "{:.200}", saved.text());
        assert_eq!(content_of(&saved), content);
        let flow = saved.json();
        // A lone surrogate makes no JSON value here, so the identifier is read from the text.
        let text = saved.text();
        let id = text.split('"').nth(3).expect("an id").to_owned();
        assert!(flow.is_null() || flow["id"] == id.as_str());
        let read = world
            .client
            .get(&format!("/api/v1/flows/{id}"), Some(&alice))
            .await;
        assert_eq!(read.status, 200, "{:.200}", read.text());
        assert_eq!(content_of(&read), content);
    }
    let larger = format!(
        "{{\"name\":\"n\",\"content\":\"{}\"}}",
        "x".repeat(1_048_575)
    );
    let refused = world
        .call_raw(Method::POST, "/v1/flows", &alice, larger)
        .await;
    refused.assert_problem(413, "payload_too_large");
    for (body, field) in [
        (r#"{"name":"n"}"#.to_owned(), "content"),
        (r#"{"name":"n","content":null}"#.to_owned(), "content"),
        (r#"{"content":{}}"#.to_owned(), "name"),
        (
            r#"{"name":"n","content":{},"content":{}}"#.to_owned(),
            "body",
        ),
        (r#"{"name":"n","content":{}"#.to_owned(), "body"),
        (
            format!(
                "{{\"name\":\"n\",\"content\":{}1{}}}",
                "[".repeat(101),
                "]".repeat(101)
            ),
            "content",
        ),
    ] {
        let refused = world
            .call_raw(Method::POST, "/v1/flows", &alice, body)
            .await;
        refused.assert_problem(400, "invalid_request");
        assert_eq!(
            refused.json()["error"]["details"]["field"],
            field,
            "{}",
            refused.text()
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flow_lives_from_its_saving_to_its_deletion() {
    let world = World::start().await;
    let alice = world.token_with_role(ALICE, "author", None).await;
    let flow = world.save_flow(&alice, "Expense approval", "{}").await;
    let path = path_of(&flow);
    assert_eq!(flow["owner_id"], "usr_alice_acme");
    assert_eq!(flow["version"], "1.0.0");
    let list = world
        .client
        .get("/v1/flows?search=EXPENSE&limit=5", Some(&alice))
        .await;
    assert_eq!(list.json()["total"], 1, "{}", list.text());
    assert_eq!(list.json()["items"][0]["id"], flow["id"]);
    assert!(list.json()["items"][0].get("content").is_none());
    let renamed = json!({ "name": "Other", "description": "d" });
    let answer = world.call(Method::PUT, &path, &alice, Some(&renamed)).await;
    assert_eq!(
        (&answer.json()["version"], &answer.json()["name"]),
        (&json!("1.0.0"), &json!("Other"))
    );
    let next = json!({ "content": { "nodes": [] }, "description": null });
    let answer = world.call(Method::PUT, &path, &alice, Some(&next)).await;
    assert_eq!(answer.json()["version"], "1.0.1", "{}", answer.text());
    assert_eq!(answer.json()["description"], Value::Null);
    let versions = world
        .client
        .get(&format!("{path}/versions"), Some(&alice))
        .await
        .json();
    assert_eq!(versions["total"], 2);
    assert_eq!(versions["items"][1]["version"], "1.0.0");
    let old = world
        .client
        .get(&format!("{path}/versions/1.0.0"), Some(&alice))
        .await;
    assert_eq!(content_of(&old), "{}");
    let deleted = world.call(Method::DELETE, &path, &alice, None).await;
    assert_eq!((deleted.status.as_u16(), deleted.body.len()), (204, 0));
    world
        .client
        .get(&path, Some(&alice))
        .await
        .assert_problem(404, "flow_not_found");
    let kept = world.sql_text("SELECT CAST(count(*) AS TEXT) FROM flow_version", &[]);
    assert_eq!(kept.as_deref(), Some("2"));
}

#[tokio::test(flavor = "multi_thread")]
async fn parallel_saves_lose_no_version() {
    for setup in [Setup::default(), Setup::default().without_reuse()] {
        let world = World::with(setup).await;
        let alice = world.token_with_role(ALICE, "author", None).await;
        let flow = world.save_flow(&alice, "n", "\"start\"").await;
        let path = path_of(&flow);
        let answers = together(12, |number| {
            let (client, path, alice) = (world.client.clone(), path.clone(), alice.clone());
            async move {
                let request = Request::put(path)
                    .header("authorization", format!("Bearer {alice}"))
                    .header("content-type", "application/json")
                    .body(format!("{{\"content\":\"c{number}\"}}").into())
                    .expect("a request");
                client.send(request).await
            }
        })
        .await;
        let mut versions = Vec::new();
        for answer in answers {
            assert_eq!(answer.status, 200, "{}", answer.text());
            let flow = answer.json();
            let version = flow["version"].as_str().expect("a version");
            let kept = world
                .client
                .get(&format!("{path}/versions/{version}"), Some(&alice))
                .await;
            assert_eq!(kept.json()["content"], flow["content"]);
            versions.push(version.to_owned());
        }
        versions.sort();
        versions.dedup();
        assert_eq!(versions.len(), 12, "{versions:?}");
        let now = world.client.get(&path, Some(&alice)).await.json();
        assert_eq!(now["version"], "1.0.12");
    }
}

/// Every route with an identifier of another tenant's in it.
fn doors(flow: &str, package: &str) -> Vec<(Method, String, Option<Value>, &'static str)> {
    let publish = json!({
        "package_id": "mine", "name": "n", "version": "1.0.0", "flow_id": flow,
    });
    let grant =
        json!({ "principal_type": "user", "principal_id": "usr_sybil_umbra", "level": "view" });
    let flow = format!("/v1/flows/{flow}");
    let package = format!("/v1/catalog/{package}");
    let tenant = "?tenant_id=tnt_acme0001";
    let gone = "flow_not_found";
    let no_package = "package_not_found";
    vec![
        (Method::GET, flow.clone(), None, gone),
        (
            Method::PUT,
            flow.clone(),
            Some(json!({ "content": {} })),
            gone,
        ),
        (Method::DELETE, flow.clone(), None, gone),
        (Method::GET, format!("{flow}/acls"), None, gone),
        (Method::POST, format!("{flow}/acls"), Some(grant), gone),
        (Method::DELETE, format!("{flow}/acls/acl_1"), None, gone),
        (Method::GET, format!("{flow}/versions"), None, gone),
        (Method::GET, format!("{flow}/versions/1.0.0"), None, gone),
        (Method::GET, format!("{flow}/deployments"), None, gone),
        (Method::POST, format!("{flow}/deploy"), None, gone),
        (
            Method::POST,
            "/v1/catalog/publish".to_owned(),
            Some(publish),
            gone,
        ),
        (Method::POST, format!("{package}/install"), None, no_package),
        (
            Method::POST,
            format!("{package}/install{tenant}"),
            None,
            no_package,
        ),
        (
            Method::PATCH,
            package.clone(),
            Some(json!({ "visibility": "tenant" })),
            no_package,
        ),
        (
            Method::PATCH,
            format!("{package}{tenant}"),
            Some(json!({ "visibility": "tenant" })),
            no_package,
        ),
        (Method::DELETE, package.clone(), None, no_package),
        (
            Method::DELETE,
            format!("{package}{tenant}"),
            None,
            no_package,
        ),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_another_tenant_is_there() {
    let world = World::start().await;
    let alice = world.token_with_role(ALICE, "author", None).await;
    let flow = world.save_flow(&alice, "n", MANIFEST).await;
    let id = flow["id"].as_str().expect("an id");
    let publish =
        json!({ "package_id": "expense", "name": "n", "version": "1.0.0", "flow_id": id });
    let published = world
        .call(Method::POST, "/v1/catalog/publish", &alice, Some(&publish))
        .await;
    assert_eq!(published.status, 201, "{}", published.text());
    for admin in [None, Some("tenant_admin")] {
        let sybil = world.token_with_role(SYBIL, "admin", admin).await;
        for (method, path, body, code) in doors(id, "expense") {
            let answer = world
                .call(method.clone(), &path, &sybil, body.as_ref())
                .await;
            assert_eq!(answer.code(), code, "{method} {path}: {}", answer.text());
            assert_eq!(answer.status, 404);
        }
        assert_eq!(
            world.client.get("/v1/flows", Some(&sybil)).await.json()["total"],
            0
        );
        assert_eq!(
            world.client.get("/v1/catalog", Some(&sybil)).await.json(),
            json!([])
        );
    }
    let root = world
        .token_with_role(SYBIL, "admin", Some("super_admin"))
        .await;
    assert_eq!(
        world.client.get(&path_of(&flow), Some(&root)).await.status,
        200
    );
    assert_eq!(
        world.client.get("/v1/catalog", Some(&root)).await.json()[0]["package_id"],
        "expense"
    );
    let install = "/v1/catalog/expense/install";
    world
        .call(Method::POST, install, &root, None)
        .await
        .assert_problem(404, "package_not_found");
    let named = format!("{install}?tenant_id=tnt_acme0001");
    assert_eq!(
        world.call(Method::POST, &named, &root, None).await.status,
        200
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_administrator_sees_every_flow_of_the_tenant() {
    let world = World::start().await;
    let alice = world.token_with_role(ALICE, "author", None).await;
    let kept = world.save_flow(&alice, "Kept", MANIFEST).await;
    let gone = world.save_flow(&alice, "Gone", MANIFEST).await;
    let deleted = world
        .call(Method::DELETE, &path_of(&gone), &alice, None)
        .await;
    assert_eq!(deleted.status, 204, "{}", deleted.text());
    let list = "/v1/admin/tenant/flows";
    world
        .client
        .get(list, Some(&alice))
        .await
        .assert_problem(403, "admin_role_required");
    for role in ["tenant_admin", "super_admin"] {
        let bob = world.token_with_role(BOB, "viewer", Some(role)).await;
        let page = world.client.get(list, Some(&bob)).await.json();
        assert_eq!(page["total"], 2, "{page}");
        let row = |id: &Value| {
            let rows = page["flows"].as_array().expect("rows");
            rows.iter().find(|row| row["id"] == *id).cloned()
        };
        let (shown, removed) = (row(&kept["id"]), row(&gone["id"]));
        let (shown, removed) = (shown.expect("kept"), removed.expect("gone"));
        for field in ["name", "description", "owner_id", "tenant_id", "version"] {
            assert_eq!(shown[field], kept[field], "{field}");
        }
        assert_eq!(shown["deleted_at"], Value::Null);
        assert!(removed["deleted_at"].is_string(), "{removed}");
        for (query, total, rows) in [
            ("?status=active", 1, 1),
            ("?status=DELETED", 1, 1),
            ("?search=kep", 1, 1),
            ("?search=usr_alice_acme", 2, 2),
            ("?search=%25", 0, 0),
            ("?per_page=1&page=2", 2, 1),
            ("?page=3", 2, 0),
        ] {
            let page = world
                .client
                .get(&format!("{list}{query}"), Some(&bob))
                .await;
            let page = page.json();
            assert_eq!(page["total"], total, "{query}: {page}");
            assert_eq!(
                page["flows"].as_array().map(Vec::len),
                Some(rows),
                "{query}"
            );
        }
        world
            .client
            .get(&format!("{list}?per_page=0"), Some(&bob))
            .await
            .assert_problem(400, "invalid_request");
    }
    // Whoever administers another tenant sees that one's: none, and not by asking for this one.
    let sybil = world
        .token_with_role(SYBIL, "admin", Some("tenant_admin"))
        .await;
    for query in ["", "?tenant_id=tnt_acme0001"] {
        let page = world
            .client
            .get(&format!("{list}{query}"), Some(&sybil))
            .await;
        assert_eq!(page.json()["total"], 0, "{query}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn roles_and_scopes_decide_who_may_look_and_who_may_save() {
    let world = World::start().await;
    world.sign_in(ALICE).await;
    for (role, may_save) in [
        ("viewer", false),
        ("operator", false),
        ("author", true),
        ("admin", true),
    ] {
        let token = world.token_with_role(BOB, role, None).await;
        assert_eq!(
            world.client.get("/v1/flows", Some(&token)).await.status,
            200,
            "{role}"
        );
        let body = json!({ "name": "n", "content": {} });
        let saved = world
            .call(Method::POST, "/v1/flows", &token, Some(&body))
            .await;
        if may_save {
            assert_eq!(saved.status, 201, "{role}: {}", saved.text());
        } else {
            saved.assert_problem(403, "insufficient_scope");
        }
    }
    // ScaiKey's word counts where it has one: it narrows an admin.
    let narrow = world.minted(json!({ "scope": "openid scaicore:view" }));
    assert_eq!(
        world.client.get("/v1/flows", Some(&narrow)).await.status,
        200
    );
    let body = json!({ "name": "n", "content": {} });
    let refused = world
        .call(Method::POST, "/v1/flows", &narrow, Some(&body))
        .await;
    refused.assert_problem(403, "insufficient_scope");
    let service = world.operator_token("admin:write scaicore:manage");
    let refused = world.client.get("/v1/flows", Some(&service)).await;
    refused.assert_problem(403, "user_required");
}

/// Every door that needs a sign-in at ScaiKey.
const DOORS: [(Method, &str); 7] = [
    (Method::GET, "/v1/flows"),
    (Method::POST, "/v1/flows"),
    (Method::GET, "/v1/flows/flow_1"),
    (Method::POST, "/v1/flows/flow_1/deploy"),
    (Method::POST, "/v1/flows/validate"),
    (Method::GET, "/v1/catalog"),
    (Method::POST, "/v1/catalog/publish"),
];

#[tokio::test(flavor = "multi_thread")]
async fn s_05_s_07_saving_and_the_catalog_need_a_sign_in_at_scaikey() {
    let unset = Setup::default().variable("scaikey_base_url", "");
    let mock = Setup::default().variable("scaiwave_auth_mode", "mock");
    let dev = Setup::default()
        .variable("scaikey_base_url", "")
        .variable("scaiflow_api_token", "dev-token-of-the-tests");
    for (setup, token, mode) in [
        (unset, "anything", "dev_token"),
        (mock, "anything", "mock"),
        // The token of the deprecated deploy is good for nothing else (C-21).
        (dev, "dev-token-of-the-tests", "dev_token"),
    ] {
        let world = World::with(setup).await;
        for (method, path) in DOORS {
            let answer = world.call(method.clone(), path, token, None).await;
            answer.assert_problem(403, "scaikey_login_required");
            assert_eq!(
                answer.json()["error"]["details"]["auth_mode"],
                mode,
                "{method} {path}"
            );
        }
    }
    // The configuration tells the mode beforehand.
    let world = World::with(Setup::default().variable("scaikey_base_url", "")).await;
    let config = world.client.get("/v1/auth/config", None).await.json();
    assert_eq!(config["auth_mode"], "dev_token", "{config}");
    let nobody = world.client.get("/v1/flows", None).await;
    nobody.assert_problem(403, "scaikey_login_required");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_preview_goes_as_far_as_a_manifest_goes() {
    let world = World::start().await;
    let alice = world.token_with_role(ALICE, "viewer", None).await;
    let preview =
        async |path: &str, body: Value| world.call(Method::POST, path, &alice, Some(&body)).await;
    let manifest = "manifest:\n  name: expense\n";
    let answer = preview(
        "/v1/flows/compile",
        json!({ "content": manifest, "format": "yaml" }),
    )
    .await;
    assert_eq!(
        answer.json(),
        json!({ "format": "yaml", "body": manifest, "errors": [] })
    );
    for (content, format) in [(json!({ "nodes": [] }), "yaml"), (json!(manifest), "ir")] {
        let body = json!({ "content": content, "format": format });
        let answer = preview("/v1/flows/compile", body).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let errors = answer.json()["errors"].clone();
        assert!(
            errors[0]
                .as_str()
                .expect("an error")
                .contains("not part of scaigate"),
            "{errors}"
        );
    }
    let answer = preview("/v1/flows/validate", json!({ "content": manifest })).await;
    assert_eq!(answer.json(), json!({ "valid": true, "diagnostics": [] }));
    let answer = preview("/v1/flows/validate", json!({ "content": {} }))
        .await
        .json();
    assert_eq!(answer["valid"], false);
    assert_eq!(answer["diagnostics"][0]["severity"], "error");
    preview(
        "/v1/flows/compile",
        json!({ "content": {}, "format": "xml" }),
    )
    .await
    .assert_problem(400, "invalid_request");
}

#[tokio::test(flavor = "multi_thread")]
async fn n_114_addresses_have_one_reading_and_methods_are_named() {
    let world = World::start().await;
    let alice = world.token_with_role(ALICE, "author", None).await;
    let flow = world.save_flow(&alice, "n", "{}").await;
    let id = flow["id"].as_str().expect("an id");
    for path in [
        format!("/v1/flows/{id}/"),
        format!("/v1/flows//{id}"),
        format!("/v1/flows/{id}%2Facls"),
        format!("/v1/flows/{id}/unheard-of"),
        "/v1/flows/a/b/c/d/e/f/g".to_owned(),
        "/v1/catalog/publish/x/y".to_owned(),
    ] {
        let answer = world.client.get(&path, Some(&alice)).await;
        assert_eq!(answer.status, 404, "{path}: {}", answer.text());
    }
    for (method, path, allow) in [
        (Method::PATCH, "/v1/flows".to_owned(), "GET, POST"),
        (Method::POST, format!("/v1/flows/{id}"), "GET, PUT, DELETE"),
        (
            Method::PATCH,
            format!("/v1/flows/{id}/acls/acl_1"),
            "DELETE",
        ),
        (Method::GET, "/v1/flows/compile".to_owned(), "POST"),
        (Method::POST, "/v1/catalog".to_owned(), "GET"),
        (
            Method::GET,
            "/v1/catalog/expense".to_owned(),
            "PATCH, DELETE",
        ),
        (Method::GET, "/v1/dev/deploy".to_owned(), "POST"),
        (Method::PUT, format!("/v1/flows/{id}/deploy"), "POST"),
    ] {
        let answer = world.call(method.clone(), &path, &alice, None).await;
        answer.assert_problem(405, "method_not_allowed");
        assert_eq!(answer.header("allow"), allow, "{method} {path}");
    }
    for query in [
        "limit=0",
        "limit=1001",
        "limit=x",
        "search=%00",
        "search=a&search=b",
    ] {
        let answer = world
            .client
            .get(&format!("/v1/flows?{query}"), Some(&alice))
            .await;
        answer.assert_problem(400, "invalid_request");
    }
}
