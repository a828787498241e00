use http::Method;
use serde::Serialize;
use serde_json::{Value, json};

mod bounds;

use super::*;
use crate::path::{Route, Segment, UpstreamPath};

fn scope_id() -> Segment {
    let target = "/v1/scaiqueue/scopes/sc_asked/queues";
    let path = UpstreamPath::parse(&Method::GET, target).unwrap();
    let Route::Queues { scope_id } = path.route() else {
        unreachable!("{path:?}")
    };
    scope_id.clone()
}

/// What a caller gets.
fn body<T: Serialize>(page: Result<Page<T>, ShapeError>) -> Result<Value, ShapeError> {
    Ok(serde_json::to_value(page?.into_listing()).unwrap())
}

fn read(reader: &str, answer: &Value) -> Result<Value, ShapeError> {
    let answer = answer.to_string();
    let answer = answer.as_bytes();
    match reader {
        "models" => body(models(answer)),
        "scopes" => body(scopes(answer)),
        "queues" => body(queues(answer, &scope_id())),
        _ => body(bunkers(answer)),
    }
}

#[test]
fn c_7_models_come_in_three_forms_and_leave_in_one() {
    let row = json!({
        "slug": "openai/gpt-4o", "display_name": "GPT-4o", "modality": "chat",
        "context_window": 128_000, "max_output_tokens": 16384, "status": "active",
        "health_status": "healthy", "active_backend_count": 1, "total_backend_count": 2,
    });
    let expected = json!({ "data": [{
        "slug": "openai/gpt-4o", "display_name": "GPT-4o", "modality": "chat",
        "context_window": 128_000, "max_output_tokens": 16384,
    }] });
    for answer in [
        json!({ "data": [row] }),
        json!({ "data": { "items": [row] } }),
        json!({ "status": "ok", "data": { "items": [row], "has_more": false }, "meta": {} }),
    ] {
        assert_eq!(read("models", &answer).unwrap(), expected, "{answer}");
    }
    let openai = json!({ "object": "list", "data": [
        { "id": "openai/gpt-4o", "object": "model", "created": 1, "owned_by": "openai",
          "context_window": 128_000, "max_output_tokens": 16384 },
        { "id": "tiny" },
    ] });
    let expected = json!({ "data": [
        { "slug": "openai/gpt-4o", "display_name": "openai/gpt-4o", "modality": null,
          "context_window": 128_000, "max_output_tokens": 16384 },
        { "slug": "tiny", "display_name": "tiny", "modality": null, "context_window": null },
    ] });
    assert_eq!(read("models", &openai).unwrap(), expected);
}

#[test]
fn scopes_leave_as_documented() {
    let answer = json!({ "data": [
        { "id": "sc_1", "slug": "support", "display_name": "Support", "description": "d", "x": 1 },
        { "id": "sc_2", "slug": "bare", "description": null },
    ], "has_more": false, "next_cursor": null });
    let expected = json!({ "data": [
        { "id": "sc_1", "slug": "support", "display_name": "Support", "description": "d" },
        { "id": "sc_2", "slug": "bare", "display_name": "bare", "description": null },
    ] });
    assert_eq!(read("scopes", &answer).unwrap(), expected);
}

#[test]
fn c_8_two_words_of_scaiqueue_are_one_of_scaiflow() {
    let table = [
        (json!({ "consumer_mode": "fifo" }), json!("fifo")),
        (json!({ "consumer_mode": "priority" }), json!("priority")),
        (json!({ "consumer_mode": "deadline" }), json!("deadline")),
        (json!({ "consumer_mode": "broadcast" }), json!("broadcast")),
        (
            json!({ "consumer_mode": "competing", "ordering": "fifo" }),
            json!("fifo"),
        ),
        (
            json!({ "consumer_mode": "competing", "ordering": "priority" }),
            json!("priority"),
        ),
        (
            json!({ "consumer_mode": "competing", "ordering": "deadline" }),
            json!("deadline"),
        ),
        (
            json!({ "consumer_mode": "broadcast", "ordering": "fifo" }),
            json!("broadcast"),
        ),
        (
            json!({ "consumer_mode": "competing", "ordering": "broadcast" }),
            json!("broadcast"),
        ),
        (
            json!({ "consumer_mode": null, "ordering": "deadline" }),
            json!("deadline"),
        ),
        (json!({ "ordering": "priority" }), json!("priority")),
        (
            json!({ "consumer_mode": "fifo", "ordering": "broadcast" }),
            json!("broadcast"),
        ),
        (json!({ "consumer_mode": "competing" }), json!(null)),
        (json!({ "consumer_mode": "FIFO" }), json!(null)),
        (json!({ "consumer_mode": 1, "ordering": [] }), json!(null)),
        (json!({}), json!(null)),
    ];
    for (words, expected) in table {
        let mut row = json!({ "id": "q_1", "slug": "review" });
        row.as_object_mut()
            .unwrap()
            .extend(words.as_object().unwrap().clone());
        let read = read("queues", &json!({ "data": [row] })).unwrap();
        assert_eq!(read["data"][0]["consumer_mode"], expected, "{words}");
    }
}

