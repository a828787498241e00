//! `admin users` and `admin why` by way of a server.

use serde_json::json;

use crate::bench::Bench;
use crate::stub::{Answer, Stub};

#[test]
fn users_are_a_table_for_people_and_the_servers_json_for_programs() {
    let page = json!({
        "users": [
            { "id": "usr_1", "tenant_id": "tnt_1", "email": "zoe@acme.example", "display_name": "Zoë",
              "status": "ACTIVE", "admin_role": "super_admin", "admin_role_source": "manual",
              "deleted_at": null, "last_synced_at": "2026-11-22T10:00:00Z" },
            { "id": "usr_2", "tenant_id": "tnt_1", "email": null, "display_name": null,
              "status": "SUSPENDED", "admin_role": null, "admin_role_source": null,
              "deleted_at": "2026-11-21T10:00:00Z", "last_synced_at": null },
        ],
        "total": 7, "page": 2, "per_page": 2,
    });
    let stub = Stub::saying(Answer::json(200, &page));
    let bench = Bench::at(&stub.url());
    let line = "admin users --search zo --status Active --tenant tnt_1 --page 2 --per-page 2";
    assert_eq!(
        bench.run(line).done(),
        "EMAIL             NAME  STATUS   ROLE         SOURCE  TENANT  ID     SYNCED\n\
         zoe@acme.example  Zoë   ACTIVE   super_admin  manual  tnt_1   usr_1  2026-11-22T10:00:00Z\n\
         -                 -     DELETED  -            -       tnt_1   usr_2  -\n\
         2 of 7, page 2\n"
    );
    let ran = bench.run(&format!("{line} --json"));
    ran.done();
    assert_eq!(ran.json(), page);
    assert_eq!(
        stub.lines()[0],
        "GET /v1/admin/users?search=zo&status=active&tenant_id=tnt_1&page=2&per_page=2"
    );
}

#[test]
fn text_of_others_does_not_reach_the_terminal_as_it_is() {
    let evil = "\u{1b}]0;owned\u{7}\u{9b}2J\u{202e}x\r\ny";
    let page = json!({
        "users": [{ "id": evil, "tenant_id": evil, "email": evil, "display_name": evil,
                    "status": evil, "admin_role": evil, "admin_role_source": evil,
                    "last_synced_at": evil }],
        "total": 1, "page": 1, "per_page": 100, "more": evil,
    });
    let stub = Stub::saying(Answer::json(200, &page));
    let bench = Bench::at(&stub.url());
    // The bench looks for what a terminal obeys.
    assert_eq!(bench.run("admin users").done().lines().count(), 3);
    let ran = bench.run("admin users --json");
    assert_eq!(ran.json(), page, "escaped, and still the same");

    let findings = json!({ "why": { "email": evil, "findings": [
        { "code": evil, "message": evil, "fix": evil, "user_id": evil, "tenant_id": evil },
    ], "last_sync_at": evil, "users_method": evil } });
    let stub = Stub::saying(Answer::json(200, &findings));
    let bench = Bench::at(&stub.url());
    assert_eq!(bench.run("admin why a@b.c").done().lines().count(), 5);

    let stub = Stub::saying(Answer::problem(403, evil, &json!({ evil: evil })));
    let ran = Bench::at(&stub.url()).run("admin users");
    assert_eq!(ran.code, 4);
}

#[test]
fn s_12_why_is_told_with_the_fix_of_each_finding() {
    let answer = json!({ "why": {
        "email": "bob@acme.example",
        "findings": [
            { "code": "not_assigned", "message": "Not assigned.", "fix": "Assign them." },
            { "code": "soft_deleted", "message": "Gone.", "fix": "Sync.",
              "user_id": "usr_bob", "tenant_id": "tnt_1" },
        ],
        "last_sync_at": "2026-11-22T10:00:00Z", "users_method": "member_walk",
    } });
    let stub = Stub::saying(Answer::json(200, &answer));
    let bench = Bench::at(&stub.url());
    assert_eq!(
        bench.run("admin why bob@acme.example").done(),
        "not_assigned: Not assigned.\n  fix: Assign them.\n\
         soft_deleted: Gone.\n  user_id: usr_bob\n  tenant_id: tnt_1\n  fix: Sync.\n\
         last sync: 2026-11-22T10:00:00Z, users by member_walk\n"
    );
    assert_eq!(
        stub.lines()[0],
        "GET /v1/admin/users?why=bob%40acme.example"
    );
    assert_eq!(
        bench.run("admin why bob@acme.example --json").json(),
        answer
    );
}

#[test]
fn an_answer_of_another_version_is_told() {
    for body in [
        json!({}),
        json!([]),
        json!({ "users": "many" }),
        json!({ "users": [{}] }),
    ] {
        let stub = Stub::saying(Answer::json(200, &body));
        let bench = Bench::at(&stub.url());
        if body != json!({}) {
            bench
                .run("admin users")
                .failed(1, "unreadable_answer: ", "one version");
        }
        bench
            .run("admin why a@b.c")
            .failed(1, "unreadable_answer: ", "one version");
    }
    let stub = Stub::saying(Answer::bytes(200, "text/html", b"<html>".to_vec()));
    let bench = Bench::at(&stub.url());
    bench
        .run("admin users")
        .failed(1, "unreadable_answer: ", "Check --url");
}
