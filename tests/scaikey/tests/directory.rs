//! The admin API and effective users.

mod support;

use scaikey_emulator::{Deviation, DirectoryLie, ListEnvelope, UserShape, seed};
use serde_json::{Value, json};
use support::{Bench, text};

const USERS: &str = "/api/v1/admin/users/";

fn effective(tenant: &str) -> String {
    format!("/api/v1/tenants/{tenant}/applications/app_scaigate0001/effective-users")
}

#[tokio::test]
async fn lists_page_through_everything() {
    let bench = Bench::start().await;
    let token = bench.service_token().await;
    let mut seen = Vec::new();
    for page in 1.. {
        let batch = bench
            .rows(&format!("{USERS}?page={page}&per_page=15"), &token)
            .await;
        seen.extend(batch.iter().map(|row| text(&row["id"])));
        if batch.len() < 15 {
            break;
        }
    }
    assert_eq!(seen.len(), 40);
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 40);
    let meta = support::json(&bench.get_as(&format!("{USERS}?per_page=500"), &token).await)["meta"]
        .clone();
    assert_eq!(
        meta,
        json!({"page": 1, "per_page": 500, "total": 40, "total_pages": 1})
    );
    for (path, count) in [
        (
            "/api/v1/admin/users?tenant_id=tnt_umbra0001&per_page=100",
            16,
        ),
        ("/api/v1/admin/users/?search=ALICE", 1),
        ("/api/v1/admin/users/?status=DELETED", 0),
        ("/api/v1/admin/groups/", 6),
        ("/api/v1/admin/groups/grp_acme_staff/members/", 12),
        ("/api/v1/admin/tenants/", 2),
        ("/api/v1/admin/partners/", 1),
        ("/api/v1/admin/applications/?application_type=SERVICE", 2),
        (&effective(seed::UMBRA), 14),
        (&format!("{}?per_page=100", effective(seed::ACME)), 23),
    ] {
        assert_eq!(bench.rows(path, &token).await.len(), count, "{path}");
    }
    assert_eq!(
        bench
            .get_as("/api/v1/admin/users/?page=0", &token)
            .await
            .status(),
        422
    );
    assert_eq!(
        bench
            .get_as("/api/v1/admin/users/nobody", &token)
            .await
            .status(),
        404
    );
}

#[tokio::test]
async fn missing_scope_is_the_documented_403_and_the_member_walk_still_works() {
    let bench = Bench::start().await;
    if let Some(client) = bench
        .emulator
        .directory()
        .client_mut(seed::SERVICE_CLIENT_ID)
    {
        client.allowed_scopes = vec!["groups:read".to_owned()];
    }
    let token = bench.service_token().await;
    for path in [
        USERS.to_owned(),
        effective(seed::ACME),
        "/api/v1/admin/tenants/".to_owned(),
    ] {
        let response = bench.get_as(&path, &token).await;
        assert_eq!(response.status(), 403, "{path}");
        let told = json!({"detail": "Platform token requires admin:read or admin:write scope"});
        assert_eq!(support::json(&response), told);
    }
    assert_eq!(bench.rows("/api/v1/admin/groups/", &token).await.len(), 6);
    let members = bench
        .rows("/api/v1/admin/groups/grp_umbra_research/members", &token)
        .await;
    assert_eq!(members.len(), 8);
    assert_eq!(members[0]["membership_type"], "DIRECT");
}

#[tokio::test]
async fn callers_see_what_their_role_reaches() {
    let bench = Bench::with(|b| b.password_grant = true).await;
    for (email, count) in [
        ("olivia@acme.example", Some(40)),
        ("peggy@acme.example", Some(40)),
        ("alice@acme.example", Some(24)),
        ("bob@acme.example", None),
    ] {
        let token = bench.token_of(email).await;
        let path = format!("{USERS}?per_page=100");
        match count {
            Some(count) => assert_eq!(bench.rows(&path, &token).await.len(), count, "{email}"),
            None => assert_eq!(bench.get_as(&path, &token).await.status(), 403),
        }
    }
    assert_eq!(bench.get(USERS).await.status(), 401);
}

