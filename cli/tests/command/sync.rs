//! `sync`.

use std::sync::Mutex;
use std::sync::mpsc;
use std::time::Duration;

use serde_json::{Value, json};

use crate::bench::Bench;
use crate::stub::{Answer, Stub};

fn statistics() -> Value {
    json!({
        "skipped_reason": null, "users_method": "member_walk",
        "users_seen": 42, "users_added": 3, "users_undeleted": 0, "users_soft_deleted": 1,
        "groups_seen": 7, "groups_added": 0, "groups_undeleted": 0, "groups_soft_deleted": 0,
        "memberships_seen": 86, "memberships_added": 5, "memberships_soft_deleted": 2,
        "super_admin_count": 0, "super_admins_group_promoted": 0, "super_admins_group_demoted": 0,
        "duration_seconds": 1.8,
        "sync_id": 12,
        "warnings": [{
            "code": "users_by_member_walk", "message": "ScaiKey refused admin:read.",
            "fix": "Run `scaigate scaikey-register`.",
        }, {
            "code": "no_super_admin", "message": "Nobody is super admin.",
            "fix": "Run `scaigate admin grant <email> --role super_admin`.",
        }],
    })
}

#[test]
fn s_08_what_a_sync_did_and_warns_of_is_shown_with_the_fix() {
    let stub = Stub::saying(Answer::json(200, &statistics()));
    let bench = Bench::at(&stub.url());
    let ran = bench.run("sync");
    let shown = ran.done();
    for line in [
        "users_method                 member_walk",
        "users_seen                   42",
        "super_admins_group_promoted  0",
        "duration_seconds             1.8",
        "warning: users_by_member_walk: ScaiKey refused admin:read.",
        "  fix: Run `scaigate scaikey-register`.",
        "  fix: Run `scaigate admin grant <email> --role super_admin`.",
    ] {
        assert!(shown.lines().any(|shown| shown == line), "{line}\n{shown}");
    }
    // Sixteen statistics and two warnings with a fix each.
    assert_eq!(shown.lines().count(), 16 + 4, "{shown}");
    let asked = stub.asked();
    assert_eq!(asked.len(), 1);
    assert_eq!(asked[0].line(), "POST /v1/admin/sync");
    assert_eq!(asked[0].json(), json!({ "force": false }));

    let ran = bench.run("sync --force --json");
    ran.done();
    assert_eq!(ran.json(), statistics());
    assert_eq!(stub.asked()[1].json(), json!({ "force": true }));
}

#[test]
fn progress_is_shown_while_the_sync_runs() {
    // The sync ends when somebody has asked how far it is.
    let (saw, seen) = mpsc::channel();
    let (saw, seen) = (Mutex::new(saw), Mutex::new(seen));
    let stub = Stub::start(move |asked| match asked.method.as_str() {
        "GET" => {
            saw.lock().unwrap().send(()).unwrap();
            Answer::json(
                200,
                &json!({ "running": { "sync_id": 12, "phase": "groups\u{1b}[2J", "users_seen": 42,
                         "groups_seen": 3, "memberships_seen": 0 }, "last": null }),
            )
        }
        _ => {
            let waited = seen.lock().unwrap().recv_timeout(Duration::from_secs(60));
            waited.expect("nobody asked how far it is");
            Answer::json(200, &statistics())
        }
    });
    let ran = Bench::at(&stub.url()).run("sync --progress plain --json");
    assert_eq!(ran.code, 0);
    assert_eq!(ran.json(), statistics());
    let lines: Vec<_> = ran.stderr.lines().collect();
    assert_eq!(
        lines,
        [
            "reading ScaiKey's directory",
            "groups\u{fffd}[2J: 42 users, 3 groups, 0 memberships seen"
        ]
    );
}

