//! `scaikey-register`: what it brings is what scaigate runs with.

use scaigate_e2e::World;
use scaigate_e2e::emulator::{Endpoint, seed};
use serde_json::Value;

use crate::bench::Bench;
use crate::place::{run, run_beside, run_with_input, world};

const STATE: &str = ".scaigate-registration.json";

/// The value of a line of `.env`.
fn setting(bench: &Bench, name: &str) -> String {
    let text = bench.read(".env");
    let found = text.lines().find_map(|line| {
        let (key, value) = line.split_once('=')?;
        (key == name).then(|| value.to_owned())
    });
    found.expect("a line of .env")
}

/// scaigate starts again with the registered application, and the command syncs it and makes the
/// first super admin with nothing but `.env`.
async fn begins(world: &mut World, bench: &Bench) {
    let client_id = setting(bench, "SCAIFLOW_SCAIKEY_CLIENT_ID");
    let secret = setting(bench, "SCAIFLOW_SCAIKEY_CLIENT_SECRET");
    world.canaries.add(&secret);
    let mut directory = world.scaikey.directory();
    let ours = directory.client_mut(&client_id).expect("the application");
    ours.assigned_groups = vec!["grp_acme_staff".to_owned()];
    drop(directory);
    world
        .crash(&[
            ("scaiflow_scaikey_client_id", &client_id),
            ("scaiflow_scaikey_client_secret", &secret),
        ])
        .await;
    let ran = run(world, bench, "sync --json");
    ran.done();
    let report = ran.json();
    assert_eq!(report["users_method"], "effective_users", "{report}");
    assert!(report["users_added"].as_u64().unwrap() > 5, "{report}");
    let line = "admin grant bob@acme.example --role super_admin";
    run(world, bench, line).done();
    let page = run(world, bench, "admin users --search bob --json").json();
    let rows = page["users"].as_array().expect("rows");
    let bob = rows.iter().find(|row| row["id"] == "usr_bob_acme");
    assert_eq!(bob.expect("Bob")["admin_role"], "super_admin", "{page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_approved_registration_is_what_scaigate_begins_with() {
    let mut world = world().await;
    let bench = Bench::new();
    bench.write(
        ".env",
        &format!("PUBLIC_URL={}\nSESSION_SECRET=kept\n", world.url),
    );
    let line = format!(
        "scaikey-register --scaikey-url {} --email ops@acme.example --poll 1 --wait 1 \
         --progress plain",
        world.scaikey.base_url()
    );
    let approve = async {
        // Asked for, and asked about: it is pending.
        let recorder = world.scaikey.recorder();
        recorder.arrived(Endpoint::Registration, 2).await;
        let state: Value = serde_json::from_str(&bench.read(STATE)).unwrap();
        let id = state["request_id"].as_str().unwrap();
        world.scaikey.decide_registration(id, true)
    };
    let (ran, is_decided) = run_beside(&bench, &line, approve);
    assert!(is_decided);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(!bench.has(STATE));
    assert_eq!(bench.mode(".env"), 0o600);
    assert_eq!(setting(&bench, "SESSION_SECRET"), "kept");
    begins(&mut world, &bench).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_administrators_token_makes_the_application_at_once() {
    let mut world = world().await;
    let bench = Bench::new();
    bench.write(".env", &format!("PUBLIC_URL={}\n", world.url));
    let mut directory = world.scaikey.directory();
    let service = directory.client_mut(seed::SERVICE_CLIENT_ID).unwrap();
    service.allowed_scopes.push("admin:write".to_owned());
    drop(directory);
    let token = world.service_token().await;
    let line = format!(
        "scaikey-register --scaikey-url {} --admin-token -",
        world.scaikey.base_url()
    );
    let ran = run_with_input(&world, &bench, &line, &token);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(world.scaikey.recorder().count(Endpoint::Registration), 0);
    begins(&mut world, &bench).await;

    // Without the right it ends so, and nothing is written.
    let other = Bench::new();
    let line = format!("{line} --public-url {}", world.url);
    let ran = run_with_input(&world, &other, &line, "canary-no-token-of-scaikey");
    ran.code_is(4);
    assert!(!other.has(".env"));
}