#[tokio::test]
async fn application_me_is_the_caller() {
    let bench = Bench::start().await;
    let (_, answer) = bench.token(&[("grant_type", "client_credentials")]).await;
    let token = text(&answer["access_token"]);
    let path = format!(
        "/api/v1/tenants/{}/applications/me/effective-users",
        seed::UMBRA
    );
    assert_eq!(bench.rows(&path, &token).await.len(), 14);
    bench
        .emulator
        .switches()
        .change(|b| b.application_me = false);
    assert_eq!(bench.get_as(&path, &token).await.status(), 404);
}

#[tokio::test]
async fn changes_of_the_directory_show() {
    let bench = Bench::start().await;
    let token = bench.service_token().await;
    {
        let mut directory = bench.emulator.directory();
        let zoe = directory.add_user(seed::UMBRA, "new@umbra.example", "New", "Person");
        directory.add_member("grp_umbra_staff", &zoe.id);
        directory.remove_user("usr_amir_umbra");
        directory.set_user_status("usr_bea_umbra", "DELETED");
    }
    let ids: Vec<Value> = bench
        .rows(&effective(seed::UMBRA), &token)
        .await
        .iter()
        .map(|row| row["id"].clone())
        .collect();
    assert_eq!(ids.len(), 13);
    assert!(ids.contains(&json!("usr_new_umbra")) && !ids.contains(&json!("usr_amir_umbra")));
}

#[tokio::test]
async fn envelopes_and_spellings_follow_the_switch() {
    let bench = Bench::start().await;
    let token = bench.service_token().await;
    for envelope in [
        ListEnvelope::Data,
        ListEnvelope::Items,
        ListEnvelope::BareArray,
    ] {
        bench
            .emulator
            .switches()
            .change(|b| b.list_envelope = envelope);
        assert_eq!(bench.rows(USERS, &token).await.len(), 20, "{envelope:?}");
    }
    for (shape, present, absent) in [
        (UserShape::Flat, "first_name", "tenant"),
        (UserShape::NestedTenant, "tenant", "tenant_id"),
        (UserShape::UserId, "display_name", "id"),
    ] {
        bench.emulator.switches().change(|b| b.user_shape = shape);
        let row = &bench.rows(USERS, &token).await[0];
        assert!(
            !row[present].is_null() && row[absent].is_null(),
            "{shape:?}: {row}"
        );
    }
}

#[tokio::test]
async fn directory_lies_show_in_pages() {
    use DirectoryLie::*;
    let bench = Bench::start().await;
    let token = bench.service_token().await;
    let page = |n: u32| format!("{USERS}?page={n}&per_page=10");
    let honest = bench.rows(&page(2), &token).await;
    for (lie, path, status, count) in [
        (Empty, page(1), 200, 0),
        (Shrunk, page(2), 200, 3),
        (LaterPagesFail, page(2), 500, 0),
        (LaterPagesEmpty, page(2), 200, 0),
        (EndlessPages, page(9), 200, 10),
        (RowTwice, page(2), 200, 10),
        (RowLost, page(4), 200, 9),
        (NoMetaValid, page(1), 200, 10),
        (MetaTotalString, page(1), 200, 10),
        (PageSizeIgnored, page(1), 200, 7),
        (RowsWithoutId, page(1), 200, 10),
        (NullRow, page(1), 200, 11),
        (
            ForeignTenantRow,
            format!("{USERS}?tenant_id=tnt_umbra0001&per_page=50"),
            200,
            17,
        ),
        (
            SlashRedirectValid,
            page(1).replace("users/", "users"),
            307,
            0,
        ),
        (EffectiveUsersForbidden, effective(seed::ACME), 403, 0),
    ] {
        bench.emulator.switches().set(Deviation::Directory(lie));
        let response = bench.get_as(&path, &token).await;
        assert_eq!(response.status(), status, "{lie:?}");
        if status == 200 {
            assert_eq!(bench.rows(&path, &token).await.len(), count, "{lie:?}");
        }
        bench.emulator.switches().clear(Deviation::Directory(lie));
    }
    assert_eq!(bench.rows(&page(2), &token).await, honest);
}

