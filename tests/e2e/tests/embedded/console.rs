//! The console's backend: signing in, staying signed in, calling, signing out.

use http::Method;
use scaigate_e2e::{SESSION_COOKIE, Setup, World};
use serde_json::json;

const ALICE: &str = "alice@acme.example";
const OLIVIA: &str = "olivia@acme.example";

#[tokio::test]
async fn a_person_signs_in_is_shown_and_signs_out() {
    let world = World::start().await;
    let page = world.console();
    page.me()
        .await
        .assert_problem(401, "authentication_required");

    world.console_sign_in(&page, ALICE).await;
    let me = page.me().await;
    assert_eq!(me.status, 200, "{}", me.text());
    assert_eq!(me.json()["email"], ALICE);
    assert_eq!(me.header("cache-control"), "no-store");

    let before = page.0.cookie(SESSION_COOKIE).expect("a cookie");
    let out = page.call(Method::POST, "/console/sign-out", None).await;
    assert_eq!(out.status, 200, "{}", out.text());
    let out = out.json();
    assert_eq!(out["session_ended"], true);
    let url = out["end_session_url"].as_str().expect("an address");
    assert!(url.starts_with(&world.scaikey.base_url()), "{url}");
    page.me()
        .await
        .assert_problem(401, "authentication_required");

    // Whoever kept the cookie has nothing: its session is ended.
    page.0.set_cookie(SESSION_COOKIE, &before);
    world.advance(3);
    let me = page.me().await;
    me.assert_problem(401, "authentication_required");
    assert_eq!(me.json()["error"]["details"]["reason"], "session_ended");
}

#[tokio::test]
async fn the_session_is_renewed_without_anybody_noticing() {
    let world = World::start().await;
    let page = world.console();
    world.console_sign_in(&page, ALICE).await;
    let first = page.0.cookie(SESSION_COOKIE);
    for _ in 0..4 {
        world.advance(890);
        assert_eq!(page.me().await.status, 200);
    }
    assert_ne!(page.0.cookie(SESSION_COOKIE), first);

    // A sign-in lasts twelve hours, however often it is renewed.
    world.advance(12 * 3600 - 4 * 890);
    let me = page.me().await;
    me.assert_problem(401, "authentication_required");
    assert_eq!(me.json()["error"]["details"]["reason"], "session_ended");
}

#[tokio::test]
async fn n_047_tabs_that_renew_at_the_same_time_all_go_on() {
    let world = World::start().await;
    let page = world.console();
    world.console_sign_in(&page, ALICE).await;
    world.advance(1000);
    let cookie = page.0.cookie(SESSION_COOKIE).expect("a cookie");
    let tabs: Vec<_> = (0..12)
        .map(|_| {
            let tab = world.console();
            tab.0.set_cookie(SESSION_COOKIE, &cookie);
            tab
        })
        .collect();
    let calls = tabs.iter().map(|tab| {
        let tab = tab.clone();
        tokio::spawn(async move { tab.me().await.status })
    });
    let calls: Vec<_> = calls.collect();
    for call in calls {
        assert_eq!(call.await.expect("an answer"), 200);
    }
    // Whichever answer the browser kept, the session goes on.
    let kept = tabs.last().and_then(|tab| tab.0.cookie(SESSION_COOKIE));
    assert_ne!(kept.as_ref(), Some(&cookie));
    page.0.set_cookie(SESSION_COOKIE, &kept.expect("a cookie"));
    world.advance(1000);
    assert_eq!(page.me().await.status, 200);
}

