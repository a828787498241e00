//! Headless Chromium, driven over WebDriver.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use fantoccini::elements::Element;
use fantoccini::wd::WebDriverCompatibleCommand;
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use url::Url;

/// How long anything on a page may take. Far more than it does, also on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// What is missing when there is no browser to test with.
const MISSING: &str = "these tests need Chromium and its driver (Debian: `apt-get install chromium chromium-driver`); `cargo xtask test` installs them";

/// A browser with one window, ended with whoever holds it.
pub struct Chromium {
    /// The WebDriver session.
    pub client: Client,
    driver: Child,
    profile: PathBuf,
}

/// A command of Chromium's own protocol.
#[derive(Debug)]
struct Devtools(Value);

impl WebDriverCompatibleCommand for Devtools {
    fn endpoint(&self, base: &Url, session: Option<&str>) -> Result<Url, url::ParseError> {
        base.join(&format!(
            "session/{}/goog/cdp/execute",
            session.unwrap_or_default()
        ))
    }

    fn method_and_body(&self, _: &Url) -> (http::Method, Option<String>) {
        (http::Method::POST, Some(self.0.to_string()))
    }
}

/// Starts the driver: it says on which port it listens.
fn start_driver(profile: &Path) -> (Child, u16) {
    let mut driver = Command::new("chromedriver")
        .arg("--port=0")
        .env("TMPDIR", profile)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap_or_else(|error| panic!("chromedriver: {error}; {MISSING}"));
    let mut lines = BufReader::new(driver.stdout.take().expect("its output")).lines();
    let port = lines
        .by_ref()
        .map_while(Result::ok)
        .find_map(|line| {
            let (_, port) = line.split_once("started successfully on port ")?;
            port.trim_end_matches('.').parse().ok()
        })
        .expect("chromedriver says its port");
    // It goes on talking: nobody listens, and it must not be stopped by that.
    std::thread::spawn(move || lines.for_each(drop));
    (driver, port)
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
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(options.as_object().expect("an object").clone())
            .connect(&format!("http://127.0.0.1:{port}"))
            .await
            .unwrap_or_else(|error| panic!("Chromium: {error}; {MISSING}"));
        Self {
            client,
            driver,
            profile,
        }
    }

    /// Sends a command of Chromium's own protocol.
    pub async fn devtools(&self, command: &str, parameters: Value) -> Value {
        let body = json!({ "cmd": command, "params": parameters });
        self.client
            .issue_cmd(Devtools(body))
            .await
            .expect("Chromium does so")
    }

    /// Opens an address.
    pub async fn open(&self, url: &str) {
        self.client.goto(url).await.expect("the page opens");
    }

    /// The element of a CSS selector, as soon as it is there.
    pub async fn find(&self, css: &str) -> Element {
        match self
            .client
            .wait()
            .at_most(PATIENCE)
            .for_element(Locator::Css(css))
            .await
        {
            Ok(element) => element,
            Err(error) => panic!("{css}: {error}; the page says: {}", self.text().await),
        }
    }

    /// How many elements of a CSS selector there are now.
    pub async fn count(&self, css: &str) -> usize {
        self.client
            .find_all(Locator::Css(css))
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

    /// Clicks the button or link with these words.
    pub async fn press(&self, words: &str) {
        let path = format!("//*[self::button or self::a][normalize-space()='{words}']");
        let found = self
            .client
            .wait()
            .at_most(PATIENCE)
            .for_element(Locator::XPath(&path))
            .await;
        let element = match found {
            Ok(element) => element,
            Err(error) => panic!("{words}: {error}; the page says: {}", self.text().await),
        };
        element.click().await.expect("it can be clicked");
    }

    /// What the page says.
    pub async fn text(&self) -> String {
        let text = self.run("return document.body.innerText").await;
        text.as_str().unwrap_or_default().to_owned()
    }

    /// Waits until the page says this.
    pub async fn says(&self, words: &str) {
        let script = format!(
            "const [words, done] = arguments; const look = () => document.body.innerText.includes(words) \
             ? done(true) : Date.now() > end ? done(false) : setTimeout(look, 50); \
             const end = Date.now() + {}; look()",
            PATIENCE.as_millis()
        );
        let said = self.client.execute_async(&script, vec![json!(words)]).await;
        if said.as_ref().ok() != Some(&json!(true)) {
            panic!(
                "the page does not say {words:?}, but: {}",
                self.text().await
            );
        }
    }

    /// Runs a script on the page.
    pub async fn run(&self, script: &str) -> Value {
        self.client
            .execute(script, Vec::new())
            .await
            .expect("the script runs")
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
        // The driver ends its browser when it is asked to, not when it is killed.
        let _ = Command::new("kill")
            .arg(self.driver.id().to_string())
            .status();
        let _ = self.driver.wait();
        let _ = std::fs::remove_dir_all(&self.profile);
    }
}
