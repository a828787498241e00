//! The world of one test.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use scaigate_host::{Faults, Host, HostClock, HostOptions, LogSink, ReuseOptions, State};
use scaikey_emulator::{Behaviour, Emulator, Options, seed};
use serde_json::{Value, json};

use crate::spin_process::{SpinProcess, start_spin};
use crate::{Answer, Browser, Canaries, Client};

/// Where every test's clock begins: 2026-11-22T12:00:00Z.
const BEGINNING: u64 = 1_795_348_800;

/// The session secret of the tests.
const SESSION_SECRET: &str = "c2NhaWdhdGUtZTJlLXNlc3Npb24tc2VjcmV0LTAwMDE=";

/// What seals the console's cookies in the tests.
const CONSOLE_SECRET: &str = "c2NhaWdhdGUtZTJlLWNvbnNvbGUtc2VjcmV0LTAwMDE=";

/// The secret that ScaiKey and the components share for webhooks.
pub const WEBHOOK_SECRET: &str = "webhook-secret-of-the-tests-0001";

/// What seals the tenants' keys in the tests.
pub const CREDENTIALS_KEY: &str = "c2NhaWdhdGUtZTJlLWNyZWRlbnRpYWxzLWtleS0wMDE=";

/// What a world begins with.
#[derive(Default)]
pub struct Setup {
    /// Variables that differ from the usual ones; an empty value unsets one.
    pub variables: BTreeMap<String, String>,
    /// ScaiKey's behaviour.
    pub behaviour: Behaviour,
    /// How instances are reused.
    pub reuse: ReuseOptions,
    /// ScaiGrid's behaviour; without it there is no ScaiGrid.
    pub scaigrid: Option<scaigrid_emulator::Behaviour>,
}

impl Setup {
    /// With the variable `name` set to `value`.
    #[must_use]
    pub fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables.insert(name.to_owned(), value.to_owned());
        self
    }

    /// With ScaiKey's behaviour changed.
    #[must_use]
    pub fn behaviour(mut self, change: impl FnOnce(&mut Behaviour)) -> Self {
        change(&mut self.behaviour);
        self
    }

    /// With a ScaiGrid.
    #[must_use]
    pub fn scaigrid(mut self) -> Self {
        self.scaigrid = Some(scaigrid_emulator::Behaviour::default());
        self
    }

    /// With every request on an instance of its own.
    #[must_use]
    pub fn without_reuse(mut self) -> Self {
        self.reuse = ReuseOptions::never();
        self
    }
}

enum Runtime {
    Embedded(Option<Host>),
    Spin(SpinProcess),
}

/// An emulated ScaiKey, the components that ship, and what a test does with them.
pub struct World {
    /// ScaiKey.
    pub scaikey: Emulator,
    /// ScaiGrid, if there is one: [`World::grid`].
    pub(crate) scaigrid: Option<scaigrid_emulator::Emulator>,
    /// The clock of the runner and of the emulators.
    pub clock: HostClock,
    /// Faults of the runner's stores, variables and network.
    pub faults: Faults,
    /// What the components and the runner logged.
    pub logs: LogSink,
    /// A client of the components.
    pub client: Client,
    /// Secrets seen so far.
    pub canaries: Canaries,
    /// The components' own address.
    pub url: String,
    runtime: Runtime,
    variables: BTreeMap<String, String>,
    reuse: ReuseOptions,
    /// What runners that crashed have left, removed with the world.
    left: Vec<PathBuf>,
}

fn workspace_root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .nth(2)
        .expect("tests/e2e")
        .to_owned()
}

/// Why a runner may not start.
const STARTS: &str = "the runner starts (`cargo xtask build` makes the components)";

fn code_cache() -> PathBuf {
    workspace_root().join("target/scaigate-code-cache")
}

