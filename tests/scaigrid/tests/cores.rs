//! Cores and chat, as flows are deployed and used.

mod support;

use scaigrid_emulator::seed::{ACME_CORE, ACME_USER_KEY};
use scaigrid_emulator::{Endpoint, PublishAgain};
use serde_json::{Value, json};
use support::{ACME_KEY, Bench, CHAT, CORES, EVENTS, MODELS, UMBRA_KEY, column, json, verdict};

async fn created(bench: &Bench, name: &str) -> String {
    let body = json!({"name": name, "source": "x"});
    let made = bench.post(CORES, ACME_KEY, &body).await;
    assert_eq!(made.status(), 201);
    json(&made)["data"]["core_id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_core_is_made_from_yaml_or_json() {
    let bench = Bench::start().await;
    let yaml = "manifest:\n  name: \"expenses\"\n  version: 1\n";
    for content_type in [
        "application/yaml",
        "text/yaml; charset=utf-8",
        "application/x-yaml",
    ] {
        let made = bench
            .send("POST", CORES, ACME_KEY, Some((content_type, yaml)))
            .await;
        assert_eq!(made.status(), 201, "{content_type}");
        assert_eq!(json(&made)["data"]["name"], "expenses");
    }
    let id = created(&bench, "orders").await;
    let read = json(&bench.get(&format!("{CORES}/{id}"), ACME_KEY).await);
    assert_eq!(
        (&read["data"]["source"], &read["data"]["status"]),
        (&json!("x"), &json!("draft"))
    );
    assert_eq!(
        bench
            .get(&format!("{CORES}/{id}"), UMBRA_KEY)
            .await
            .status(),
        404
    );
    let names = json(&bench.get(CORES, ACME_KEY).await);
    assert_eq!(column(&names["data"], "name").len(), 5);
}

#[tokio::test]
async fn a_bad_core_is_refused() {
    let bench = Bench::start().await;
    for (content_type, body) in [
        ("application/yaml", "version: 1"),
        ("application/yaml", ""),
        ("application/json", "{\"name\": \"x\"}"),
        ("application/json", "[]"),
        ("text/plain", "name: x"),
    ] {
        let refused = bench
            .send("POST", CORES, ACME_KEY, Some((content_type, body)))
            .await;
        assert_eq!(
            verdict(&refused),
            (422, "VALIDATION_ERROR".into()),
            "{content_type} {body}"
        );
    }
    let message = json(
        &bench
            .send("POST", CORES, ACME_KEY, Some(("application/yaml", "x: 1")))
            .await,
    );
    assert!(
        message["error"]["message"]
            .as_str()
            .unwrap()
            .starts_with("verifier error: ")
    );
    bench.switches().change(|b| b.core_names_unique = true);
    let again = bench
        .post(CORES, ACME_KEY, &json!({"name": "support", "source": "x"}))
        .await;
    assert_eq!(verdict(&again), (409, "SLUG_CONFLICT".into()));
}

#[tokio::test]
async fn a_published_core_is_a_model_of_its_tenant() {
    let bench = Bench::start().await;
    let id = created(&bench, "orders").await;
    let path = format!("{CORES}/{id}/publish");
    let body = json!({"group_ids": ["mg_1"]});
    let answer = json(&bench.post(&path, ACME_KEY, &body).await);
    assert_eq!(answer["data"]["published_slug"], "scaicore/acme/orders");
    let slugs = |answer: &Value| column(&answer["data"]["items"], "slug");
    let acme = slugs(&json(&bench.get(MODELS, ACME_KEY).await));
    assert!(acme.contains(&"scaicore/acme/orders".to_owned()));
    let umbra = slugs(&json(&bench.get(MODELS, UMBRA_KEY).await));
    assert!(!umbra.contains(&"scaicore/acme/orders".to_owned()));

    let again = json(&bench.post(&path, ACME_KEY, &body).await);
    assert_eq!(again["data"]["published_slug"], "scaicore/acme/orders");
    bench
        .switches()
        .change(|b| b.publish_again = PublishAgain::Refused);
    let refused = bench.post(&path, ACME_KEY, &body).await;
    assert_eq!(verdict(&refused), (400, "VALIDATION_ERROR".into()));

    let streamed = json!({"model": "scaicore/acme/orders", "messages": [{}], "stream": true});
    assert_eq!(bench.post(CHAT, ACME_KEY, &streamed).await.status(), 422);
}

#[tokio::test]
async fn an_invocation_gives_the_input_back_and_leaves_events() {
    let bench = Bench::start().await;
    let path = format!("{CORES}/{ACME_CORE}/invoke");
    let answer = json(
        &bench
            .post(&path, ACME_KEY, &json!({"input": {"n": 1}}))
            .await,
    );
    assert_eq!(answer["data"]["output"], json!({"n": 1}));
    let events = json(&bench.get(&format!("{EVENTS}?limit=500"), ACME_KEY).await);
    let last = events["data"]["events"]
        .as_array()
        .unwrap()
        .last()
        .unwrap()
        .clone();
    assert_eq!(last["type"], "scaicore.runtime.invocation.completed");
    assert_eq!(
        last["payload"]["invocation_id"],
        answer["data"]["invocation_id"]
    );
    assert_eq!(
        bench
            .post(&path, ACME_KEY, &json!({"input": 1}))
            .await
            .status(),
        422
    );
    assert_eq!(
        bench
            .post(&path, ACME_USER_KEY, &json!({"input": {}}))
            .await
            .status(),
        403
    );
    assert_eq!(bench.recorder().count(Endpoint::InvokeCore), 3);
}

#[tokio::test]
async fn a_plain_chat_answers_inside_data() {
    let bench = Bench::start().await;
    let ask = json!({"model": "openai/gpt-4o", "messages": [{"role": "user", "content": "hi"}]});
    let answer = json(&bench.post(CHAT, ACME_USER_KEY, &ask).await);
    let text = answer["data"]["choices"][0]["message"]["content"]
        .as_str()
        .unwrap();
    assert_eq!(text.len(), 5 * 24);
    for (change, expected) in [
        (json!({"model": "nothing"}), (404, "MODEL_NOT_FOUND")),
        (
            json!({"model": "tenant/umbra/lab"}),
            (403, "MODEL_ACCESS_DENIED"),
        ),
        (
            json!({"model": "scailabs/embed-1"}),
            (422, "VALIDATION_ERROR"),
        ),
        (json!({"model": null}), (422, "VALIDATION_ERROR")),
        (json!({"messages": []}), (422, "VALIDATION_ERROR")),
        (json!({"temperature": 2.1}), (422, "VALIDATION_ERROR")),
        (json!({"temperature": 2.0}), (200, "")),
        (json!({"stream": "yes"}), (422, "VALIDATION_ERROR")),
    ] {
        let mut body = ask.clone();
        for (name, value) in change.as_object().unwrap() {
            body[name] = value.clone();
        }
        let answer = bench.post(CHAT, ACME_USER_KEY, &body).await;
        assert_eq!(
            verdict(&answer),
            (expected.0, expected.1.to_owned()),
            "{change}"
        );
    }
}
