//! Each view: what it shows, and what can be done there.

use scaigate_console_in_chromium::Scene;
use scaigate_console_in_chromium::e2e::emulator::WebhookEvent;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_view_shows_what_it_is_for() {
    let scene = Scene::super_admin().await;
    let browser = &scene.browser;
    scene.shown("account").await;
    for text in [
        "Olivia Okafor",
        "olivia@acme.example",
        "Super admin",
        "tnt_acme0001",
        "Workspaces",
        "you are here",
    ] {
        browser.says(text).await;
    }
    scene.view("health").await;
    assert_eq!(
        browser.run("return document.title").await,
        "Health · scaigate console"
    );
    scene.view("people").await;
    browser.says("37 in all").await;
    browser.says("Page 1 of 2").await;
    scene.view("sync").await;
    browser.says("Last sync").await;
    browser.says("applied").await;
    scene.view("webhooks").await;
    browser.says("Nothing was delivered").await;
    scene.view("key").await;
    browser.says("not set").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_role_is_given_and_taken() {
    let scene = Scene::super_admin().await;
    let (browser, world) = (&scene.browser, &scene.world);
    scene.view("people").await;
    browser
        .find("input[type=search]")
        .await
        .send_keys("bob@acme\u{e007}")
        .await
        .expect("a field");
    browser.says("1 in all").await;

    browser
        .click("[aria-label='Change role of Bob Bakker']")
        .await;
    browser.click("dialog input[value=tenant_admin]").await;
    browser.press("Save").await;
    browser.says("given by hand").await;
    assert_eq!(
        world.mirrored("usr_bob_acme").await["admin_role"],
        "tenant_admin"
    );
    assert_eq!(browser.focused().await, "Change role of Bob Bakker");

    browser
        .click("[aria-label='Change role of Bob Bakker']")
        .await;
    browser.click("dialog input[value='']").await;
    browser.press("Cancel").await;
    assert_eq!(
        world.mirrored("usr_bob_acme").await["admin_role"],
        "tenant_admin"
    );
    browser
        .click("[aria-label='Change role of Bob Bakker']")
        .await;
    browser.click("dialog input[value='']").await;
    browser.press("Save").await;
    browser.find("#people li:not(:has(.badge.accent))").await;
    assert_eq!(
        world.mirrored("usr_bob_acme").await["admin_role"],
        serde_json::Value::Null
    );

    // What can't be done is said where it was tried: the only super admin does not take it from herself.
    let search = browser.find("input[type=search]").await;
    search.clear().await.expect("a field");
    search.send_keys("olivia\u{e007}").await.expect("a field");
    browser
        .click("[aria-label='Change role of Olivia Okafor']")
        .await;
    browser.click("dialog input[value='']").await;
    browser.press("Save").await;
    browser.find("dialog .failed").await;
    browser.is_accessible("a refused role").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn people_are_searched_and_paged() {
    let scene = Scene::super_admin().await;
    let browser = &scene.browser;
    scene.view("people").await;
    browser.says("Page 1 of 2").await;
    assert_eq!(browser.count("#people > li").await, 25);
    browser.press("Next").await;
    browser.says("Page 2 of 2").await;
    assert_eq!(browser.count("#people > li").await, 12);
    browser
        .find("input[type=search]")
        .await
        .send_keys("<b>nobody</b>\u{e007}")
        .await
        .expect("a field");
    browser.says("Nobody fits").await;
    browser.choose("select[name=status]", "deleted").await;
    browser.says("Nobody fits").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sync_shows_how_far_it_is_and_how_it_went() {
    use scaigate_console_in_chromium::e2e::emulator::Endpoint;
    let scene = Scene::super_admin().await;
    let browser = &scene.browser;
    scene.view("sync").await;
    let recorder = scene.world.scaikey.recorder();
    recorder.hold(Endpoint::AdminGroups);
    browser.press("Sync now").await;
    browser.find("#running progress").await;
    browser.is_accessible("a sync under way").await;
    browser.picture("sync-running").await;
    recorder.release(Endpoint::AdminGroups);
    browser.find("#last-sync").await;
    browser.find("main button:not(:disabled)").await;

    // A directory that has lost most of its people is not taken for the truth unless somebody says so.
    scene.world.scaikey.directory().users.truncate(5);
    browser.press("Sync now").await;
    browser.says("Apply it all the same").await;
    browser.is_accessible("a refused sync").await;
    browser.picture("sync-refused").await;
    browser.press("Apply it all the same").await;
    browser
        .find("main .stack:not(:has(.failed)) #last-sync")
        .await;
    browser.says("Users soft deleted").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn deliveries_and_refusals_are_told_apart() {
    let scene = Scene::super_admin().await;
    let (browser, world) = (&scene.browser, &scene.world);
    let event = WebhookEvent::new("user.updated", "usr_bob_acme");
    let mut delivery = world
        .scaikey
        .webhook(scaigate_console_in_chromium::e2e::WEBHOOK_SECRET, &event);
    assert_eq!(world.receive(&delivery).await.status, 200);
    delivery.body.push(b' ');
    assert_eq!(world.receive(&delivery).await.status, 400);
    scene.view("webhooks").await;
    browser.says("user.updated").await;
    browser.says("webhook_signature_mismatch").await;
    browser.picture("webhooks-delivered").await;
    browser.choose("select[name=outcome]", "refused").await;
    browser.find("main .rows > li:only-child").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_person_goes_on_in_another_workspace() {
    let scene = Scene::start().await;
    scene.sign_in("alice@acme.example").await;
    scene.shown("account").await;
    let changed = serde_json::json!({ "sub": "usr_alice_acme", "email": "alice@acme.example" });
    let token = scene.world.minted(changed);
    let registered = scene
        .world
        .call(http::Method::POST, "/v1/auth/register", &token, None)
        .await;
    assert_eq!(registered.status, 200, "{}", registered.text());
    scene.browser.reload().await;
    scene.shown("account").await;
    let here = "#content .rows > li:has(.badge.accent) .name";
    let before = scene.text_of(here).await.expect("a workspace");
    scene.browser.press("Act here").await;
    scene.browser.says("you are here").await;
    let other = format!(
        "//li[.//span[contains(@class,'accent')]]//span[contains(@class,'name') and text()!='{before}']"
    );
    scene.browser.find_path(&other).await;
}
