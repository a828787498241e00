//! `scaikey-register` at an emulated ScaiKey.

use bytes::Bytes;
use http::Request;
use scaikey_emulator::{Endpoint, plain_http, seed};
use serde_json::Value;

use crate::bench::Bench;
use crate::service_tokens::ScaiKey;

const STATE: &str = ".scaigate-registration.json";
const SCOPES: [&str; 9] = [
    "openid",
    "profile",
    "email",
    "groups",
    "offline_access",
    "users:read",
    "groups:read",
    "admin:read",
    "admin:write",
];
/// As somebody has written it.
const BEFORE: &str = "# ours\nPUBLIC_URL=https://id.acme.example\n\nSESSION_SECRET='canary-session'  # keep\n\
                      export SCAIFLOW_SCAIKEY_CLIENT_ID = old # of 2024\r\nODD=a=b\n";

fn bench(scaikey: &ScaiKey) -> Bench {
    let bench = Bench::new().with("SCAIKEY_BASE_URL", &scaikey.url());
    bench.write(".env", BEFORE);
    bench
}

/// The credentials in `.env`.
fn credentials(bench: &Bench) -> (String, String) {
    let text = bench.read(".env");
    let value = |name: &str| {
        let found = text.lines().find_map(|line| {
            let (key, value) = line
                .strip_prefix("export ")
                .unwrap_or(line)
                .split_once('=')?;
            (key.trim() == name).then(|| value.split('#').next().unwrap().trim().to_owned())
        });
        found.unwrap()
    };
    (
        value("SCAIFLOW_SCAIKEY_CLIENT_ID"),
        value("SCAIFLOW_SCAIKEY_CLIENT_SECRET"),
    )
}

fn request_id(bench: &Bench) -> String {
    let state: Value = serde_json::from_str(&bench.read(STATE)).unwrap();
    state["request_id"].as_str().unwrap().to_owned()
}

impl ScaiKey {
    /// A token of the service application, which may write.
    fn admin_token(&self) -> String {
        let mut directory = self.emulator.directory();
        for application in &mut directory.applications {
            if application.client_id == seed::SERVICE_CLIENT_ID {
                application.allowed_scopes.push("admin:write".to_owned());
            }
        }
        drop(directory);
        let form = format!(
            "grant_type=client_credentials&client_id={}&client_secret={}",
            seed::SERVICE_CLIENT_ID,
            seed::SERVICE_CLIENT_SECRET
        );
        let request = Request::post(format!("{}/api/v1/platform/oauth/token", self.url()))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(Bytes::from(form))
            .unwrap();
        let answer = self.block_on(plain_http::send(request)).unwrap();
        let answer: Value = serde_json::from_slice(answer.body()).unwrap();
        answer["access_token"].as_str().unwrap().to_owned()
    }
}

#[test]
fn a_registration_is_asked_for_waits_and_is_finished_by_a_later_run() {
    let scaikey = ScaiKey::start();
    let bench = bench(&scaikey);
    let ran = bench.run("scaikey-register --email ops@acme.example --no-wait");
    assert_eq!(ran.code, 0, "{ran:?}");
    let id = request_id(&bench);
    assert!(
        ran.stderr.starts_with(&format!("Asked for as {id}. ")),
        "{ran:?}"
    );
    assert_eq!(bench.mode(STATE), 0o600);
    assert_eq!(bench.read(".env"), BEFORE, "nothing is written yet");

    // Another run asks for the same one, not for a second.
    let ran = bench.run("scaikey-register --status --json");
    ran.done();
    assert_eq!(ran.json()["status"], "PENDING");
    assert_eq!(request_id(&bench), id);

    assert!(scaikey.emulator.decide_registration(&id, true));
    let ran = bench.run("scaikey-register --json");
    ran.done();
    let (client_id, secret) = credentials(&bench);
    assert_eq!(ran.json()["client_id"], client_id.as_str());
    assert!(!ran.stdout.contains(&secret), "the secret is printed");
    assert!(!bench.has(STATE));
    assert_eq!(bench.mode(".env"), 0o600);

    // In place, the rest as it was.
    let wanted = BEFORE.replace("= old #", &format!("= {client_id} #"));
    let base = scaikey.url();
    let added = format!("SCAIKEY_BASE_URL={base}\nSCAIFLOW_SCAIKEY_CLIENT_SECRET={secret}\n");
    assert_eq!(bench.read(".env"), wanted + &added);

    let directory = scaikey.emulator.directory();
    let made = directory.applications.last().unwrap();
    assert_eq!(made.client_id, client_id);
    assert_eq!(made.client_secret.as_deref(), Some(secret.as_str()));
    assert_eq!(
        made.redirect_uris,
        ["https://id.acme.example/v1/auth/callback"]
    );
    assert_eq!(made.allowed_scopes, SCOPES);
}

#[test]
fn a_registration_is_waited_for_until_it_is_approved() {
    let scaikey = ScaiKey::start();
    let bench = bench(&scaikey);
    let ran = std::thread::scope(|scope| {
        // Asked for, asked about, and about again: the first answer was that it is pending.
        scope.spawn(|| {
            let recorder = scaikey.emulator.recorder();
            scaikey.block_on(recorder.arrived(Endpoint::Registration, 3));
            assert!(
                scaikey
                    .emulator
                    .decide_registration(&request_id(&bench), true)
            );
        });
        bench.run("scaikey-register --email ops@acme.example --poll 1 --progress plain")
    });
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.stdout.starts_with("Registered as "), "{ran:?}");
    assert!(ran.stderr.ends_with(" waits for approval\n"), "{ran:?}");
    assert!(!bench.has(STATE));
}

