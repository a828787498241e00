//! Deploying: the calls, and every documented failure.

use futures::executor::block_on;
use http::HeaderMap;
use scaigate_flows::deploy::{self, GridFailure, Wanted};
use scaigate_flows::dev_token::DevToken;
use scaigate_problem::{Code, Problem};
use scaigate_types::GroupId;
use serde_json::{Value, json};

use crate::grid::{Script, answer, core, error, list};
use crate::world::{MANIFEST, World, code, content, detail};

const WITH_QUEUE: &str = r#""manifest:\n  name: expense\n  scaiqueue: {scope: support, queue: review, consumer_mode: fifo}\n""#;
const PUBLISHED: &str = r#""manifest:\n  name: expense\n  publish_as_model: true\n""#;

const SCOPES: &str = "GET /v1/modules/scaiqueue/scopes";
const NEW_SCOPE: &str = "POST /v1/modules/scaiqueue/scopes";
const QUEUES: &str = "GET /v1/modules/scaiqueue/scopes/sc_1/queues";
const NEW_QUEUE: &str = "POST /v1/modules/scaiqueue/scopes/sc_1/queues";
const CORES: &str = "POST /v1/modules/scaicore/cores";
const PUBLISH: &str = "POST /v1/modules/scaicore/cores/core_1/publish";

fn scope() -> Value {
    json!({ "id": "sc_1", "slug": "support", "display_name": "Support" })
}

fn queue(mode: &str) -> Value {
    json!({ "id": "q_1", "scope_id": "sc_1", "slug": "review", "consumer_mode": mode })
}

/// What comes of deploying a flow with this content, and what was recorded.
fn deployed(content: &str, grid: &Script, wanted: &Wanted) -> (Result<Value, Problem>, Value) {
    let world = World::new();
    let alice = world.writer("usr_alice");
    let flow_id = world.saves(&alice, content);
    let outcome = block_on(deploy::deploy(&world, grid, &alice, &flow_id, wanted));
    let rows = block_on(deploy::deployments(&world, alice.reader(), &flow_id, 10)).unwrap();
    let rows: Value = serde_json::from_str(&rows.rows).unwrap();
    (outcome, rows[0].clone())
}

#[test]
fn the_manifest_goes_to_scaigrid_as_it_is() {
    let grid = Script::of(vec![core()]);
    let (outcome, row) = deployed(MANIFEST, &grid, &Wanted::default());
    let outcome = outcome.unwrap();
    assert_eq!(outcome["core_id"], "core_1");
    assert_eq!(outcome["published_slug"], Value::Null);
    assert_eq!(outcome["version"], "1.0.0");
    assert_eq!(row["id"], outcome["deployment_id"]);
    assert_eq!(
        (&row["status"], &row["core_id"]),
        (&json!("succeeded"), &json!("core_1"))
    );
    assert_eq!(row["deployed_by"], "usr_alice");
    let expected = json!({ "name": "expense", "source": "manifest:\n  name: expense\n" });
    assert_eq!(*grid.calls.borrow(), [(CORES.to_owned(), expected)]);
}

#[test]
fn a_model_is_published_as_the_manifest_or_the_caller_says() {
    let groups = vec![GroupId::parse("grp_1").unwrap()];
    let published = || {
        answer(
            200,
            &json!({ "data": { "published_slug": "scaicore/acme/expense" } }),
        )
    };
    for (content, asked, is_published) in [
        (MANIFEST, None, false),
        (MANIFEST, Some(true), true),
        (PUBLISHED, None, true),
        (PUBLISHED, Some(false), false),
    ] {
        let grid = Script::of(vec![core(), published()]);
        let wanted = Wanted {
            publish_as_model: asked,
            group_ids: groups.clone(),
        };
        let (outcome, row) = deployed(content, &grid, &wanted);
        let slug = if is_published {
            json!("scaicore/acme/expense")
        } else {
            Value::Null
        };
        assert_eq!(
            outcome.unwrap()["published_slug"],
            slug,
            "{content} {asked:?}"
        );
        assert_eq!(row["published_slug"], slug);
        if is_published {
            assert_eq!(grid.targets(), [CORES, PUBLISH]);
            assert_eq!(grid.calls.borrow()[1].1, json!({ "group_ids": ["grp_1"] }));
        } else {
            assert_eq!(grid.targets(), [CORES]);
        }
    }
}