#[tokio::test]
async fn an_administrator_works_through_the_console() {
    let world = World::start().await;
    world.sync().await;
    let page = world.console();
    world.set_role("usr_olivia_acme", Some("super_admin")).await;
    world.console_sign_in(&page, OLIVIA).await;

    let users = page
        .call(
            Method::GET,
            "/console/api/v1/admin/users?search=bob&per_page=5",
            None,
        )
        .await;
    assert_eq!(users.status, 200, "{}", users.text());
    assert_eq!(users.json()["users"][0]["id"], "usr_bob_acme");

    let path = "/console/api/v1/admin/users/usr_bob_acme/role?tenant_id=tnt_acme0001";
    let given = page
        .call(Method::POST, path, Some(&json!({ "role": "tenant_admin" })))
        .await;
    assert_eq!(given.status, 204, "{}", given.text());
    assert_eq!(
        world.mirrored("usr_bob_acme").await["admin_role"],
        "tenant_admin"
    );
    let taken = page.call(Method::DELETE, path, None).await;
    assert_eq!(taken.status, 204, "{}", taken.text());

    let synced = page
        .call(
            Method::POST,
            "/console/api/v1/admin/sync",
            Some(&json!({ "force": false })),
        )
        .await;
    assert_eq!(synced.status, 200, "{}", synced.text());
    let state = page
        .call(Method::GET, "/console/api/v1/admin/sync", None)
        .await;
    assert_eq!(state.json()["last"]["outcome"], "applied");
    let deliveries = page
        .call(
            Method::GET,
            "/console/api/v1/admin/webhooks/deliveries",
            None,
        )
        .await;
    assert_eq!(deliveries.json()["total"], 0, "{}", deliveries.text());
}

#[tokio::test]
async fn a_role_taken_holds_for_the_next_call_and_one_given_too() {
    let world = World::start().await;
    world.sync().await;
    let page = world.console();
    world.console_sign_in(&page, ALICE).await;
    let read = || page.call(Method::GET, "/console/api/v1/admin/tenant/users", None);
    world.set_role("usr_alice_acme", Some("tenant_admin")).await;
    world.advance(3);
    // The token that says the old role is refused, and replaced behind the page's back.
    assert_eq!(read().await.status, 200);
    world.set_role("usr_alice_acme", None).await;
    world.advance(3);
    read().await.assert_problem(403, "admin_role_required");
}

#[tokio::test]
async fn a_person_goes_on_in_another_workspace() {
    let world = World::start().await;
    let page = world.console();
    world.console_sign_in(&page, ALICE).await;
    let session = world.sign_in(ALICE).await;
    let token = session["access_token"].as_str().expect("a token");
    let registered = world
        .call(Method::POST, "/v1/auth/register", token, None)
        .await;
    assert_eq!(registered.status, 200, "{}", registered.text());
    let personal = registered.json()["personal_workspace_id"].clone();
    assert!(personal.is_string(), "{}", registered.text());

    let switched = page
        .call(
            Method::POST,
            "/console/workspace",
            Some(&json!({ "workspace_id": personal })),
        )
        .await;
    assert_eq!(switched.status, 200, "{}", switched.text());
    let me = page.me().await.json();
    assert_eq!(me["workspace"]["workspace_id"], personal);

    // With two workspaces, signing in again chooses one.
    let again = world.console();
    world.console_sign_in(&again, ALICE).await;
    assert_eq!(again.me().await.status, 200);

    let foreign = json!({ "workspace_id": "ws_of_somebody_else" });
    let refused = page
        .call(Method::POST, "/console/workspace", Some(&foreign))
        .await;
    assert!(refused.status.is_client_error(), "{}", refused.text());
    assert_eq!(page.me().await.status, 200);
}

