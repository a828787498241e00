//! Section 5.2: the browser's cookie, and what pages on other origins may do.

use http::{Method, Request, header};
use scaigate_e2e::address::{parameter, path_and_query};
use scaigate_e2e::{Answer, Setup, World};
use serde_json::{Value, json};

const ALICE: &str = "alice@acme.example";
const PUBLIC: &str = "https://gate.example";

fn production() -> Setup {
    Setup::default().variable("public_url", PUBLIC).variable("env", "prod").variable(
        "app_url",
        "https://app.example/done",
    )
}

async fn send(world: &World, method: Method, path: &str, headers: &[(&str, &str)], body: &Value) -> Answer {
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
    world.client.send(request.body(body).expect("a request")).await
}

/// The attributes of the one cookie an answer sets, in lower case, and its name and value.
fn cookie(answer: &Answer) -> (String, String, Vec<String>) {
    let all: Vec<_> = answer.headers.get_all(header::SET_COOKIE).iter().collect();
    assert_eq!(all.len(), 1, "{all:?}");
    let mut parts = all[0].to_str().expect("text").split(';').map(str::trim);
    let (name, value) = parts.next().and_then(|pair| pair.split_once('=')).expect("a pair");
    let mut attributes: Vec<String> = parts.map(str::to_ascii_lowercase).collect();
    attributes.sort();
    (name.to_owned(), value.to_owned(), attributes)
}

#[tokio::test(flavor = "multi_thread")]
async fn n_022_the_cookie_from_before_the_sign_in_is_no_session() {
    let world = World::start().await;
    let browser = world.browser();
    let first = world.session_code(&browser, &json!({}), ALICE).await;
    let kept = browser.cookie("scaigate_login").expect("a cookie");
    let second = world.session_code(&browser, &json!({}), "bob@acme.example").await;
    let (first, second) = (world.redeem(&first).await.json(), world.redeem(&second).await.json());
    assert_ne!(first["refresh_token"], second["refresh_token"]);
    assert_ne!(first["access_token"], second["access_token"]);
    for path in ["/v1/me", "/v1/me/workspaces", "/v1/auth/whoami"] {
        browser.fetch(path).await.assert_problem(401, "authentication_required");
        world.client.get(path, Some(&kept)).await.assert_problem(401, "token_invalid");
    }
    for session in [&first, &second] {
        assert!(!session.to_string().contains(&kept), "a session is made of nothing from before");
    }
    // Signing out does not need it, and knowing it ends nothing.
    let out = browser.post("/v1/auth/logout", &json!({})).await;
    out.assert_problem(401, "authentication_required");
    let me = world.client.get("/v1/me", first["access_token"].as_str()).await;
    assert_eq!(me.json()["email"], ALICE);
}

