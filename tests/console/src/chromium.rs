//! Headless Chromium, driven over WebDriver.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::webdriver::{Element, Session};

/// How long anything on a page may take. Far more than it does, also on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// Between two looks at a page that is not there yet.
const LOOK: Duration = Duration::from_millis(50);

/// What is missing when there is no browser to test with.
const MISSING: &str = "these tests need Chromium and its driver (Debian: `apt-get install chromium chromium-driver`); `cargo xtask test` installs them";

/// A browser with one window, ended with whoever holds it.
pub struct Chromium {
    /// The WebDriver session.
    pub session: Session,
    driver: Child,
    profile: PathBuf,
}

/// How often the driver may be started.
const STARTS: usize = 5;

/// Starts the driver. It takes a port that is free in IPv4, and ends where the same one is taken in IPv6:
/// another start takes another port.
fn start_driver(profile: &Path) -> (Child, u16) {
    let mut starts = (0..STARTS).filter_map(|_| try_driver(profile));
    starts.next().expect("chromedriver says its port")
}

/// The driver and the port it says that it listens on; `None` when it ends instead.
fn try_driver(profile: &Path) -> Option<(Child, u16)> {
    let mut driver = Command::new("chromedriver")
        .arg("--port=0")
        .env("TMPDIR", profile)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap_or_else(|error| panic!("chromedriver: {error}; {MISSING}"));
    let mut lines = BufReader::new(driver.stdout.take().expect("its output")).lines();
    let port = lines.by_ref().map_while(Result::ok).find_map(|line| {
        let (_, port) = line.split_once("started successfully on port ")?;
        port.trim_end_matches('.').parse().ok()
    });
    let Some(port) = port else {
        driver.wait().expect("it has ended");
        return None;
    };
    // It goes on talking: nobody listens, and it must not be stopped by that.
    std::thread::spawn(move || lines.for_each(drop));
    Some((driver, port))
}

impl Chromium {
    /// A new browser, with nothing in it.
    pub async fn start() -> Self {
        let profile = std::env::temp_dir().join(format!(
            "scaigate-chromium-{}-{:?}",
            std::process::id(),
            std::thread::current().id()
        ));
        let _ = std::fs::remove_dir_all(&profile);
        std::fs::create_dir_all(&profile).expect("a directory");
        let (driver, port) = start_driver(&profile);
        let options = json!({
            "acceptInsecureCerts": true,
            "goog:chromeOptions": { "args": [
                "--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--hide-scrollbars",
                "--disable-background-networking", "--window-size=1280,900",
                format!("--user-data-dir={}", profile.join("profile").display()),
            ] },
            "goog:loggingPrefs": { "browser": "ALL" },
        });
        let session = Session::new(port, options)
            .await
            .unwrap_or_else(|error| panic!("Chromium: {error}; {MISSING}"));
        Self {
            session,
            driver,
            profile,
        }
    }

    /// Sends a command of Chromium's own protocol.
    pub async fn devtools(&self, command: &str, parameters: Value) -> Value {
        let body = json!({ "cmd": command, "params": parameters });
        let done = self.session.post("/goog/cdp/execute", body).await;
        done.expect("Chromium does so")
    }

    /// Opens an address.
    pub async fn open(&self, url: &str) {
        let opened = self.session.post("/url", json!({ "url": url })).await;
        opened.expect("the page opens");
    }

    /// Loads the page again.
    pub async fn reload(&self) {
        let loaded = self.session.post("/refresh", json!({})).await;
        loaded.expect("the page is loaded again");
    }

