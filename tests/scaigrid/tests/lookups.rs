//! What an honest ScaiGrid answers to reads: models, queues, bunkers, events, checkpoints.

mod support;

use scaigrid_emulator::seed::{
    ACME, ACME_BUNKERS, ACME_CORE, ACME_EVENTS, ACME_SCOPE, ACME_VIEWER_KEY, UMBRA_SCOPE,
};
use scaigrid_emulator::{BunkerReach, ModelsForm, Spelling};
use serde_json::{Value, json};
use support::{
    ACME_KEY, BUNKERS, Bench, CHECKPOINTS, EVENTS, MODELS, SCOPES, UMBRA_KEY, column, header, json,
    verdict,
};

#[tokio::test]
async fn models_come_in_all_three_documented_forms() {
    let bench = Bench::start().await;
    let answer = json(&bench.get(MODELS, ACME_KEY).await);
    assert_eq!(answer["status"], "ok");
    let slugs = column(&answer["data"]["items"], "slug");
    assert!(slugs.contains(&"tenant/acme/house".to_owned()));
    assert!(!slugs.contains(&"tenant/umbra/lab".to_owned()));
    let first = &answer["data"]["items"][0];
    assert_eq!(first["context_window"], 128_000);
    assert_eq!(first["max_output_tokens"], 16_384);
    assert!(
        answer["data"]["items"][1]
            .get("max_output_tokens")
            .is_none()
    );

    bench
        .switches()
        .change(|b| b.models_form = ModelsForm::Data);
    let answer = json(&bench.get(MODELS, ACME_KEY).await);
    assert_eq!(column(&answer["data"], "slug"), slugs);

    bench
        .switches()
        .change(|b| b.models_form = ModelsForm::OpenAi);
    let answer = json(&bench.get(MODELS, ACME_KEY).await);
    assert_eq!(answer["object"], "list");
    assert_eq!(column(&answer["data"], "id"), slugs);
    let other = json(&bench.get("/oai/v1/models", ACME_KEY).await);
    assert_eq!(other, answer);
}

#[tokio::test]
async fn models_are_filtered_and_found_by_their_encoded_slug() {
    let bench = Bench::start().await;
    let answer = json(&bench.get("/v1/models?modality=embedding", ACME_KEY).await);
    assert_eq!(
        column(&answer["data"]["items"], "slug"),
        ["scailabs/embed-1"]
    );
    let answer = json(&bench.get("/v1/models?status=deprecated", ACME_KEY).await);
    assert_eq!(
        column(&answer["data"]["items"], "slug"),
        ["scailabs/poolnoodle-0"]
    );
    let answer = bench.get("/v1/models/openai%2Fgpt-4o", ACME_KEY).await;
    assert_eq!(json(&answer)["data"]["slug"], "openai/gpt-4o");
    for (slug, expected) in [
        ("tenant%2Facme%2Fhouse", (200, "")),
        ("tenant%2Fumbra%2Flab", (403, "MODEL_ACCESS_DENIED")),
        ("nothing", (404, "MODEL_NOT_FOUND")),
    ] {
        let answer = bench.get(&format!("/v1/models/{slug}"), ACME_KEY).await;
        assert_eq!(
            verdict(&answer),
            (expected.0, expected.1.to_owned()),
            "{slug}"
        );
    }
}

#[tokio::test]
async fn scopes_and_queues_belong_to_a_tenant() {
    let bench = Bench::start().await;
    let acme = json(&bench.get(SCOPES, ACME_KEY).await);
    assert_eq!(column(&acme["data"], "slug"), ["support", "billing"]);
    assert_eq!(acme["data"][1]["description"], Value::Null);
    let umbra = json(&bench.get(SCOPES, UMBRA_KEY).await);
    assert_eq!(column(&umbra["data"], "id"), [UMBRA_SCOPE]);
    let foreign = bench
        .get(&format!("{SCOPES}/{UMBRA_SCOPE}/queues"), ACME_KEY)
        .await;
    assert_eq!(foreign.status(), 404);
    let one = bench.get(&format!("{SCOPES}/{ACME_SCOPE}"), ACME_KEY).await;
    assert_eq!(json(&one)["data"]["slug"], "support");
}

