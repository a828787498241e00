//! `webhooks test`.

use scaigate_e2e::WEBHOOK_SECRET;

use crate::place::{operator, run, run_with_input, world};

const SECRET: &str = "SCAIFLOW_SCAIKEY_WEBHOOK_SECRET";

#[tokio::test(flavor = "multi_thread")]
async fn a_sample_event_is_taken_and_changes_nothing() {
    let world = world().await;
    world.sync().await;
    let bench = operator(&world).with(SECRET, WEBHOOK_SECRET);
    let before = world.mirror();
    let ran = run(&world, &bench, "webhooks test");
    assert!(ran.done().starts_with("200: scaigate at "), "{ran:?}");
    let ran = run(&world, &bench, "webhooks test --json");
    ran.done();
    assert_eq!(ran.json()["answer"]["handled"], true, "{ran:?}");
    assert_eq!(world.mirror(), before);
    let deliveries = world.admin("/v1/admin/webhooks/deliveries").await;
    let rows = deliveries["deliveries"].as_array().expect("rows");
    assert_eq!(rows.len(), 2, "{deliveries}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_names_somebody_reaches_the_mirror() {
    let world = world().await;
    world.sync().await;
    let bench = operator(&world);
    let line = "webhooks test --event user.suspended --resource usr_bob_acme --tenant tnt_acme0001 \
                --secret -";
    run_with_input(&world, &bench, line, WEBHOOK_SECRET).done();
    assert_eq!(world.mirrored("usr_bob_acme").await["status"], "SUSPENDED");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_secret_is_refused_and_said_so() {
    let world = world().await;
    let bench = operator(&world).with(SECRET, "another-secret-of-the-tests-0002");
    let ran = run(&world, &bench, "webhooks test");
    ran.code_is(4);
    assert!(ran.stderr.contains("fix: "), "{ran:?}");
    let ran = run(&world, &bench, "webhooks test --json");
    ran.code_is(4);
    assert!(ran.json()["error"]["code"].is_string(), "{ran:?}");
    let ran = run(&world, &operator(&world), "webhooks test");
    ran.code_is(2);
}