#[tokio::test]
async fn n_023_the_cookies_are_out_of_reach_of_scripts_and_other_sites() {
    // A proxy with a certificate stands in front.
    let world =
        World::with(Setup::default().variable("public_url", "https://localhost:8443")).await;
    let page = world.console();
    let mut request = http::Request::get("/console/sign-in");
    request = request.header("host", "localhost:8443");
    let begun = page
        .send(request.body(bytes::Bytes::new()).expect("a request"))
        .await;
    assert_eq!(begun.status, 303, "{}", begun.text());
    let cookies: Vec<_> = begun.headers.get_all("set-cookie").iter().collect();
    let texts: Vec<_> = cookies
        .iter()
        .map(|value| value.to_str().expect("text"))
        .collect();
    assert_eq!(texts.len(), 2, "{texts:?}");
    for text in &texts {
        assert!(text.starts_with("__Host-scaigate_"), "{text}");
        for attribute in [
            "; Path=/",
            "; HttpOnly",
            "; Secure",
            "; SameSite=Lax",
            "; Max-Age=600",
        ] {
            assert!(text.contains(attribute), "{text}: {attribute}");
        }
        assert!(!text.contains("Domain"), "{text}");
    }

    let back = world
        .scaikey
        .sign_in(begun.location(), ALICE)
        .await
        .expect("signed in");
    let inner = |address: &str| {
        let path = address
            .strip_prefix("https://localhost:8443")
            .expect("ours");
        format!("{}{path}", world.url)
    };
    let returned = page.0.get(&inner(&back)).await;
    let done = page.get(&inner(returned.location())).await;
    assert_eq!(done.status, 303, "{}", done.text());
    let texts: Vec<_> = done
        .headers
        .get_all("set-cookie")
        .iter()
        .map(|v| v.to_str().expect("text"))
        .collect();
    let session = texts
        .iter()
        .find(|text| text.starts_with("__Host-scaigate_console="))
        .expect("a session");
    for attribute in ["; Path=/", "; HttpOnly", "; Secure", "; SameSite=Strict"] {
        assert!(session.contains(attribute), "{session}: {attribute}");
    }
    assert!(
        !session.contains("Max-Age") && !session.contains("Domain"),
        "{session}"
    );
    assert!(session.len() < 4096, "{}", session.len());
    // What it was begun with is used up.
    assert!(
        texts
            .iter()
            .any(|text| text.starts_with("__Host-scaigate_console_login=;")
                && text.contains("Max-Age=0")),
        "{texts:?}"
    );
}

#[tokio::test]
async fn n_037_n_038_the_page_is_hardened_and_revalidated() {
    let world = World::start().await;
    let page = world.console();
    let index = page.get("/").await;
    assert_eq!(index.status, 200);
    assert_eq!(index.header("content-type"), "text/html; charset=utf-8");
    let policy = index.header("content-security-policy");
    for directive in [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
    ] {
        assert!(policy.contains(directive), "{policy}: {directive}");
    }
    assert!(
        !policy.contains("unsafe") && !policy.contains("http"),
        "{policy}"
    );
    for (name, value) in [
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("referrer-policy", "no-referrer"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
        ("cache-control", "no-cache"),
    ] {
        assert_eq!(index.header(name), value, "{name}");
    }
    // Nothing inline, nothing from elsewhere; every file that it names is there, and every file that those name.
    let text = index.text();
    for refused in [
        " style=",
        "<style",
        " onclick",
        "javascript:",
        "http://",
        "https://",
    ] {
        assert!(!text.contains(refused), "{refused}");
    }
    let mut seen = std::collections::BTreeSet::new();
    let mut waiting: Vec<String> = named(&text);
    while let Some(path) = waiting.pop() {
        if !seen.insert(path.clone()) {
            continue;
        }
        let file = page.get(&path).await;
        assert_eq!(file.status, 200, "{path}");
        assert_eq!(file.header("x-content-type-options"), "nosniff", "{path}");
        let tag = file.header("etag").to_owned();
        let request = http::Request::get(&path).header("if-none-match", &tag);
        let again = page
            .send(request.body(bytes::Bytes::new()).expect("a request"))
            .await;
        assert_eq!(
            (again.status.as_u16(), again.body.len()),
            (304, 0),
            "{path}"
        );
        if path.ends_with(".js") {
            waiting.extend(named(&file.text()));
        }
    }
    assert!(seen.len() > 10, "{seen:?}");
    page.get("/console/nothing.js").await;
    let posted = page.call(Method::POST, "/console/main.js", None).await;
    posted.assert_problem(405, "method_not_allowed");
}

/// The files of the console that a text names.
fn named(text: &str) -> Vec<String> {
    let absolute = text
        .split('"')
        .filter(|part| part.starts_with("/console/") && part.contains('.'));
    let beside = text
        .split('"')
        .filter_map(|part| part.strip_prefix("./").filter(|name| name.ends_with(".js")));
    absolute
        .map(str::to_owned)
        .chain(beside.map(|name| format!("/console/{name}")))
        .collect()
}