#[tokio::test]
async fn per_page_is_cut_to_the_switch() {
    let bench = Bench::start().await;
    let token = bench.service_token().await;
    let told = async |path: &str| {
        support::json(&bench.get_as(path, &token).await)["meta"]["per_page"].clone()
    };
    assert_eq!(told(USERS).await, 20);
    assert_eq!(told(&format!("{USERS}?per_page=5000")).await, 1_000);
    bench.emulator.switches().change(|b| b.max_per_page = 30);
    assert_eq!(told(&format!("{USERS}?per_page=5000")).await, 30);
}

#[tokio::test]
async fn member_rows_name_the_person_in_each_spelling() {
    let bench = Bench::start().await;
    let token = bench.service_token().await;
    let path = "/api/v1/admin/groups/grp_umbra_admins/members";
    for (shape, id) in [
        (UserShape::Flat, json!("usr_sybil_umbra")),
        (UserShape::NestedTenant, json!("usr_sybil_umbra")),
        (UserShape::UserId, Value::Null),
    ] {
        bench.emulator.switches().change(|b| b.user_shape = shape);
        let row = &bench.rows(path, &token).await[0];
        assert_eq!(row["user_id"], "usr_sybil_umbra", "{shape:?}");
        assert_eq!(row["id"], id, "{shape:?}");
        assert_eq!(row["email"], "sybil@umbra.example", "{shape:?}");
        assert_eq!(row["membership_type"], "DIRECT", "{shape:?}");
    }
}

#[tokio::test]
async fn member_count_is_the_length_of_the_member_list() {
    let bench = Bench::start().await;
    let token = bench.service_token().await;
    {
        let mut directory = bench.emulator.directory();
        directory.set_user_status("usr_sybil_umbra", "DELETED");
        directory.add_member("grp_umbra_staff", "usr_nobody");
    }
    for group in bench.rows("/api/v1/admin/groups/", &token).await {
        let path = format!(
            "/api/v1/admin/groups/{}/members?per_page=100",
            text(&group["id"])
        );
        let members = bench.rows(&path, &token).await;
        assert_eq!(group["member_count"], members.len(), "{group}");
    }
}

#[tokio::test]
async fn only_groups_are_refused_when_the_switch_says_so() {
    let bench = Bench::start().await;
    let token = bench.service_token().await;
    let lie = Deviation::Directory(DirectoryLie::GroupsForbidden);
    bench.emulator.switches().set(lie);
    for path in [
        "/api/v1/admin/groups/",
        "/api/v1/admin/groups/grp_acme_staff",
        "/api/v1/admin/groups/grp_acme_staff/members/",
    ] {
        let response = bench.get_as(path, &token).await;
        assert_eq!(response.status(), 403, "{path}");
        let told = json!({"detail": "Insufficient scope: groups:read required"});
        assert_eq!(support::json(&response), told, "{path}");
        assert_eq!(bench.get(path).await.status(), 401, "{path}");
    }
    assert_eq!(bench.rows(&effective(seed::UMBRA), &token).await.len(), 14);
    assert_eq!(bench.rows(USERS, &token).await.len(), 20);
    bench.emulator.switches().clear(lie);
    assert_eq!(bench.rows("/api/v1/admin/groups/", &token).await.len(), 6);
}

#[tokio::test]
async fn a_deleted_tenant_is_in_no_list() {
    let bench = Bench::start().await;
    let token = bench.service_token().await;
    let tenant = |d: &scaikey_emulator::Tenant| d.id == seed::UMBRA;
    if let Some(tenant) = bench
        .emulator
        .directory()
        .tenants
        .iter_mut()
        .find(|t| tenant(t))
    {
        "DELETED".clone_into(&mut tenant.status);
    }
    for (path, count) in [
        ("/api/v1/admin/tenants/", 1),
        ("/api/v1/admin/tenants/?status=DELETED", 1),
        ("/api/v1/admin/groups/", 3),
        ("/api/v1/admin/users/?per_page=100", 24),
    ] {
        assert_eq!(bench.rows(path, &token).await.len(), count, "{path}");
    }
    for path in [
        "/api/v1/admin/users/usr_sybil_umbra".to_owned(),
        "/api/v1/admin/groups/grp_umbra_staff/members".to_owned(),
        effective(seed::UMBRA),
    ] {
        assert_eq!(bench.get_as(&path, &token).await.status(), 404, "{path}");
    }
}

