//! `scaikey-register` at a ScaiKey that fails, lies, or gives what can't be kept.

use std::fs;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};

use crate::bench::Bench;
use crate::stub::{Answer, Stub};

const STATE: &str = ".scaigate-registration.json";
const REGISTER: &str =
    "scaikey-register --email ops@acme.example --public-url https://id.acme.example";
const STATUS_TOKEN: &str = "canary-status-token";
const SECRET: &str = "canary-client-secret";

fn asked_for() -> Answer {
    let body = json!({ "request_id": "req_1", "status_token": STATUS_TOKEN, "status": "PENDING" });
    Answer::json(201, &body)
}

fn approved() -> Value {
    json!({ "status": "APPROVED", "app_id": "app_1", "client_id": "client_1", "client_secret": SECRET })
}

/// A ScaiKey that takes a registration and then says these, the last one for ever.
fn scaikey(answers: Vec<Answer>) -> Stub {
    let next = AtomicUsize::new(0);
    Stub::start(move |asked| {
        if asked.method == "POST" {
            return asked_for();
        }
        let number = next.fetch_add(1, Ordering::SeqCst);
        answers[number.min(answers.len() - 1)].clone()
    })
}

fn bench(stub: &Stub) -> Bench {
    Bench::new().with("SCAIKEY_BASE_URL", &stub.url())
}

#[test]
fn a_scaikey_that_fails_meanwhile_is_asked_again() {
    let stub = scaikey(vec![
        Answer::json(200, &json!({ "status": "pending" })),
        Answer::hanging_up(),
        Answer::json(503, &json!({ "detail": "down" })),
        Answer::json(429, &json!({ "detail": "slow down" })).with("retry-after", "1"),
        Answer::json(200, &json!({ "data": approved() })),
    ]);
    let bench = bench(&stub);
    let ran = bench.run(&format!("{REGISTER} --poll 1"));
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(bench.read(".env").contains(SECRET));
    let lines = stub.lines();
    assert_eq!(lines.len(), 6);
    assert_eq!(lines[0], "POST /api/v1/public/register/applications");
    let asked = "GET /api/v1/public/register/applications/req_1?status_token=canary-status-token";
    assert!(lines[1..].iter().all(|line| line == asked), "{lines:?}");
    let body = stub.asked()[0].json();
    assert_eq!(body["email"], "ops@acme.example");
    assert_eq!(body["scope"], "GLOBAL");
    assert_eq!(body["application_type"], "WEB");
}

#[test]
fn asked_once_a_failing_scaikey_is_told_and_nothing_is_lost() {
    let stub = scaikey(vec![
        Answer::json(503, &json!({ "detail": "down" })),
        Answer::hanging_up(),
        Answer::json(429, &json!({ "detail": "slow" })),
        Answer::json(404, &json!({ "detail": "Registration request not found" })),
        Answer::json(200, &approved()),
    ]);
    let bench = bench(&stub);
    bench.run(&format!("{REGISTER} --no-wait")).code_is(1);
    bench
        .run("scaikey-register --status")
        .failed(5, "no_answer: ", "can be reached");
    bench
        .run("scaikey-register --status")
        .failed(4, "scaikey_rate_limited: ", "Wait a minute");
    bench.run("scaikey-register --status").failed(
        3,
        "scaikey_refused: ScaiKey answered 404",
        "begin anew",
    );
    assert!(bench.has(STATE));
    bench.run("scaikey-register --status").done();
    assert!(bench.read(".env").contains(SECRET) && !bench.has(STATE));
}

#[test]
fn how_a_registration_ends_is_told_and_it_is_forgotten() {
    for (body, number, code, fix) in [
        (
            json!({ "status": "REJECTED", "reason": "no such company" }),
            4,
            "registration_rejected: ",
            "Agree",
        ),
        (
            json!({ "status": "CANCELLED" }),
            4,
            "registration_cancelled: ",
            "Agree",
        ),
        (
            json!({ "status": "EXPIRED" }),
            4,
            "registration_expired: ",
            "Agree",
        ),
        (
            json!({ "status": "APPROVED" }),
            1,
            "credentials_collected: ",
            "new secret",
        ),
    ] {
        let stub = scaikey(vec![
            Answer::json(200, &json!({ "status": "PENDING" })),
            Answer::json(200, &body),
        ]);
        let bench = bench(&stub);
        bench.run(&format!("{REGISTER} --no-wait")).code_is(0);
        let ran = bench.run("scaikey-register --status");
        ran.failed(number, code, fix);
        if let Some(reason) = body["reason"].as_str() {
            assert!(ran.stderr.contains(reason), "{ran:?}");
        }
        assert!(!bench.has(STATE) && !bench.has(".env"));
    }
}

