//! `webhooks test`.

use scaikey_emulator::sign_webhook;
use serde_json::json;

use crate::bench::Bench;
use crate::stub::{Answer, Asked, Stub};

const SECRET: &str = "canary-webhook-secret";

/// Whether ScaiKey would have signed it so, and every header that it sends is there (4.2, 4.3).
fn is_signed(asked: &Asked, secret: &str) -> bool {
    let time = &asked.headers["x-scaikey-timestamp"];
    let signature = sign_webhook(secret, time.parse().unwrap(), &asked.body);
    let body = asked.json();
    asked.line() == "POST /api/v1/webhooks/scaikey"
        && asked.headers["x-scaikey-signature"] == format!("t={time},v1={signature}")
        && asked.headers["x-scaikey-event-id"] == body["event_id"].as_str().unwrap()
        && asked.headers["x-scaikey-event-type"] == body["event_type"].as_str().unwrap()
        && asked.headers["content-type"] == "application/json"
        && asked.headers.contains_key("x-scaikey-webhook-id")
        && !asked.headers.contains_key("authorization")
}

fn server() -> Stub {
    Stub::start(|asked| {
        if is_signed(asked, SECRET) {
            Answer::json(200, &json!({ "handled": true }))
        } else {
            Answer::problem(400, "webhook_signature_mismatch", &json!({}))
        }
    })
}

#[test]
fn a_sample_event_is_signed_as_scaikey_signs() {
    let stub = server();
    let bench = Bench::at(&stub.url()).with("SCAIFLOW_SCAIKEY_WEBHOOK_SECRET", SECRET);
    let ran = bench.run("webhooks test");
    let shown = ran.done();
    assert!(
        shown.starts_with("200: scaigate at http://127.0.0.1:"),
        "{shown}"
    );
    assert!(shown.contains(" took it and handled it.\nevent: user.password_changed, evt_"));
    let body = stub.asked()[0].json();
    assert_eq!(
        body["resource"],
        json!({ "type": "user", "id": "usr_scaigate_webhook_test" })
    );
    // Two are two events.
    let ran = bench.run("webhooks test --json");
    let other = ran.json();
    assert_eq!(other["status"], 200);
    assert_eq!(other["answer"], json!({ "handled": true }));
    assert_ne!(other["event_id"], body["event_id"]);
}

#[test]
fn the_secret_comes_from_the_environment_from_env_or_from_standard_input() {
    let stub = server();
    let bench = Bench::at(&stub.url());
    bench.run("webhooks test").failed(
        2,
        "usage: There is no webhook secret",
        "SCAIFLOW_SCAIKEY_WEBHOOK_SECRET",
    );
    bench
        .run_with_input("webhooks test --secret -", &format!("{SECRET}\n"))
        .done();
    // The first of two counts, during a rotation.
    bench.write(
        ".env",
        &format!("SCAIFLOW_SCAIKEY_WEBHOOK_SECRET=\"{SECRET}, canary-former-one\"\n"),
    );
    bench.run("webhooks test").done();
}

#[test]
fn an_event_that_changes_the_mirror_needs_to_name_about_whom() {
    let stub = server();
    let bench = Bench::at(&stub.url()).with("SCAIFLOW_SCAIKEY_WEBHOOK_SECRET", SECRET);
    for event in [
        "user.updated",
        "user.deleted",
        "group_membership.added",
        "tenant.updated",
    ] {
        bench
            .run(&format!("webhooks test --event {event}"))
            .failed(2, "usage: ", "--resource");
    }
    assert!(stub.asked().is_empty());
    bench
        .run("webhooks test --event user.updated --resource usr_1 --tenant tnt_1")
        .done();
    let body = stub.asked()[0].json();
    assert_eq!(body["tenant_id"], "tnt_1");
    assert_eq!(body["resource"], json!({ "type": "user", "id": "usr_1" }));
    assert_eq!(body["data"], json!({ "id": "usr_1" }));
    bench
        .run(r#"webhooks test --event group.member_added --resource grp_1 --data {"user_id":"usr_1"}"#)
        .done();
    let body = stub.asked()[1].json();
    assert_eq!(body["resource"], json!({ "type": "group", "id": "grp_1" }));
    assert_eq!(body["data"], json!({ "user_id": "usr_1" }));
    bench.run("webhooks test --event something.new").done();
}

#[test]
fn s_11_what_scaigate_says_against_the_event_is_told() {
    let stub = server();
    let bench = Bench::at(&stub.url()).with("SCAIFLOW_SCAIKEY_WEBHOOK_SECRET", "canary-wrong-one");
    bench.run("webhooks test").failed(
        4,
        "webhook_signature_mismatch: ",
        "Mend webhook_signature_mismatch.",
    );
    let stub = Stub::saying(Answer::problem(503, "webhook_not_configured", &json!({})));
    let bench = Bench::at(&stub.url()).with("SCAIFLOW_SCAIKEY_WEBHOOK_SECRET", SECRET);
    bench.run("webhooks test").failed(
        1,
        "webhook_not_configured: ",
        "Mend webhook_not_configured.",
    );
}

#[test]
fn an_event_that_is_not_handled_was_taken_and_a_strangers_success_is_none() {
    for (body, number, words) in [
        (
            r#"{"handled":false}"#,
            0,
            "it concerns nothing that is mirrored",
        ),
        ("<html>", 1, "its answer is not scaigate's"),
    ] {
        let answer = Answer::bytes(200, "application/json", body.as_bytes().to_vec());
        let stub = Stub::saying(answer);
        let bench = Bench::at(&stub.url()).with("SCAIFLOW_SCAIKEY_WEBHOOK_SECRET", SECRET);
        let ran = bench.run("webhooks test");
        assert_eq!(ran.code, number, "{ran:?}");
        assert!(ran.stdout.contains(words), "{ran:?}");
    }
}
