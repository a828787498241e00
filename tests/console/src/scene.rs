//! A deployment and a browser that looks at it.

use std::net::SocketAddr;

use scaigate_e2e::{Setup, World};
use tokio::task::JoinHandle;

use crate::Chromium;
use crate::tls::Front;

/// A deployment with a certificate, and a browser.
pub struct Scene {
    /// The browser. First, so that it is closed first.
    pub browser: Chromium,
    /// The deployment and its ScaiKey.
    pub world: World,
    /// Where the console is.
    pub url: String,
    front: JoinHandle<()>,
}

impl Drop for Scene {
    fn drop(&mut self) {
        self.front.abort();
    }
}

impl Scene {
    /// With the usual settings.
    pub async fn start() -> Self {
        Self::with(Setup::default()).await
    }

    /// Begins with `setup`.
    pub async fn with(setup: Setup) -> Self {
        let front = Front::new();
        let url = front.url();
        let world = World::with(setup.variable("public_url", &url)).await;
        let inside: SocketAddr = world
            .url
            .strip_prefix("http://")
            .and_then(|address| address.parse().ok())
            .expect("an address");
        let front = front.serve(inside);
        Self {
            browser: Chromium::start().await,
            world,
            url,
            front,
        }
    }

    /// Opens the console.
    pub async fn open(&self, address: &str) {
        self.browser.open(&format!("{}{address}", self.url)).await;
    }

    /// Signs a person in, from the console's first page to its second.
    pub async fn sign_in(&self, email: &str) {
        self.open("/").await;
        self.browser.click("#sign-in").await;
        self.at_scaikey(email).await;
        self.browser.find("#views a").await;
    }

    /// Signs a person in at ScaiKey, which has sent its login page.
    pub async fn at_scaikey(&self, email: &str) {
        let browser = &self.browser;
        let field = browser.find("input#email").await;
        field.clear().await.expect("a field");
        field.send_keys(email).await.expect("a field");
        let password = browser.find("input#password").await;
        password.send_keys("password").await.expect("a field");
        password.send_keys("\u{e007}").await.expect("a field");
    }

    /// A super admin, signed in, with a mirror in step with ScaiKey's directory.
    pub async fn super_admin() -> Self {
        let scene = Self::with(Setup::default().scaigrid()).await;
        scene.world.sync().await;
        scene
            .world
            .set_role("usr_olivia_acme", Some("super_admin"))
            .await;
        scene.sign_in("olivia@acme.example").await;
        scene
    }

    /// Goes to a view and waits until it is there.
    pub async fn view(&self, name: &str) {
        self.browser
            .click(&format!("#views a[href='#/{name}']"))
            .await;
        self.shown(name).await;
    }

    /// Waits until a view is there, with what it shows.
    pub async fn shown(&self, name: &str) {
        let browser = &self.browser;
        browser
            .find(&format!("#views a[href='#/{name}'][aria-current=page]"))
            .await;
        browser.find("main .stack:not([aria-busy])").await;
    }

    /// Fails when the page is wider than the window.
    pub async fn fits(&self, what: &str) {
        let wide = self
            .browser
            .run(
                "const width = document.documentElement.clientWidth; \
                 if (document.documentElement.scrollWidth <= width) return []; \
                 return [...document.querySelectorAll('body *')] \
                   .filter((one) => one.getBoundingClientRect().right > width + 1).map((one) => one.outerHTML.slice(0, 120))",
            )
            .await;
        assert_eq!(
            wide,
            serde_json::json!([]),
            "{what} is wider than the window"
        );
    }

    /// The text of the first element of a CSS selector, if there is one.
    pub async fn text_of(&self, css: &str) -> Option<String> {
        let found = self
            .browser
            .session
            .elements("css selector", css)
            .await
            .ok()?;
        found.first()?.text().await.ok()
    }
}