#[test]
fn an_answer_that_makes_no_sense_changes_nothing() {
    let secret = |text: &str| json!({ "status": "APPROVED", "client_id": "client_1", "client_secret": text });
    for body in [
        json!({}),
        json!([]),
        json!({ "status": 7 }),
        json!({ "status": "BLESSED" }),
        json!({ "status": "APPROVED", "client_id": "client_1" }),
        json!({ "status": "APPROVED", "client_id": "a b", "client_secret": SECRET }),
        secret("canary\nSESSION_SECRET=theirs"),
        secret("canary with spaces"),
    ] {
        let stub = scaikey(vec![
            Answer::json(200, &json!({ "status": "PENDING" })),
            Answer::json(200, &body),
        ]);
        let bench = bench(&stub);
        bench.run(&format!("{REGISTER} --no-wait")).code_is(0);
        let ran = bench.run("scaikey-register --status");
        ran.failed(1, "scaikey_invalid_response: ", "details.reason");
        assert!(bench.has(STATE) && !bench.has(".env"), "{body}");
    }
}

#[test]
fn a_secret_that_no_line_can_hold_is_kept_aside() {
    let odd = "canary-'-and-\"-secret";
    let body = json!({ "status": "APPROVED", "client_id": "client_1", "client_secret": odd });
    let stub = scaikey(vec![Answer::json(200, &body)]);
    let bench = bench(&stub);
    let ran = bench.run(&format!("{REGISTER} --no-wait"));
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(
        ran.stderr.contains("value_unwritable: ") && ran.stderr.contains(STATE),
        "{ran:?}"
    );
    let state: Value = serde_json::from_str(&bench.read(STATE)).unwrap();
    assert_eq!(state["client_secret"], odd);
    assert_eq!(bench.mode(STATE), 0o600);
}

#[test]
fn what_a_run_that_died_was_given_is_written_by_the_next() {
    let stub = Stub::saying(Answer::empty(500));
    let bench = bench(&stub);
    let state = json!({ "v": 1, "scaikey_base_url": stub.url(), "app_id": "app_1",
                        "client_id": "client_1", "client_secret": SECRET });
    bench.write(STATE, &state.to_string());
    bench.write(".env", "A=1\n");
    bench.run("scaikey-register").done();
    assert_eq!(
        bench.read(".env"),
        format!(
            "A=1\nSCAIKEY_BASE_URL={}\nSCAIFLOW_SCAIKEY_CLIENT_ID=client_1\n\
             SCAIFLOW_SCAIKEY_CLIENT_SECRET={SECRET}\n",
            stub.url()
        )
    );
    assert!(!bench.has(STATE) && stub.asked().is_empty());
}

#[test]
fn credentials_that_the_environment_hides_are_said_to_be() {
    let stub = scaikey(vec![Answer::json(200, &approved())]);
    let bench = bench(&stub).with("SCAIFLOW_SCAIKEY_CLIENT_ID", "former");
    let ran = bench.run(&format!("{REGISTER} --no-wait"));
    assert_eq!(ran.code, 0, "{ran:?}");
    let told = "Unset SCAIFLOW_SCAIKEY_CLIENT_ID in the environment";
    assert!(ran.stdout.contains(told), "{ran:?}");
    assert!(
        bench
            .read(".env")
            .contains("SCAIFLOW_SCAIKEY_CLIENT_ID=client_1")
    );
}

#[test]
fn nothing_is_asked_for_that_could_not_be_kept() {
    let stub = scaikey(vec![Answer::json(200, &approved())]);
    let bench = bench(&stub);
    bench.write(".env", "A=1\nno assignment: canary\n");
    bench
        .run(REGISTER)
        .failed(2, "usage: .env: line 2", "--env-file");
    bench
        .run(&format!("{REGISTER} --env-file missing/.env"))
        .failed(1, "file_unusable: ", "path");
    fs::create_dir(bench.path("folder")).unwrap();
    bench
        .run(&format!("{REGISTER} --env-file folder"))
        .failed(1, "file_unusable: ", "path");
    bench
        .run("scaikey-register --email a@b.c --env-file none")
        .failed(2, "usage: ", "--public-url");
    bench
        .run("scaikey-register --public-url https://id.acme.example --env-file none")
        .failed(2, "usage: ", "--email");
    bench
        .run(&format!(
            "{REGISTER} --env-file none --redirect-uri nowhere"
        ))
        .failed_without_fix(2, "usage: A --redirect-uri");
    assert!(stub.asked().is_empty());
}