#[test]
fn the_queue_is_found_or_made_first() {
    let none = || list(&json!([]));
    let made = |id: &str| answer(201, &json!({ "data": { "id": id, "slug": "x" } }));
    let conflict = || error(409, "SLUG_CONFLICT", "slug already exists");
    let scopes = || list(&json!([scope()]));
    let queues = || list(&json!([queue("fifo")]));
    let paged = || {
        let rows = json!([{ "id": "sc_9", "slug": "other" }]);
        answer(
            200,
            &json!({ "data": rows, "has_more": true, "next_cursor": "a&b=c" }),
        )
    };
    let second = "GET /v1/modules/scaiqueue/scopes?cursor=a&b=c";
    for (name, answers, targets) in [
        ("found", vec![scopes(), queues()], vec![SCOPES, QUEUES]),
        (
            "made",
            vec![none(), made("sc_1"), none(), made("q_1")],
            vec![SCOPES, NEW_SCOPE, QUEUES, NEW_QUEUE],
        ),
        (
            "made by others meanwhile",
            vec![none(), conflict(), scopes(), none(), conflict(), queues()],
            vec![SCOPES, NEW_SCOPE, SCOPES, QUEUES, NEW_QUEUE, QUEUES],
        ),
        (
            "on the second page",
            vec![paged(), scopes(), queues()],
            vec![SCOPES, second, QUEUES],
        ),
    ] {
        let mut answers = answers;
        answers.push(core());
        let grid = Script::of(answers);
        let (outcome, _) = deployed(WITH_QUEUE, &grid, &Wanted::default());
        assert!(outcome.is_ok(), "{name}: {outcome:?}");
        let mut expected = targets;
        expected.push(CORES);
        assert_eq!(grid.targets(), expected, "{name}");
    }
}

#[test]
fn a_refused_queue_is_scaiqueue_auth_and_no_core_is_made() {
    let refusal = |status| {
        error(
            status,
            "AUTHZ_PERMISSION_DENIED",
            "permission_denied: need scaiqueue:manage",
        )
    };
    for answers in [
        vec![refusal(403)],
        vec![refusal(401)],
        vec![list(&json!([])), refusal(403)],
        vec![list(&json!([scope()])), refusal(403)],
        vec![list(&json!([scope()])), list(&json!([])), refusal(403)],
    ] {
        let grid = Script::of(answers);
        let (outcome, row) = deployed(WITH_QUEUE, &grid, &Wanted::default());
        assert_eq!(code(&outcome), Some(Code::ScaiqueueAuth));
        let detail = detail(&outcome);
        assert_eq!(detail["error"], "scaiqueue_auth");
        assert_eq!(
            detail["message"],
            "permission_denied: need scaiqueue:manage"
        );
        assert!(detail["fix"].as_str().unwrap().contains("scaiqueue:manage"));
        assert!(!grid.targets().iter().any(|target| target == CORES));
        assert_eq!(
            (&row["status"], &row["error"]),
            (&json!("failed"), &json!("scaiqueue_auth"))
        );
    }
}

#[test]
fn any_other_failure_of_the_queue_says_scope_and_queue() {
    let conflict = || error(409, "SLUG_CONFLICT", "taken");
    let scopes = || list(&json!([scope()]));
    let endless = || {
        answer(
            200,
            &json!({ "data": [], "has_more": true, "next_cursor": "again" }),
        )
    };
    let unreachable = || {
        Err(GridFailure::NoAnswer(Problem::new(
            Code::ScaigridUnreachable,
        )))
    };
    for (name, answers, message) in [
        (
            "upstream's words",
            vec![error(400, "VALIDATION_ERROR", "bad slug")],
            "bad slug",
        ),
        ("a server error", vec![answer(500, &json!("x"))], ""),
        ("no list", vec![answer(200, &json!({ "data": 5 }))], "list"),
        (
            "no id",
            vec![list(&json!([])), answer(201, &json!({}))],
            "names no scope",
        ),
        (
            "an id that is a path",
            vec![list(&json!([{ "id": "..%2F..", "slug": "support" }]))],
            "no usable id",
        ),
        (
            "a conflict that is not there",
            vec![list(&json!([])), conflict(), list(&json!([]))],
            "not among those listed",
        ),
        (
            "another order",
            vec![scopes(), list(&json!([queue("priority")]))],
            "consumer_mode priority",
        ),
        (
            "endless pages",
            (0..30).map(|_| endless()).collect(),
            "more scopes",
        ),
        ("no answer", vec![unreachable()], ""),
    ] {
        let grid = Script::of(answers);
        let (outcome, _) = deployed(WITH_QUEUE, &grid, &Wanted::default());
        assert_eq!(
            code(&outcome),
            Some(Code::ScaiqueueProvisionFailed),
            "{name}"
        );
        let detail = detail(&outcome);
        assert_eq!(
            (&detail["scope"], &detail["queue"]),
            (&json!("support"), &json!("review"))
        );
        let said = detail["message"].as_str().unwrap();
        assert!(said.contains(message), "{name}: {said}");
        assert!(
            !grid.targets().iter().any(|target| target == CORES),
            "{name}"
        );
    }
}