#[tokio::test]
async fn queues_are_spelled_as_either_page_does() {
    let bench = Bench::start().await;
    let path = format!("{SCOPES}/{ACME_SCOPE}/queues");
    let own = json(&bench.get(&path, ACME_KEY).await);
    assert_eq!(column(&own["data"], "ordering"), ["fifo", "priority"]);
    assert_eq!(own["data"][0]["consumer_mode"], "competing");
    bench.switches().change(|b| b.spelling = Spelling::Lookup);
    let lookup = json(&bench.get(&path, ACME_KEY).await);
    assert_eq!(
        column(&lookup["data"], "consumer_mode"),
        ["fifo", "priority"]
    );
    assert_eq!(
        lookup["data"][0],
        json!({
            "id": "q_acme_review", "scope_id": ACME_SCOPE, "slug": "review", "display_name": "Review",
            "consumer_mode": "fifo", "max_retries": 5,
        })
    );
    bench.switches().change(|b| b.system_queues = true);
    let all = json(&bench.get(&path, ACME_KEY).await);
    assert_eq!(all["data"].as_array().unwrap().len(), 7);
}

#[tokio::test]
async fn a_slug_clash_is_409_and_does_not_show_the_row() {
    let bench = Bench::start().await;
    let scope = json!({"slug": "support", "display_name": "Mine"});
    let clash = bench.post(SCOPES, ACME_KEY, &scope).await;
    assert_eq!(verdict(&clash), (409, "SLUG_CONFLICT".to_owned()));
    assert!(json(&clash).get("data").is_none());
    let made = bench
        .post(
            SCOPES,
            ACME_KEY,
            &json!({"slug": "new", "display_name": "New"}),
        )
        .await;
    assert_eq!(made.status(), 201);
    let id = json(&made)["data"]["id"].as_str().unwrap().to_owned();
    let queues = format!("{SCOPES}/{id}/queues");
    let queue = json!({"slug": "review", "ordering": "fifo", "max_retries": 2});
    assert_eq!(bench.post(&queues, ACME_KEY, &queue).await.status(), 201);
    assert_eq!(bench.post(&queues, ACME_KEY, &queue).await.status(), 409);
    let rows = json(&bench.get(&queues, ACME_KEY).await);
    assert_eq!(rows["data"][0]["max_retries"], 2);
    for body in [
        json!({}),
        json!([]),
        json!({"slug": 1, "display_name": "x"}),
    ] {
        let refused = bench.post(SCOPES, ACME_KEY, &body).await;
        assert_eq!(verdict(&refused), (422, "VALIDATION_ERROR".to_owned()));
    }
}

#[tokio::test]
async fn bunkers_page_by_cursor_to_the_last() {
    let bench = Bench::start().await;
    let mut ids = Vec::new();
    let mut path = format!("{BUNKERS}?limit=25");
    loop {
        let page = json(&bench.get(&path, ACME_KEY).await);
        ids.extend(column(&page["data"], "bunker_id"));
        if page["has_more"] == false {
            assert_eq!(page["next_cursor"], Value::Null);
            break;
        }
        let cursor = page["next_cursor"].as_str().unwrap();
        path = format!("{BUNKERS}?limit=25&cursor={cursor}");
    }
    assert_eq!(ids.len(), ACME_BUNKERS);
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), ACME_BUNKERS);
    for query in ["limit=0", "limit=-1", "limit=x", "cursor=x"] {
        let refused = bench.get(&format!("{BUNKERS}?{query}"), ACME_KEY).await;
        assert_eq!(
            verdict(&refused),
            (422, "VALIDATION_ERROR".to_owned()),
            "{query}"
        );
    }
}

