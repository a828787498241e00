//! The administrators' pages of users, groups, members and deliveries.

use std::collections::BTreeSet;

use scaigate_e2e::emulator::seed;
use scaigate_e2e::{Setup, World, reorganised};
use serde_json::{Value, json};

const ALICE: &str = "alice@acme.example";
const SYBIL: &str = "sybil@umbra.example";

fn rows<'a>(page: &'a Value, name: &str) -> &'a Vec<Value> {
    page[name].as_array().unwrap_or_else(|| panic!("{page}"))
}

fn ids(page: &Value, name: &str) -> Vec<String> {
    let id = |row: &Value| row["id"].as_str().expect("an id").to_owned();
    rows(page, name).iter().map(id).collect()
}

fn fields(row: &Value) -> BTreeSet<&str> {
    let object = row.as_object().expect("an object");
    object.keys().map(String::as_str).collect()
}

/// A mirror after a change: somebody is deleted, somebody suspended, a group is gone.
async fn world() -> World {
    let world = World::with(Setup::default()).await;
    let before = world.scaikey.directory().clone();
    world.follow(&before, false).await;
    world.follow(&reorganised(&before), false).await;
    world
}

#[tokio::test(flavor = "multi_thread")]
async fn users_are_listed_searched_and_paged_in_the_documented_fields() {
    let world = world().await;
    let all = world.admin("/v1/admin/users?per_page=500").await;
    let total = all["total"].as_u64().expect("a total");
    assert_eq!(rows(&all, "users").len() as u64, total);
    assert_eq!((&all["page"], &all["per_page"]), (&json!(1), &json!(500)));
    for row in rows(&all, "users") {
        let documented = [
            "id",
            "tenant_id",
            "email",
            "display_name",
            "status",
            "admin_role",
            "admin_role_source",
            "deleted_at",
            "last_synced_at",
        ];
        assert_eq!(fields(row), documented.into(), "{row}");
        let synced = row["last_synced_at"].as_str().expect("a time");
        assert!(synced.starts_with("2026-11-22T12:"), "{row}");
    }
    // Who was deleted is still there, and says so.
    let dave = world.mirrored("usr_dave_acme").await;
    assert!(
        dave["deleted_at"]
            .as_str()
            .expect("a time")
            .starts_with("2026-11-22T12:"),
        "{dave}"
    );
    assert_eq!(world.mirrored("usr_jin_umbra").await["status"], "SUSPENDED");
    assert_eq!(
        world.mirrored("usr_grace_acme").await["display_name"],
        "Grace Hopper"
    );

    let table: [(&str, &[&str]); 12] = [
        ("search=hopper", &["usr_grace_acme"]),
        ("search=GRACE.hop", &["usr_grace_acme"]),
        ("search=usr_grace_acme", &["usr_grace_acme"]),
        ("search=usr_grace", &[]),
        ("search=grace&tenant_id=tnt_umbra0001", &[]),
        ("status=suspended", &["usr_jin_umbra"]),
        ("status=SUSPENDED", &["usr_jin_umbra"]),
        ("status=deleted", &["usr_dave_acme", "usr_heidi_acme"]),
        ("status=active&search=dave", &[]),
        ("status=nonsense", &[]),
        ("search=qq&search_=y&unknown=1&status=suspended", &[]),
        ("search=&status=suspended&tenant_id=", &["usr_jin_umbra"]),
    ];
    for (query, expected) in table {
        let page = world.admin(&format!("/v1/admin/users?{query}")).await;
        assert_eq!(ids(&page, "users"), expected, "{query}");
        assert_eq!(page["total"], expected.len(), "{query}");
    }
    // The pages are the list, in its order, each row once.
    for per_page in [1, 7, 100] {
        let mut found = Vec::new();
        for page in 1.. {
            let path = format!("/v1/admin/users?page={page}&per_page={per_page}");
            let answer = world.admin(&path).await;
            assert_eq!(answer["total"], total);
            let part = ids(&answer, "users");
            if part.is_empty() {
                break;
            }
            found.extend(part);
        }
        assert_eq!(found, ids(&all, "users"), "by {per_page}");
    }
    let far = world
        .admin("/v1/admin/users?page=1000000&per_page=500")
        .await;
    assert_eq!(
        (rows(&far, "users").len() as u64, &far["total"]),
        (0, &json!(total))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn groups_and_their_members_are_listed() {
    let world = world().await;
    let all = world.admin("/v1/admin/groups").await;
    assert_eq!(all["total"], 7, "{all}");
    for row in rows(&all, "groups") {
        let documented = [
            "id",
            "tenant_id",
            "name",
            "group_type",
            "member_count",
            "deleted_at",
            "last_synced_at",
        ];
        assert_eq!(fields(row), documented.into(), "{row}");
    }
    let made = world.admin("/v1/admin/groups?search=made").await;
    assert_eq!(
        made["groups"][0]["group_type"], "DISTRIBUTION_LIST",
        "{made}"
    );
    assert_eq!(made["groups"][0]["member_count"], 6, "{made}");
    let gone = world.admin("/v1/admin/groups?status=deleted").await;
    assert_eq!(ids(&gone, "groups"), ["grp_umbra_research"]);
    assert_eq!(gone["groups"][0]["member_count"], 0, "{gone}");
    let named = world
        .admin("/v1/admin/groups?search=FORMERLY%20%22eng")
        .await;
    assert_eq!(ids(&named, "groups"), ["grp_acme_engineers"], "{named}");

    let members = world
        .admin("/v1/admin/groups/grp_acme_admins/members")
        .await;
    assert_eq!(
        ids(&members, "members"),
        ["usr_alice_acme", "usr_carol_acme"]
    );
    assert_eq!(
        fields(&members["members"][0]),
        fields(&world.mirrored("usr_bob_acme").await)
    );
    let path = "/v1/admin/groups/grp_acme_staff/members?search=nina";
    assert_eq!(ids(&world.admin(path).await, "members"), ["usr_nina_acme"]);
    let path = "/v1/admin/groups/grp_umbra_staff/members?status=suspended";
    assert_eq!(ids(&world.admin(path).await, "members"), ["usr_jin_umbra"]);
    let path = "/v1/admin/groups/grp_umbra_staff/members?per_page=5&page=3";
    let page = world.admin(path).await;
    assert_eq!(
        (rows(&page, "members").len(), &page["total"]),
        (4, &json!(14))
    );

    let token = world.operator_token("admin:read");
    for id in [
        "grp_umbra_research",
        "grp_nobody",
        "..",
        "%2e%2e",
        "a%2Fb",
        "%00",
        "%FF",
        "'",
        "*",
    ] {
        let path = format!("/v1/admin/groups/{id}/members");
        let answer = world.client.get(&path, Some(&token)).await;
        assert_eq!(answer.status, 404, "{id}: {}", answer.text());
    }
    let path = "/v1/admin/groups/grp_acme_staff/members?tenant_id=tnt_umbra0001";
    let answer = world.client.get(path, Some(&token)).await;
    answer.assert_problem(404, "group_not_found");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_that_is_out_of_bounds_is_refused_by_name() {
    let world = world().await;
    let token = world.operator_token("admin:read");
    let long = format!("search={}", "x".repeat(257));
    let table = [
        ("page=0", "page"),
        ("page=-1", "page"),
        ("page=1000001", "page"),
        ("page=18446744073709551617", "page"),
        ("page=1.5", "page"),
        ("page=+1", "page"),
        ("page=x", "page"),
        ("page=1&page=2", "query"),
        ("per_page=0", "per_page"),
        ("per_page=501", "per_page"),
        ("per_page=0x10", "per_page"),
        (long.as_str(), "search"),
        ("search=a%00b", "query"),
        ("search=%0D%0A", "search"),
        ("search=%FF", "query"),
        ("status=0123456789012345678901234567890123", "status"),
        ("tenant_id=a%20b", "tenant_id"),
    ];
    for list in [
        "/v1/admin/users",
        "/v1/admin/groups",
        "/v1/admin/groups/grp_acme_staff/members",
    ] {
        for (query, field) in table {
            let answer = world
                .client
                .get(&format!("{list}?{query}"), Some(&token))
                .await;
            assert_eq!(answer.status, 400, "{list}?{query}: {}", answer.text());
            answer.assert_problem(400, "invalid_request");
            let details = &answer.json()["error"]["details"];
            assert_eq!(details["field"], field, "{list}?{query}: {details}");
        }
    }
    for (path, field) in [
        ("/v1/admin/changes?limit=0", "limit"),
        ("/v1/admin/changes?limit=1001", "limit"),
        ("/v1/admin/changes?cursor=-1", "cursor"),
        ("/v1/admin/changes?cursor=9223372036854775808", "cursor"),
        ("/v1/admin/changes?cursor=x", "cursor"),
        ("/v1/admin/changes?tenant_id=a%20b", "tenant_id"),
        ("/v1/admin/webhooks/deliveries?per_page=501", "per_page"),
        (
            "/v1/admin/webhooks/deliveries?outcome=0123456789012345678901234567890123",
            "outcome",
        ),
    ] {
        let answer = world.client.get(path, Some(&token)).await;
        answer.assert_problem(400, "invalid_request");
        assert_eq!(answer.json()["error"]["details"]["field"], field, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_searched_for_is_a_text_and_no_pattern() {
    let world = world().await;
    for text in [
        "%25",
        "_",
        "*",
        "%3F",
        "%5C",
        "'",
        "%22",
        "'%20OR%20'1'%3D'1",
        "%F0%9F%98%80",
    ] {
        let page = world.admin(&format!("/v1/admin/users?search={text}")).await;
        // A row has it or not: nobody's name or address has any of these.
        assert_eq!(page["total"], 0, "{text}: {page}");
    }
    let page = world
        .admin("/v1/admin/users?search=Zo%C3%AB&status=active")
        .await;
    assert_eq!(page["total"], 0, "nobody without access: {page}");
    let page = world.admin("/v1/admin/groups?search=%22engineers%22").await;
    assert_eq!(ids(&page, "groups"), ["grp_acme_engineers"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn n_103_an_administrator_of_a_tenant_sees_that_tenant_and_nothing_else() {
    let world = world().await;
    let alice = world
        .administrator("usr_alice_acme", ALICE, "tenant_admin")
        .await;
    let sybil = world
        .administrator("usr_sybil_umbra", SYBIL, "tenant_admin")
        .await;
    for (token, own, other, count) in [
        (&alice, seed::ACME, seed::UMBRA, 24),
        (&sybil, seed::UMBRA, seed::ACME, 14),
    ] {
        let word = if own == seed::ACME { "umbra" } else { "acme" };
        for path in [
            "/v1/admin/tenant/users?per_page=500".to_owned(),
            format!("/v1/admin/tenant/users?per_page=500&tenant_id={other}"),
            format!("/v1/admin/tenant/users?search={word}"),
            "/v1/admin/tenant/users?search=staff".to_owned(),
            "/v1/admin/tenant/groups".to_owned(),
            format!("/v1/admin/tenant/groups?tenant_id={other}"),
            format!("/api/v1/admin/tenant/groups?search={word}"),
        ] {
            let answer = world.client.get(&path, Some(token)).await;
            assert_eq!(answer.status, 200, "{path}: {}", answer.text());
            assert!(!answer.text().contains(word), "{path}: {}", answer.text());
        }
        let users = world
            .client
            .get("/v1/admin/tenant/users?per_page=500", Some(token))
            .await;
        assert_eq!(users.json()["total"], count, "{}", users.text());
        for group in ["admins", "staff"] {
            let (mine, theirs) = match own {
                seed::ACME => ("acme", "umbra"),
                _ => ("umbra", "acme"),
            };
            let path = format!("/v1/admin/tenant/groups/grp_{mine}_{group}/members");
            let answer = world.client.get(&path, Some(token)).await;
            assert_eq!(answer.status, 200, "{path}: {}", answer.text());
            assert!(!answer.text().contains(theirs), "{path}: {}", answer.text());
            for query in ["", "?tenant_id=tnt_acme0001", "?tenant_id=tnt_umbra0001"] {
                let path = format!("/v1/admin/tenant/groups/grp_{theirs}_{group}/members{query}");
                let answer = world.client.get(&path, Some(token)).await;
                answer.assert_problem(404, "group_not_found");
            }
        }
        // What spans tenants is not theirs.
        for path in [
            "/v1/admin/users",
            "/v1/admin/users?why=alice@acme.example",
            "/v1/admin/groups",
            "/v1/admin/groups/grp_acme_staff/members",
            "/v1/admin/changes",
            "/v1/admin/webhooks/deliveries",
            "/v1/admin/sync",
        ] {
            let answer = world.client.get(path, Some(token)).await;
            answer.assert_problem(403, "admin_role_required");
            let details = &answer.json()["error"]["details"];
            assert_eq!(
                details["required"],
                json!(["super_admin"]),
                "{path}: {details}"
            );
            assert_eq!(details["present"], "tenant_admin", "{path}: {details}");
        }
        let answer = world
            .call(http::Method::POST, "/v1/admin/sync", token, None)
            .await;
        answer.assert_problem(403, "admin_role_required");
    }
    // A service has no tenant of its own.
    let service = world.operator_token("admin:read");
    let answer = world
        .client
        .get("/v1/admin/tenant/users", Some(&service))
        .await;
    answer.assert_problem(403, "user_required");
    // Neither has an administrator of ScaiKey who is none here: roles of tokens are ScaiKey's own.
    let token = world.minted(json!({ "sub": "usr_olivia_acme", "role": "super_admin" }));
    let answer = world.client.get("/v1/admin/users", Some(&token)).await;
    answer.assert_problem(403, "admin_role_required");
    assert_eq!(answer.json()["error"]["details"]["present"], Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn deliveries_are_listed_by_what_became_of_them() {
    let world = World::start().await;
    world.sync().await;
    world.advance(5);
    let none = world.admin("/v1/admin/webhooks/deliveries").await;
    assert_eq!(none["total"], 0, "{none}");
    assert_eq!(
        (&none["last_received_at"], &none["last_refused_at"]),
        (&Value::Null, &Value::Null)
    );
    let changes = world.scaikey.changes();
    let event = changes.suspend_user("usr_ivan_acme").expect("a change");
    world.handled(&event).await;
    world.handled(&event).await;
    let unknown = changes
        .about_user("user.signed_horoscope", "usr_bob_acme")
        .expect("an event");
    let answer = world.event(&unknown).await;
    assert_eq!(
        answer.json(),
        json!({ "handled": false }),
        "{}",
        answer.text()
    );
    let delivery = world
        .scaikey
        .webhook("another-secret-entirely-0001", &event);
    world
        .receive(&delivery)
        .await
        .assert_problem(400, "webhook_signature_mismatch");
    let page = world.admin("/v1/admin/webhooks/deliveries").await;
    assert_eq!(page["total"], 4, "{page}");
    for row in rows(&page, "deliveries") {
        let documented = [
            "received_at",
            "event_id",
            "event_type",
            "tenant_id",
            "outcome",
            "code",
            "count",
        ];
        assert_eq!(fields(row), documented.into(), "{row}");
    }
    for (outcome, event_type, code) in [
        ("applied", json!("user.suspended"), Value::Null),
        ("duplicate", json!("user.suspended"), Value::Null),
        ("ignored", json!("user.signed_horoscope"), Value::Null),
        ("refused", Value::Null, json!("webhook_signature_mismatch")),
    ] {
        let page = world
            .admin(&format!("/v1/admin/webhooks/deliveries?outcome={outcome}"))
            .await;
        assert_eq!(page["total"], 1, "{outcome}: {page}");
        let row = &page["deliveries"][0];
        assert_eq!(
            (&row["outcome"], &row["event_type"], &row["code"]),
            (&json!(outcome), &event_type, &code)
        );
        assert!(page["last_received_at"].is_string() && page["last_refused_at"].is_string());
    }
    let page = world
        .admin("/v1/admin/webhooks/deliveries?per_page=3&page=2")
        .await;
    assert_eq!(
        (rows(&page, "deliveries").len(), &page["total"]),
        (1, &json!(4))
    );
}
