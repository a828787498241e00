//! Without a token of its own the command asks ScaiKey for one of the application.

use std::sync::Arc;

use scaikey_emulator::{Emulator, Options, seed};
use serde_json::json;

use crate::bench::Bench;
use crate::stub::{Answer, Stub};

/// An emulated ScaiKey that runs as long as this lives.
pub struct ScaiKey {
    pub emulator: Arc<Emulator>,
    runtime: tokio::runtime::Runtime,
}

impl ScaiKey {
    pub fn start() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let emulator = runtime
            .block_on(Emulator::start(Options::default()))
            .unwrap();
        Self {
            emulator: Arc::new(emulator),
            runtime,
        }
    }

    pub fn url(&self) -> String {
        self.emulator.base_url()
    }

    pub fn block_on<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(work)
    }

    /// What an application may ask for.
    pub fn scopes(&self, client_id: &str) -> Vec<String> {
        let directory = self.emulator.directory();
        let mut found = directory.applications.iter();
        let application = found.find(|application| application.client_id == client_id);
        application.unwrap().allowed_scopes.clone()
    }
}

fn bench(scaikey: &ScaiKey, scaigate: &Stub, secret: &str) -> Bench {
    Bench::new()
        .with("PUBLIC_URL", &scaigate.url())
        .with("SCAIKEY_BASE_URL", &scaikey.url())
        .with("SCAIFLOW_SCAIKEY_CLIENT_ID", seed::CLIENT_ID)
        .with("SCAIFLOW_SCAIKEY_CLIENT_SECRET", secret)
}

/// A scaigate that answers whoever brings a token that the emulated ScaiKey has issued.
fn scaigate(scaikey: &ScaiKey) -> Stub {
    let emulator = scaikey.emulator.clone();
    Stub::start(move |asked| {
        let token = asked.headers["authorization"].strip_prefix("Bearer ");
        if token.is_some_and(|token| emulator.is_live(token)) {
            Answer::json(200, &json!({ "users": [], "total": 0 }))
        } else {
            Answer::problem(401, "token_invalid", &json!({}))
        }
    })
}

#[test]
fn s_10_the_applications_own_credentials_are_enough() {
    let scaikey = ScaiKey::start();
    let scaigate = scaigate(&scaikey);
    bench(&scaikey, &scaigate, seed::CLIENT_SECRET)
        .run("admin users")
        .done();
    assert_eq!(scaigate.asked().len(), 1);
    let requests = scaikey.emulator.recorder().requests();
    let asked = requests
        .iter()
        .find(|asked| asked.path.ends_with("/token"))
        .unwrap();
    let form = format!("{:?}", asked.form);
    assert!(
        form.contains("client_credentials") && form.contains("admin:read"),
        "{form}"
    );
    assert!(
        !form.contains("admin:write"),
        "only what the command needs: {form}"
    );
}

#[test]
fn credentials_come_from_env_and_the_environment_counts_more() {
    let scaikey = ScaiKey::start();
    let scaigate = scaigate(&scaikey);
    let bench = Bench::new().with("SCAIFLOW_SCAIKEY_CLIENT_SECRET", seed::CLIENT_SECRET);
    bench.write(
        ".env",
        &format!(
            "export public_url={}\nSCAIKEY_BASE_URL='{}' # here\nSCAIFLOW_SCAIKEY_CLIENT_ID={}\n\
             SCAIFLOW_SCAIKEY_CLIENT_SECRET=canary-old-secret\n",
            scaigate.url(),
            scaikey.url(),
            seed::CLIENT_ID
        ),
    );
    bench.run("admin users").done();
    bench.write(
        "other.env",
        "SCAIGATE_TOKEN=canary-other\nnonsense canary\n",
    );
    let ran = bench.run("admin users --env-file other.env");
    ran.failed(2, "usage: other.env: line 2 isn't NAME=value", "--env-file");
}

#[test]
fn without_any_credentials_the_command_says_which_to_set() {
    let scaikey = ScaiKey::start();
    let bench = Bench::new().with("SCAIKEY_BASE_URL", &scaikey.url());
    bench
        .run("sync")
        .failed(2, "usage: There is no token", "SCAIGATE_TOKEN");
    let bench = Bench::new();
    bench
        .run("sync")
        .failed(2, "usage: Nobody says where ScaiKey is", "SCAIKEY_BASE_URL");
}

#[test]
fn credentials_that_scaikey_refuses_are_told_as_such() {
    let scaikey = ScaiKey::start();
    let scaigate = scaigate(&scaikey);
    let ran = bench(&scaikey, &scaigate, "canary-wrong-secret").run("admin users");
    ran.failed(4, "client_refused: ", "SCAIFLOW_SCAIKEY_CLIENT_SECRET");
    assert!(scaigate.asked().is_empty());
}

#[test]
fn a_scope_that_the_application_lacks_is_told_with_how_to_give_it() {
    let scaikey = ScaiKey::start();
    scaikey
        .emulator
        .switches()
        .change(|behaviour| behaviour.refuse_excess_scope = true);
    let scaigate = scaigate(&scaikey);
    let bench = bench(&scaikey, &scaigate, seed::CLIENT_SECRET);
    let ran = bench.run("admin grant a@b.c --role super_admin");
    ran.failed(4, "scope_refused: ", "scaigate scaikey-register --app-id");
}

#[test]
fn a_scaikey_that_is_none_or_down_is_told_apart() {
    let page = Stub::saying(Answer::bytes(200, "text/html", b"<html>".to_vec()));
    let unused = Stub::saying(Answer::empty(500));
    let secret = "canary-client-secret";
    let at = |url: &str| {
        Bench::new()
            .with("PUBLIC_URL", &unused.url())
            .with("SCAIKEY_BASE_URL", url)
            .with("SCAIFLOW_SCAIKEY_CLIENT_ID", "client")
            .with("SCAIFLOW_SCAIKEY_CLIENT_SECRET", secret)
    };
    at(&page.url())
        .run("admin users")
        .failed(1, "discovery_invalid: ", "scaikey_base_url");
    at("http://127.0.0.1:1").run("admin users").failed(
        5,
        "no_connection: ScaiKey at http://127.0.0.1:1",
        "can be reached",
    );
    assert!(unused.asked().is_empty());
}