#[test]
fn a_core_that_is_not_made_says_status_and_words() {
    for (name, answer, status, message) in [
        (
            "verifier",
            error(422, "VALIDATION_ERROR", "verifier error: no entry point"),
            json!(422),
            "verifier error: no entry point",
        ),
        (
            "conflict",
            error(409, "SLUG_CONFLICT", "slug 'x' already exists"),
            json!(409),
            "slug 'x'",
        ),
        (
            "forbidden",
            error(403, "AUTHZ_PERMISSION_DENIED", "no"),
            json!(403),
            "no",
        ),
        (
            "a page",
            answer(502, &json!("<html>")),
            json!(502),
            "did not make a core",
        ),
        (
            "no id",
            answer(201, &json!({ "data": {} })),
            json!(201),
            "names no core",
        ),
        (
            "a bad id",
            answer(201, &json!({ "id": "a/b" })),
            json!(201),
            "names no core",
        ),
        (
            "a credential in the words",
            error(401, "AUTH_TOKEN_INVALID", "token eyJhbGciOi.x.y"),
            json!(401),
            "did not make a core",
        ),
        (
            "no answer",
            Err(GridFailure::NoAnswer(Problem::new(Code::ScaigridTimeout))),
            Value::Null,
            "",
        ),
    ] {
        let grid = Script::of(vec![answer]);
        let (outcome, row) = deployed(MANIFEST, &grid, &Wanted::default());
        assert_eq!(code(&outcome), Some(Code::ScaicoreCreateFailed), "{name}");
        let detail = detail(&outcome);
        assert_eq!(detail["status"], status, "{name}");
        let said = detail["message"].as_str().unwrap();
        assert!(
            said.contains(message) && !said.contains("eyJ"),
            "{name}: {said}"
        );
        assert_eq!(row["error"], "scaicore_create_failed");
    }
}

#[test]
fn a_core_that_is_not_published_is_named() {
    for answer in [
        error(403, "AUTHZ_PERMISSION_DENIED", "no"),
        answer(200, &json!({ "data": {} })),
        Err(GridFailure::NoAnswer(Problem::new(Code::ScaigridTimeout))),
    ] {
        let grid = Script::of(vec![core(), answer]);
        let (outcome, row) = deployed(PUBLISHED, &grid, &Wanted::default());
        assert_eq!(code(&outcome), Some(Code::ScaicorePublishFailed));
        assert_eq!(detail(&outcome)["core_id"], "core_1");
        assert_eq!(
            (&row["status"], &row["core_id"]),
            (&json!("failed"), &json!("core_1"))
        );
    }
}

#[test]
fn without_a_credential_it_is_412_under_the_name_of_the_deploy() {
    let missing = || {
        let problem = Problem::new(Code::MissingCredentials)
            .with("caller_may_set", false)
            .with_detail_member("message", "no ScaiGrid credentials for tenant 'acme'")
            .with_fix("POST /v1/tenants/me/scaigrid_credentials, which you may not.");
        Err(GridFailure::MissingCredentials(problem))
    };
    for content in [MANIFEST, WITH_QUEUE] {
        let grid = Script::of(vec![missing()]);
        let (outcome, _) = deployed(content, &grid, &Wanted::default());
        assert_eq!(code(&outcome), Some(Code::MissingScaigridCredentials));
        let detail = detail(&outcome);
        assert_eq!(detail["error"], "missing_scaigrid_credentials");
        assert_eq!(
            detail["message"],
            "no ScaiGrid credentials for tenant 'acme'"
        );
        assert!(
            detail["fix"]
                .as_str()
                .unwrap()
                .contains("/v1/tenants/me/scaigrid_credentials, which you may not")
        );
    }
}

