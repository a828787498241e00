//! How it looks: in light and dark, wide and at a phone's width, and what axe-core says of each.

use scaigate_console_in_chromium::Scene;

/// Widths: a phone's, a tablet's, a desk's.
const WIDTHS: [u32; 3] = [360, 800, 1280];

/// Looks at the page as it is, in every width and both schemes.
async fn look(scene: &Scene, name: &str) {
    for width in WIDTHS {
        scene.browser.width(width).await;
        for is_dark in [false, true] {
            scene.browser.dark(is_dark).await;
            let scheme = if is_dark { "dark" } else { "light" };
            let what = format!("{name}-{width}-{scheme}");
            scene.fits(&what).await;
            scene.browser.is_accessible(&what).await;
            if width != 800 {
                scene.browser.picture(&what).await;
            }
            let ground = scene
                .browser
                .run("return getComputedStyle(document.body).backgroundColor")
                .await;
            let bright = !ground
                .as_str()
                .is_some_and(|text| text.starts_with("rgb(15"));
            assert_eq!(bright, !is_dark, "{what}: {ground}");
        }
    }
    scene.browser.dark(false).await;
    scene.browser.width(1280).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_first_page_and_a_failed_sign_in() {
    let scene = Scene::start().await;
    scene.open("/").await;
    scene.browser.find("#sign-in").await;
    look(&scene, "welcome").await;
    scene
        .open("/console/signed-in?error=access_denied&state=nobodys")
        .await;
    scene.browser.says("What to do").await;
    scene.browser.click("summary").await;
    look(&scene, "failed-sign-in").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_view_of_an_administrator() {
    let scene = Scene::super_admin().await;
    scene.shown("account").await;
    look(&scene, "account").await;
    for name in ["health", "people", "sync", "webhooks", "key"] {
        scene.view(name).await;
        look(&scene, name).await;
    }
    scene.view("people").await;
    scene.browser.click("#people button").await;
    scene.browser.find("dialog[open]").await;
    look(&scene, "people-role").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_view_of_somebody_without_a_role() {
    let scene = Scene::start().await;
    scene.world.sync().await;
    scene.sign_in("bob@acme.example").await;
    scene.shown("account").await;
    for name in ["people", "sync", "webhooks"] {
        scene.view(name).await;
        scene.browser.find("main .forbidden").await;
    }
    look(&scene, "forbidden").await;
    scene.view("health").await;
    look(&scene, "health-of-anybody").await;
}
