//! Section 5.2: the browser's cookie, and what an answer lets a browser do.

use http::{Method, Request, header};
use scaigate_e2e::address::{parameter, path_and_query};
use scaigate_e2e::{Answer, Setup, World};
use serde_json::{Value, json};

const ALICE: &str = "alice@acme.example";
const PUBLIC: &str = "https://gate.example";

fn production() -> Setup {
    Setup::default()
        .variable("public_url", PUBLIC)
        .variable("env", "prod")
        .variable("app_url", "https://app.example/done")
}

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

/// The attributes of the one cookie an answer sets, in lower case, and its name and value.
fn cookie(answer: &Answer) -> (String, String, Vec<String>) {
    let all: Vec<_> = answer.headers.get_all(header::SET_COOKIE).iter().collect();
    assert_eq!(all.len(), 1, "{all:?}");
    let mut parts = all[0].to_str().expect("text").split(';').map(str::trim);
    let (name, value) = parts
        .next()
        .and_then(|pair| pair.split_once('='))
        .expect("a pair");
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
    let second = world
        .session_code(&browser, &json!({}), "bob@acme.example")
        .await;
    let (first, second) = (
        world.redeem(&first).await.json(),
        world.redeem(&second).await.json(),
    );
    assert_ne!(first["refresh_token"], second["refresh_token"]);
    assert_ne!(first["access_token"], second["access_token"]);
    for path in ["/v1/me", "/v1/me/workspaces", "/v1/auth/whoami"] {
        browser
            .fetch(path)
            .await
            .assert_problem(401, "authentication_required");
        world
            .client
            .get(path, Some(&kept))
            .await
            .assert_problem(401, "token_invalid");
    }
    for session in [&first, &second] {
        assert!(
            !session.to_string().contains(&kept),
            "a session is made of nothing from before"
        );
    }
    // Signing out does not need it, and knowing it ends nothing.
    let out = browser.post("/v1/auth/logout", &json!({})).await;
    out.assert_problem(401, "authentication_required");
    let me = world
        .client
        .get("/v1/me", first["access_token"].as_str())
        .await;
    assert_eq!(me.json()["email"], ALICE);
}