#[tokio::test]
async fn bunkers_are_filtered_spelled_and_reached_as_asked() {
    let bench = Bench::start().await;
    let own = json(
        &bench
            .get(
                &format!("{BUNKERS}?status=running&lifecycle=persistent"),
                ACME_KEY,
            )
            .await,
    );
    let rows = own["data"].as_array().unwrap();
    assert!(!rows.is_empty());
    assert!(
        rows.iter()
            .all(|r| r["status"] == "running" && r["lifecycle_mode"] == "persistent")
    );
    assert_eq!(rows[0]["image"], "python-3.12");

    bench.switches().change(|b| b.spelling = Spelling::Lookup);
    let lookup = json(
        &bench
            .get(&format!("{BUNKERS}?status=ready"), ACME_KEY)
            .await,
    );
    let row = &lookup["data"][0];
    assert_eq!(
        (&row["image_ref"], &row["status"]),
        (&json!("python-3.12"), &json!("ready"))
    );
    assert!(row["lifecycle"].is_string());

    bench
        .switches()
        .change(|b| b.bunker_reach = BunkerReach::Caller);
    let mine = json(&bench.get(BUNKERS, ACME_KEY).await);
    assert_eq!(mine["data"].as_array().unwrap().len(), ACME_BUNKERS / 2);
    assert_eq!(
        bench
            .get(&format!("{BUNKERS}/bnk_umbra_000"), ACME_KEY)
            .await
            .status(),
        404
    );
    assert_eq!(
        bench
            .get(&format!("{BUNKERS}/bnk_acme_000"), ACME_KEY)
            .await
            .status(),
        200
    );
}

#[tokio::test]
async fn events_page_by_cursor_inside_data() {
    let bench = Bench::start().await;
    let mut seen = 0;
    let mut cursor = String::new();
    loop {
        let path = format!("{EVENTS}?core_id={ACME_CORE}&limit=60{cursor}");
        let page = json(&bench.get(&path, ACME_VIEWER_KEY).await);
        let events = page["data"]["events"].as_array().unwrap();
        assert!(events.iter().all(|e| e["core_id"] == ACME_CORE));
        assert_eq!(events[0]["timestamp"].as_str().unwrap().len(), 20);
        seen += events.len();
        match page["data"]["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(seen, ACME_EVENTS);
    let none = json(
        &bench
            .get(&format!("{EVENTS}?core_id=core_umbra_lab"), ACME_KEY)
            .await,
    );
    assert_eq!(none["data"]["events"], json!([]));
}

#[tokio::test]
async fn checkpoints_are_pending_by_default_and_resolved_once() {
    let bench = Bench::start().await;
    let pending = json(&bench.get(CHECKPOINTS, ACME_KEY).await);
    let ids = column(&pending["data"], "id");
    assert_eq!(ids.len(), 2);
    for status in ["resolved", "expired", "cancelled", "failed"] {
        let rows = json(
            &bench
                .get(&format!("{CHECKPOINTS}?status={status}"), ACME_KEY)
                .await,
        );
        assert_eq!(column(&rows["data"], "status"), [status]);
    }
    let path = format!("{CHECKPOINTS}/{}/resolve", ids[0]);
    let resolution = json!({"decision": "approve"});
    let foreign = bench.post(&path, UMBRA_KEY, &resolution).await;
    assert_eq!(foreign.status(), 404);
    let first = bench.post(&path, ACME_KEY, &resolution).await;
    assert_eq!(json(&first)["data"]["resolution"], resolution);
    assert_eq!(bench.post(&path, ACME_KEY, &resolution).await.status(), 409);
}

#[tokio::test]
async fn a_module_can_be_off() {
    let bench = Bench::start().await;
    bench.emulator.grid().set_module(ACME, "scaiqueue", false);
    let refused = bench.get(SCOPES, ACME_KEY).await;
    assert_eq!(verdict(&refused), (403, "MODULE_NOT_ENABLED".to_owned()));
    assert_eq!(bench.get(SCOPES, UMBRA_KEY).await.status(), 200);
    let modules = json(&bench.get("/v1/modules", ACME_KEY).await);
    assert_eq!(
        modules["data"][0],
        json!({"module_id": "scaiqueue", "status": "disabled"})
    );
}

#[tokio::test]
async fn health_is_open_and_unknown_paths_and_methods_are_refused() {
    let bench = Bench::start().await;
    let alive = bench.get("/health", "").await;
    assert_eq!(alive.body(), r#"{"status":"ok"}"#);
    assert_eq!(
        json(&bench.get("/health/ready", "").await)["checks"]["redis"],
        "ok"
    );
    assert_eq!(header(&alive, "date"), "Sun, 15 Jun 2025 15:06:40 GMT");
    bench.advance(3_600);
    let later = bench.get("/health", "").await;
    assert_eq!(header(&later, "date"), "Sun, 15 Jun 2025 16:06:40 GMT");
    assert_eq!(bench.get("/v1/nothing", ACME_KEY).await.status(), 404);
    let patched = bench.send("PATCH", MODELS, ACME_KEY, None).await;
    assert_eq!(patched.status(), 405);
}