#[test]
fn a_refused_registration_says_why_without_the_token() {
    for (status, body, number, code, words) in [
        (
            422,
            json!({ "detail": [{ "loc": ["body", "email"], "msg": "Field required" }] }),
            4,
            "scaikey_refused: ScaiKey answered 422",
            "reason: body.email: Field required",
        ),
        (
            429,
            json!({ "detail": "Rate limit exceeded" }),
            4,
            "scaikey_rate_limited: ",
            "Rate limit",
        ),
        (
            500,
            json!({ "detail": "oops" }),
            1,
            "scaikey_unavailable: ",
            "oops",
        ),
    ] {
        let stub = Stub::saying(Answer::json(status, &body));
        let bench = bench(&stub);
        let ran = bench.run(REGISTER);
        ran.failed(number, code, "");
        assert!(ran.stderr.contains(words), "{ran:?}");
        assert!(!bench.has(STATE));
    }
    // The address of a question holds the token; a server that repeats it does not show it.
    let echo = json!({ "detail": format!("nothing at ?status_token={STATUS_TOKEN}") });
    let stub = scaikey(vec![Answer::json(404, &echo)]);
    let ran = bench(&stub).run(&format!("{REGISTER} --no-wait"));
    assert_eq!(ran.code, 3);
    assert!(ran.stderr.contains("?status_token=[removed]"), "{ran:?}");
}

#[test]
fn a_registration_goes_on_only_where_it_was_begun() {
    let stub = scaikey(vec![Answer::json(200, &json!({ "status": "PENDING" }))]);
    let other = Stub::saying(Answer::empty(500));
    let bench = bench(&stub);
    bench.run(&format!("{REGISTER} --no-wait")).code_is(0);
    let line = format!("scaikey-register --scaikey-url {} --no-wait", other.url());
    bench
        .run(&line)
        .failed(2, "registration_elsewhere: ", "--cancel");
    assert!(other.asked().is_empty(), "the token went nowhere else");
    bench
        .run("scaikey-register --admin-token canary-admin-token")
        .failed(4, "registration_pending: ", "--cancel");
    bench.write(STATE, "{}");
    bench
        .run("scaikey-register")
        .failed(1, "registration_unreadable: ", "Remove");
}

#[test]
fn an_application_is_not_widened_when_its_scopes_are_not_told() {
    for body in [
        json!({ "id": "app_1", "client_id": "c" }),
        json!({ "id": "app_1", "allowed_scopes": "openid" }),
        json!({ "id": "app_1", "allowed_scopes": ["openid", null] }),
    ] {
        let stub = Stub::saying(Answer::json(200, &body));
        let ran =
            bench(&stub).run("scaikey-register --app-id app_1 --admin-token canary-admin-token");
        ran.failed(1, "scaikey_invalid_response: ", "details.reason");
        assert!(stub.asked().iter().all(|asked| asked.method == "GET"));
    }
}

#[test]
fn an_application_that_is_made_without_telling_its_secret_is_told() {
    let stub = Stub::saying(Answer::json(201, &json!({ "data": { "client_id": "c" } })));
    let bench = bench(&stub);
    let ran = bench.run(
        "scaikey-register --admin-token canary-admin-token --public-url https://id.acme.example",
    );
    ran.failed(1, "scaikey_invalid_response: ", "new secret");
    assert!(!bench.has(".env") && !bench.has(STATE));
}

#[test]
fn a_slash_that_scaikey_wants_otherwise_costs_one_more_request_and_no_redirect_more() {
    let stub = Stub::start(|asked| match asked.target.as_str() {
        "/api/v1/admin/applications/" => {
            Answer::empty(307).with("location", "/api/v1/admin/applications")
        }
        _ => Answer::json(201, &approved()),
    });
    let bench = bench(&stub);
    let line =
        "scaikey-register --admin-token canary-admin-token --public-url https://id.acme.example";
    bench.run(line).done();
    assert_eq!(stub.asked().len(), 2);

    let away = Stub::saying(Answer::json(201, &approved()));
    let to = format!("{}/api/v1/admin/applications", away.url());
    let stub = Stub::saying(Answer::empty(307).with("location", &to));
    let ran = Bench::new().with("SCAIKEY_BASE_URL", &stub.url()).run(line);
    ran.failed(1, "scaikey_invalid_response: ", "SCAIKEY_BASE_URL");
    assert!(away.asked().is_empty());
}