#[tokio::test]
async fn nested_groups_and_cycles_of_them_give_access_once() {
    let bench = Bench::start().await;
    let token = bench.service_token().await;
    let path = format!("{}?per_page=100", effective(seed::UMBRA));
    {
        let mut directory = bench.emulator.directory();
        let research = directory.group_mut("grp_umbra_research").unwrap();
        research.parent_id = Some("grp_umbra_staff".to_owned());
    }
    assert_eq!(bench.rows(&path, &token).await.len(), 16);
    {
        let mut directory = bench.emulator.directory();
        let staff = directory.group_mut("grp_umbra_staff").unwrap();
        staff.parent_id = Some("grp_umbra_research".to_owned());
        let groups = directory.groups_of("usr_otto_umbra");
        assert_eq!(groups.len(), 2);
    }
    assert_eq!(bench.rows(&path, &token).await.len(), 16);
}

#[tokio::test]
async fn an_administrator_creates_applications_as_far_as_the_role_reaches() {
    let bench = Bench::with(|b| b.password_grant = true).await;
    let path = "/api/v1/admin/applications/";
    let body = json!({
        "name": "scaigate backend", "application_type": "SERVICE", "scope": "GLOBAL",
        "allowed_scopes": ["admin:read", "admin:write"],
    });
    let olivia = bench.token_of("olivia@acme.example").await;
    let created = bench.send_as("POST", path, &olivia, &body).await;
    assert_eq!(created.status(), 201);
    let created = support::json(&created)["data"].clone();
    assert_eq!(created["allowed_scopes"], body["allowed_scopes"]);
    let grant = async |scope: &str| {
        let fields = [
            ("grant_type", "client_credentials"),
            ("client_id", created["client_id"].as_str().unwrap()),
            ("client_secret", created["client_secret"].as_str().unwrap()),
            ("scope", scope),
        ];
        support::json(&bench.form("/api/v1/platform/oauth/token", &fields).await)
    };
    let token = text(&grant("").await["access_token"]);
    assert_eq!(grant("").await["scope"], "admin:read admin:write");
    assert_eq!(grant("admin:read users:read").await["scope"], "admin:read");
    let shown = bench
        .get_as(&format!("{path}{}", text(&created["id"])), &token)
        .await;
    assert!(support::json(&shown)["data"]["client_secret"].is_null());

    let alice = bench.token_of("alice@acme.example").await;
    let bob = bench.token_of("bob@acme.example").await;
    let reader = bench.service_token().await;
    let own = json!({"name": "x", "scope": "TENANT", "tenant_id": seed::ACME});
    let foreign = json!({"name": "x", "scope": "TENANT", "tenant_id": seed::UMBRA});
    let partner = json!({"name": "x", "scope": "PARTNER", "partner_id": seed::PARTNER});
    let peggy = bench.token_of("peggy@acme.example").await;
    for (case, token, body, status) in [
        ("global by a tenant admin", &alice, &body, 403),
        ("global by a partner admin", &peggy, &body, 403),
        ("own tenant", &alice, &own, 201),
        ("foreign tenant", &alice, &foreign, 403),
        ("partner by a tenant admin", &alice, &partner, 403),
        ("partner by its admin", &peggy, &partner, 201),
        ("no role", &bob, &own, 403),
        ("no admin:write", &reader, &body, 403),
        ("admin:write", &token, &body, 201),
        ("no name", &olivia, &json!({"scope": "GLOBAL"}), 422),
        (
            "unknown type",
            &olivia,
            &json!({"name": "x", "application_type": "ROBOT"}),
            422,
        ),
        (
            "no tenant",
            &olivia,
            &json!({"name": "x", "scope": "TENANT"}),
            422,
        ),
    ] {
        let response = bench.send_as("POST", path, token, body).await;
        assert_eq!(response.status(), status, "{case}");
    }
}
