//! Everything with the keyboard alone: the sign-in, each view, giving a role.

use scaigate_console_in_chromium::{Key, Scene};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_keyboard_is_enough() {
    let scene = Scene::start().await;
    scene.world.sync().await;
    scene
        .world
        .set_role("usr_olivia_acme", Some("super_admin"))
        .await;
    let browser = &scene.browser;
    let enter = [Key::ENTER];

    scene.open("/").await;
    browser.find("#sign-in").await;
    browser.tab_to("Skip to content").await;
    browser.tab_to("Sign in with ScaiKey").await;
    browser.keys(&enter).await;
    browser.find("#email").await;
    browser.tab_to("E-mail address").await;
    browser
        .keys(&"olivia@acme.example".chars().collect::<Vec<_>>())
        .await;
    browser.keys(&[Key::TAB]).await;
    browser.keys(&"password".chars().collect::<Vec<_>>()).await;
    browser.keys(&enter).await;
    scene.shown("account").await;

    for (name, title) in [
        ("health", "Health"),
        ("people", "People"),
        ("sync", "Sync"),
        ("webhooks", "Webhooks"),
        ("key", "ScaiGrid key"),
        ("account", "You"),
    ] {
        browser.tab_to("Sign out").await;
        browser.tab_to(title).await;
        browser.keys(&enter).await;
        scene.shown(name).await;
        // The heading has the focus, so that what comes next is the view.
        assert_eq!(browser.focused().await, title);
    }

    browser.tab_to("People").await;
    browser.keys(&enter).await;
    scene.shown("people").await;
    browser.tab_to("Name, address or id").await;
    browser.keys(&"carol".chars().collect::<Vec<_>>()).await;
    browser.keys(&enter).await;
    browser.says("1 in all").await;
    let button = "Change role of Carol Costa";
    browser.tab_to(button).await;
    browser.keys(&enter).await;
    browser.find("dialog[open]").await;
    // Escape leaves it as it was, and gives the focus back.
    browser.keys(&[Key::ESCAPE]).await;
    assert_eq!(browser.focused().await, button);
    browser.keys(&enter).await;
    browser.find("dialog[open]").await;
    if browser.focused().await != "No admin role" {
        browser.tab_to("No admin role").await;
    }
    browser.keys(&[Key::DOWN]).await;
    assert_eq!(browser.focused().await, "Tenant admin");
    browser.tab_to("Save").await;
    browser.keys(&enter).await;
    browser.says("given by hand").await;
    assert_eq!(
        scene.world.mirrored("usr_carol_acme").await["admin_role"],
        "tenant_admin"
    );
    browser.tab_to("Sign out").await;
    browser.keys(&enter).await;
    browser.says("You are signed out here.").await;
}