#[test]
fn a_failing_question_about_progress_does_not_fail_the_sync() {
    let (saw, seen) = mpsc::channel();
    let (saw, seen) = (Mutex::new(saw), Mutex::new(seen));
    let stub = Stub::start(move |asked| match asked.method.as_str() {
        "GET" => {
            saw.lock().unwrap().send(()).unwrap();
            Answer::problem(503, "store_unavailable", &json!({}))
        }
        _ => {
            let waited = seen.lock().unwrap().recv_timeout(Duration::from_secs(60));
            waited.expect("nobody asked how far it is");
            Answer::json(200, &statistics())
        }
    });
    let ran = Bench::at(&stub.url()).run("sync --progress plain");
    assert_eq!(
        (ran.code, ran.stderr.as_str()),
        (0, "reading ScaiKey's directory\n")
    );
}

#[test]
fn a_sync_that_is_not_applied_ends_with_its_number() {
    for (status, code, number) in [
        (409, "sync_running", 4),
        (409, "sync_suspicious_shrink", 4),
        (403, "admin_role_required", 4),
        (502, "sync_incomplete", 1),
        (502, "sync_forbidden", 1),
    ] {
        let details = json!({ "list": "users", "mirrored": 40, "seen": 3 });
        let answer = Answer::problem(status, code, &details).with("retry-after", "30");
        let stub = Stub::saying(answer);
        let ran = Bench::at(&stub.url()).run("sync");
        ran.failed(number, &format!("{code}: "), &format!("Mend {code}."));
        assert!(ran.stderr.contains("  mirrored: 40\n"), "{ran:?}");
        assert!(ran.stderr.contains("  retry_after: 30 s\n"), "{ran:?}");
    }
}

#[test]
fn a_sync_without_credentials_is_no_success() {
    let skipped =
        json!({ "skipped_reason": "credentials_missing", "users_seen": 0, "warnings": [] });
    let stub = Stub::saying(Answer::json(200, &skipped));
    let ran = Bench::at(&stub.url()).run("sync");
    assert_eq!((ran.code, ran.stderr.as_str()), (1, ""));
    assert!(
        ran.stdout
            .starts_with("skipped: credentials_missing\n  fix: Set the three ScaiKey")
    );
}

#[test]
fn an_answer_that_never_comes_leaves_the_run_to_be_looked_at() {
    let stub = Stub::saying(Answer::hanging_up());
    let ran = Bench::at(&stub.url()).run("sync");
    ran.failed(5, "no_answer: ", "`scaigate sync --status` shows it");
}

#[test]
fn the_status_shows_the_run_under_way_and_the_last_one() {
    let status = json!({
        "running": { "sync_id": 13, "started_at": "2026-11-22T11:00:00Z", "phase": "users",
                     "users_seen": 5, "groups_seen": 0, "memberships_seen": 0 },
        "last": { "sync_id": 12, "trigger": "call", "started_at": "2026-11-22T10:00:00Z",
                  "finished_at": "2026-11-22T10:00:02Z", "outcome": "failed",
                  "code": "sync_forbidden", "statistics": { "users_seen": 1 },
                  "warnings": [{ "code": "w", "message": "m", "fix": "f" }] },
        "due_at": "2026-11-22T12:00:00Z",
    });
    let stub = Stub::saying(Answer::json(200, &status));
    let bench = Bench::at(&stub.url());
    assert_eq!(
        bench.run("sync --status").done(),
        "running: 13, since 2026-11-22T11:00:00Z, users: 5 users, 0 groups, 0 memberships seen\n\
         last: 12, failed, begun by call at 2026-11-22T10:00:00Z, ended at 2026-11-22T10:00:02Z, code \
         sync_forbidden\nusers_seen  1\nwarning: w: m\n  fix: f\ndue: 2026-11-22T12:00:00Z\n"
    );
    assert_eq!(bench.run("sync --status --json").json(), status);
    assert_eq!(stub.lines(), ["GET /v1/admin/sync", "GET /v1/admin/sync"]);

    let never = json!({ "running": null, "last": null, "due_at": null });
    let stub = Stub::saying(Answer::json(200, &never));
    assert_eq!(
        Bench::at(&stub.url()).run("sync --status").done(),
        "running: none\nlast: none\ndue: -\n"
    );
}