#[test]
fn the_credentials_of_a_registration_work() {
    let scaikey = ScaiKey::start();
    let bench = bench(&scaikey);
    bench.run("scaikey-register --email ops@acme.example --no-wait");
    assert!(
        scaikey
            .emulator
            .decide_registration(&request_id(&bench), true)
    );
    bench.run("scaikey-register --status").done();
    // A token is had, and nobody listens where scaigate should be.
    let ran = bench.run("admin users --url http://127.0.0.1:1");
    ran.failed(
        5,
        "no_connection: scaigate at http://127.0.0.1:1",
        "can be reached",
    );
}

#[test]
fn a_registration_is_cancelled_here_and_there() {
    let scaikey = ScaiKey::start();
    let bench = bench(&scaikey);
    bench
        .run("scaikey-register --cancel")
        .failed(3, "no_registration: ", "Begin one");
    bench
        .run("scaikey-register --status")
        .failed(3, "no_registration: ", "Begin one");
    bench.run("scaikey-register --email ops@acme.example --no-wait");
    let id = request_id(&bench);
    let ran = bench.run("scaikey-register --cancel");
    assert_eq!(ran.done(), format!("{id} is cancelled.\n"));
    assert!(!bench.has(STATE));
    assert!(
        !scaikey.emulator.decide_registration(&id, true),
        "still pending there"
    );
    assert_eq!(bench.read(".env"), BEFORE);
}

#[test]
fn a_registration_that_is_rejected_ends() {
    let scaikey = ScaiKey::start();
    let bench = bench(&scaikey);
    bench.run("scaikey-register --email ops@acme.example --no-wait");
    assert!(
        scaikey
            .emulator
            .decide_registration(&request_id(&bench), false)
    );
    bench
        .run("scaikey-register --cancel")
        .failed(4, "scaikey_refused: ", "--status");
    bench
        .run("scaikey-register")
        .failed(4, "registration_rejected: ", "administrator");
    assert!(!bench.has(STATE));
    assert_eq!(bench.read(".env"), BEFORE);
}

#[test]
fn an_administrator_creates_the_application_at_once() {
    let scaikey = ScaiKey::start();
    let bench = bench(&scaikey);
    let token = scaikey.admin_token();
    let line = "scaikey-register --admin-token - --name edge \
                --redirect-uri https://canvas.acme.example/auth/callback --json";
    let ran = bench.run_with_input(line, &token);
    ran.done();
    let (client_id, secret) = credentials(&bench);
    assert!(!ran.stdout.contains(&secret) && !ran.stdout.contains(&token));
    assert!(!bench.has(STATE));
    assert_eq!(scaikey.scopes(&client_id), SCOPES);
    let directory = scaikey.emulator.directory();
    let made = directory.applications.last().unwrap();
    assert_eq!(
        (made.name.as_str(), made.client_id.as_str()),
        ("edge", client_id.as_str())
    );
    assert_eq!(
        made.redirect_uris,
        [
            "https://id.acme.example/v1/auth/callback",
            "https://canvas.acme.example/auth/callback"
        ]
    );
}

#[test]
fn s_08_the_scopes_of_an_application_are_widened_and_none_is_lost() {
    let scaikey = ScaiKey::start();
    let bench = bench(&scaikey).with("SCAIFLOW_SCAIKEY_CLIENT_ID", seed::CLIENT_ID);
    let before = scaikey.scopes(seed::CLIENT_ID);
    assert!(
        before.contains(&"scaicore:view".to_owned()) && !before.contains(&"admin:write".to_owned())
    );
    let bench = bench.with("SCAIKEY_ADMIN_TOKEN", &scaikey.admin_token());
    let ran = bench.run("scaikey-register --app-id app_scaigate0001 --json");
    ran.done();
    assert_eq!(
        ran.json()["added_scopes"],
        serde_json::json!(["admin:write"])
    );
    assert_eq!(ran.json()["is_configured_client"], true);
    let mut wanted = before;
    wanted.push("admin:write".to_owned());
    assert_eq!(scaikey.scopes(seed::CLIENT_ID), wanted);
    assert_eq!(bench.read(".env"), BEFORE, "the credentials stay");

    let ran = bench.run("scaikey-register --app-id app_scaigate0001");
    assert_eq!(
        ran.done(),
        "app_scaigate0001 has every scope that it needs.\n"
    );
    // Another application than the configured one is said to be.
    let ran = bench.run("scaikey-register --app-id app_scaigatesvc01");
    assert!(
        ran.done()
            .contains("not the application of SCAIFLOW_SCAIKEY_CLIENT_ID"),
        "{ran:?}"
    );
    bench.run("scaikey-register --app-id app_unknown").failed(
        3,
        "scaikey_refused: ScaiKey answered 404",
        "identifier",
    );
}

#[test]
fn a_token_that_may_not_is_told_as_such() {
    let scaikey = ScaiKey::start();
    let bench = bench(&scaikey);
    for line in [
        "scaikey-register --admin-token canary-wrong-token",
        "scaikey-register --admin-token canary-wrong-token --app-id app_scaigate0001",
    ] {
        bench.run(line).failed(
            4,
            "scaikey_refused: ScaiKey answered 401",
            "new administrator's token",
        );
    }
    bench
        .run("scaikey-register --app-id app_scaigate0001")
        .failed(2, "usage: --app-id needs", "SCAIKEY_ADMIN_TOKEN");
    assert_eq!(bench.read(".env"), BEFORE);
}
