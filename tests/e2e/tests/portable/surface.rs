//! What every answer has: the one body of failures, methods, request ids, lengths.

use bytes::Bytes;
use http::Request;
use scaigate_e2e::{Answer, World};
use serde_json::json;

async fn send(world: &World, method: &str, path: &str) -> Answer {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .body(Bytes::new());
    world.client.send(request.expect("a request")).await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_exist_is_404_and_what_is_not_built_yet_is_501() {
    let world = World::start().await;
    for (path, status, code) in [
        ("/v1", 404, "not_found"),
        ("/v1/", 404, "not_found"),
        ("/v1/nothing", 404, "not_found"),
        ("/v1/me/nothing", 404, "not_found"),
        ("/v1/auth", 404, "not_found"),
        ("/v1/auth/token/more", 404, "not_found"),
        ("/v1/healthy", 404, "not_found"),
        ("/v1/workspaces", 404, "not_found"),
        ("/v1/admin", 404, "not_found"),
        ("/v1/admin/audit/nothing", 404, "not_found"),
        ("/v1/health/nothing", 404, "not_found"),
        ("/v1/admin/tenant", 404, "not_found"),
        ("/v1/tenants/me", 404, "not_found"),
        ("/v1/webhooks", 404, "not_found"),
        ("/v1/flows/flow_1/sync", 501, "not_implemented"),
        ("/v1/flows/flow_1/run-tests?x=1", 501, "not_implemented"),
    ] {
        for method in ["GET", "POST", "DELETE"] {
            let answer = send(&world, method, path).await;
            answer.assert_problem(status, code);
            let instance = path.split('?').next().expect("a path");
            assert_eq!(answer.json()["instance"], instance);
            assert_eq!(answer.json()["type"], format!("/docs/errors#{code}"));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_method_that_an_address_does_not_take_is_405_with_allow() {
    let world = World::start().await;
    for (path, allow) in [
        ("/v1/auth/config", "GET"),
        ("/v1/auth/callback", "GET"),
        ("/v1/me", "GET"),
        ("/v1/me/workspaces", "GET"),
        ("/v1/auth/whoami", "GET"),
        ("/v1/auth/register", "POST"),
        ("/v1/auth/backchannel-logout", "POST"),
        ("/v1/workspace", "GET, PATCH"),
        ("/v1/auth/login", "GET, POST"),
        ("/v1/auth/exchange", "POST"),
        ("/v1/auth/token", "POST"),
        ("/v1/auth/refresh", "POST"),
        ("/v1/auth/logout", "POST"),
    ] {
        let taken: Vec<&str> = allow.split(", ").collect();
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "BREW"] {
            if taken.contains(&method) {
                continue;
            }
            for path in [path.to_owned(), format!("/api{path}")] {
                let answer = send(&world, method, &path).await;
                answer.assert_problem(405, "method_not_allowed");
                assert_eq!(answer.header("allow"), allow, "{method} {path}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_is_not_understood_is_refused() {
    let world = World::start().await;
    let big = "x".repeat(65_537);
    for path in [
        "/v1/auth/login",
        "/v1/auth/exchange",
        "/v1/auth/token",
        "/v1/auth/refresh",
        "/v1/auth/logout",
    ] {
        for (content_type, body, status, code) in [
            ("text/plain", "{}", 415, "unsupported_media_type"),
            (
                "multipart/form-data; boundary=x",
                "--x--",
                415,
                "unsupported_media_type",
            ),
            ("application/json", "{", 400, "invalid_request"),
            ("application/json", "[]", 400, "invalid_request"),
            (
                "application/json",
                r#"{"code":"a","code":"b"}"#,
                400,
                "invalid_request",
            ),
            (
                "application/x-www-form-urlencoded",
                "code=a&code=b",
                400,
                "invalid_request",
            ),
            (
                "application/x-www-form-urlencoded",
                &big,
                413,
                "payload_too_large",
            ),
        ] {
            let request = Request::post(path).header("content-type", content_type);
            let request = request
                .body(Bytes::from(body.to_owned()))
                .expect("a request");
            world
                .client
                .send(request)
                .await
                .assert_problem(status, code);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sane_request_id_is_kept_and_any_other_replaced() {
    let world = World::start().await;
    let mut seen = Vec::new();
    for path in ["/v1/auth/config", "/v1/me", "/v1/auth/login", "/v1/nothing"] {
        for (sent, kept) in [
            (Some("trace-0001.abc_DEF"), true),
            (Some(&*"x".repeat(64)), true),
            (Some(&*"x".repeat(65)), false),
            (Some("short"), false),
            (Some("has a space in it"), false),
            (Some("quote\"quote"), false),
            (None, false),
        ] {
            let mut request = Request::get(path);
            if let Some(sent) = sent {
                request = request.header("x-request-id", sent);
            }
            let answer = world
                .client
                .send(request.body(Bytes::new()).expect("a request"))
                .await;
            let id = answer.header("x-request-id").to_owned();
            if kept {
                assert_eq!(Some(id.as_str()), sent, "{path}");
            } else {
                assert!(id.starts_with("req_") && id.len() == 30, "{path}: {id}");
                assert!(!seen.contains(&id), "{id} twice");
                seen.push(id.clone());
            }
            if answer.status.is_client_error() {
                assert_eq!(answer.json()["error"]["request_id"], id);
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_says_how_long_it_is_and_may_not_be_sniffed_or_framed() {
    let world = World::start().await;
    let browser = world.browser();
    let session = world.sign_in("alice@acme.example").await;
    let token = session["access_token"].as_str();
    let refresh = json!({ "refresh_token": session["refresh_token"] });
    let back = world
        .authorize(&browser, &json!({}), "bob@acme.example")
        .await;
    let answers = [
        world.client.get("/v1/auth/config", None).await,
        world.client.get("/v1/me", token).await,
        world.client.get("/v1/me", None).await,
        world.client.get("/v1/me/workspaces", token).await,
        world.client.get("/v1/auth/whoami", token).await,
        world.client.get("/v1/nothing", None).await,
        world.client.get("/v1/admin/users", None).await,
        world.client.post("/v1/auth/login", &json!({})).await,
        world.client.post("/v1/auth/token", &json!({})).await,
        browser.get("/v1/auth/login").await,
        // A redirect, then a page for a person.
        browser.get(&back).await,
        browser.get(&back).await,
        world.client.post("/v1/auth/refresh", &refresh).await,
        world.client.post("/v1/auth/logout", &refresh).await,
    ];
    for (i, answer) in answers.iter().enumerate() {
        let length = answer.body.len().to_string();
        assert_eq!(
            answer.header("content-length"),
            length,
            "{i}: {}",
            answer.text()
        );
        assert_eq!(answer.header("transfer-encoding"), "", "{i}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{i}");
        assert!(!answer.header("x-request-id").is_empty(), "{i}");
        if answer.header("content-type").ends_with("json") {
            continue;
        }
        assert_eq!(answer.header("x-frame-options"), "DENY", "{i}");
        assert_eq!(answer.header("referrer-policy"), "no-referrer", "{i}");
        assert!(
            answer
                .header("content-security-policy")
                .contains("frame-ancestors 'none'"),
            "{i}"
        );
        assert!(!answer.header("cache-control").is_empty(), "{i}");
        assert!(
            answer.status.as_u16() < 500 || answer.status == 501,
            "{i}: {}",
            answer.text()
        );
    }
}
