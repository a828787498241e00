//! Self-registration: asked for, decided on, collected.

mod support;

use http::Response;
use scaikey_emulator::{Registration, seed};
use serde_json::{Value, json};
use support::{Bench, text};

const PATH: &str = "/api/v1/public/register/applications";

fn body() -> Value {
    json!({"name": "new app", "email": "ops@acme.example", "url": "https://new.example/cb"})
}

async fn ask(bench: &Bench, body: &Value) -> Response<bytes::Bytes> {
    bench.send_as("POST", PATH, "", body).await
}

/// A pending request: its id, and the path of its status.
async fn pending(bench: &Bench, body: &Value) -> (String, String) {
    let created = ask(bench, body).await;
    let told = String::from_utf8_lossy(created.body());
    assert_eq!(created.status(), 201, "{told}");
    let created = support::json(&created);
    assert_eq!(created["status"], "PENDING");
    let id = text(&created["request_id"]);
    let path = format!(
        "{PATH}/{id}?status_token={}",
        text(&created["status_token"])
    );
    (id, path)
}

async fn polled(bench: &Bench, path: &str) -> Value {
    support::json(&bench.get(path).await)
}

fn known(bench: &Bench, id: &str) -> Registration {
    let all = bench.emulator.registrations();
    all.into_iter().find(|r| r.request_id == id).unwrap()
}

#[tokio::test]
async fn approved_credentials_are_collected_once_and_work() {
    let bench = Bench::start().await;
    let mut body = body();
    body["allowed_scopes"] = json!(["openid", "admin:read", "admin:write"]);
    let (id, path) = pending(&bench, &body).await;
    let waiting = polled(&bench, &path).await;
    assert_eq!(waiting["status"], "PENDING");
    assert!(waiting["status_token"].is_null() && waiting["client_id"].is_null());
    assert!(bench.emulator.decide_registration(&id, true));
    assert!(!known(&bench, &id).collected);
    let first = polled(&bench, &path).await;
    assert_eq!(first["status"], "APPROVED");
    assert_eq!(first["issuer"], bench.emulator.base_url());
    assert!(first["client_secret"].is_string());
    assert!(known(&bench, &id).collected);
    let second = polled(&bench, &path).await;
    assert_eq!(second["status"], "APPROVED");
    for name in ["client_id", "client_secret", "app_id"] {
        assert!(second[name].is_null(), "{name}: credentials come once");
    }
    let foreign = path.replace("status_token=", "status_token=x");
    assert_eq!(bench.get(&foreign).await.status(), 404);
    let fields = [
        ("grant_type", "client_credentials"),
        ("client_id", first["client_id"].as_str().unwrap()),
        ("client_secret", first["client_secret"].as_str().unwrap()),
    ];
    let answer = bench.form("/api/v1/platform/oauth/token", &fields).await;
    assert_eq!(support::json(&answer)["scope"], "admin:read admin:write");
    let directory = bench.emulator.directory();
    let application = directory.client(first["client_id"].as_str().unwrap());
    let application = application.unwrap();
    assert_eq!(application.redirect_uris, ["https://new.example/cb"]);
    assert_eq!(application.id, text(&first["app_id"]));
}

#[tokio::test]
async fn what_is_decided_stays_decided() {
    let bench = Bench::start().await;
    let emulator = &bench.emulator;
    let (rejected, rejected_path) = pending(&bench, &body()).await;
    let (expired, expired_path) = pending(&bench, &body()).await;
    let (cancelled, cancelled_path) = pending(&bench, &body()).await;
    assert!(emulator.reject_registration(&rejected, "unknown to us"));
    assert!(emulator.expire_registration(&expired));
    let gone = bench
        .send_as("DELETE", &cancelled_path, "", &Value::Null)
        .await;
    assert_eq!(gone.status(), 204);
    for (id, path, status) in [
        (&rejected, &rejected_path, "REJECTED"),
        (&expired, &expired_path, "EXPIRED"),
        (&cancelled, &cancelled_path, "CANCELLED"),
    ] {
        assert!(!emulator.decide_registration(id, true), "{status}");
        let again = bench.send_as("DELETE", path, "", &Value::Null).await;
        assert_eq!(again.status(), 409, "{status}");
        let told = polled(&bench, path).await;
        assert_eq!(told["status"], status);
        assert!(told["client_id"].is_null(), "{status}");
        assert_eq!(known(&bench, id).status, status);
    }
    let told = polled(&bench, &rejected_path).await;
    assert_eq!(told["reason"], "unknown to us");
    assert_eq!(emulator.directory().applications.len(), 5);
}

#[tokio::test]
async fn nobody_decides_and_the_request_expires() {
    let bench = Bench::with(|b| b.registration_seconds = 600).await;
    let (id, path) = pending(&bench, &body()).await;
    bench.advance(599);
    assert_eq!(polled(&bench, &path).await["status"], "PENDING");
    bench.advance(1);
    assert_eq!(polled(&bench, &path).await["status"], "EXPIRED");
    assert!(!bench.emulator.decide_registration(&id, true));
}

