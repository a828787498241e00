//! Section 5.2: what pages on other origins may do.

use http::{Method, Request, header};
use scaigate_e2e::{Answer, World};
use serde_json::{Value, json};

const ALICE: &str = "alice@acme.example";

async fn send(
    world: &World,
    method: Method,
    path: &str,
    headers: &[(&str, &str)],
    body: &Value,
) -> Answer {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let body = if body.is_null() {
        Default::default()
    } else {
        request = request.header(header::CONTENT_TYPE, "application/json");
        body.to_string().into()
    };
    world
        .client
        .send(request.body(body).expect("a request"))
        .await
}

/// A request that changes something: path, body.
type Changing = (&'static str, Value);

#[tokio::test(flavor = "multi_thread")]
async fn n_024_pages_elsewhere_change_nothing() {
    let world = World::start().await;
    let code = world
        .session_code(&world.browser(), &json!({}), ALICE)
        .await;
    let session = world.sign_in("bob@acme.example").await;
    let refresh_token = session["refresh_token"].clone();
    let changing: [Changing; 5] = [
        ("/auth/login", json!({})),
        ("/auth/token", json!({ "session_code": code })),
        (
            "/auth/exchange",
            json!({ "code": "c", "code_verifier": "v".repeat(43), "redirect_uri": World::APP_REDIRECT_URI }),
        ),
        ("/auth/refresh", json!({ "refresh_token": refresh_token })),
        ("/auth/logout", json!({ "refresh_token": refresh_token })),
    ];
    let own = world.url.clone();
    let port = own.rsplit(':').next().unwrap_or_default();
    let foreign: Vec<Vec<(&str, String)>> = [
        "https://evil.example",
        "null",
        "https://app.example.evil.example",
        "https://evil-app.example",
        "http://app.example",
        "https://app.example:8443",
        "https://app.example/",
        "https://APP.example",
        "https://sub.app.example",
        "http://127.0.0.1:5174",
        "http://127.0.0.1",
        "",
        "https://app.example, https://evil.example",
        &format!("http://localhost:{port}"),
        &format!("https://127.0.0.1:{port}"),
    ]
    .into_iter()
    .map(|origin| vec![("origin", origin.to_owned())])
    .chain(["cross-site", "same-site"].map(|site| vec![("sec-fetch-site", site.to_owned())]))
    .chain([vec![
        ("origin", "https://app.example".to_owned()),
        ("origin", "https://evil.example".to_owned()),
    ]])
    .collect();
    let before = world.scaikey.recorder().total();
    for prefix in ["/v1", "/api/v1"] {
        for (path, body) in &changing {
            for headers in &foreign {
                let headers: Vec<(&str, &str)> = headers
                    .iter()
                    .map(|(name, value)| (*name, value.as_str()))
                    .collect();
                let answer = send(
                    &world,
                    Method::POST,
                    &format!("{prefix}{path}"),
                    &headers,
                    body,
                )
                .await;
                answer.assert_problem(403, "origin_not_allowed");
                assert!(
                    !answer.headers.contains_key("access-control-allow-origin"),
                    "{headers:?}"
                );
                assert!(
                    !answer.headers.contains_key(header::SET_COOKIE),
                    "{headers:?}"
                );
            }
        }
    }
    assert_eq!(world.scaikey.recorder().total(), before);
    // Nothing was done: all of it still works, from the app's pages and from our own.
    for (path, body, headers) in [
        (
            "/v1/auth/token",
            &changing[1].1,
            [("origin", "https://app.example")],
        ),
        (
            "/v1/auth/refresh",
            &changing[3].1,
            [("origin", own.as_str())],
        ),
        (
            "/v1/auth/logout",
            &changing[4].1,
            [("sec-fetch-site", "same-origin")],
        ),
        (
            "/v1/auth/login",
            &changing[0].1,
            [("origin", "http://127.0.0.1:5173")],
        ),
    ] {
        let answer = send(&world, Method::POST, path, &headers, body).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn n_025_nobody_is_signed_out_by_a_link() {
    let world = World::start().await;
    let session = world.sign_in(ALICE).await;
    let token = session["access_token"].as_str().expect("a token");
    let bearer = format!("Bearer {token}");
    let query = format!(
        "refresh_token={}",
        session["refresh_token"].as_str().expect("a token")
    );
    for method in [
        Method::GET,
        Method::HEAD,
        Method::PUT,
        Method::DELETE,
        Method::PATCH,
    ] {
        for path in [
            "/v1/auth/logout".to_owned(),
            format!("/v1/auth/logout?{query}"),
            format!("/api/v1/auth/logout?{query}"),
        ] {
            let headers = [("authorization", bearer.as_str())];
            let answer = send(&world, method.clone(), &path, &headers, &Value::Null).await;
            assert_eq!(
                (answer.status.as_u16(), answer.header("allow")),
                (405, "POST"),
                "{method} {path}"
            );
            if method == Method::GET {
                answer.assert_problem(405, "method_not_allowed");
            }
        }
    }
    // A query is no body.
    let answer = send(
        &world,
        Method::POST,
        &format!("/v1/auth/logout?{query}"),
        &[],
        &json!({}),
    )
    .await;
    answer.assert_problem(401, "authentication_required");
    world.advance(3);
    let me = world.client.get("/v1/me", Some(token)).await;
    assert_eq!(me.status, 200, "{}", me.text());
}

const ROUTES: [&str; 11] = [
    "/v1/auth/config",
    "/v1/auth/login",
    "/v1/auth/callback",
    "/v1/auth/token",
    "/v1/auth/exchange",
    "/v1/auth/refresh",
    "/v1/auth/logout",
    "/v1/me",
    "/v1/me/workspaces",
    "/v1/auth/whoami",
    "/api/v1/me",
];

#[tokio::test(flavor = "multi_thread")]
async fn n_026_only_known_origins_read_answers_and_pass_a_preflight() {
    let world = World::start().await;
    let session = world.sign_in(ALICE).await;
    let bearer = format!(
        "Bearer {}",
        session["access_token"].as_str().expect("a token")
    );
    for path in ROUTES {
        for origin in [
            "https://app.example",
            "http://127.0.0.1:5173",
            world.url.as_str(),
        ] {
            let headers = [
                ("origin", origin),
                ("access-control-request-method", "POST"),
                (
                    "access-control-request-headers",
                    "authorization, content-type",
                ),
            ];
            let answer = send(&world, Method::OPTIONS, path, &headers, &Value::Null).await;
            assert_eq!(
                (answer.status.as_u16(), answer.body.len()),
                (204, 0),
                "{path} {origin}"
            );
            assert_eq!(answer.header("access-control-allow-origin"), origin);
            assert_eq!(answer.header("access-control-allow-credentials"), "true");
            assert!(
                answer
                    .header("access-control-allow-methods")
                    .contains("POST")
            );
            assert!(
                answer
                    .header("access-control-allow-headers")
                    .contains("authorization")
            );
            assert!(
                answer
                    .header("vary")
                    .to_ascii_lowercase()
                    .contains("origin")
            );
        }
        for origin in [
            "https://evil.example",
            "null",
            "*",
            "https://app.example.evil.example",
            "http://app.example",
            "https://app.example.",
        ] {
            let preflight = [
                ("origin", origin),
                ("access-control-request-method", "POST"),
            ];
            let refused = send(&world, Method::OPTIONS, path, &preflight, &Value::Null).await;
            refused.assert_problem(403, "origin_not_allowed");
            let read = [("origin", origin), ("authorization", bearer.as_str())];
            let read = send(&world, Method::GET, path, &read, &Value::Null).await;
            for answer in [refused, read] {
                for name in answer.headers.keys() {
                    assert!(
                        !name.as_str().starts_with("access-control-"),
                        "{path} {origin}: {name}"
                    );
                }
                assert!(
                    answer
                        .headers
                        .get_all("vary")
                        .iter()
                        .any(|vary| vary == "Origin")
                );
            }
        }
        let unnamed = send(&world, Method::OPTIONS, path, &[], &Value::Null).await;
        assert_eq!(unnamed.status, 405, "{path}");
    }
}
