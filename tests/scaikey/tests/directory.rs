//! The admin API, effective users, self-registration and webhooks.

mod support;

use bytes::Bytes;
use http::Request;
use scaikey_emulator::{
    Deviation, DirectoryLie, Envelope, ListEnvelope, UserShape, WebhookEvent, plain_http, seed,
    sign_webhook,
};
use serde_json::{Value, json};
use support::{Bench, START, text};

const USERS: &str = "/api/v1/admin/users/";

fn effective(tenant: &str) -> String {
    format!("/api/v1/tenants/{tenant}/applications/app_scaigate0001/effective-users")
}

async fn rows(bench: &Bench, path: &str, token: &str) -> Vec<Value> {
    let response = bench.get_as(path, token).await;
    assert_eq!(
        response.status(),
        200,
        "{path}: {}",
        String::from_utf8_lossy(response.body())
    );
    let body = support::json(&response);
    let list = if body.is_array() {
        &body
    } else if body["items"].is_array() {
        &body["items"]
    } else {
        &body["data"]
    };
    list.as_array().cloned().unwrap_or_default()
}

#[tokio::test]
async fn lists_page_through_everything() {
    let bench = Bench::start().await;
    let token = bench.service_token().await;
    let mut seen = Vec::new();
    for page in 1.. {
        let batch = rows(&bench, &format!("{USERS}?page={page}&per_page=15"), &token).await;
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
        json!({"page": 1, "per_page": 100, "total": 40, "total_pages": 1})
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
        ("/api/v1/admin/applications/?application_type=SERVICE", 2),
        (&effective(seed::UMBRA), 14),
        (&format!("{}?per_page=100", effective(seed::ACME)), 23),
    ] {
        assert_eq!(rows(&bench, path, &token).await.len(), count, "{path}");
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
    assert_eq!(rows(&bench, "/api/v1/admin/groups/", &token).await.len(), 6);
    let members = rows(
        &bench,
        "/api/v1/admin/groups/grp_umbra_research/members",
        &token,
    )
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
        let fields = [
            ("grant_type", "password"),
            ("username", email),
            ("password", seed::PASSWORD),
        ];
        let token = text(&bench.token(&fields).await.1["access_token"]);
        let path = format!("{USERS}?per_page=100");
        match count {
            Some(count) => assert_eq!(rows(&bench, &path, &token).await.len(), count, "{email}"),
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
    assert_eq!(rows(&bench, &path, &token).await.len(), 14);
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
    let ids: Vec<Value> = rows(&bench, &effective(seed::UMBRA), &token)
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
        assert_eq!(rows(&bench, USERS, &token).await.len(), 20, "{envelope:?}");
    }
    for (shape, present, absent) in [
        (UserShape::Flat, "first_name", "tenant"),
        (UserShape::NestedTenant, "tenant", "tenant_id"),
        (UserShape::UserId, "display_name", "id"),
    ] {
        bench.emulator.switches().change(|b| b.user_shape = shape);
        let row = &rows(&bench, USERS, &token).await[0];
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
    let honest = rows(&bench, &page(2), &token).await;
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
            assert_eq!(rows(&bench, &path, &token).await.len(), count, "{lie:?}");
        }
        bench.emulator.switches().clear(Deviation::Directory(lie));
    }
    assert_eq!(rows(&bench, &page(2), &token).await, honest);
}

#[tokio::test]
async fn self_registration_is_approved_and_collected_once() {
    let bench = Bench::start().await;
    let body =
        json!({"name": "new app", "redirect_uris": ["https://new.example/cb"], "scope": "GLOBAL"});
    let request = Request::post(bench.url("/api/v1/public/register/applications"))
        .header("content-type", "application/json")
        .body(Bytes::from(body.to_string()))
        .unwrap();
    let created = plain_http::send(request).await.unwrap();
    assert_eq!(created.status(), 201);
    let created = support::json(&created);
    let id = text(&created["request_id"]);
    let path = format!(
        "/api/v1/public/register/applications/{id}?status_token={}",
        text(&created["status_token"])
    );
    assert_eq!(support::json(&bench.get(&path).await)["status"], "PENDING");
    assert!(bench.emulator.decide_registration(&id, true));
    let first = support::json(&bench.get(&path).await);
    assert_eq!(first["status"], "APPROVED");
    assert!(first["client_secret"].is_string());
    assert!(
        support::json(&bench.get(&path).await)["client_secret"].is_null(),
        "credentials come once"
    );
    assert_eq!(
        bench
            .get(&path.replace("status_token=", "status_token=x"))
            .await
            .status(),
        404
    );
    let fields = [
        ("grant_type", "client_credentials"),
        ("scope", "openid"),
        ("client_id", first["client_id"].as_str().unwrap()),
        ("client_secret", first["client_secret"].as_str().unwrap()),
    ];
    assert_eq!(
        bench
            .form("/api/v1/platform/oauth/token", &fields)
            .await
            .status(),
        200
    );
}

#[tokio::test]
async fn webhooks_arrive_signed_in_each_envelope() {
    let bench = Bench::start().await;
    // Any endpoint records what arrives; this one answers 404.
    let target = bench.url("/hook");
    for (envelope, id_field) in [
        (Envelope::ScaiKey, "event_id"),
        (Envelope::Short, "event_id"),
        (Envelope::ScaiFlow, "id"),
    ] {
        let mut event = WebhookEvent::new("user.created", "usr_x");
        event.envelope = envelope;
        event.tenant_id = Some(seed::ACME.to_owned());
        event.data = json!({"id": "usr_x", "email": "x@acme.example"});
        let answer = bench
            .emulator
            .send_webhook(&target, "hook-secret", &event)
            .await
            .unwrap();
        assert_eq!(answer.status(), 404);
        let seen = bench.emulator.recorder().requests().pop().unwrap();
        let body: Value = serde_json::from_slice(&seen.body).unwrap();
        assert_eq!(body[id_field], event.id.as_str());
        let signature = format!(
            "t={START},v1={}",
            sign_webhook("hook-secret", START, &seen.body)
        );
        assert_eq!(seen.header("X-ScaiKey-Signature"), Some(signature.as_str()));
        assert_eq!(seen.header("X-ScaiKey-Event-ID"), Some(event.id.as_str()));
        assert_eq!(seen.header("user-agent"), Some("ScaiKey-Webhook/1.0"));
    }
}
