//! What is shown when something is down, over, or not for this person.

use scaigate_console_in_chromium::Scene;
use scaigate_console_in_chromium::e2e::{Effect, Target, When};

const ALICE: &str = "alice@acme.example";

fn scaikey(scene: &Scene) -> Target {
    let url = scene.world.scaikey.base_url();
    Target::Outbound(url.split_once("://").expect("an address").1.to_owned())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_scaikey_down_the_page_says_so_and_what_to_do() {
    let scene = Scene::start().await;
    let browser = &scene.browser;
    let fault = scene
        .world
        .faults
        .set(scaikey(&scene), When::Always, Effect::Refuse);
    scene.open("/").await;
    browser.click("#sign-in").await;
    browser.says("Sign-in failed").await;
    browser.says("What to do").await;
    browser.click("summary").await;
    browser.says("scaikey_unreachable").await;
    browser.is_accessible("ScaiKey down").await;
    browser.picture("scaikey-down").await;

    // When it is back, trying again is enough.
    scene.world.faults.remove(fault);
    browser.press("Try again").await;
    scene.at_scaikey(ALICE).await;
    scene.shown("account").await;

    // Who is signed in goes on without it.
    scene
        .world
        .faults
        .set(scaikey(&scene), When::Always, Effect::Refuse);
    scene.world.advance(1000);
    browser.reload().await;
    scene.shown("account").await;
    browser.says("Alice Ahrens").await;
    browser.click("#sign-out").await;
    browser.says("You are signed out here.").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_the_database_down_a_view_fails_and_can_be_tried_again() {
    let scene = Scene::super_admin().await;
    let browser = &scene.browser;
    let fault = scene
        .world
        .faults
        .set(Target::sqlite(), When::Always, Effect::Refuse);
    browser.click("#views a[href='#/people']").await;
    browser.find("main .failed").await;
    browser.is_accessible("the database down").await;
    browser.picture("database-down").await;
    scene.world.faults.remove(fault);
    browser.press("Try again").await;
    browser.says("37 in all").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_that_has_ended_leads_to_the_sign_in() {
    let scene = Scene::super_admin().await;
    let browser = &scene.browser;
    scene.shown("account").await;
    scene.world.sql("DELETE FROM session", &[]);
    scene.world.advance(1000);
    browser.click("#views a[href='#/people']").await;
    browser.says("Your session has ended.").await;
    browser.is_accessible("an ended session").await;
    assert!(!browser.text().await.contains("olivia@acme.example"));
    // ScaiKey still knows who it is: one click is enough.
    browser.click("#sign-in").await;
    scene.shown("account").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_the_deployment_gone_the_page_says_that_it_is() {
    let scene = Scene::start().await;
    scene.sign_in(ALICE).await;
    scene.shown("account").await;
    let browser = &scene.browser;
    let offline = serde_json::json!({ "offline": true, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1 });
    browser
        .devtools("Network.enable", serde_json::json!({}))
        .await;
    browser
        .devtools("Network.emulateNetworkConditions", offline)
        .await;
    browser.click("#views a[href='#/key']").await;
    browser.says("The server can’t be reached.").await;
    browser.is_accessible("no network").await;
}