#[test]
fn queues_leave_as_documented() {
    let answer = json!({ "data": [
        { "id": "q_1", "scope_id": "sc_1", "slug": "review", "display_name": "Review",
          "consumer_mode": "fifo", "max_retries": 5, "state": "paused" },
        { "id": "q_2", "slug": "_dead_letter" },
    ] });
    let expected = json!({ "data": [
        { "id": "q_1", "scope_id": "sc_1", "slug": "review", "display_name": "Review",
          "consumer_mode": "fifo", "max_retries": 5 },
        { "id": "q_2", "scope_id": "sc_asked", "slug": "_dead_letter",
          "display_name": "_dead_letter", "consumer_mode": null, "max_retries": null },
    ] });
    assert_eq!(read("queues", &answer).unwrap(), expected);
}

#[test]
fn c_10_bunkers_of_either_vocabulary_leave_in_scaiflows() {
    let answer = json!({ "data": [
        { "bunker_id": "bnk_1", "image_ref": "python-3.12", "lifecycle": "ephemeral",
          "status": "ready", "name": "one" },
        { "id": "bnk_2", "image": "python-3.12", "lifecycle_mode": "session",
          "status": "running", "cpu_millicores": 1000, "label_set": { "team": "a" } },
    ], "has_more": false, "next_cursor": "ignored" });
    let expected = json!({ "data": [
        { "bunker_id": "bnk_1", "image_ref": "python-3.12", "lifecycle": "ephemeral",
          "status": "ready", "name": "one" },
        { "bunker_id": "bnk_2", "image_ref": "python-3.12", "lifecycle": "session",
          "status": "ready", "cpu_millicores": 1000, "label_set": { "team": "a" } },
    ] });
    assert_eq!(read("bunkers", &answer).unwrap(), expected);
}

#[test]
fn c_10_only_bunkers_that_run_or_persist_are_listed() {
    let table = [
        ("running", "ephemeral", Some("ready")),
        ("ready", "session", Some("ready")),
        ("running", "persistent", Some("ready")),
        ("paused", "persistent", Some("paused")),
        ("pending", "persistent", Some("pending")),
        ("running", "appliance", Some("ready")),
        ("pending", "ephemeral", None),
        ("provisioning", "session", None),
        ("terminated", "ephemeral", None),
        ("Running", "ephemeral", None),
        ("", "", None),
    ];
    for (status, lifecycle, expected) in table {
        let row = json!({ "id": "bnk_1", "status": status, "lifecycle_mode": lifecycle });
        let listed = read("bunkers", &json!({ "data": [row] })).unwrap();
        let expected = expected.map(Value::from);
        assert_eq!(
            listed["data"].get(0).map(|row| row["status"].clone()),
            expected,
            "{row}"
        );
    }
}

#[test]
fn n_055_a_bunker_is_listed_without_what_may_hold_a_credential() {
    let key = "sgk_canary0123456789abcdefghijklmnop1234";
    let answer = json!({ "data": [{
        "id": "bnk_1", "status": "running", "name": "kept",
        "env_vars": { "DATABASE_URL": "canary" }, "env": ["canary"],
        "registry_password": "canary", "access_token": "canary",
        "interfaces": [{ "kind": "http", "secret": "canary", "port": 80 }, key],
        "note": key, "long": "x".repeat(1025), ("n".repeat(65)): 1,
        "longest": "x".repeat(1024), ("n".repeat(64)): 1,
    }] });
    let listed = read("bunkers", &answer).unwrap();
    assert!(!listed.to_string().contains("canary"), "{listed}");
    let row = &listed["data"][0];
    assert_eq!(row["interfaces"], json!([{ "kind": "http", "port": 80 }]));
    assert_eq!(row["name"], "kept");
    assert_eq!(row.as_object().unwrap().len(), 8, "{row}");
    let many: serde_json::Map<String, Value> = (0..200)
        .map(|number| (format!("m{number}"), json!(1)))
        .chain([
            ("id".to_owned(), json!("b")),
            ("status".to_owned(), json!("ready")),
        ])
        .collect();
    let listed = read("bunkers", &json!({ "data": [many] })).unwrap();
    assert_eq!(listed["data"][0].as_object().unwrap().len(), 4 + 48);
}