/// A free port. The embedded runner takes the listener over, so nobody gets in between; Spin can
/// only be told the number.
fn free_port() -> (TcpListener, u16) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    let port = listener.local_addr().expect("an address").port();
    (listener, port)
}

impl World {
    /// A world with the usual settings.
    pub async fn start() -> Self {
        Self::with(Setup::default()).await
    }

    /// A world that begins with `setup`, on the runtime that `SCAIGATE_RUNTIME` names: the embedded
    /// runner, or `spin` from the PATH.
    pub async fn with(setup: Setup) -> Self {
        let spin = std::env::var("SCAIGATE_RUNTIME").is_ok_and(|name| name == "spin");
        let clock = if spin {
            HostClock::system()
        } else {
            HostClock::settable(BEGINNING)
        };
        let (listener, port) = free_port();
        let url = format!("http://127.0.0.1:{port}");
        // Where ScaiKey sends browsers, also when a test says that a proxy stands in front.
        let public_url = setup.variables.get("public_url").unwrap_or(&url).clone();
        let scaikey = Emulator::start(Options {
            clock: {
                let clock = clock.clone();
                Arc::new(move || i64::try_from(clock.wall().as_millis()).expect("this era"))
            },
            redirect_uris: [
                format!("{public_url}/v1/auth/callback"),
                format!("{public_url}/v1/auth/login"),
                "http://127.0.0.1:5173/auth/callback".to_owned(),
            ]
            .into(),
            post_logout_redirect_uris: vec!["http://127.0.0.1:5173/".to_owned()],
            behaviour: setup.behaviour,
            ..Options::default()
        })
        .await
        .expect("the emulator starts");
        let mut variables: BTreeMap<String, String> = [
            ("scaikey_base_url", scaikey.base_url().as_str()),
            ("scaiflow_scaikey_client_id", seed::CLIENT_ID),
            ("scaiflow_scaikey_client_secret", seed::CLIENT_SECRET),
            ("public_url", &url),
            (
                "app_url",
                "http://127.0.0.1:5173/auth/done,https://app.example",
            ),
            ("env", "dev"),
            ("session_secret", SESSION_SECRET),
            ("console_secret", CONSOLE_SECRET),
            ("scaiflow_scaikey_webhook_secret", WEBHOOK_SECRET),
            // A sync by time would come in between: tests of it set the interval.
            ("scaiflow_sync_interval_minutes", "0"),
            // Tests ask as often as they like: those of the limits set them.
            ("rate_limits", "off"),
        ]
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
        variables.extend(setup.variables);
        let canaries = Canaries::default();
        let scaigrid = match setup.scaigrid {
            Some(behaviour) => {
                let scaigrid = crate::scaigrid::start(behaviour, &clock, &scaikey).await;
                variables
                    .entry("scaigrid_base_url".to_owned())
                    .or_insert_with(|| scaigrid.base_url());
                variables
                    .entry("credentials_key".to_owned())
                    .or_insert_with(|| CREDENTIALS_KEY.to_owned());
                canaries.add(CREDENTIALS_KEY);
                crate::scaigrid::remember_keys(&scaigrid, &canaries);
                Some(scaigrid)
            }
            None => None,
        };
        canaries.add(seed::CLIENT_SECRET);
        canaries.add(SESSION_SECRET);
        canaries.add(CONSOLE_SECRET);
        canaries.add(WEBHOOK_SECRET);
        let faults = Faults::none();
        let logs = LogSink::new();
        let manifest = workspace_root().join("spin.toml");
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let runtime = if spin {
            drop(listener);
            Runtime::Spin(start_spin(&manifest, address, &variables).await)
        } else {
            let mut options = HostOptions::new(manifest);
            options.listener = Some(listener);
            options.variables = variables.clone();
            options.state = State::Temporary;
            options.clock = clock.clone();
            options.faults = faults.clone();
            options.logs = logs.clone();
            options.reuse = setup.reuse;
            options.cache = Some(code_cache());
            Runtime::Embedded(Some(Host::start(options).await.expect(STARTS)))
        };
        let client = Client::new(&url, canaries.clone());
        Self {
            scaikey,
            scaigrid,
            clock,
            faults,
            logs,
            client,
            canaries,
            url,
            runtime,
            variables,
            reuse: setup.reuse,
            left: Vec::new(),
        }
    }

