//! `sync`.

use scaigate_e2e::Target;
use scaigate_e2e::emulator::{Endpoint, Fault};
use serde_json::Value;

use crate::place::{operator, run, run_beside, world};

#[tokio::test(flavor = "multi_thread")]
async fn a_sync_says_how_far_it_is_and_what_it_did() {
    let world = world().await;
    let bench = operator(&world);
    let recorder = world.scaikey.recorder();
    let queries = || world.faults.count(&Target::sqlite());
    // What one look at the status costs at the most, once the tables are there.
    run(&world, &bench, "sync --status").done();
    let before = queries();
    run(&world, &bench, "sync --status").done();
    let look = queries() - before;
    assert!(look > 0);

    recorder.hold(Endpoint::AdminGroups);
    let release = async {
        recorder.held(Endpoint::AdminGroups, 1).await;
        // The run waits for ScaiKey, so whoever asks the database is the command: the second time,
        // when it has shown what it was told the first time.
        let before = queries();
        world.faults.until(|| queries() > before + look).await;
        let second = bench.run("sync");
        recorder.release(Endpoint::AdminGroups);
        second
    };
    let (ran, second) = run_beside(&bench, "sync --progress plain --json", release);
    second.failed(4, "sync_running: ", "");
    assert_eq!(ran.code, 0, "{ran:?}");
    let report = ran.json();
    assert_eq!(report["users_method"], "effective_users");
    let users = report["users_seen"].as_u64().unwrap();
    assert_eq!(report["users_added"], users);
    let lines: Vec<_> = ran.stderr.lines().collect();
    let shown = format!("groups: {users} users, 0 groups, 0 memberships seen");
    assert_eq!(lines.first(), Some(&"reading ScaiKey's directory"));
    assert!(lines.contains(&shown.as_str()), "{lines:?}");

    let ran = run(&world, &bench, "sync --status --json");
    ran.done();
    let last = &ran.json()["last"];
    assert_eq!(last["outcome"], "applied");
    assert_eq!(last["statistics"]["users_seen"], users);
    let ran = run(&world, &bench, "sync");
    let table = ran.done();
    assert!(
        table
            .lines()
            .any(|line| line == "users_added                  0"),
        "{table}"
    );
    assert!(table.contains("warning: no_super_admin: "), "{table}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sync_that_goes_wrong_ends_with_its_number_and_the_mirror_stays() {
    let world = world().await;
    let bench = operator(&world);
    let seen = world.sync().await["users_seen"].clone();
    let switches = world.scaikey.switches();
    switches.fail_always(Endpoint::AdminGroups, Fault::Garbage);
    let ran = run(&world, &bench, "sync");
    ran.failed(1, "sync_incomplete: ", "");
    switches.heal(Endpoint::AdminGroups);

    // Half of everybody is gone: not without --force.
    let kept = world.scaikey.directory().clone();
    let mut fewer = kept.clone();
    let gone: Vec<String> = fewer.users.iter().skip(5).map(|u| u.id.clone()).collect();
    for id in &gone {
        fewer.remove_user(id);
    }
    world.set_directory(&fewer);
    world.advance(1);
    let ran = run(&world, &bench, "sync --json");
    ran.code_is(4);
    assert_eq!(ran.json()["error"]["code"], "sync_suspicious_shrink");
    let state = run(&world, &bench, "sync --status --json").json();
    assert_eq!(state["last"]["outcome"], "failed", "{state}");
    assert_eq!(state["running"], Value::Null, "{state}");
    let ran = run(&world, &bench, "sync --force --json");
    ran.done();
    let left = ran.json()["users_seen"].as_u64().unwrap();
    assert!(left * 2 < seen.as_u64().unwrap(), "{left} of {seen}");
}
