//! Self-registration.

mod support;

use bytes::Bytes;
use http::Request;
use scaikey_emulator::plain_http;
use serde_json::json;
use support::{Bench, text};

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