    /// The runner ends without a word, and another starts with what is in its files at this moment, with
    /// some settings changed. It has the old one's address.
    ///
    /// # Panics
    /// When the files can't be copied or the runner doesn't start.
    pub async fn crash(&mut self, changed: &[(&str, &str)]) {
        let files = self.folder();
        copy_state(self.host().state_directory(), &files);
        self.begin_again(files, changed).await;
    }

    /// A backup of both stores while the runner works, as `docs/deploy.md` makes one.
    ///
    /// # Panics
    /// When it can't be made.
    pub fn back_up(&mut self) -> PathBuf {
        let backup = self.folder();
        for name in ["sqlite_db.db", "sqlite_key_value.db"] {
            let live = rusqlite::Connection::open(self.host().state_directory().join(name))
                .expect("a store");
            let file = backup.join(name);
            live.execute("VACUUM INTO ?1", [file.to_str().expect("a path")])
                .expect("a backup");
        }
        self.left.push(backup.clone());
        backup
    }

    /// The runner is stopped, and another starts with the files of a backup, with some settings changed.
    ///
    /// # Panics
    /// As [`World::crash`].
    pub async fn restore(&mut self, backup: &Path, changed: &[(&str, &str)]) {
        let files = self.folder();
        copy_state(backup, &files);
        self.begin_again(files, changed).await;
    }

    /// A new folder, removed with this world once it is in `left`.
    fn folder(&self) -> PathBuf {
        let name = format!(
            "scaigate-left-{}-{}-{}",
            std::process::id(),
            self.host().address().port(),
            self.left.len()
        );
        let folder = std::env::temp_dir().join(name);
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).expect("a directory");
        folder
    }

    async fn begin_again(&mut self, files: PathBuf, changed: &[(&str, &str)]) {
        let address = self.host().address();
        if let Runtime::Embedded(Some(host)) =
            std::mem::replace(&mut self.runtime, Runtime::Embedded(None))
        {
            host.crash().await;
        }
        for (name, value) in changed {
            self.variables
                .insert((*name).to_owned(), (*value).to_owned());
        }
        let mut options = HostOptions::new(workspace_root().join("spin.toml"));
        options.listen = address;
        options.variables = self.variables.clone();
        options.state = State::Directory(files.clone());
        options.clock = self.clock.clone();
        options.faults = self.faults.clone();
        options.logs = self.logs.clone();
        options.reuse = self.reuse;
        options.cache = Some(code_cache());
        self.runtime = Runtime::Embedded(Some(Host::start(options).await.expect(STARTS)));
        self.client = Client::new(&self.url, self.canaries.clone());
        self.left.push(files);
    }

    /// The embedded runner.
    #[must_use]
    pub fn host(&self) -> &Host {
        match &self.runtime {
            Runtime::Embedded(Some(host)) => host,
            _ => panic!("this test needs the embedded runner"),
        }
    }

    /// A browser without cookies.
    #[must_use]
    pub fn browser(&self) -> Browser {
        Browser::new(self.client.clone(), self.canaries.clone())
    }

    /// Moves time on.
    pub fn advance(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    /// Begins a sign-in and lets the person sign in at ScaiKey: the address ScaiKey sends the
    /// browser back to.
    pub async fn authorize(&self, browser: &Browser, login: &Value, email: &str) -> String {
        let begun = browser.post("/v1/auth/login", login).await;
        assert_eq!(begun.status, 200, "{}", begun.text());
        let url = begun.json()["authorize_url"]
            .as_str()
            .expect("a URL")
            .to_owned();
        self.canaries.add_url(&url);
        let back = self
            .scaikey
            .sign_in(&url, email)
            .await
            .expect("the person signs in");
        self.canaries.add_url(&back);
        back
    }

    /// Signs in up to the session code.
    pub async fn session_code(&self, browser: &Browser, login: &Value, email: &str) -> String {
        let back = self.authorize(browser, login, email).await;
        let answer = browser.get(&back).await;
        assert_eq!(answer.status, 303, "{}", answer.text());
        let code = answer.location_parameter("session_code");
        assert!(!code.is_empty(), "{}", answer.location());
        code
    }

    /// Redeems a session code.
    pub async fn redeem(&self, session_code: &str) -> Answer {
        self.client
            .post("/v1/auth/token", &json!({ "session_code": session_code }))
            .await
    }

    /// Signs a person in: the session answer.
    pub async fn sign_in(&self, email: &str) -> Value {
        let code = self.session_code(&self.browser(), &json!({}), email).await;
        let answer = self.redeem(&code).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()
    }

    /// The embedded runner's database.
    pub(crate) fn connection(&self) -> rusqlite::Connection {
        let path = self.host().state_directory().join("sqlite_db.db");
        let connection = rusqlite::Connection::open(path).expect("the database");
        connection
            .busy_timeout(Duration::from_secs(5))
            .expect("a time-out");
        connection
    }

    /// Runs SQL on the embedded runner's database: what a test needs to arrange and no route offers
    /// yet.
    pub fn sql(&self, sql: &str, parameters: &[&str]) -> usize {
        self.connection()
            .execute(sql, rusqlite::params_from_iter(parameters))
            .expect("the statement")
    }

    /// Reads one text from the embedded runner's database.
    #[must_use]
    pub fn sql_text(&self, sql: &str, parameters: &[&str]) -> Option<String> {
        self.connection()
            .query_row(sql, rusqlite::params_from_iter(parameters), |row| {
                row.get(0)
            })
            .ok()
    }
}