    /// The first element that is found in this way, as soon as there is one.
    async fn wait_for(&self, using: &str, value: &str) -> Element {
        let end = tokio::time::Instant::now() + PATIENCE;
        loop {
            let found = self.session.elements(using, value).await.expect("a page");
            if let Some(first) = found.into_iter().next() {
                return first;
            }
            if tokio::time::Instant::now() > end {
                panic!("{value} is not there; the page says: {}", self.text().await);
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// The element of a CSS selector, as soon as it is there.
    pub async fn find(&self, css: &str) -> Element {
        self.wait_for("css selector", css).await
    }

    /// The element of an XPath, as soon as it is there.
    pub async fn find_path(&self, path: &str) -> Element {
        self.wait_for("xpath", path).await
    }

    /// How many elements of a CSS selector there are now.
    pub async fn count(&self, css: &str) -> usize {
        self.session
            .elements("css selector", css)
            .await
            .expect("a page")
            .len()
    }

    /// Clicks the element of a CSS selector.
    pub async fn click(&self, css: &str) {
        self.find(css)
            .await
            .click()
            .await
            .expect("it can be clicked");
    }

    /// Chooses an option of the list of a CSS selector, by its value.
    pub async fn choose(&self, css: &str, value: &str) {
        self.click(&format!("{css} option[value='{value}']")).await;
    }

    /// Clicks the button or link with these words.
    pub async fn press(&self, words: &str) {
        let path = format!("//*[self::button or self::a][normalize-space()='{words}']");
        let button = self.wait_for("xpath", &path).await;
        button.click().await.expect("it can be clicked");
    }

    /// What the page says.
    pub async fn text(&self) -> String {
        let text = self.run("return document.body.innerText").await;
        text.as_str().unwrap_or_default().to_owned()
    }

    /// Waits until the page says this.
    pub async fn says(&self, words: &str) {
        let end = tokio::time::Instant::now() + PATIENCE;
        loop {
            let text = self.text().await;
            if text.contains(words) {
                return;
            }
            assert!(
                tokio::time::Instant::now() < end,
                "the page does not say {words:?}, but: {text}"
            );
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Runs a script on the page.
    pub async fn run(&self, script: &str) -> Value {
        let body = json!({ "script": script, "args": [] });
        let done = self.session.post("/execute/sync", body).await;
        done.unwrap_or_else(|error| panic!("{script:.200}: {error}"))
    }

    /// Runs a script that calls its last argument when it is done.
    pub async fn run_async(&self, script: &str) -> Value {
        let body = json!({ "script": script, "args": [] });
        let done = self.session.post("/execute/async", body).await;
        done.unwrap_or_else(|error| panic!("{script:.200}: {error}"))
    }

    /// With dark colours, or light ones.
    pub async fn dark(&self, is_dark: bool) {
        let value = if is_dark { "dark" } else { "light" };
        let features = json!({ "features": [{ "name": "prefers-color-scheme", "value": value }] });
        self.devtools("Emulation.setEmulatedMedia", features).await;
    }

    /// In a window of this width.
    pub async fn width(&self, width: u32) {
        let metrics =
            json!({ "width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600 });
        self.devtools("Emulation.setDeviceMetricsOverride", metrics)
            .await;
    }

    /// Keeps what the whole page looks like, for people: `target/console-screenshots/{name}.png`.
    pub async fn picture(&self, name: &str) {
        let shot = self
            .devtools(
                "Page.captureScreenshot",
                json!({ "captureBeyondViewport": true }),
            )
            .await;
        let picture = STANDARD
            .decode(shot["data"].as_str().expect("a picture"))
            .expect("a picture");
        let folder = target().join("console-screenshots");
        std::fs::create_dir_all(&folder).expect("a directory");
        std::fs::write(folder.join(format!("{name}.png")), picture).expect("a file");
    }
}

/// Where the build puts things.
pub(crate) fn target() -> PathBuf {
    let own = std::env::current_exe().expect("a test program");
    let found = own
        .ancestors()
        .find(|folder| folder.join("CACHEDIR.TAG").exists());
    found.expect("the target directory").to_owned()
}

impl Drop for Chromium {
    fn drop(&mut self) {
        // The driver ends its browser when its session ends, not when it ends itself.
        self.session.end();
        let _ = Command::new("kill")
            .arg(self.driver.id().to_string())
            .status();
        let _ = self.driver.wait();
        let _ = std::fs::remove_dir_all(&self.profile);
    }
}