#[tokio::test]
async fn a_request_is_understood_or_refused_with_the_field() {
    let bench = Bench::start().await;
    let with = |changes: Value| {
        let mut body = body();
        for (name, value) in changes.as_object().unwrap() {
            body[name] = value.clone();
        }
        body
    };
    for (body, field) in [
        (with(json!({"name": null})), "name"),
        (with(json!({"name": " "})), "name"),
        (with(json!({"email": null})), "email"),
        (with(json!({"email": "nobody"})), "email"),
        (with(json!({"url": null})), "redirect_uris"),
        (with(json!({"url": "not a url"})), "redirect_uris"),
        (with(json!({"scope": "WORLD"})), "scope"),
        (with(json!({"scope": "TENANT"})), "tenant"),
        (
            with(json!({"scope": "TENANT", "tenant": "nobody"})),
            "tenant",
        ),
        (with(json!({"scope": "PARTNER"})), "partner"),
        (
            with(json!({"application_type": "ROBOT"})),
            "application_type",
        ),
        (Value::Null, "name"),
    ] {
        let answer = ask(&bench, &body).await;
        assert_eq!(answer.status(), 422, "{body}");
        let told = support::json(&answer)["detail"][0]["loc"].clone();
        assert_eq!(told, json!(["body", field]), "{body}");
    }
    for (body, scope, tenant, partner) in [
        (with(json!({})), "GLOBAL", None, None),
        (
            with(json!({"scope": "tenant", "tenant": "acme"})),
            "TENANT",
            Some(seed::ACME),
            None,
        ),
        (
            with(json!({"scope": "PARTNER", "partner": "scai"})),
            "PARTNER",
            None,
            Some(seed::PARTNER),
        ),
        (
            with(json!({"url": null, "application_type": "SERVICE"})),
            "GLOBAL",
            None,
            None,
        ),
        (
            with(
                json!({"url": null, "redirect_uris": ["https://a.example/", "https://b.example/"]}),
            ),
            "GLOBAL",
            None,
            None,
        ),
    ] {
        let (id, _) = pending(&bench, &body).await;
        assert!(bench.emulator.decide_registration(&id, true), "{body}");
        let request = known(&bench, &id);
        assert_eq!(request.scope, scope);
        assert_eq!(request.email, "ops@acme.example");
        let directory = bench.emulator.directory();
        let application = directory.applications.last().unwrap();
        assert_eq!(Some(&application.id), request.application_id.as_ref());
        assert_eq!(application.tenant_id.as_deref(), tenant, "{body}");
        assert_eq!(application.partner_id.as_deref(), partner, "{body}");
    }
}

#[tokio::test]
async fn too_many_requests_in_a_minute_are_told_to_wait() {
    let bench = Bench::with(|b| b.registrations_per_minute = Some(2)).await;
    for status in [201, 201, 429, 429] {
        assert_eq!(ask(&bench, &body()).await.status(), status);
        bench.advance(10);
    }
    let refused = ask(&bench, &body()).await;
    assert_eq!(refused.status(), 429);
    assert!(support::json(&refused)["detail"].is_string());
    let wait = refused.headers()["retry-after"].to_str().unwrap();
    bench.advance(wait.parse().unwrap());
    assert_eq!(ask(&bench, &body()).await.status(), 201);
}

#[tokio::test]
async fn administrators_list_and_decide() {
    let bench = Bench::with(|b| b.password_grant = true).await;
    let (id, path) = pending(&bench, &body()).await;
    let (other, other_path) = pending(&bench, &body()).await;
    let admin = "/api/v1/admin/registration-requests";
    let olivia = bench.token_of("olivia@acme.example").await;
    let listed = bench
        .rows(&format!("{admin}/?status=PENDING"), &olivia)
        .await;
    assert_eq!(listed.len(), 2);
    assert_eq!(listed[0]["email"], "ops@acme.example");
    let bob = bench.token_of("bob@acme.example").await;
    let approve = format!("{admin}/{id}/approve");
    let refused = bench.send_as("POST", &approve, &bob, &Value::Null).await;
    assert_eq!(refused.status(), 403);
    let done = bench.send_as("POST", &approve, &olivia, &Value::Null).await;
    assert_eq!(done.status(), 200);
    let reject = format!("{admin}/{other}/reject");
    let why = json!({"reason": "no"});
    let done = bench.send_as("POST", &reject, &olivia, &why).await;
    assert_eq!(done.status(), 200);
    let again = bench.send_as("POST", &reject, &olivia, &why).await;
    assert_eq!(again.status(), 404);
    assert!(polled(&bench, &path).await["client_secret"].is_string());
    assert_eq!(polled(&bench, &other_path).await["reason"], "no");
}

#[tokio::test]
async fn the_control_endpoint_decides_for_tests_in_other_processes() {
    let bench = Bench::start().await;
    for (decision, status) in [
        ("approve", "APPROVED"),
        ("reject", "REJECTED"),
        ("expire", "EXPIRED"),
    ] {
        let (id, path) = pending(&bench, &body()).await;
        let control = format!("/_emulator/registrations/{id}");
        let command = json!({ "decision": decision });
        for expected in [204, 404] {
            let done = bench.send_as("POST", &control, "", &command).await;
            assert_eq!(done.status(), expected, "{decision}");
        }
        assert_eq!(polled(&bench, &path).await["status"], status);
        let all = polled(&bench, "/_emulator/registrations").await;
        let all = all["registrations"].as_array().cloned().unwrap();
        let this = all.iter().find(|r| r["request_id"] == id.as_str());
        assert_eq!(this.unwrap()["status"], status);
    }
    let unknown = bench
        .send_as("POST", "/_emulator/registrations/x", "", &json!({}))
        .await;
    assert_eq!(unknown.status(), 422);
}