/// Copies a runner's files as they are at one moment, however busy it is.
fn copy_state(from: &Path, to: &Path) {
    let mut files: Vec<PathBuf> = std::fs::read_dir(from)
        .expect("the state")
        .map(|entry| entry.expect("an entry").path())
        // An index that the next to open the database makes anew.
        .filter(|path| !path.to_string_lossy().ends_with("-shm"))
        .collect();
    // A database comes before its log.
    files.sort();
    let is_database = |path: &&PathBuf| path.extension().is_some_and(|end| end == "db");
    // While somebody reads, nothing of the log is moved into the database behind it.
    let read = |path: &PathBuf| {
        let connection = rusqlite::Connection::open(path).expect("the database");
        connection
            .busy_timeout(Duration::from_secs(5))
            .expect("a time-out");
        connection
            .execute_batch("BEGIN; SELECT count(*) FROM sqlite_master")
            .expect("a transaction that reads");
        connection
    };
    let readers: Vec<_> = files.iter().filter(is_database).map(read).collect();
    for file in &files {
        let name = file.file_name().expect("a name");
        std::fs::copy(file, to.join(name)).expect("a copy");
    }
    drop(readers);
}

impl Drop for World {
    fn drop(&mut self) {
        for left in std::mem::take(&mut self.left) {
            self.runtime = Runtime::Embedded(None);
            let _ = std::fs::remove_dir_all(left);
        }
        if std::thread::panicking() {
            return;
        }
        let said = match &mut self.runtime {
            Runtime::Embedded(_) => self
                .logs
                .lines()
                .into_iter()
                .map(|line| line.line)
                .collect(),
            Runtime::Spin(process) => {
                process.stop();
                process.log_lines()
            }
        };
        // What was said while the world existed must not hold what it kept secret.
        for line in said {
            self.canaries.check("a log line", &line);
        }
    }
}