#[tokio::test(flavor = "multi_thread")]
async fn n_022_a_planted_cookie_that_is_not_ours_is_replaced() {
    let world = World::start().await;
    let long = "A".repeat(44);
    for planted in ["chosen-by-the-attacker", "x", long.as_str(), "ses_0123456789012345678901234567890123456789"] {
        let browser = world.browser();
        browser.set_cookie("scaigate_login", planted);
        let back = world.authorize(&browser, &json!({}), ALICE).await;
        let own = browser.cookie("scaigate_login").expect("a cookie");
        assert_ne!(own, planted);
        assert_eq!(own.len(), 43);
        assert_eq!(browser.get(&back).await.status, 303);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn n_023_on_loopback_in_development_the_cookie_is_as_strict_as_http_allows() {
    let world = World::start().await;
    for begun in [world.client.post("/v1/auth/login", &json!({})).await, world.client.get("/v1/auth/login", None).await] {
        let (name, value, attributes) = cookie(&begun);
        assert_eq!((name.as_str(), value.len()), ("scaigate_login", 43));
        assert_eq!(attributes, ["httponly", "max-age=600", "path=/", "samesite=lax"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn n_023_in_production_the_cookie_is_host_bound_and_the_other_name_is_nothing() {
    let world = World::with(production()).await;
    let begun = send(&world, Method::POST, "/v1/auth/login", &[("host", "gate.example")], &json!({})).await;
    assert_eq!(begun.status, 200, "{}", begun.text());
    let (name, value, attributes) = cookie(&begun);
    assert_eq!((name.as_str(), value.len()), ("__Host-scaigate_login", 43));
    assert_eq!(attributes, ["httponly", "max-age=600", "path=/", "samesite=lax", "secure"]);
    let url = begun.json()["authorize_url"].as_str().expect("a URL").to_owned();
    assert_eq!(parameter(&url, "redirect_uri"), "https://gate.example/v1/auth/callback");
    let back = world.scaikey.sign_in(&url, ALICE).await.expect("signed in");
    assert!(back.starts_with(PUBLIC), "{back}");
    let path = path_and_query(&back);
    for pretended in [format!("scaigate_login={value}"), format!("__host-scaigate_login={value}"), format!("__Secure-scaigate_login={value}")] {
        let headers = [("host", "gate.example"), ("cookie", pretended.as_str())];
        let answer = send(&world, Method::GET, &path, &headers, &Value::Null).await;
        answer.assert_problem(400, "state_other_browser");
    }
    let own = format!("__Host-scaigate_login={value}");
    let headers = [("host", "gate.example"), ("cookie", own.as_str())];
    let answer = send(&world, Method::GET, &path, &headers, &Value::Null).await;
    assert_eq!(answer.status, 303, "{}", answer.text());
    assert!(answer.location().starts_with("https://app.example/done?session_code="), "{}", answer.location());
    let session = world.redeem(&answer.location_parameter("session_code")).await;
    assert_eq!(session.status, 200, "{}", session.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn n_023_settings_that_would_weaken_the_cookie_are_refused() {
    for (public_url, env) in [
        ("http://gate.example", "prod"),
        ("http://gate.example", "dev"),
        ("http://127.0.0.1:3000", "prod"),
        ("http://127.0.0.1:3000", ""),
        (PUBLIC, "dev"),
    ] {
        let setup = Setup::default().variable("public_url", public_url).variable("env", env);
        let world = World::with(setup).await;
        let answer = world.client.post("/v1/auth/login", &json!({})).await;
        answer.assert_problem(503, "configuration_invalid");
        assert!(!answer.headers.contains_key(header::SET_COOKIE));
    }
}

/// A request that changes something: path, body.
type Changing = (&'static str, Value);

#[tokio::test(flavor = "multi_thread")]
async fn n_024_pages_elsewhere_change_nothing() {
    let world = World::start().await;
    let code = world.session_code(&world.browser(), &json!({}), ALICE).await;
    let session = world.sign_in("bob@acme.example").await;
    let refresh_token = session["refresh_token"].clone();
    let changing: [Changing; 5] = [
        ("/auth/login", json!({})),
        ("/auth/token", json!({ "session_code": code })),
        ("/auth/exchange", json!({ "code": "c", "code_verifier": "v".repeat(43), "redirect_uri": World::APP_REDIRECT_URI })),
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
    .chain([vec![("origin", "https://app.example".to_owned()), ("origin", "https://evil.example".to_owned())]])
    .collect();
    let before = world.scaikey.recorder().total();
    for prefix in ["/v1", "/api/v1"] {
        for (path, body) in &changing {
            for headers in &foreign {
                let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
                let answer = send(&world, Method::POST, &format!("{prefix}{path}"), &headers, body).await;
                answer.assert_problem(403, "origin_not_allowed");
                assert!(!answer.headers.contains_key("access-control-allow-origin"), "{headers:?}");
                assert!(!answer.headers.contains_key(header::SET_COOKIE), "{headers:?}");
            }
        }
    }
    assert_eq!(world.scaikey.recorder().total(), before);
    // Nothing was done: all of it still works, from the app's pages and from our own.
    for (path, body, headers) in [
        ("/v1/auth/token", &changing[1].1, [("origin", "https://app.example")]),
        ("/v1/auth/refresh", &changing[3].1, [("origin", own.as_str())]),
        ("/v1/auth/logout", &changing[4].1, [("sec-fetch-site", "same-origin")]),
        ("/v1/auth/login", &changing[0].1, [("origin", "http://127.0.0.1:5173")]),
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
    let query = format!("refresh_token={}", session["refresh_token"].as_str().expect("a token"));
    for method in [Method::GET, Method::HEAD, Method::PUT, Method::DELETE, Method::PATCH] {
        for path in ["/v1/auth/logout".to_owned(), format!("/v1/auth/logout?{query}"), format!("/api/v1/auth/logout?{query}")] {
            let headers = [("authorization", bearer.as_str())];
            let answer = send(&world, method.clone(), &path, &headers, &Value::Null).await;
            assert_eq!((answer.status.as_u16(), answer.header("allow")), (405, "POST"), "{method} {path}");
            if method == Method::GET {
                answer.assert_problem(405, "method_not_allowed");
            }
        }
    }
    // A query is no body.
    let answer = send(&world, Method::POST, &format!("/v1/auth/logout?{query}"), &[], &json!({})).await;
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
    let bearer = format!("Bearer {}", session["access_token"].as_str().expect("a token"));
    for path in ROUTES {
        for origin in ["https://app.example", "http://127.0.0.1:5173", world.url.as_str()] {
            let headers = [
                ("origin", origin),
                ("access-control-request-method", "POST"),
                ("access-control-request-headers", "authorization, content-type"),
            ];
            let answer = send(&world, Method::OPTIONS, path, &headers, &Value::Null).await;
            assert_eq!((answer.status.as_u16(), answer.body.len()), (204, 0), "{path} {origin}");
            assert_eq!(answer.header("access-control-allow-origin"), origin);
            assert_eq!(answer.header("access-control-allow-credentials"), "true");
            assert!(answer.header("access-control-allow-methods").contains("POST"));
            assert!(answer.header("access-control-allow-headers").contains("authorization"));
            assert!(answer.header("vary").to_ascii_lowercase().contains("origin"));
        }
        for origin in ["https://evil.example", "null", "*", "https://app.example.evil.example", "http://app.example", "https://app.example."] {
            let preflight = [("origin", origin), ("access-control-request-method", "POST")];
            let refused = send(&world, Method::OPTIONS, path, &preflight, &Value::Null).await;
            refused.assert_problem(403, "origin_not_allowed");
            let read = [("origin", origin), ("authorization", bearer.as_str())];
            let read = send(&world, Method::GET, path, &read, &Value::Null).await;
            for answer in [refused, read] {
                for name in answer.headers.keys() {
                    assert!(!name.as_str().starts_with("access-control-"), "{path} {origin}: {name}");
                }
                assert!(answer.headers.get_all("vary").iter().any(|vary| vary == "Origin"));
            }
        }
        let unnamed = send(&world, Method::OPTIONS, path, &[], &Value::Null).await;
        assert_eq!(unnamed.status, 405, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn n_027_a_tampered_cookie_is_no_cookie() {
    let world = World::start().await;
    let browser = world.browser();
    let back = world.authorize(&browser, &json!({}), ALICE).await;
    let own = browser.cookie("scaigate_login").expect("a cookie");
    let path = path_and_query(&back);
    let other = if own.ends_with('A') { "B" } else { "A" };
    let mut tampered = vec![
        format!("scaigate_login={}", &own[..42]),
        format!("scaigate_login={}{other}", &own[..42]),
        format!("scaigate_login={own}A"),
        format!("scaigate_login={own}="),
        format!("scaigate_login=\"{own}\""),
        format!("scaigate_login={}{}", &own[20..], &own[..20]),
        format!("scaigate_login={}", own.chars().rev().collect::<String>()),
        format!("scaigate_login={}", own.to_ascii_lowercase()),
        format!("scaigate_login%3D{own}"),
        format!("Scaigate_login={own}"),
        format!("xscaigate_login={own}"),
        format!("scaigate_login.0={own}"),
        format!("scaigate_login_chunks=99999999999999999999; scaigate_login_0={own}"),
        format!("scaigate_login={own}; scaigate_login={own}"),
        format!("scaigate_login={own}; scaigate_login="),
        format!("scaigate_login={own}, x=y"),
        format!("__Host-scaigate_login={own}"),
        "scaigate_login=".to_owned(),
        "scaigate_login".to_owned(),
        "=".to_owned(),
        ";;;;".to_owned(),
        format!("scaigate_login={}", "A".repeat(43)),
        format!("scaigate_login={}", "A".repeat(20_000)),
        format!("{}scaigate_login={own}", "x=y; ".repeat(4000)),
        format!("scaigate_login={}", parameter(&back, "state")),
        format!("scaigate_login=ö{own}"),
    ];
    tampered.push(format!("scaigate_login={own}\u{e4}"));
    for tampered in &tampered {
        let request = Request::get(&path)
            .header(header::COOKIE, http::HeaderValue::from_bytes(tampered.as_bytes()).expect("a header"))
            .body(Default::default())
            .expect("a request");
        world.client.send(request).await.assert_problem(400, "state_other_browser");
    }
    // Two Cookie headers that disagree, as HTTP/2 allows to send them.
    let request = Request::get(&path)
        .header(header::COOKIE, format!("scaigate_login={own}"))
        .header(header::COOKIE, "scaigate_login=planted")
        .body(Default::default())
        .expect("a request");
    world.client.send(request).await.assert_problem(400, "state_other_browser");
    assert_eq!(world.scaikey.recorder().count_grant("authorization_code"), 0);
    let among = format!("a=b; scaigate_login={own};c");
    let answer = send(&world, Method::GET, &path, &[("cookie", &among)], &Value::Null).await;
    assert_eq!(answer.status, 303, "{}", answer.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn n_037_n_038_nothing_is_framed_and_nothing_personal_is_cached() {
    let world = World::start().await;
    let browser = world.browser();
    let code = world.session_code(&browser, &json!({}), ALICE).await;
    let session = world.redeem(&code).await;
    let token = session.json()["access_token"].as_str().expect("a token").to_owned();
    let mut answers = vec![session];
    for path in ["/v1/me", "/v1/me/workspaces", "/v1/auth/whoami", "/api/v1/me"] {
        answers.push(world.client.get(path, Some(&token)).await);
        answers.push(world.client.get(path, None).await);
    }
    for path in ["/v1/nothing", "/v1/admin/users", "/v1/auth/login", "/v1/auth/callback", "/v1/auth/callback?code=c&state=s"] {
        answers.push(browser.get(path).await);
        answers.push(browser.fetch(path).await);
    }
    let refresh_token = answers[0].json()["refresh_token"].clone();
    answers.push(world.client.post("/v1/auth/login", &json!({})).await);
    answers.push(world.client.post("/v1/auth/refresh", &json!({ "refresh_token": refresh_token })).await);
    answers.push(world.client.post("/v1/auth/logout", &json!({ "refresh_token": refresh_token })).await);
    for answer in &answers {
        assert_eq!(answer.header("cache-control"), "no-store", "{}", answer.text());
    }
    let config = world.client.get("/v1/auth/config", None).await;
    assert_eq!(config.header("cache-control"), "public, max-age=60", "what is the same for everybody");
    answers.push(config);
    for answer in &answers {
        assert_eq!(answer.header("x-frame-options"), "DENY");
        assert!(answer.header("content-security-policy").contains("frame-ancestors 'none'"));
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(answer.header("referrer-policy"), "no-referrer");
    }
}
