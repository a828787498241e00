//! Signing in and out, for real.

use scaigate_console_in_chromium::Scene;
use serde_json::json;

const ALICE: &str = "alice@acme.example";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_person_signs_in_at_scaikey_and_out_again() {
    let scene = Scene::start().await;
    let browser = &scene.browser;
    scene.open("/").await;
    browser.says("Sign in with ScaiKey").await;
    assert_eq!(browser.count("#views a").await, 0);

    browser.click("#sign-in").await;
    browser.says("asks you to sign in").await;
    scene.at_scaikey(ALICE).await;
    scene.shown("account").await;
    browser.says("Alice Ahrens").await;
    let at = browser.run("return location.href").await;
    assert_eq!(
        at,
        format!("{}/", scene.url),
        "nothing of the sign-in stays in the address"
    );

    // A reload, and another tab, find the same person.
    browser.reload().await;
    scene.shown("account").await;

    browser.click("#sign-out").await;
    browser.says("You are signed out here.").await;
    assert!(
        scene
            .text_of("#notice a")
            .await
            .is_some_and(|text| text == "Sign out at ScaiKey too")
    );
    browser.reload().await;
    browser.says("Sign in with ScaiKey").await;
    assert!(!browser.text().await.contains("Alice"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn n_023_n_034_no_script_of_the_page_sees_a_token_or_a_cookie() {
    let scene = Scene::start().await;
    scene.sign_in(ALICE).await;
    scene.shown("account").await;
    let browser = &scene.browser;
    assert_eq!(browser.run("return document.cookie").await, "");
    assert_eq!(
        browser
            .run("return localStorage.length + sessionStorage.length")
            .await,
        0
    );
    // The browser holds the one cookie, as it should.
    let cookies = browser.devtools("Network.getAllCookies", json!({})).await;
    let cookies = cookies["cookies"].as_array().expect("cookies");
    let session: Vec<_> = cookies
        .iter()
        .filter(|one| one["name"] == "__Host-scaigate_console")
        .collect();
    assert_eq!(session.len(), 1, "{cookies:?}");
    for (name, value) in [
        ("httpOnly", json!(true)),
        ("secure", json!(true)),
        ("sameSite", json!("Strict")),
        ("session", json!(true)),
        ("path", json!("/")),
    ] {
        assert_eq!(session[0][name], value, "{name}");
    }
    // Everything the page can ask for, searched for tokens.
    for path in [
        "/v1/me",
        "/v1/me/workspaces",
        "/v1/health/ready",
        "/v1/admin/users",
    ] {
        let script = format!(
            "const done = arguments[arguments.length - 1]; \
             fetch('/console/api{path}', {{ headers: {{ 'x-scaigate-console': '1' }} }}) \
             .then(async (answer) => done(JSON.stringify([...answer.headers]) + await answer.text()))"
        );
        let seen = browser.run_async(&script).await;
        let seen = seen.as_str().expect("text");
        assert!(
            !seen.contains("eyJ") && !seen.contains("sgr_"),
            "{path}: {seen}"
        );
    }
    // Nothing but our own files was loaded.
    let loaded = browser.run("return performance.getEntriesByType('resource').map((one) => new URL(one.name).origin)").await;
    for origin in loaded.as_array().expect("origins") {
        assert_eq!(origin, &json!(scene.url));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn n_024_a_page_elsewhere_cannot_use_the_session() {
    let scene = Scene::start().await;
    scene.sign_in(ALICE).await;
    scene.shown("account").await;
    let browser = &scene.browser;
    // ScaiKey's own host is another site: a page of it tries.
    browser.open(&scene.world.scaikey.base_url()).await;
    let script = format!(
        "const done = arguments[arguments.length - 1]; const results = []; \
         const attempt = (options) => fetch('{0}/console/api/v1/me', {{ credentials: 'include', ...options }}) \
           .then((answer) => `${{answer.type}} ${{answer.status}}`, () => 'refused'); \
         (async () => done([await attempt({{}}), await attempt({{ headers: {{ 'x-scaigate-console': '1' }} }}), \
           await attempt({{ mode: 'no-cors' }}), \
           await fetch('{0}/console/sign-out', {{ method: 'POST', mode: 'no-cors', credentials: 'include' }}).then((a) => a.type, () => 'refused')]))()",
        scene.url
    );
    let results = browser.run_async(&script).await;
    assert_eq!(results, json!(["refused", "refused", "opaque 0", "opaque"]));
    // And it is not shown in a frame.
    scene.open("/").await;
    scene.shown("account").await;
}