#[tokio::test(flavor = "multi_thread")]
async fn n_022_a_planted_cookie_that_is_not_ours_is_replaced() {
    let world = World::start().await;
    let long = "A".repeat(44);
    for planted in [
        "chosen-by-the-attacker",
        "x",
        long.as_str(),
        "ses_0123456789012345678901234567890123456789",
    ] {
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
    for begun in [
        world.client.post("/v1/auth/login", &json!({})).await,
        world.client.get("/v1/auth/login", None).await,
    ] {
        let (name, value, attributes) = cookie(&begun);
        assert_eq!((name.as_str(), value.len()), ("scaigate_login", 43));
        assert_eq!(
            attributes,
            ["httponly", "max-age=600", "path=/", "samesite=lax"]
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn n_023_in_production_the_cookie_is_host_bound_and_the_other_name_is_nothing() {
    let world = World::with(production()).await;
    let begun = send(
        &world,
        Method::POST,
        "/v1/auth/login",
        &[("host", "gate.example")],
        &json!({}),
    )
    .await;
    assert_eq!(begun.status, 200, "{}", begun.text());
    let (name, value, attributes) = cookie(&begun);
    assert_eq!((name.as_str(), value.len()), ("__Host-scaigate_login", 43));
    assert_eq!(
        attributes,
        [
            "httponly",
            "max-age=600",
            "path=/",
            "samesite=lax",
            "secure"
        ]
    );
    let url = begun.json()["authorize_url"]
        .as_str()
        .expect("a URL")
        .to_owned();
    assert_eq!(
        parameter(&url, "redirect_uri"),
        "https://gate.example/v1/auth/callback"
    );
    let back = world.scaikey.sign_in(&url, ALICE).await.expect("signed in");
    assert!(back.starts_with(PUBLIC), "{back}");
    let path = path_and_query(&back);
    for pretended in [
        format!("scaigate_login={value}"),
        format!("__host-scaigate_login={value}"),
        format!("__Secure-scaigate_login={value}"),
    ] {
        let headers = [("host", "gate.example"), ("cookie", pretended.as_str())];
        let answer = send(&world, Method::GET, &path, &headers, &Value::Null).await;
        answer.assert_problem(400, "state_other_browser");
    }
    let own = format!("__Host-scaigate_login={value}");
    let headers = [("host", "gate.example"), ("cookie", own.as_str())];
    let answer = send(&world, Method::GET, &path, &headers, &Value::Null).await;
    assert_eq!(answer.status, 303, "{}", answer.text());
    assert!(
        answer
            .location()
            .starts_with("https://app.example/done?session_code="),
        "{}",
        answer.location()
    );
    let session = world
        .redeem(&answer.location_parameter("session_code"))
        .await;
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
        let setup = Setup::default()
            .variable("public_url", public_url)
            .variable("env", env);
        let world = World::with(setup).await;
        let answer = world.client.post("/v1/auth/login", &json!({})).await;
        answer.assert_problem(503, "configuration_invalid");
        assert!(!answer.headers.contains_key(header::SET_COOKIE));
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
            .header(
                header::COOKIE,
                http::HeaderValue::from_bytes(tampered.as_bytes()).expect("a header"),
            )
            .body(Default::default())
            .expect("a request");
        world
            .client
            .send(request)
            .await
            .assert_problem(400, "state_other_browser");
    }
    // Two Cookie headers that disagree, as HTTP/2 allows to send them.
    let request = Request::get(&path)
        .header(header::COOKIE, format!("scaigate_login={own}"))
        .header(header::COOKIE, "scaigate_login=planted")
        .body(Default::default())
        .expect("a request");
    world
        .client
        .send(request)
        .await
        .assert_problem(400, "state_other_browser");
    assert_eq!(
        world.scaikey.recorder().count_grant("authorization_code"),
        0
    );
    let among = format!("a=b; scaigate_login={own};c");
    let answer = send(
        &world,
        Method::GET,
        &path,
        &[("cookie", &among)],
        &Value::Null,
    )
    .await;
    assert_eq!(answer.status, 303, "{}", answer.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn n_037_n_038_nothing_is_framed_and_nothing_personal_is_cached() {
    let world = World::start().await;
    let browser = world.browser();
    let code = world.session_code(&browser, &json!({}), ALICE).await;
    let session = world.redeem(&code).await;
    let token = session.json()["access_token"]
        .as_str()
        .expect("a token")
        .to_owned();
    let mut answers = vec![session];
    for path in [
        "/v1/me",
        "/v1/me/workspaces",
        "/v1/auth/whoami",
        "/api/v1/me",
    ] {
        answers.push(world.client.get(path, Some(&token)).await);
        answers.push(world.client.get(path, None).await);
    }
    for path in [
        "/v1/nothing",
        "/v1/admin/users",
        "/v1/auth/login",
        "/v1/auth/callback",
        "/v1/auth/callback?code=c&state=s",
    ] {
        answers.push(browser.get(path).await);
        answers.push(browser.fetch(path).await);
    }
    let refresh_token = answers[0].json()["refresh_token"].clone();
    answers.push(world.client.post("/v1/auth/login", &json!({})).await);
    answers.push(
        world
            .client
            .post(
                "/v1/auth/refresh",
                &json!({ "refresh_token": refresh_token }),
            )
            .await,
    );
    answers.push(
        world
            .client
            .post(
                "/v1/auth/logout",
                &json!({ "refresh_token": refresh_token }),
            )
            .await,
    );
    for answer in &answers {
        assert_eq!(
            answer.header("cache-control"),
            "no-store",
            "{}",
            answer.text()
        );
    }
    let config = world.client.get("/v1/auth/config", None).await;
    assert_eq!(
        config.header("cache-control"),
        "public, max-age=60",
        "what is the same for everybody"
    );
    answers.push(config);
    for answer in &answers {
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        // Data is no document: it is neither framed nor does it refer to anything.
        if answer.header("content-type").ends_with("json") {
            continue;
        }
        assert_eq!(answer.header("x-frame-options"), "DENY");
        assert!(
            answer
                .header("content-security-policy")
                .contains("frame-ancestors 'none'")
        );
        assert_eq!(answer.header("referrer-policy"), "no-referrer");
    }
}