#[test]
fn a_failure_on_this_side_stays_what_it_is() {
    for failed in [Code::StoreUnavailable, Code::ScaikeyUnreachable] {
        for content in [MANIFEST, WITH_QUEUE] {
            let grid = Script::of(vec![Err(GridFailure::Failed(Problem::new(failed)))]);
            let (outcome, row) = deployed(content, &grid, &Wanted::default());
            assert_eq!(code(&outcome), Some(failed));
            assert_eq!(row["error"], failed.as_str());
        }
    }
}

/// The cause of a failure, whether the core may be there all the same, and the fix.
fn cause(outcome: &Result<Value, Problem>) -> (Value, bool, String) {
    let error = outcome.as_ref().unwrap_err().body("/", "req_1")["error"].clone();
    let details = &error["details"];
    let may_exist = details["core_may_exist"] == true;
    (
        details["cause"].clone(),
        may_exist,
        error["fix"].as_str().unwrap().to_owned(),
    )
}

#[test]
fn a_failure_says_what_caused_it_and_what_cures_that() {
    let no_answer = |code| Err(GridFailure::NoAnswer(Problem::new(code)));
    let manifest = Code::ScaicoreCreateFailed;
    for (answer, caused, may_exist, cured) in [
        (
            error(422, "VALIDATION_ERROR", "x"),
            Code::ScaigridRejected,
            false,
            manifest,
        ),
        (
            error(409, "SLUG_CONFLICT", "x"),
            Code::ScaigridConflict,
            false,
            manifest,
        ),
        (
            error(401, "X", "x"),
            Code::ScaigridTokenRefused,
            false,
            Code::ScaigridTokenRefused,
        ),
        (
            error(403, "X", "x"),
            Code::ScaigridForbidden,
            false,
            Code::ScaigridForbidden,
        ),
        (
            answer(500, &json!({})),
            Code::ScaigridUnavailable,
            false,
            Code::ScaigridUnavailable,
        ),
        (
            no_answer(Code::ScaigridUnreachable),
            Code::ScaigridUnreachable,
            false,
            Code::ScaigridUnreachable,
        ),
        (
            no_answer(Code::ScaigridTimeout),
            Code::ScaigridTimeout,
            true,
            Code::ScaigridTimeout,
        ),
        (
            no_answer(Code::ScaigridInvalidResponse),
            Code::ScaigridInvalidResponse,
            true,
            Code::ScaigridInvalidResponse,
        ),
        (
            answer(201, &json!({})),
            Code::ScaigridInvalidResponse,
            true,
            Code::ScaigridInvalidResponse,
        ),
    ] {
        let grid = Script::of(vec![answer]);
        let (outcome, _) = deployed(MANIFEST, &grid, &Wanted::default());
        assert_eq!(code(&outcome), Some(Code::ScaicoreCreateFailed));
        let expected = (json!(caused.as_str()), may_exist, cured.fix().to_owned());
        assert_eq!(cause(&outcome), expected, "{caused:?}");
    }
}

#[test]
fn what_is_no_manifest_never_reaches_scaigrid() {
    let grid = Script::default();
    let (outcome, row) = deployed(r#"{"nodes":[],"edges":[]}"#, &grid, &Wanted::default());
    assert_eq!(code(&outcome), Some(Code::CompileError));
    let said = detail(&outcome)["errors"][0].as_str().unwrap().to_owned();
    assert!(
        said.contains("the flow compiler is not part of scaigate"),
        "{said}"
    );
    assert_eq!(row, Value::Null);
    assert!(grid.targets().is_empty());
}

#[test]
fn the_deprecated_deploy_stores_nothing_and_takes_the_name_from_the_manifest() {
    let token = DevToken::new(Some("dev-token".to_owned()));
    let mut headers = HeaderMap::new();
    headers.insert("authorization", "Bearer dev-token".parse().unwrap());
    let caller = || token.presented(&headers).unwrap().check().unwrap();
    let none = Wanted::default();
    let grid = Script::of(vec![core()]);
    let done = block_on(deploy::dev_deploy(
        &grid,
        caller(),
        &content(MANIFEST),
        &none,
    ))
    .unwrap();
    assert_eq!(done, json!({ "core_id": "core_1", "published_slug": null }));
    for nameless in [r#""manifest: {}""#, "{}"] {
        let grid = Script::default();
        let refused = block_on(deploy::dev_deploy(
            &grid,
            caller(),
            &content(nameless),
            &none,
        ));
        assert_eq!(code(&refused), Some(Code::CompileError), "{nameless}");
    }
}
